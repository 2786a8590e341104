"""Stages of registered models as aliases: which of them move when one is promoted."""

from collections.abc import Mapping
from typing import Literal, get_args

from frugal_ai.errors import ReviewError

Stage = Literal["champion", "candidate", "retired", "rejected"]
"""What a decision makes of a model. The first three are aliases; a rejected model has none."""

STAGES: tuple[Stage, ...] = get_args(Stage)
ALIASES: tuple[Stage, ...] = ("champion", "candidate", "retired")


def moves(stage: Stage, version: str, aliases: Mapping[str, str]) -> dict[str, str | None]:
    """Say which aliases of a model get which version, None for none, in the order to do it in.

    A new champion retires the former one. An alias is on one version alone, so that of a retired
    one moves to the last that was.

    Parameters
    ----------
    stage
        What the version becomes.
    version
        Of the model.
    aliases
        Versions by alias, as they are.

    Raises
    ------
    ReviewError
        If the champion would be left without a word on what takes its place.
    """
    champion = aliases.get("champion")
    if champion == version and stage in {"candidate", "rejected"}:
        raise ReviewError(
            f"version {version} is the champion: expected --stage retired, or another model "
            f"promoted to champion, got {stage}"
        )
    own = [name for name in ALIASES if aliases.get(name) == version and name != stage]
    moved: dict[str, str | None] = dict.fromkeys(own)
    if stage == "champion" and champion not in {None, version}:
        moved["retired"] = champion
    if stage in ALIASES:
        moved[stage] = version
    return moved
