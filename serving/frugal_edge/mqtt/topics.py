"""Names of topics; a series is one level, whatever is in its name."""

from urllib.parse import quote, unquote

from frugal_edge.errors import InputError


class Topics:
    """The topics of a gateway, ``PREFIX/GATEWAY/...``.

    Parameters
    ----------
    prefix, gateway
        The first two levels.

    Attributes
    ----------
    status
        Whether the gateway is there: `ONLINE` or `OFFLINE`, retained.
    echo
        What it says to itself, to prove that publishing works.
    all_readings
        Filter of the readings of all series.
    """

    def __init__(self, prefix: str, gateway: str) -> None:
        self._root = f"{prefix}/{gateway}"
        self.status = f"{self._root}/status"
        self.echo = f"{self._root}/echo"
        self.all_readings = f"{self._root}/+/readings"

    def readings(self, series_id: str) -> str:
        """Return where readings of a series are expected."""
        return f"{self._root}/{level(series_id)}/readings"

    def forecast(self, series_id: str) -> str:
        """Return where forecasts of a series are published, retained."""
        return f"{self._root}/{level(series_id)}/forecast"

    def series_of(self, topic: str) -> str:
        """Return the series that a topic of readings is about.

        Raises
        ------
        InputError
            If it is no such topic.
        """
        name = topic.removeprefix(f"{self._root}/").removesuffix("/readings")
        try:
            series_id = unquote(name, errors="strict")
        except UnicodeDecodeError:
            series_id = ""
        if not series_id or self.readings(series_id) != topic:
            raise InputError(f"{topic}: expected {self._root}/SERIES/readings, SERIES quoted")
        return series_id


ONLINE = "online"
OFFLINE = "offline"


def level(name: str) -> str:
    """Make one level of a topic out of a name: all but letters, digits and ``_.-~`` as %XX."""
    return quote(name, safe="")
