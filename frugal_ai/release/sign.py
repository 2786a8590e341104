"""Bundles signed, in the OpenSSF model-signing format."""

from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric import ec
from frugal_edge.errors import EdgeError
from frugal_edge.install.archive import Limits, unpack
from frugal_edge.manifest import NAME, SIGNATURE
from frugal_edge.trust.keys import PublicKey, TrustStore
from frugal_edge.trust.sigstore import sign_statement
from frugal_edge.trust.statement import Statement
from frugal_edge.trust.verify import file_digest, verify_folder

from frugal_ai.errors import ReleaseError
from frugal_ai.files import write_bytes
from frugal_ai.release.bundles import checked_bundle
from frugal_ai.release.pack import tar_of


def sign_bundle(path: Path, key: ec.EllipticCurvePrivateKey) -> Path:
    """Sign a bundle, in the place of a signature that it may have; return the signature's file.

    Parameters
    ----------
    path
        A bundle, or a run with one.
    key
        Private key, on P-256.

    Raises
    ------
    ReleaseError
        If a gateway would refuse the bundle.
    OutputError
        If the signature cannot be written; what was there stays.
    """
    bundle = checked_bundle(path)
    file = bundle.folder / SIGNATURE
    public = PublicKey.of(key.public_key(), file)
    try:
        digests = {NAME: file_digest(bundle.folder / NAME)}
        digests |= {name: entry.sha256 for name, entry in bundle.manifest.files.items()}
        write_bytes(file, sign_statement(Statement(bundle.manifest.id, digests), key))
        verify_folder(bundle.folder, TrustStore(file, (public,)))
    except EdgeError as error:
        raise ReleaseError(str(error)) from error
    return file


def sign_archive(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Sign the bundle in a tar, which is replaced by one with the signature.

    Parameters
    ----------
    file
        As ``frugal-ai pull`` or ``frugal-ai pack --unsigned`` writes it.
    key
        Private key, on P-256.

    Raises
    ------
    ReleaseError
        If it is no tar of a bundle, or a gateway would refuse the bundle.
    OutputError
        If it cannot be written; what was there stays.
    """
    with TemporaryDirectory(prefix="frugal-ai-") as place:
        folder = Path(place) / "bundle"
        try:
            unpack(file, folder, Limits())
        except EdgeError as error:
            raise ReleaseError(str(error)) from error
        sign_bundle(folder, key)
        content = tar_of(checked_bundle(folder), signed=True)
    write_bytes(file, content)
