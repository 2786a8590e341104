"""Install the committed bundle again and again, from the check of its signature to the commit.

``python -m benchmarks.gateway.installs`` prints the median wall time.
"""

import statistics
import tempfile
from pathlib import Path

from frugal_edge.install.installer import How, install
from frugal_edge.trust.keys import TrustStore

from benchmarks.gateway.site import bundle, make_state


def median_s(times: int = 11) -> float:
    """Return the median wall time of an install without trial [s]."""
    with tempfile.TemporaryDirectory() as name:
        state = make_state(Path(name))
        trust = TrustStore.read(state / "trust")
        how = How(trial=0, force=True)
        return statistics.median(install(state, bundle(), trust, how).seconds for _ in range(times))


if __name__ == "__main__":
    print(f"install, signature to commit, without trial: median {median_s():.2f} s")
