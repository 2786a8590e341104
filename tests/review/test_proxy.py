import pytest
from starlette.requests import Request

from frugal_ai.errors import ReviewError
from frugal_ai.review.proxy import Proxy

PROXY = Proxy.of("X-Remote-User", ("10.0.0.2", "2001:db8::/64"))


def request(address: str | None, *names: str) -> Request:
    headers = [(b"x-remote-user", name.encode()) for name in names]
    client = None if address is None else (address, 5000)
    return Request({"type": "http", "headers": headers, "client": client})


@pytest.mark.parametrize("address", ["10.0.0.2", "2001:db8::5", "::ffff:10.0.0.2"])
def test_a_trusted_address_says_who_it_is(address: str) -> None:
    assert PROXY.name(request(address, "ada")) == "ada"


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("10.0.0.3", ("ada",)),
        ("2001:db8:1::5", ("ada",)),
        ("::ffff:10.0.0.3", ("ada",)),
        ("", ("ada",)),
        (None, ("ada",)),
        ("10.0.0.2", ()),
        ("10.0.0.2", ("",)),
        ("10.0.0.2", ("ada", "eve")),
        ("10.0.0.2", ("ada, eve",)),
    ],
)
def test_nobody_else_does_and_nobody_says_two_names(
    address: str | None, names: tuple[str, ...]
) -> None:
    assert PROXY.name(request(address, *names)) is None


@pytest.mark.parametrize(
    ("header", "trusted", "told"),
    [
        ("X Remote", ("10.0.0.2",), "expected the name of a header"),
        ("X-User", (), "expected the address of the proxy that sets it"),
        ("X-User", ("proxy.example",), "expected the address of a proxy, such as 10.0.0.2"),
        ("X-User", ("0.0.0.0/0",), "which is everybody"),
        ("X-User", ("::/0",), "which is everybody"),
    ],
)
def test_whom_to_trust_is_said_exactly(header: str, trusted: tuple[str, ...], told: str) -> None:
    with pytest.raises(ReviewError, match=told):
        Proxy.of(header, trusted)
