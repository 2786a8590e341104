"""The series of a gateway and the models that are open for them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from frugal_edge.errors import BundleError, ConfigError, EdgeError, InstallError
from frugal_edge.gateway.config import GatewayConfig, SeriesSettings
from frugal_edge.gateway.loaded import Loaded, open_installed
from frugal_edge.gateway.logs import log
from frugal_edge.gateway.target import Target, declared_target, target_of
from frugal_edge.install.models import Models
from frugal_edge.store.counters import Counters
from frugal_edge.trust.apart import Digests, verify_apart

_SLACK_S = 86400  # a clock this much before the newest bundle was built is wrong


class Installed:
    """What is installed, taken up as it changes on disk.

    Attributes
    ----------
    targets
        The series of the gateway.
    loaded
        Open models, by series.
    broken
        Why a series that has a bundle has no model.
    """

    def __init__(
        self, config: GatewayConfig, counters: Counters, clock: Callable[[], float]
    ) -> None:
        self._config = config
        self._counters = counters
        self._clock = clock
        self._models = Models(config.state)
        self._stamps: dict[str, object] = {}
        self.targets: dict[str, Target] = {}
        self.loaded: dict[str, Loaded] = {}
        self.broken: dict[str, str] = {}
        for series_id, settings in config.series.items():
            target = declared_target(series_id, settings, config.forecast.seasons)
            if target is not None:
                self.targets[series_id] = target

    def refresh(self) -> list[str]:
        """Open what was installed or rolled back since the last time; return those series."""
        changed: list[str] = []
        for series_id in self._models.series():
            with _told(series_id):  # what is open stays open
                if self._stamps.get(series_id) != self._models.stamp(series_id):
                    changed.append(series_id)
        self._take_up(changed)
        return changed

    def on_trial(self, series_id: str) -> bool:
        """Say whether the model of a series still has to prove itself."""
        if series_id not in self.loaded:
            return False
        try:
            return self._models.line(series_id).trial_left > 0
        except InstallError as error:
            log("error", "state_failed", series=series_id, reason=str(error))
            return False

    def begin(self, series_id: str) -> Loaded | None:
        """Say that a cycle of a model on trial begins, so that a crash in it is not forgotten.

        Returns
        -------
        Loaded or None
            The model to take: another one if the last cycle of the trial brought the process down.

        Raises
        ------
        InstallError
            If that cannot be recorded; a model that might crash again and again is not tried then.
        """
        self._models.begin(series_id)
        if self._stamps.get(series_id) != self._models.stamp(series_id):
            self._take_up([series_id])
        return self.loaded.get(series_id)

    def undecided(self, series_id: str) -> None:
        """Say that a cycle of a trial ended without a word on the model: data were missing."""
        with _told(series_id):
            self._models.undecided(series_id)

    def passed(self, series_id: str, wall_s: float) -> None:
        """Count a forecast on trial, which must not have taken longer than the settings allow."""
        slowest = self._config.forecast.slowest_s
        if wall_s > slowest:
            self.failed(series_id, f"a forecast took {wall_s:.3g} s, more than {slowest:g} s")
            return
        with _told(series_id):
            if not self._models.passed(series_id).trial_left:
                self._counters.add("updates_total", result="committed")
                log("info", "bundle_committed", series=series_id)

    def failed(self, series_id: str, why: str) -> None:
        """Tell that a model is of no use; on trial, the one before it takes its place."""
        with _told(series_id):
            before = self._models.line(series_id).current
            after = self._models.failed(series_id, why).current
            if after == before:
                log("error", "model_failed", series=series_id, reason=why)
                return
            self._counters.add("updates_total", result="rolled_back")
            log("error", "rolled_back", series=series_id, reason=why)
            self._take_up([series_id])

    def clock_trusted(self) -> bool:
        """Say whether the clock is not before any installed bundle was built."""
        built = [one.forecaster.manifest.created for one in self.loaded.values()]
        return not built or self._clock() >= max(built) - _SLACK_S

    def _take_up(self, series: Sequence[str]) -> None:
        """Open what is installed for some series."""
        folders: dict[str, Path] = {}
        for series_id in series:
            with _told(series_id):
                self._stamps[series_id] = self._models.stamp(series_id)
                current = self._models.line(series_id).current
                self.loaded.pop(series_id, None)
                self.broken.pop(series_id, None)
                if current is not None:
                    folders[series_id] = current
        verdicts = verify_apart([*folders.values()], self._config.state / "trust")
        for (series_id, folder), verdict in zip(folders.items(), verdicts, strict=True):
            self._open(series_id, folder, verdict)

    def _open(self, series_id: str, folder: Path, signed: Digests | EdgeError) -> None:
        if isinstance(signed, ConfigError):  # the bundle is not to blame
            self.broken[series_id] = str(signed)
            log("error", "trust_unreadable", series=series_id, reason=str(signed))
            return
        loaded = signed if isinstance(signed, EdgeError) else _opened(folder, signed)
        if isinstance(loaded, EdgeError):
            self.broken[series_id] = str(loaded)
            self.failed(series_id, str(loaded))
            return
        self.loaded[series_id] = loaded
        about = loaded.forecaster.manifest
        settings = self._config.series.get(series_id, SeriesSettings())
        seasons = self._config.forecast.seasons
        self.targets[series_id] = target_of(about, settings, loaded.season_s, seasons)
        log("info", "bundle_opened", series=series_id, model=about.id, sequence=about.sequence)


def _opened(folder: Path, signed: Digests) -> Loaded | BundleError:
    try:
        return open_installed(folder, signed)
    except BundleError as error:
        return error


@contextmanager
def _told(series_id: str) -> Iterator[None]:
    """Tell that the state of the models cannot be read or written, and go on."""
    try:
        yield
    except InstallError as error:
        log("error", "state_failed", series=series_id, reason=str(error))
