"""A LightGBM model with the columns alone that its trees split on."""

from collections.abc import Callable

import lightgbm
import numpy as np
from numpy.typing import NDArray

_SIZES = "tree_sizes="  # of the text of each tree; without them LightGBM reads tree by tree


def split_columns(booster: lightgbm.Booster) -> NDArray[np.bool_]:
    """Say which columns any tree splits on, [F]."""
    return np.asarray(booster.feature_importance("split") > 0)


def with_columns(booster: lightgbm.Booster, columns: NDArray[np.int64]) -> lightgbm.Booster:
    """Return the same trees on some of the columns, which hold all that they split on.

    Parameters
    ----------
    columns
        Of the model, in the order that they will stand in [K].
    """
    place = {int(column): i for i, column in enumerate(columns)}
    changed: dict[str, Callable[[list[str]], list[str]]] = {
        "split_feature": lambda values: [str(place[int(value)]) for value in values],
        "feature_names": lambda values: [values[column] for column in place],
        "feature_infos": lambda values: [values[column] for column in place],
        "max_feature_idx": lambda _: [str(len(place) - 1)],
    }
    lines = []
    for line in booster.model_to_string().split("\n"):
        name, _, values = line.partition("=")
        if name in changed:
            lines.append(f"{name}={' '.join(changed[name](values.split()))}")
        elif not line.startswith(_SIZES):
            lines.append(line)
    return lightgbm.Booster(model_str="\n".join(lines))
