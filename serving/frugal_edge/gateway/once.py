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
    """Take readings that wait at the broker, look once, and deliver forecasts that wait.

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
            if config.mqtt is None:
                return gateway.cycle()
            issued: list[Issued] = []

            def look() -> list[Issued]:
                issued.extend(gateway.cycle())
                return issued

            asyncio.run(mqtt_link()(gateway, config.mqtt).deliver(_LISTEN_S, look))
            return issued
        finally:
            gateway.close()
