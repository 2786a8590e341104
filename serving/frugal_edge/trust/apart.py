"""Signatures verified in a process of their own.

What verifies them takes some 8 MB, which a resident process would hold for the few moments in a
year at which a bundle changes.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from frugal_edge.errors import ConfigError, EdgeError, SignatureError

Digests = Mapping[str, str]
_LONGEST_S = 60.0


def verify_apart(folders: Sequence[Path], trust: Path) -> list[Digests | EdgeError]:
    """Verify the signatures of bundles by the keys that are trusted now.

    Parameters
    ----------
    folders
        The bundles.
    trust
        Folder of the trusted keys.

    Returns
    -------
    list[Digests or EdgeError]
        For each bundle the SHA-256 of its files as signed, by name, or what is wrong: a
        `SignatureError`, or a `ConfigError` if a key, or the process, is to blame.
    """
    if not folders:
        return []
    command = [sys.executable, "-m", __name__, str(trust), *map(str, folders)]
    try:
        done = subprocess.run(  # noqa: S603  # this very module
            command, capture_output=True, check=True, timeout=_LONGEST_S
        )
        answers = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return [ConfigError(f"signatures cannot be verified: {error}")] * len(folders)
    return [_read(answer) for answer in answers]


def _read(answer: Mapping[str, object]) -> Digests | EdgeError:
    digests = answer.get("digests")
    if isinstance(digests, dict):
        return digests
    kind = SignatureError if answer.get("unsigned") else ConfigError
    return kind(str(answer.get("reason")))


def _answer(folder: Path, trust: Path) -> dict[str, object]:
    from frugal_edge.trust.keys import TrustStore
    from frugal_edge.trust.verify import verify_folder

    try:
        return {"digests": dict(verify_folder(folder, TrustStore.read(trust)).digests)}
    except SignatureError as error:
        return {"unsigned": True, "reason": str(error)}
    except EdgeError as error:
        return {"reason": str(error)}


if __name__ == "__main__":
    place, *bundles = map(Path, sys.argv[1:])
    sys.stdout.write(json.dumps([_answer(bundle, place) for bundle in bundles]))
