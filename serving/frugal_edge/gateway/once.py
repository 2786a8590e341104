"""One look at every series and exit: for a timer instead of a service."""

import asyncio

from frugal_edge.gateway.config import GatewayConfig
from frugal_edge.gateway.extras import mqtt_link
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.gateway.issued import Issued
from frugal_edge.gateway.serve import LOCK
from frugal_edge.install.lock import sole

_LISTEN_S = 20.0  # for readings that wait at the broker, and until it has the forecasts


def once(config: GatewayConfig) -> list[Issued]:
    """Look once, and deliver to the broker what waits.

    Returns
    -------
    list[Issued]
        What was issued.

    Raises
    ------
    EdgeError
        If the gateway cannot start, or another one runs on the same state.
    """
    with sole(config.state / LOCK, "once"):
        gateway = Gateway(config)
        try:
            link = mqtt_link()(gateway, config.mqtt) if config.mqtt else None
            issued = gateway.cycle()
            if link is not None:
                link.offer(issued)
                asyncio.run(link.deliver(_LISTEN_S))
            return issued
        finally:
            gateway.close()
