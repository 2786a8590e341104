"""``POST /v1/models/{model}/forecast``: history in, forecast out, and nothing is kept."""

from collections.abc import Callable

from frugal_edge.clock import format_time, iso_duration, parse_time
from frugal_edge.errors import InputError
from frugal_edge.http.arrays import FloatArray, array_of, refuse_flags
from frugal_edge.http.call import Answer, Call, json_answer
from frugal_edge.http.models import OpenModels
from frugal_edge.http.payload import read_json
from frugal_edge.http.problems import ProblemError
from frugal_edge.manifest import DRIFT, Manifest
from frugal_edge.quality import judge
from frugal_edge.strict_json import shown

KEYS = ("history", "origin", "known", "past", DRIFT)


class Stateless:
    """Forecasts of a model from what the request holds."""

    def __init__(self, models: OpenModels, clock: Callable[[], float]) -> None:
        self._models = models
        self._clock = clock

    def post(self, call: Call) -> Answer:
        """Forecast."""
        forecaster = self._models.find(call.params["model"]).forecaster
        about = forecaster.manifest
        given = read_json(call)
        if not isinstance(given, dict):
            raise ProblemError(422, f"body: expected an object, got {shown(given)}")
        text = call.body  # one letter is found much faster than a word
        if (b"u" in text and b"true" in text) or (b"l" in text and b"false" in text):
            refuse_flags("body", given)
        unknown = [key for key in given if key not in KEYS]
        if unknown:
            raise ProblemError(
                422, f"body: expected {', '.join(KEYS)}, got {shown(unknown[0])} too"
            )
        origin = _origin(given.get("origin"))
        history, known, past, drift = (
            _array(about, name, given.get(name)) for name in ("history", "known", "past", DRIFT)
        )
        made, beyond = forecaster.forecast_judged(history, origin, known, past, drift)
        told = {
            "series_id": about.series_id,
            "origin": format_time(origin),
            "issued_at": format_time(int(self._clock())),
            "step": iso_duration(about.step_s),
            "horizon": about.horizon,
            "unit": about.unit,
            "quality": judge(0, beyond).value,
            "model": about.id,
            "simulated": about.simulated,
            "values": made.point,
        }
        if about.quantiles:
            told["quantile_levels"] = about.quantiles
            told["quantiles"] = made.quantiles
        told["warnings"] = beyond
        return json_answer(told)


def _origin(text: object) -> int:
    if not isinstance(text, str):
        raise InputError(f"origin: expected an RFC 3339 time, got {shown(text)}")
    try:
        return parse_time(text)
    except ValueError as error:
        raise InputError(f"origin: {error}") from None


def _array(about: Manifest, name: str, value: object) -> FloatArray | None:
    if value is None:
        return None
    if name not in about.inputs:
        raise InputError(f"{name}: the model {about.id} does not read it")
    return array_of(name, value, about.columns(name))
