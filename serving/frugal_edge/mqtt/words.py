"""What a broker or a library complains of, in one line that says what to look at."""

import re

import aiomqtt

from frugal_edge.errors import EdgeError
from frugal_edge.gateway.config import MqttSettings

_CERTIFICATE = re.compile(r"certificate verify failed: (.*?)\.?(?: \(_ssl|$)", re.IGNORECASE)
_LIBRARY = re.compile(r"^\[[^\]]*\] *| *\(_[a-z]+\.c:\d+\)$")  # [SSL: NAME] ... (_ssl.c:123)
_REFUSED = (134, 135)  # reason codes: bad user name or password, not authorized
_ENDED = {
    128: "the connection was lost",
    142: "another client connected under the name of this gateway",
}


def said(settings: MqttSettings, error: BaseException) -> str:
    """Tell why the broker cannot be worked with, after its address."""
    return f"{settings.host}:{settings.port}: {_reason(settings, error)}"


def _reason(settings: MqttSettings, error: BaseException) -> str:
    if isinstance(error.__cause__, EdgeError):  # what a message led to
        return str(error.__cause__)
    if isinstance(error, aiomqtt.MqttCodeError) and getattr(error.rc, "value", 0) in _REFUSED:
        who = f"user {settings.username!r}" if settings.username else "a device without a user name"
        return f"the broker refuses {who}: check username and password_file, or the certificate"
    if ended := _ENDED.get(getattr(getattr(error.__cause__, "rc", None), "value", 0)):
        return ended
    text = str(error.__cause__ or error)
    if found := _CERTIFICATE.search(text):
        return f"the certificate of the broker is not trusted: {found[1]}: check ca, host and clock"
    return _LIBRARY.sub("", text) or type(error).__name__
