from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from frugal_edge.cli import main

ECHO = "frugal/gw/echo"
FORECAST = "frugal/gw/feeder%2F1/forecast"


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run the command against a broker."""

    def echo(broker: Any, *arguments: str, mqtt: bool = True) -> tuple[int, str, str]:
        config = tmp_path / "gateway.yaml"
        lines = ["gateway: gw", "state: state", "series:", "  feeder/1:"]
        lines += ["    unit: MW", "    step: 15min", "    horizon: 96"]
        lines += ["mqtt:", "  host: 127.0.0.1", f"  port: {broker.port}"] if mqtt else []
        config.write_text("\n".join(lines) + "\n")
        capsys.readouterr()
        code = main(["echo-test", "--config", str(config), *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return echo


def test_it_comes_back(run: Any, broker: Any, make_site: Any) -> None:
    code, out, err = run(broker)
    assert (code, err) == (0, "")
    assert out == f"{ECHO}: came back\nno forecast is stored yet: their topics were not tried\n"
    with make_site(broker) as site:
        site.forecast()
    assert run(broker) == (0, f"{ECHO}: came back\n{FORECAST}: came back\n", "")
    assert run(broker)[0] == 0  # what the broker kept from the time before proves nothing


def test_a_running_gateway_is_not_disturbed(
    run: Any, broker: Any, make_site: Any, kit: Any
) -> None:
    import asyncio

    async def talk() -> None:
        with make_site(broker) as site:
            site.forecast()
            async with kit.running(site.link), kit.listening(broker, "frugal/gw/status") as seen:
                await kit.until(lambda: site.link._trouble == "")
                code, *_ = await asyncio.to_thread(run, broker)
                assert code == 0
                await asyncio.sleep(0.1)
                assert seen.on("frugal/gw/status") == [b"online"]

    kit.within(talk())


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (("topic read #",), "does not let this device publish"),
        (("topic write #",), "acknowledged, but not back within 1 s"),
        (("topic readwrite other/#",), "does not let this device publish"),
    ],
)
def test_silence_of_the_broker_is_told(
    rules: tuple[str, ...], words: str, run: Any, start_broker: Any, tmp_path: Path
) -> None:
    acl = tmp_path / "acl"
    acl.write_text("\n".join(rules) + "\n")
    acl.chmod(0o600)
    code, out, err = run(start_broker(f"acl_file {acl}"), "--timeout", "1")
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert err.startswith(f"frugal-edge: error: {ECHO}: ")
    assert words in err


def test_it_says_what_was_allowed_and_what_not(
    run: Any, start_broker: Any, make_site: Any, tmp_path: Path
) -> None:
    acl = tmp_path / "acl"
    acl.write_text(f"topic readwrite {ECHO}\ntopic read {FORECAST}\n")
    acl.chmod(0o600)
    broker = start_broker(f"acl_file {acl}")
    with make_site(broker) as site:
        site.forecast()
    code, out, err = run(broker, "--timeout", "1")
    assert (code, out) == (2, "")
    allowed, denied = err.splitlines()
    assert allowed == f"frugal-edge: info: {ECHO}: came back"
    assert denied.startswith(f"frugal-edge: error: {FORECAST}: the broker does not let")


def test_no_broker_and_no_section(run: Any, broker: Any) -> None:
    broker.stop()
    code, _, err = run(broker)
    assert code == 2
    assert err.splitlines() == [f"frugal-edge: error: 127.0.0.1:{broker.port}: Connection refused"]
    code, _, err = run(broker, mqtt=False)
    assert code == 2
    assert "expected a section with the broker" in err


@pytest.mark.parametrize("timeout", ["0", "-1", "nan", "601", "x"])
def test_only_sensible_timeouts(run: Any, broker: Any, timeout: str) -> None:
    with pytest.raises(SystemExit):
        run(broker, f"--timeout={timeout}")
