"""The value of the same time one season ago; the season is a day, or a week."""

import sys

from benchmarks.peers.task import Task
from benchmarks.peers.workers.measure import Forecast, main


class SeasonalNaive:
    """One season ago; a season of at least the horizon is always known."""

    distribution = "numpy"

    def __init__(self, days: int) -> None:
        self.days = days

    def fit(self, task: Task) -> None:
        """Learn nothing."""

    def forecast(self, task: Task, origin: int) -> Forecast:
        season = self.days * task.day
        return Forecast(task.history(origin, season)[:, : task.horizon])


if __name__ == "__main__":
    main(lambda: SeasonalNaive(int(sys.argv[3])))
