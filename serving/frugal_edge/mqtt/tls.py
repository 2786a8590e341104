"""TLS to the broker: its certificate is checked against one authority, and its name with it."""

import ssl
from pathlib import Path

from frugal_edge.errors import ConfigError
from frugal_edge.gateway.config import MqttSettings


def context_of(settings: MqttSettings) -> ssl.SSLContext | None:
    """Prepare TLS 1.2 or newer, None where the settings name no authority.

    Raises
    ------
    ConfigError
        If a file cannot be read or is not what it should be.
    """
    if settings.ca is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=settings.ca)
    except OSError as error:
        raise _unusable("ca", settings.ca, error) from error
    if settings.certificate is not None:
        try:
            context.load_cert_chain(settings.certificate, settings.key)
        except OSError as error:
            raise _unusable("certificate, key", settings.certificate, error) from error
    return context


def _unusable(key: str, path: Path, error: OSError) -> ConfigError:
    reason = "not PEM, or of another key" if isinstance(error, ssl.SSLError) else error.strerror
    return ConfigError(f"mqtt: {key}: {path}: cannot be used: {reason}")
