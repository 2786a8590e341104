from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from frugal_ai.board.model_page import file_type
from frugal_ai.tracking import default_uri, log_run

Get = Callable[..., httpx.Response]
Of = Callable[[str], Get]


@pytest.fixture
def get(run_dir: Path, get_of: Of) -> Get:
    card = run_dir / "bundle" / "MODEL_CARD.md"
    card.write_text(
        "# Card\n\n<script>alert(1)</script> [a](javascript:alert(1))\n\n|a|\n|-|\n|b|\n"
    )
    _seal(run_dir / "bundle")
    log_run(run_dir)
    return get_of(default_uri(run_dir.parent))


def _seal(bundle: Path) -> None:
    """Let the manifest say what is in the bundle now."""
    import hashlib
    import json

    manifest = json.loads((bundle / "manifest.json").read_text())
    for name in manifest["files"]:
        content = (bundle / name).read_bytes()
        manifest["files"][name] = {
            "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content),
        }  # fmt: skip
    (bundle / "manifest.json").write_text(json.dumps(manifest))


def run_id(get: Get) -> str:
    return str(get("/board.json").json()["models"][0]["run_id"])


def test_the_card_is_rendered_and_its_html_is_text(get: Get) -> None:
    page = get(f"/models/{run_id(get)}").text
    assert "<h3>Card</h3>" in page
    assert "<td>b</td>" in page
    assert "<script>alert" not in page
    assert 'href="javascript' not in page


def test_every_model_of_a_run_has_a_page_that_leads_to_the_chosen_one(get: Get) -> None:
    page = get(f"/models/{run_id(get)}/rungs/ridge")
    assert page.status_code == 200
    assert f'href="/models/{run_id(get)}"' in page.text
    assert "The run chose basis_ridge" in page.text
    assert get(f"/models/{run_id(get)}/rungs/nothing").status_code == 404


def test_files_of_a_run_are_sent_as_what_they_are_and_never_as_a_page(get: Get) -> None:
    for name, kind in (("run.json", "application/json"), ("bundle/MODEL_CARD.md", "text/plain"),
                       ("bundle/model.onnx", "application/octet-stream")):  # fmt: skip
        answer = get(f"/models/{run_id(get)}/files/{name}")
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert file_type("page.html") == file_type("x.xhtml") == "application/octet-stream"


@pytest.mark.parametrize(
    "name",
    [
        "../mlflow.db",
        "..%2Fmlflow.db",
        "bundle/..%2F..%2F..%2Fmlflow.db",
        "%2e%2e/%2e%2e/mlflow.db",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        "bundle",
        "run.json%00.svg",
        "",
    ],
)
def test_no_address_leads_out_of_a_run(get: Get, name: str) -> None:
    answer = get(f"/models/{run_id(get)}/files/{name}")
    assert answer.status_code == 404
    assert "SQLite format" not in answer.text


def test_a_run_without_forecasts_has_no_pictures(get: Get) -> None:
    assert get(f"/models/{run_id(get)}/plots/forecast.svg").status_code == 404
    assert "plots/forecast" not in get(f"/models/{run_id(get)}").text
