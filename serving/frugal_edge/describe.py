"""A manifest in words."""

from frugal_edge.clock import format_time
from frugal_edge.manifest import Manifest


def describe(about: Manifest) -> str:
    """Say in a few lines what a bundle forecasts and what it needs."""
    kind = f"{about.kind}, simulated" if about.simulated else about.kind
    origins = about.origins
    lines = {
        "id": f"{about.id} (sequence {about.sequence})",
        "series": f"{about.series_id} [{about.unit}], {kind}",
        "forecast": f"{about.horizon} steps of {about.step_s} s by {about.rung}",
        "quantiles": ", ".join(f"{level:g}" for level in about.quantiles) or "none",
        "drift": "quantiles follow what arrives, with --state" if about.drifts else "none",
        "history": f"{about.history_steps} steps, gaps of up to"
        f" {about.gap_policy.max_gap_steps} steps are filled",
        "known": _known(about),
        "past": ", ".join(about.columns("past")) or "none",
        "origins": f"{format_time(origins.valid_from)} to {format_time(origins.valid_until)}, at"
        f" {', '.join(origins.local_time) or 'any time'} ({about.timezone})",
        "onnxruntime": f"{about.minimum_onnxruntime} or newer",
        "bytes": str(sum(entry.size for entry in about.files.values())),
    }
    return "".join(f"{name:<12}{text}\n" for name, text in lines.items())


def _known(about: Manifest) -> str:
    if "known" not in about.inputs:
        return "none"
    tensor = about.inputs["known"]
    return (
        f"{', '.join(tensor.columns)}, from {tensor.lookback} steps before the origin to the end"
        " of the horizon"
    )
