"""``python -m frugal_edge`` is ``frugal-edge``."""

import sys

from frugal_edge.cli import main

sys.exit(main())
