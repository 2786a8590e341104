"""What mlforecast and skforecast are both given, chosen on the tasks' validation origins."""

from typing import Any

from benchmarks.peers.task import Task


def lags(task: Task) -> list[int]:
    """Return the last values and the same time 1 to 7 days ago, on production its neighbours too.

    Steps before the target.
    """
    around = (0,) if task.kind == "load" else (-1, 0, 1)
    return [1, 2, 3, *(n * task.day + k for n in range(1, 8) for k in around)]


def windows(task: Task) -> list[int]:
    """Return the windows before the target that a mean is taken of [steps]: a day, a week."""
    return [task.day, 7 * task.day] if task.kind == "load" else []


def differenced(task: Task) -> bool:
    """Whether the target is the change from one value to the next."""
    return task.kind == "load"


def lightgbm(task: Task) -> dict[str, Any]:
    """Return settings of LightGBM: its defaults, on load more trees."""
    trees = {"n_estimators": 500, "learning_rate": 0.05} if task.kind == "load" else {}
    return {**trees, "random_state": 0, "n_jobs": 1, "verbosity": -1}
