"""Close the books: what the envelope saw beyond the lines of the ledger."""

from frugal_ai.cost.clock import Reading
from frugal_ai.cost.context import Cost, CostContext
from frugal_ai.cost.envelope import EnvelopeResult
from frugal_ai.cost.ledger import Ledger
from frugal_ai.cost.measurement import Measurement
from frugal_ai.cost.power.model import Energy
from frugal_ai.cost.record import Record
from frugal_ai.units import J_PER_KWH

NOTE = (
    "CodeCarbon's envelope minus all lines booked inside it; negative where CodeCarbon missed "
    "children that ended between two of its samples"
)


def book_envelope(ledger: Ledger, result: EnvelopeResult) -> Record:
    """Book what no line explains, then what CodeCarbon itself cost.

    unattributed = envelope - sum of lines, for CPU energy, and for the wall time that bears the
    idle share. Memory, which no rung can be charged with, is booked here as a whole.

    Parameters
    ----------
    ledger
        Every line so far must be work done inside the envelope. Lines of work done after it, such
        as logging the result, are added later.
    result
        Of the closed envelope.

    Returns
    -------
    Record
        The line "unattributed"; its amounts may be negative.
    """
    context = ledger.context
    energy, spent = unattributed(context, result, ledger.total())
    record = ledger.book(
        "unattributed",
        Measurement.once(spent),
        context.cost_of(energy, spent.cpu_s, spent.wall_s),
        energy,
        ram_kwh=result.ram_energy_kwh,
        codecarbon_version=result.codecarbon_version,
        note=NOTE,
    )
    setup = Reading(result.setup_cpu_s, 0.0, result.setup_wall_s)
    ledger.add("metering", Measurement.once(setup), note="CodeCarbon: import, start and stop")
    return record


def unattributed(
    context: CostContext, result: EnvelopeResult, booked: Cost
) -> tuple[Energy, Reading]:
    """Return what the envelope saw and no line explains; it may be negative."""
    power = context.power
    cpu_s = result.cpu_energy_kwh * J_PER_KWH / context.pue / result.w_per_core - booked.cpu_s
    wall_s = result.duration_s - booked.wall_s
    energy = Energy(
        dynamic_j=power.w_per_core_dynamic * cpu_s,
        idle_share_j=power.w_idle_share * wall_s,
        method=power.method,
        quality="low",
        spread=power.spread,
    )
    return energy, Reading(cpu_s, 0.0, wall_s)
