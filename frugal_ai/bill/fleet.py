"""A fleet as its owner describes it: ``fleet.yaml``, frozen, unknown keys refused."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import Field, ValidationError, field_validator, model_validator

from frugal_ai.cost.factors import Factors, load_factors
from frugal_ai.errors import CostError
from frugal_ai.settings import Duration, Settings, describe
from frugal_ai.yaml_file import parse_yaml, read_text

Positive = Annotated[float, Gt(0)]
Amount = Annotated[float, Ge(0)]
Share = Annotated[float, Ge(0), Le(1)]
Device = Literal["box", "connected_device", "sensor"]
Network = Literal["mobile", "fixed"]


class Allocation(Settings):
    """What of a gateway's rest and manufacture is charged to forecasting.

    ``marginal``: nothing, it is there anyway. ``share``: ``time`` it is reserved x ``resources`` of
    it that are, both 1 for a gateway that does nothing else.
    """

    rule: Literal["marginal", "share"]
    time: Share = 1.0
    resources: Share = 1.0

    @model_validator(mode="after")
    def _shares_of_share(self) -> "Allocation":
        given = sorted({"time", "resources"} & self.model_fields_set)
        if self.rule == "marginal" and given:
            raise ValueError(f"expected no {given[0]} with rule marginal")
        return self

    @property
    def reserved(self) -> float:
        """Share of the device [1]."""
        return 0.0 if self.rule == "marginal" else self.time * self.resources


class Gateways(Settings):
    """Gateways of one kind.

    Attributes
    ----------
    count
        How many.
    lifetime_years
        Of a device, until it is replaced.
    forecasts_per_day
        Of one gateway.
    device, embodied_kg
        What it is, which says what its manufacture emits, or that figure itself [kgCO2e].
    idle_w, busy_w, cores
        Power at rest and with all cores busy [W]; by default a Raspberry Pi 4.
    slowdown
        CPU time of a forecast there over that where it was measured [1].
    uplink_bytes_per_day, stored_bytes
        Sent by one gateway; kept for it on servers [bytes].
    lines
        Share of a fixed line that is kept for it [1].
    price_eur
        Of a device [EUR].
    """

    count: Annotated[int, Ge(1)]
    lifetime_years: Positive
    forecasts_per_day: Positive
    device: Device = "box"
    embodied_kg: Amount | None = None
    idle_w: Amount | None = None
    busy_w: Positive | None = None
    cores: Annotated[int, Ge(1)] = 4
    slowdown: Positive = 1.0
    uplink_bytes_per_day: Amount = 0.0
    stored_bytes: Amount = 0.0
    lines: Share = 0.0
    price_eur: Amount | None = None

    @model_validator(mode="after")
    def _busy_above_idle(self) -> "Gateways":
        if (self.idle_w is None) != (self.busy_w is None):
            raise ValueError("expected both idle_w and busy_w, or neither, got one")
        if self.idle_w is not None and self.busy_w is not None and self.busy_w < self.idle_w:
            raise ValueError(f"busy_w: expected {self.idle_w:g} W (idle_w) or more, got "
                             f"{self.busy_w:g}")  # fmt: skip
        return self


class Server(Settings):
    """The servers that retrain, keep and collect: ``share`` of ``vcpus`` is kept for the fleet."""

    vcpus: Amount = 0.0
    share: Share = 1.0
    pue: Annotated[float, Ge(1)] | None = None
    country: str | None = None


class Fleet(Settings):
    """Gateways in service for some years, and all that they need.

    Attributes
    ----------
    name, country
        The latter an ISO 3166-1 code, alpha-2 or alpha-3.
    years
        Of service.
    gateways
        One kind, or a list of several.
    allocation
        Of the devices; has to be said.
    models
        Different models, each retrained; one serves all gateways unless it is said.
    retrain_every, push_every
        None for never; a push follows each retraining unless it is said.
    bundle_bytes
        That a push transfers; by default those of the model's bundle.
    network, disk, replicas
        Over which gateways talk; where and how often their data are kept.
    server
        By default in the fleet's country, with the average PUE, and reserved for nothing.
    """

    name: Annotated[str, MinLen(1)] = "fleet"
    country: str
    years: Positive
    gateways: Annotated[tuple[Gateways, ...], MinLen(1)]
    allocation: Allocation
    models: Annotated[int, Ge(1)] = 1
    retrain_every: Duration | None = None
    push_every: Duration | None = Field(default=None)
    bundle_bytes: Amount | None = None
    network: Network = "fixed"
    disk: Literal["ssd", "hdd"] = "ssd"
    replicas: Annotated[int, Ge(1)] = 1
    server: Server = Server()

    @field_validator("gateways", mode="before")
    @classmethod
    def _one_kind(cls, value: Any) -> Any:
        return [value] if isinstance(value, dict) else value

    @field_validator("retrain_every", "push_every")
    @classmethod
    def _some_time(cls, value: timedelta | None) -> timedelta | None:
        if value is not None and value <= timedelta(0):
            raise ValueError("expected more than 0s")
        return value

    @property
    def count(self) -> int:
        """Gateways of all kinds."""
        return sum(one.count for one in self.gateways)

    @property
    def pushes_every(self) -> timedelta | None:
        """What was said of pushes, else of retraining."""
        return self.push_every if "push_every" in self.model_fields_set else self.retrain_every

    @property
    def digest(self) -> str:
        """Short name of all that is said of it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:8]

    @property
    def label(self) -> str:
        """Name, size and service in words."""
        return f"{self.name} ({self.count:,} gateways, {self.years:g} years, {self.country})"


def read_fleet(path: Path, factors: Factors | None = None) -> Fleet:
    """Read and check a fleet file.

    Parameters
    ----------
    path
        YAML.
    factors
        Those that know the countries; by default those of the package.

    Raises
    ------
    CostError
        If it cannot be read, or a key or value is not valid; says file and key.
    """
    declared = parse_yaml(read_text(path, CostError), path, CostError)
    try:
        fleet = Fleet.model_validate(declared)
    except ValidationError as error:
        raise CostError(f"{path}: {describe(error)}") from error
    try:
        check_countries(fleet, factors or load_factors())
    except CostError as error:
        raise CostError(f"{path}: {error}") from error
    return fleet


def check_countries(fleet: Fleet, factors: Factors) -> None:
    """Refuse a country without a carbon intensity; a world average never stands in.

    Raises
    ------
    CostError
        That says the key.
    """
    factors.intensity(fleet.country)
    if fleet.server.country is not None:
        try:
            factors.intensity(fleet.server.country)
        except CostError as error:
            raise CostError(f"server.{error}") from error
