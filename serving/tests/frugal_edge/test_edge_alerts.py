"""The example of alerts names metrics that a gateway has."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

RULES = Path(__file__).parents[2] / "examples" / "alerts.yml"
SOURCES = Path(__file__).parents[2] / "frugal_edge"
GUIDE = Path(__file__).parents[3] / "docs" / "operations.md"


def alerts() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    return list(group["rules"])


def test_every_alert_says_what_is_wrong_and_how_bad_it_is() -> None:
    names = [one["alert"] for one in alerts()]
    assert len(names) == len(set(names))
    for one in alerts():
        assert set(one) <= {"alert", "expr", "for", "labels", "annotations"}
        assert one["labels"]["severity"] in {"warning", "critical"}
        assert one["annotations"]["summary"]


def test_every_metric_of_an_alert_is_one_that_is_counted() -> None:
    text = "".join(path.read_text() for path in SOURCES.rglob("*.py"))
    counted = set(re.findall(r'"([a-z0-9_]+)"', text))
    asked = re.findall(r"frugal_edge_([a-z0-9_]+)", RULES.read_text())
    assert asked
    assert set(asked) <= counted


def test_the_guide_says_what_to_do_about_each() -> None:
    guide = GUIDE.read_text()
    for one in alerts():
        assert f"`{one['alert']}`" in guide


def test_prometheus_accepts_them() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed here")
    done = subprocess.run(
        [promtool, "check", "rules", str(RULES)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
