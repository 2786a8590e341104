"""How much an environment holds of the distributions named: packages and bytes, as JSON."""

import json
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path


def size(name: str) -> int | None:
    """Return the bytes of a distribution's files; None where it is not installed."""
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:  # for another platform or Python
        return None
    paths = {Path(str(file.locate())) for file in files}
    return sum(path.stat().st_size for path in paths if path.is_file())


if __name__ == "__main__":
    sizes = [found for found in map(size, sys.argv[1:]) if found is not None]
    print(json.dumps({"packages": len(sizes), "bytes": sum(sizes)}))
