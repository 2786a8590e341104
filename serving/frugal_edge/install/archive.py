"""A bundle as it arrives, a plain tar or a folder, unpacked without trusting a byte of it.

The headers are read one after the other by the standard library's `tarfile.TarInfo`; walking them
is done here, because nothing that could lead elsewhere may be followed: only plain files with plain
names in one folder come out, and every length is bounded before it is used.
"""

import os
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from frugal_edge.errors import InstallError
from frugal_edge.files import sync_folder
from frugal_edge.install.disk import told, write_synced

MAX_BYTES = 64 << 20
_MAX_FILES = 32
_BLOCK = tarfile.BLOCKSIZE
_OVERHEAD = 256 << 10  # bytes of headers and padding around a bundle
_MAX_REMARKS = 64 << 10  # bytes of one extended header, whose content is not used
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE)
_REMARKS = (tarfile.XHDTYPE, tarfile.XGLTYPE)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one bundle may hold, its files together [bytes]."""

    total: int = MAX_BYTES


def size(source: Path, limits: Limits) -> int:
    """Return the bytes that a bundle needs at most once it is unpacked.

    Raises
    ------
    InstallError
        If it is larger than it may be, or cannot be read.
    """
    with told(source, "cannot be read"):
        if source.is_dir():
            total = sum(entry.stat().st_size for entry in os.scandir(source))
            most = limits.total
        else:
            found = source.stat()
            if not S_ISREG(found.st_mode):
                raise InstallError(f"{source}: expected a tar or a folder")
            total, most = found.st_size, limits.total + _OVERHEAD
    if total > most:
        raise InstallError(f"{source}: too large: expected at most {most} bytes, got {total}")
    return total


def unpack(source: Path, target: Path, limits: Limits) -> None:
    """Write the files of a bundle into a new folder, durably.

    Raises
    ------
    InstallError
        If the source is no bundle that can be unpacked safely, or the files cannot be written.
    """
    files = _of_folder(source, limits) if source.is_dir() else _of_tar(source, limits)
    with told(target):
        target.mkdir()
    written: set[str] = set()
    left = limits.total
    for name, data in files:
        if name in written:
            raise InstallError(f"{source}: {name}: is there twice")
        if len(written) == _MAX_FILES:
            raise InstallError(f"{source}: expected at most {_MAX_FILES} files")
        left -= len(data)
        if left < 0:
            raise InstallError(f"{source}: too large: expected at most {limits.total} bytes")
        with told(target / name):
            write_synced(target / name, data)
        written.add(name)
    if not written:
        raise InstallError(f"{source}: expected the files of a bundle, got none")
    with told(target):
        sync_folder(target)


def _of_folder(source: Path, limits: Limits) -> Iterator[tuple[str, bytes]]:
    with told(source, "cannot be read"):
        names = sorted(path.name for path in source.iterdir())
    for name in names:
        if not _PLAIN.fullmatch(name):
            raise InstallError(f"{source}: {name!r}: expected a plain file name")
        with told(source / name, "cannot be read as a plain file"):
            # Without O_NONBLOCK opening a pipe would wait for a writer.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            handle = os.open(source / name, flags)
            with os.fdopen(handle, "rb") as file:
                plain = S_ISREG(os.fstat(handle).st_mode)
                data = file.read(limits.total + 1) if plain else b""
        if not plain:
            raise InstallError(f"{source / name}: expected only plain files in a bundle")
        yield name, data


def _of_tar(source: Path, limits: Limits) -> Iterator[tuple[str, bytes]]:
    with told(source, "cannot be read"), source.open("rb") as file:
        yield from _members(source, file, limits)


def _members(source: Path, file: BinaryIO, limits: Limits) -> Iterator[tuple[str, bytes]]:
    folder: str | None = None
    while (header := _header(source, file)) is not None:
        if header.type in _REMARKS:
            _content(source, file, header, _MAX_REMARKS)
            continue
        *above, name = _parts(source, header)
        if header.isdir():
            above, name = [*above, name], ""
        elif header.type not in _FILES:
            raise InstallError(f"{source}: {header.name!r}: expected only plain files in a bundle")
        place = "/".join(above)
        if len(above) > 1 or folder not in (None, place):
            raise InstallError(
                f"{source}: {header.name!r}: expected all files in one folder of the archive"
            )
        folder = place
        data = _content(source, file, header, limits.total)
        if name:
            yield name, data


def _header(source: Path, file: BinaryIO) -> tarfile.TarInfo | None:
    """Read the next header; None at the mark of the end."""
    at = file.tell()
    block = file.read(_BLOCK)
    if block and not any(block):
        return None
    if len(block) < _BLOCK:
        raise InstallError(f"{source}: cut off at byte {at + len(block)}: a header should be there")
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError) as error:
        what = "not a plain tar" if at == 0 else "damaged"
        raise InstallError(f"{source}: {what}: byte {at}: {error}") from None
    if header.size < 0:
        raise InstallError(f"{source}: damaged: byte {at}: negative size")
    return header


def _content(source: Path, file: BinaryIO, header: tarfile.TarInfo, most: int) -> bytes:
    """Read what follows a header, and its padding."""
    if header.size > most:
        raise InstallError(
            f"{source}: {header.name!r}: too large: expected at most {most} bytes,"
            f" got {header.size}"
        )
    padded = -(-header.size // _BLOCK) * _BLOCK
    data = file.read(padded)
    if len(data) < padded:
        raise InstallError(
            f"{source}: {header.name!r}: cut off: expected {header.size} bytes,"
            f" got {min(len(data), header.size)}"
        )
    return data[: header.size]


def _parts(source: Path, header: tarfile.TarInfo) -> list[str]:
    """Split a name into plain parts; nothing absolute, no way up, nothing hidden."""
    parts = header.name.split("/")
    if parts[0] == "." and len(parts) > 1:
        parts = parts[1:]
    if parts == ["."] and header.isdir():
        return [""]
    if not all(map(_PLAIN.fullmatch, parts)):
        raise InstallError(f"{source}: {header.name!r}: expected a plain name in one folder")
    return parts
