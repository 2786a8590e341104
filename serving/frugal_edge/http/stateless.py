"""``POST /v1/models/{model}/forecast``: history in, forecast out, and nothing is kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from frugal_edge.clock import format_time, iso_duration, parse_time
from frugal_edge.errors import EdgeError, ForecastError, InputError
from frugal_edge.http.arrays import FloatArray, refuse_flags
from frugal_edge.http.call import Answer, Call, json_answer
from frugal_edge.http.models import OpenModels
from frugal_edge.http.payload import read_json
from frugal_edge.http.problems import ProblemError
from frugal_edge.http.sent import sent
from frugal_edge.manifest import DRIFT
from frugal_edge.quality import judge
from frugal_edge.runtime import Forecaster, Inputs, Judged
from frugal_edge.strict_json import shown

KEYS = ("history", "origin", "known", "past", DRIFT)
OBSERVED = ("history", "past")  # in which readings may be missing
_told_time = lru_cache(256)(format_time)  # many ask for one origin


@dataclass(frozen=True, slots=True)
class _Asked:
    """A forecast that is asked for, with how many missing values were filled for it."""

    forecaster: Forecaster
    origin: int
    inputs: Inputs
    filled: int


class Stateless:
    """Forecasts of a model from what the request holds."""

    def __init__(self, models: OpenModels, clock: Callable[[], float]) -> None:
        self._models = models
        self._clock = clock

    def post(self, call: Call) -> Answer:
        """Forecast."""
        (answer,) = self.together([call])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def together(self, calls: Sequence[Call]) -> list[Answer | EdgeError | RecursionError]:
        """Forecast for several requests, those for one model in one run of it."""
        answers: dict[int, Answer | EdgeError | RecursionError] = {}
        of_model: dict[int, list[tuple[int, _Asked]]] = {}
        for number, call in enumerate(calls):
            try:
                asked = self._read(call)
            except (EdgeError, RecursionError) as error:
                answers[number] = error
            else:
                of_model.setdefault(id(asked.forecaster), []).append((number, asked))
        now = format_time(int(self._clock()))
        for group in of_model.values():
            found = group[0][1].forecaster.together([asked.inputs for _, asked in group])
            for (number, asked), judged in zip(group, found, strict=True):
                if isinstance(judged, ForecastError):
                    answers[number] = judged
                else:
                    answers[number] = _told(asked, judged, now)
        return [answers[number] for number in range(len(calls))]

    def _read(self, call: Call) -> _Asked:
        forecaster = self._models.find(call.params["model"]).forecaster
        read = read_json(call)
        given = read.value
        if not isinstance(given, dict):
            raise ProblemError(422, f"body: expected an object, got {shown(given)}")
        if read.has_flags:
            refuse_flags("body", given)
        origin = _origin(given.get("origin"))
        arrays: dict[str, FloatArray | None] = {}
        filled = 0
        for name, value in given.items():
            if name not in KEYS:
                raise ProblemError(422, f"body: expected {', '.join(KEYS)}, got {shown(name)} too")
            if name != "origin":
                gaps = b"null" in read.words and name in OBSERVED
                arrays[name], count = sent(forecaster.manifest, origin, name, value, gaps=gaps)
                filled += count
        inputs = forecaster.checked(
            arrays.get("history"), origin, arrays.get("known"), arrays.get("past"),
            arrays.get(DRIFT),
        )  # fmt: skip
        return _Asked(forecaster, origin, inputs, filled)


def _told(asked: _Asked, judged: Judged, now: str) -> Answer:
    about = asked.forecaster.manifest
    made, beyond = judged
    told = {
        "series_id": about.series_id,
        "origin": _told_time(asked.origin),
        "issued_at": now,
        "step": iso_duration(about.step_s),
        "horizon": about.horizon,
        "unit": about.unit,
        "quality": judge(asked.filled, beyond).value,
        "model": about.id,
        "simulated": about.simulated,
        "values": made.point,
    }
    if about.quantiles:
        told["quantile_levels"] = about.quantiles
        told["quantiles"] = made.quantiles
    filled = (f"{asked.filled} missing readings were filled",) if asked.filled else ()
    told["warnings"] = (*beyond, *filled)
    return json_answer(told)


def _origin(text: object) -> int:
    if not isinstance(text, str):
        raise InputError(f"origin: expected an RFC 3339 time, got {shown(text)}")
    try:
        return parse_time(text)
    except ValueError as error:
        raise InputError(f"origin: {error}") from None
