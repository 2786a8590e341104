"""A bundle as one file: a plain tar whose bytes depend on those of the bundle alone."""

import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from frugal_edge.bundle import Bundle
from frugal_edge.errors import EdgeError
from frugal_edge.manifest import NAME, SIGNATURE
from frugal_edge.trust.statement import read_statement
from frugal_edge.trust.verify import check_files, signature_of

from frugal_ai.errors import ReleaseError
from frugal_ai.files import write_bytes
from frugal_ai.release.bundles import checked_bundle

_MODE = 0o644


@dataclass(frozen=True, slots=True)
class Archive:
    """A packed bundle.

    Attributes
    ----------
    file
        The tar.
    size
        Of it [bytes].
    sha256
        Of it, 64 hex digits.
    signer
        The key that is said to have signed; None for an unsigned bundle.
    """

    file: Path
    size: int
    sha256: str
    signer: str | None


def pack_bundle(path: Path, out: Path | None, *, unsigned: bool = False) -> Archive:
    """Pack a bundle with its signature.

    Parameters
    ----------
    path
        A bundle, or a run with one.
    out
        File to write; None for the bundle's id with ``.tar`` in the working folder.
    unsigned
        Pack it without a signature.

    Raises
    ------
    ReleaseError
        If a gateway would refuse the bundle, or it is not signed as it is.
    OutputError
        If the archive cannot be written.
    """
    bundle = checked_bundle(path)
    signer = None if unsigned else _signer(bundle.folder)
    content = tar_of(bundle, signed=not unsigned)
    file = out or Path(f"{bundle.manifest.id}.tar")
    write_bytes(file, content)
    return Archive(file, len(content), hashlib.sha256(content).hexdigest(), signer)


def tar_of(bundle: Bundle, *, signed: bool) -> bytes:
    """Return the tar: plain files in a folder of the bundle's id, in the order of their names.

    Raises
    ------
    ReleaseError
        If a name is too long for a plain tar.
    """
    names = {NAME, *bundle.manifest.files, *([SIGNATURE] if signed else [])}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(names):
            content = bundle.content.get(name) or (bundle.folder / name).read_bytes()
            member = tarfile.TarInfo(f"{bundle.manifest.id}/{name}")
            member.size, member.mode = len(content), _MODE
            try:
                archive.addfile(member, io.BytesIO(content))
            except ValueError as error:  # a name longer than the format has room for
                raise ReleaseError(f"{bundle.folder / name}: cannot be packed: {error}") from error
    return buffer.getvalue()


def _signer(folder: Path) -> str:
    """Check that the signature is of these files; whether its key is trusted, gateways know."""
    if not (folder / SIGNATURE).exists():
        raise ReleaseError(
            f"{folder}: not signed: expected {SIGNATURE} by frugal-ai sign, or --unsigned"
        )
    file = str(folder / SIGNATURE)
    try:
        signature = signature_of(folder)
        check_files(folder, read_statement(signature.envelope.payload, file).digests)
    except EdgeError as error:
        raise ReleaseError(f"{error}; sign it anew") from error
    return signature.signer
