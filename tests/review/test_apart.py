import subprocess
import sys

import pytest

from frugal_ai.errors import ReviewError
from frugal_ai.review.apart import apart
from frugal_ai.review.text import reason


def test_what_is_found_apart_comes_back_and_so_does_what_is_wrong() -> None:
    assert apart(reason, " good ") == "good"
    with pytest.raises(ReviewError, match="expected a reason, got none"):
        apart(reason, " ")


def test_a_board_reads_evidence_from_a_database_without_mlflow() -> None:
    code = (
        "import sys\n"
        "import frugal_ai.review.review\n"
        "from frugal_ai.errors import TrackingError\n"
        "from frugal_ai.review.situation import look\n"
        "try:\n"
        "    look('sqlite:///no.db', 'run')\n"
        "except TrackingError:\n"
        "    pass\n"
        "assert 'mlflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
