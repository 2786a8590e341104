"""``/metrics``: what the gateway counted, for Prometheus."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector

from frugal_edge.http.call import Answer, Call, answer
from frugal_edge.store.counters import Count, Counters

PREFIX = "frugal_edge_"
KIND = b"text/plain; version=0.0.4; charset=utf-8"

# Type and help by the name that the gateway counts under; a summary has its _sum and _count.
FAMILIES = {
    "forecasts_total": ("counter", "Forecasts issued, by what made them and their quality."),
    "forecast_duration_seconds": ("summary", "Wall time of a forecast by a model."),
    "inference_cpu_seconds_total": ("counter", "CPU time of forecasts by models."),
    "energy_joules_total": ("counter", "Energy of forecasting; dynamic, and the share of idle."),
    "co2e_grams_total": ("counter", "Emissions of that energy at the declared intensity."),
    "observation_age_seconds": ("gauge", "Time since the end of the newest reading's interval."),
    "history_gap_ratio": ("gauge", "Share of readings missing in what the model reads."),
    "forecast_error_ratio": ("gauge", "Rolling absolute error over the mean absolute reading."),
    "outbox_messages": ("gauge", "Messages that wait for the broker."),
    "outbox_dropped_total": ("counter", "Messages dropped because the outbox was full."),
    "uplink_bytes_total": ("counter", "Bytes sent."),
    "downlink_bytes_total": ("counter", "Bytes received."),
    "bundle_info": ("gauge", "1 for the bundle that runs."),
    "updates_total": ("counter", "Updates, by how they ended."),
    "mqtt_connected": ("gauge", "1 while connected to the broker."),
    "last_success_timestamp_seconds": ("gauge", "When a forecast was last issued."),
    "observations_total": ("counter", "Readings stored."),
    "observations_refused_total": ("counter", "Rows of readings refused."),
    "clock_trusted": ("gauge", "0 while the clock is before the newest bundle was built."),
}


class Metrics:
    """The counters as Prometheus reads them."""

    def __init__(self, counters: Counters) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Counted(counters))

    def get(self, _call: Call) -> Answer:
        """Answer with the text format."""
        return answer(generate_latest(self._registry), KIND)


class _Counted(Collector):
    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def collect(self) -> Iterable[Metric]:
        for family, counts in groupby(self._counters, _family):
            yield _metric(family, counts)

    def describe(self) -> Iterable[Metric]:
        return ()


def _family(count: Count) -> str:
    for end in ("_sum", "_count"):
        if FAMILIES.get(count.name.removesuffix(end), ("",))[0] == "summary":
            return count.name.removesuffix(end)
    return count.name


def _metric(family: str, counts: Iterator[Count]) -> Metric:
    guess = "counter" if family.endswith("_total") else "gauge"
    kind, told = FAMILIES.get(family, (guess, f"{family} of the gateway."))
    metric = Metric(PREFIX + family.removesuffix("_total"), told, kind)
    for one in counts:
        metric.add_sample(PREFIX + one.name, dict(one.labels), one.value)
    return metric
