"""Where one part of a bill comes to weigh as much as another."""

from frugal_ai.bill.amount import Amount
from frugal_ai.bill.basis import Basis
from frugal_ai.bill.evaluate import Line
from frugal_ai.bill.fleet import Fleet
from frugal_ai.bill.model import Model
from frugal_ai.bill.park import Demand
from frugal_ai.wording import figure

_BUSY = Line("inference", "gateways")


def breakevens(
    fleet: Fleet, model: Model, basis: Basis, lines: dict[Line, Amount]
) -> tuple[str, ...]:
    """Say after how long use outweighs making, where both are on the bill."""
    a_day = float(Demand.of(basis.park).total().forecasts_per_day)
    days = fleet.years * 365.25
    made = sum(float(one.gco2e) for line, one in lines.items() if line.what == "run")
    used = float(lines[_BUSY].gco2e) / days
    rest = float(lines[Line("idle", "gateways")].gco2e) / fleet.years
    built = float(lines[Line("embodied", "gateways")].gco2e)
    retrained = float(lines[Line("retraining", "servers")].gco2e)
    found = []
    if made > 0 and used > 0:
        found.append(
            f"the fleet's forecasts have emitted as much as the run after {_time(made / used)}"
        )
    if retrained > 0 and used > 0:
        times = retrained / (used * days)
        found.append(f"retraining emits {figure(times)} times as much as the forecasts")
    if built > 0 and rest > 0:
        found.append(f"the gateways' rest has emitted as much as their manufacture after "
                     f"{_time(built / rest * 365.25)}")  # fmt: skip
    if model.pays_after is not None and a_day > 0:
        found.append(f"compressing the model has paid after {_time(model.pays_after / a_day)}")
    return tuple(found)


def _time(days: float) -> str:
    if days >= 365.25:
        return f"{figure(days / 365.25)} years"
    if days >= 1:
        return f"{figure(days)} days"
    return f"{figure(days * 24)} hours"
