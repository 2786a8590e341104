"""A bundle on disk: every byte is checked before anything but the manifest is parsed."""

import os
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from frugal_edge import manifest as manifests
from frugal_edge.digest import sha256_hex
from frugal_edge.errors import BundleError
from frugal_edge.manifest import FileEntry, Manifest
from frugal_edge.manifest_reader import read_manifest

_MAX_MANIFEST = 1 << 20  # bytes; a real one has a few thousand


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle.

    Attributes
    ----------
    folder
        Where it was read.
    manifest
        What it says about itself.
    content
        The bytes whose digests were checked, by file name; nothing is read a second time.
    """

    folder: Path
    manifest: Manifest
    content: Mapping[str, bytes]


def open_bundle(folder: str | os.PathLike[str], signed: Mapping[str, str] | None = None) -> Bundle:
    """Read a bundle and verify name, size and SHA-256 of every file in its folder.

    Parameters
    ----------
    folder
        The bundle; beside the listed files it may hold a signature, which is not read here.
    signed
        What `frugal_edge.trust.verify` found signed, SHA-256 by file name: what is opened is that,
        whatever was written to the folder meanwhile.

    Raises
    ------
    BundleError
        If the folder is no bundle, a file is missing, altered or not listed, or the manifest is
        not of a known schema.
    """
    path = Path(folder)
    sizes = _list_files(path)
    if sizes[manifests.NAME] > _MAX_MANIFEST:
        raise BundleError(f"{path / manifests.NAME}: expected at most {_MAX_MANIFEST} bytes")
    data = _read(path / manifests.NAME)
    if signed is not None:
        _check_digest(path / manifests.NAME, data, signed[manifests.NAME])
    try:
        manifest = read_manifest(data)
    except BundleError as error:
        raise BundleError(f"{path}: {error}") from error
    _check_names(path, sizes.keys(), manifest.files.keys())
    content = {
        name: _verified(path / name, sizes[name], entry) for name, entry in manifest.files.items()
    }
    return Bundle(path, manifest, content)


def _list_files(path: Path) -> dict[str, int]:
    try:
        with os.scandir(path) as entries:
            found = {e.name: e.stat(follow_symlinks=False).st_size for e in entries if _plain(e)}
    except NotADirectoryError:
        raise BundleError(f"{path}: expected the folder of a bundle, got a file") from None
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from error
    if manifests.NAME not in found:
        raise BundleError(f"{path}: not a bundle: {_what_instead(path)}")
    return found


def _plain(entry: "os.DirEntry[str]") -> bool:
    if entry.is_file(follow_symlinks=False):
        return True
    if (Path(entry.path).parent / manifests.NAME).is_file():
        raise BundleError(f"{entry.path}: expected only plain files in a bundle")
    return False


def _what_instead(path: Path) -> str:
    below = sorted(p.parent.name for p in path.glob(f"*/{manifests.NAME}"))
    if below:
        return f"it holds a bundle for each of several series, name one of them: {', '.join(below)}"
    return f"it holds no {manifests.NAME}"


def _check_names(path: Path, found: AbstractSet[str], listed: AbstractSet[str]) -> None:
    own = {manifests.NAME, manifests.SIGNATURE}
    missing, extra = sorted(listed - found), sorted(found - listed - own)
    if missing:
        raise BundleError(f"{path}: missing: {', '.join(missing)}")
    if extra:
        raise BundleError(f"{path}: not listed in {manifests.NAME}: {', '.join(extra)}")


def _verified(path: Path, size: int, entry: FileEntry) -> bytes:
    if size != entry.size:
        raise BundleError(f"{path}: expected {entry.size} bytes, got {size}")
    data = _read(path)
    _check_digest(path, data, entry.sha256)
    return data


def _check_digest(path: Path, data: bytes, expected: str) -> None:
    digest = sha256_hex(data)
    if digest != expected:
        raise BundleError(f"{path}: altered: expected SHA-256 {expected}, got {digest}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from error
