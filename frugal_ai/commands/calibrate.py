"""Describe this machine once."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("hardware.yaml"), help="File to write."
)
@click.option(
    "--source",
    type=click.Choice(["auto", "rapl", "pmic", "file", "http", "cpu_time"]),
    default="auto",
    help="Of power; by default the best that is there.",
)
@click.option("--file", type=click.Path(path_type=Path), help="Readings of a meter, CSV.")
@click.option("--url", help="Meter that answers over HTTP.")
@click.option("--seconds", type=click.FloatRange(1, 60), default=3.0, help="Of each phase.")
def calibrate(out: Path, source: str, file: Path | None, url: str | None, seconds: float) -> None:
    """Describe this machine in hardware.yaml: processor, threads, watts, source of power."""
    from pydantic import ValidationError

    from frugal_ai.calibrate import Bench, hardware_yaml, measure_watts
    from frugal_ai.cost.factors import load_factors
    from frugal_ai.cost.hardware import detect_host
    from frugal_ai.cost.power.choose import PowerSettings, choose, ways_of
    from frugal_ai.cost.power.cpu_time import SPREAD_UNKNOWN_CPU
    from frugal_ai.errors import CostError, OutputError
    from frugal_ai.files import write_text
    from frugal_ai.settings import describe

    if out.exists():
        raise OutputError(f"{out}: expected no file there, since it may be edited; remove it first")
    given = {"source": source, "file": file and file.absolute(), "url": url}
    power = {key: str(value) for key, value in given.items() if value is not None}
    try:
        settings = PowerSettings.model_validate(power | {"on_failure": "stop"})
    except ValidationError as error:
        raise CostError(f"calibrate: {describe(error)}") from error
    host, watts = detect_host(), None
    gauge = choose(settings, ways_of(settings, Path()), lambda text: click.echo(text, err=True))
    if gauge is not None:
        try:
            click.echo(f"measuring with {gauge.method}; let the machine rest", err=True)
            watts = measure_watts(gauge, host.threads, seconds, Bench())
        finally:
            gauge.close()
    default_w = load_factors().get("cpu_tdp_per_thread").value
    text = hardware_yaml(host, watts, power, default_w, SPREAD_UNKNOWN_CPU)
    write_text(out, text)
    click.echo(f"{text}written to {out}")
