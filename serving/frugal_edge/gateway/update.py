"""New bundles from the channel that gateway.yaml names."""

from frugal_edge.errors import EdgeError
from frugal_edge.gateway.config import GatewayConfig, UpdateSettings
from frugal_edge.gateway.logs import log
from frugal_edge.install.channel import Gateway as Asking
from frugal_edge.install.installer import How
from frugal_edge.install.models import Models
from frugal_edge.install.pull import Step, pull
from frugal_edge.trust.keys import TrustStore


def update(config: GatewayConfig, settings: UpdateSettings) -> tuple[Step, ...]:
    """Install what the channel has for the series that are declared or installed; tell the rest.

    Returns
    -------
    tuple[Step, ...]
        What was done, by series; nothing if the channel cannot be had.
    """
    state = config.state
    try:
        series = tuple(sorted({*config.series, *Models(state).series()}))
        asking = Asking(config.name, config.group, series)
        trust = TrustStore.read(state / "trust")
        steps = pull(state, settings.source, trust, asking, How(trial=settings.trial_cycles))
    except EdgeError as error:
        log("error", "update_failed", source=settings.source, reason=str(error))
        return ()
    for step in steps:
        level = "error" if step.what == "failed" else "info"
        log(level, f"update_{step.what}", series=step.series_id, model=step.id, reason=step.why)
    return steps
