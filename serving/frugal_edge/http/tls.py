"""TLS of the HTTP service."""

import ssl
from pathlib import Path

from frugal_edge.errors import ConfigError


def tls_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """Read the certificate and its key, None for no TLS.

    Raises
    ------
    ConfigError
        If a file cannot be read, is no PEM, or the key is another's.
    """
    if certificate is None or key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for path in (certificate, key):
        try:
            path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or str(error)
        raise ConfigError(
            f"{certificate}, {key}: expected a PEM certificate and its key, got {reason}"
        ) from error
    return context


def _no_password() -> str:
    raise ValueError("a key with a password, which nobody can type here")
