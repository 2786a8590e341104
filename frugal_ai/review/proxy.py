"""Names that a reverse proxy vouches for in a header, believed from named addresses alone."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from frugal_ai.errors import ReviewError
from frugal_ai.review import text

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")


@dataclass(frozen=True)
class Proxy:
    """Which header, from whom.

    Attributes
    ----------
    header
        Its name. The proxy must take it away from what comes from outside.
    trusted
        Addresses that may set it: those that connect, never those that a header claims.
    """

    header: str
    trusted: tuple[Network, ...]

    @classmethod
    def of(cls, header: str, trusted: Sequence[str]) -> "Proxy":
        """Check what was asked for.

        Raises
        ------
        ReviewError
            If it is no header, no address is trusted, or all are.
        """
        if not _HEADER.fullmatch(header):
            raise ReviewError(f"expected the name of a header, got {text.logged(header)}")
        networks = []
        for one in trusted:
            try:
                network = ipaddress.ip_network(one)
            except ValueError as error:
                raise ReviewError(
                    f"expected the address of a proxy, such as 10.0.0.2 or 10.0.0.0/28: {error}"
                ) from error
            if network.prefixlen == 0:
                raise ReviewError(f"expected the address of a proxy, got {one}, which is everybody")
            networks.append(network)
        if not networks:
            raise ReviewError(f"header {header}: expected the address of the proxy that sets it")
        return cls(header, tuple(networks))

    def name(self, request: Request) -> str | None:
        """Return whom a request comes from; None without the header, or from another address."""
        values = request.headers.getlist(self.header)
        if len(values) != 1 or not self._is_trusted(request):
            return None
        try:
            return text.account_name(values[0])
        except ReviewError:
            return None

    def _is_trusted(self, request: Request) -> bool:
        try:
            address = ipaddress.ip_address(request.client.host if request.client else "")
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self.trusted)
