import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from frugal_edge import cli
from frugal_edge.dataflow import counted, page
from frugal_edge.dataflow.assumptions import DEFAULTS
from frugal_edge.dataflow.plan_reader import read_plan
from frugal_edge.dataflow.volume import Flow, Plan, volume
from frugal_edge.errors import ConfigError
from frugal_edge.gateway.config import GatewayConfig
from frugal_edge.store.counters import Counters
from frugal_edge.store.database import Database
from hypothesis import given
from hypothesis import strategies as st

Capture = pytest.CaptureFixture[str]
EXAMPLE = Path(__file__).parents[3] / "examples" / "dataflow-collective-self-consumption.yaml"
PLAN = """
title: Two meters
flows:
  load: {count: 2, step: 15min}
  voltage: {count: 3, step: 1min}
sent:
  load: {step: 30min, values_per_message: 4, share: 0.25}
"""


def test_the_white_papers_example_comes_out(capsys: Capture) -> None:
    assert cli.main(["dataflow", "--flows", str(EXAMPLE), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["everything"]["bytes_per_year"] == pytest.approx(755e9, abs=0.5e9)
    assert said["divided_by"] == pytest.approx(6, rel=0.01)
    assert said["copies"] == 10_000
    flows = {one["name"]: one for one in said["everything"]["flows"]}
    assert flows["complement"]["count"] == 12
    assert flows["surplus"]["count"] == 2
    assert {one["step_s"] for one in flows.values()} == {1800}
    assert {one["name"] for one in said["sent"]["flows"]} == {"surplus", "complement"}
    assert {one["step_s"] for one in said["sent"]["flows"]} == {3600}
    assert said["assumptions"]["value_bytes"]["value"] == 102.6


def test_the_table_spells_every_assumption_out(capsys: Capture) -> None:
    assert cli.main(["dataflow", "--flows", str(EXAMPLE)]) == 0
    said = capsys.readouterr().out
    assert "755 GB" in said
    assert "divided by 6\n" in said
    for name in DEFAULTS:
        assert f"  {name} " in said


def test_a_day_of_a_plan_is_what_a_count_by_hand_gives(tmp_path: Path) -> None:
    plan = read_plan(written(tmp_path, PLAN))
    assumed = {name: one.value for name, one in plan.assumed.items()}
    everything = 2 * 96 + 3 * 1440
    one = volume(plan.everything, plan.assumed)
    assert one.values == one.messages == everything
    each = assumed["value_bytes"] + assumed["payload_bytes"]
    assert one.payload == pytest.approx(everything * each)
    around = assumed["topic_bytes"] + assumed["message_bytes"]
    assert one.protocol == everything * around + assumed["connect_bytes"]
    sent = volume(plan.sent, plan.assumed)
    assert sent.values == 2 * 48 * 0.25
    assert sent.messages == sent.values / 4


def test_the_protocol_of_a_message_is_the_sum_it_says() -> None:
    assert DEFAULTS["message_bytes"].value == 4 * 52 + 2 * 22 + 6 + 4


@given(
    count=st.integers(1, 10**6),
    step=st.sampled_from([1, 60, 900, 1800, 3600, 86400]),
    factor=st.integers(1, 48),
    batch=st.integers(1, 100),
)
def test_seldom_and_in_batches_never_takes_more(
    count: int, step: int, factor: int, batch: int
) -> None:
    native = volume([Flow("load", count, step)], DEFAULTS)
    sent = volume([Flow("load", count, step * factor, batch)], DEFAULTS)
    assert sent.bytes <= native.bytes
    assert sent.values * factor == pytest.approx(native.values)


def test_nothing_sent_is_said_and_not_divided_by(capsys: Capture, tmp_path: Path) -> None:
    path = written(tmp_path, PLAN.split("sent:", maxsplit=1)[0] + "sent: {}\n")
    assert cli.main(["dataflow", "--flows", str(path)]) == 0
    assert "divided by -: nothing is sent" in capsys.readouterr().out
    assert cli.main(["dataflow", "--flows", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["divided_by"] is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title: Two meters", "", "title: the key is missing"),
        ("count: 2", "count: 0", "flows.load.count: expected a whole number from 1"),
        ("count: 2", "count: 9999999999", "flows.load.count: expected a whole number up to"),
        ("step: 15min", "step: 15m", "flows.load.step: expected a duration such as 30s"),
        ("  load: {step", "  wind: {step", "sent.wind: expected a flow of load, voltage"),
        ("step: 30min", "step: 5min", "sent.load.step: expected at least the native step, 900 s"),
        ("share: 0.25", "share: 1.5", "sent.load.share: expected a number from 0 to 1, got 1.5"),
        ("sent:", "else: 1\nsent:", "unknown key 'else'"),
        ("sent:", "assumptions: {bytes: 1}\nsent:", "expected an object, got 1"),
        (
            "sent:",
            "assumptions: {bytes: {value: 1, why: x}}\nsent:",
            "assumptions.bytes: expected an assumption of value_bytes, payload_bytes",
        ),
        (
            "sent:",
            "assumptions: {value_bytes: {value: -1, why: x}}\nsent:",
            "assumptions.value_bytes.value: expected a number from 0, got -1",
        ),
    ],
)
def test_a_plan_that_is_wrong_is_refused_by_file_and_key(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = written(tmp_path, PLAN.replace(old, new, 1))
    with pytest.raises(ConfigError) as refused:
        read_plan(path)
    assert str(path) in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (999_499, "999 kB"), (999_600, "1.00 MB"),
     (99_960, "100 kB"), (9_996, "10.0 kB"), (754.9e9, "755 GB"), (6.7e12, "6.70 TB")],
)  # fmt: skip
def test_bytes_are_written_with_three_digits(count: float, shown: str) -> None:
    assert page.shown_bytes(count) == shown


def test_a_gateway_reports_what_it_has_counted(
    tmp_path: Path, capsys: Capture, gateway_yaml: Callable[[Path], Path]
) -> None:
    path = gateway_yaml(tmp_path)
    fill(tmp_path / "state", days=2)
    assert cli.main(["dataflow", "--config", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    each = sum(DEFAULTS[name].value for name in ("value_bytes", "payload_bytes", "topic_bytes"))
    assert said["readings"] == 300
    assert said["everything"]["bytes"] == pytest.approx(300 * each)
    assert said["sent"]["bytes"] == 5000
    assert said["sent"]["bytes_per_day"] == pytest.approx(2500, rel=1e-3)
    assert said["fetched"]["bytes"] == 700
    assert said["divided_by"] == pytest.approx(300 * each / 5000)
    assert cli.main(["dataflow", "--config", str(path)]) == 0
    assert "300 readings in 2 days" in capsys.readouterr().out


def test_the_time_of_counting_has_a_unit_that_fits(
    tmp_path: Path, capsys: Capture, gateway_yaml: Callable[[Path], Path]
) -> None:
    path = gateway_yaml(tmp_path)
    fill(tmp_path / "state", days=0.1)
    assert cli.main(["dataflow", "--config", str(path)]) == 0
    assert "300 readings in 2.4 hours, since" in capsys.readouterr().out


def test_a_gateway_that_has_counted_nothing_says_so(
    tmp_path: Path, capsys: Capture, gateway_yaml: Callable[[Path], Path]
) -> None:
    path = gateway_yaml(tmp_path)
    assert cli.main(["dataflow", "--config", str(path)]) == 2
    assert "this gateway has counted nothing yet" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()  # looking makes nothing
    Database(tmp_path / "state").close()
    with pytest.raises(ConfigError, match="has not forecast yet"):
        counted.count(GatewayConfig("one", tmp_path / "state"))


def test_one_of_flows_and_config_is_needed(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        cli.main(["dataflow"])
    assert "--flows" in capsys.readouterr().err


def test_the_default_plan_keeps_all_defaults(tmp_path: Path) -> None:
    plan: Plan = read_plan(written(tmp_path, PLAN))
    assert plan.assumed == DEFAULTS
    assert plan.copies == 1


@pytest.fixture
def gateway_yaml() -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / "gateway.yaml"
        path.write_text("gateway: one\nstate: state\n")
        return path

    return write


def fill(state: Path, days: float) -> None:
    database = Database(state)
    counters = Counters(database)
    counters.begin(time.time() - days * 86400)
    counters.add("observations_total", 100, series="a", source="http")
    counters.add("observations_total", 200, series="b", source="mqtt")
    counters.add("uplink_bytes_total", 5000)
    counters.add("downlink_bytes_total", 700)
    counters.flush()
    database.close()


def written(folder: Path, text: str) -> Path:
    path = folder / "flows.yaml"
    path.write_text(text)
    return path
