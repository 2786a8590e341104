import csv
import gzip
import io
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest
import sqlalchemy

from benchmarks.board.ecoindex import ecoindex
from benchmarks.board.elements import count
from benchmarks.board.synthetic import Shape, write_store
from frugal_ai.board.store import Store

Get = Callable[..., httpx.Response]
Of = Callable[[str], Get]

HOSTILE = "<img src=x onerror=alert(1)>\"'&{{7*7}}"


def test_the_first_page_says_what_is_recommended_why_and_where_the_evidence_is(get: Get) -> None:
    page = get("/").text
    head = page[page.index('class="headline') : page.index("</section>")]
    assert "Recommended" in head
    assert "The smallest model that is not significantly worse than the best." in head
    assert "synthetic: nothing was measured" in head
    link = re.search(r'<a href="(/models/[^"]+)"', head)
    assert link is not None
    assert get(link[1]).status_code == 200
    assert "Simulated data" in page[: page.index('class="headline')]


def test_a_page_of_fifty_models_keeps_its_budget(fifty: str, get_of: Of) -> None:
    page = get_of(fifty)("/").text
    found, packed = count(page), len(gzip.compress(page.encode()))
    assert page.count('class="naive est"') + page.count('class="linear est"') + page.count(
        'class="boosting est"'
    ) >= 50  # fmt: skip
    assert packed <= 50_000
    assert found.short <= 900
    assert found.sources == ()
    assert ecoindex(found.outside, 1 + len(found.sources), packed / 1000) >= 80
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", page)


def test_a_choice_is_said_to_reach_no_further_than_its_run(
    fifty: str, get: Get, get_of: Of
) -> None:
    said = "Among the models of its own run"
    assert said in get_of(fifty)("/").text
    assert said not in get("/?pipeline=synthetic-load-01").text


def test_long_tables_are_turned_page_by_page(fifty: str, get_of: Of) -> None:
    get = get_of(fifty)
    seen: list[str] = []
    for page in ("/", "/?page=2"):
        seen += re.findall(r'<tr id="(m-\w+)"', get(page).text)
    assert len(seen) == len(set(seen)) == 50
    assert get("/?page=99").status_code == 200


def test_of_another_error_it_is_said_that_the_choice_rests_on_the_mae(get: Get) -> None:
    said = "rest on the MAE, whatever error is shown"
    assert said not in get("/?pipeline=synthetic-pv-02").text
    page = get("/?pipeline=synthetic-pv-02&metric=pinball").text
    assert said in page
    assert "worth it · " not in page  # a gain in MAE per gram beside another error


def test_a_row_leads_to_card_and_evidence(get: Get) -> None:
    page = get("/?pipeline=synthetic-pv-02&lang=en").text
    cards = re.findall(r'href="([^"]+)#card"', page)
    evidence = re.findall(r'href="([^"]+)#evidence"', page)
    assert len(evidence) == page.count('<tr id="m-') > len(cards) > 0
    model = get(unescape(cards[0])).text
    assert model.count('id="card"') == model.count('id="evidence"') == 1


@pytest.mark.parametrize("path", ["/", "/?lang=fr", "/?runs=all", "/?scope=training&metric=rmse"])
def test_pages_are_served_with_a_strict_policy(get: Get, path: str) -> None:
    answer = get(path)
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert not re.search(r"\s(?:style|on\w+)=", answer.text)


def test_the_language_is_that_of_the_address_or_the_browser(get: Get) -> None:
    assert 'lang="fr"' in get("/?lang=fr").text.splitlines()[1]
    assert 'lang="fr"' in get("/", accept_language="fr-FR,fr;q=0.9").text.splitlines()[1]
    assert 'lang="en"' in get("/?lang=en", accept_language="fr").text.splitlines()[1]


def test_filters_lead_to_other_models(get: Get) -> None:
    assert "synthetic-pv-02" in get("/board.csv?pipeline=synthetic-pv-02").text
    assert "synthetic-load" not in get("/board.csv?pipeline=synthetic-pv-02").text
    measured = get("/board.json?estimated=0").json()["models"]
    assert {one["energy_method"] for one in measured} == {"rapl"}
    none = get("/?pipeline=nothing")
    assert (none.status_code, "No model matches" in none.text) == (200, True)
    assert get("/board.csv?pipeline=nothing").status_code == 404


def test_hardware_is_never_pooled_and_the_others_are_named(get: Get) -> None:
    page = get("/?pipeline=synthetic-load-01").text
    others = page[page.index("Not to be compared with these") :]
    link = unescape(re.findall(r'<li><a href="([^"]+)"', others)[0])
    hardware = {
        frozenset(one["hardware"] for one in get(path).json()["models"])
        for path in ("/board.json?pipeline=synthetic-load-01", link.replace("/?", "/board.json?"))
    }
    assert len(hardware) == 2
    assert all(len(one) == 1 for one in hardware)


def test_two_grids_are_said_to_be_recomputed_under_one(get: Get) -> None:
    found = get("/board.json?runs=all").json()
    grids = {one["intensity_g_per_kwh"] for one in found["models"]}
    assert len(grids) == 2
    assert found["stated"]["recomputed"]
    assert "Recomputed from energy under this one grid" in get("/?runs=all").text
    for one in found["models"]:
        stated = one["energy_wh"] / 1000 * found["stated"]["intensity_g_per_kwh"]
        assert one["stated_training_g"] == pytest.approx(stated)


def test_sorting_is_in_the_address_and_told_to_readers(get: Get) -> None:
    page = get("/?sort=error").text
    heads = page[page.index("<thead>") : page.index("</thead>")]
    assert heads.count("aria-sort") == 1
    assert 'sort=error&amp;descending=1"' in heads
    errors = [one["error"] for one in get("/board.json?sort=error").json()["models"]]
    assert errors == sorted(errors)


def test_a_lead_time_changes_errors_and_not_what_is_recommended(get: Get) -> None:
    whole, part = (get(f"/board.json?{query}").json() for query in ("", "lead=3600-21600"))
    assert (whole["lead"], part["lead"]) == (None, {"from_s": 3600, "to_s": 21600})
    assert part["asked"] == "lead=3600-21600"
    of = {one["rung"]: one for one in part["models"]}
    for one in whole["models"]:
        other = of[one["rung"]]
        assert one["error"] == one["mae"]
        assert [one["error_lo"], one["error_hi"]] == one["mae_ci"]
        band = next(each for each in one["mae_by_lead"] if each["from_s"] == 3600)
        assert other["error"] == band["mae"] != one["error"]
        assert [other["error_lo"], other["error_hi"]] == band["mae_ci"]
        assert (other["recommended"], other["verdict"]) == (one["recommended"], one["verdict"])
    rows = list(csv.DictReader(io.StringIO(get("/board.csv?lead=3600-21600").text)))
    assert [float(row["error"]) for row in rows] == [one["error"] for one in part["models"]]
    assert {(row["lead_from_s"], row["lead_to_s"]) for row in rows} == {("3600", "21600")}
    assert {row["lead_to_s"] for row in csv.DictReader(io.StringIO(get("/board.csv").text))} == {""}


@pytest.mark.parametrize(
    ("lang", "band", "reach"),
    [
        ("en", "1\u00a0h\u20136\u00a0h ahead", "those of the whole horizon"),
        ("fr", "à échéance 1\u00a0h\u20136\u00a0h", "pour tout l'horizon"),
    ],
)
def test_a_page_of_lead_times_says_so(get: Get, lang: str, band: str, reach: str) -> None:
    page = unescape(get(f"/?lead=3600-21600&lang={lang}").text)
    head = page[page.index('class="headline') : page.index("</section>")]
    assert f"MAE {band}" in head
    assert reach in head
    table = page[page.index("<thead>") : page.index("</thead>")]
    assert f"MAE {band} [MW]" in table
    assert "lead=3600-21600" in table  # sorting keeps it
    picture = page[page.index('<svg class="scatter"') : page.index("</figure>")]
    assert picture.count(band) == 2  # on the axis and below
    form = page[page.index("<form") : page.index("</form>")]
    options = re.findall(r'<option value="(\d+-\d+)"( selected)?>', form)
    assert options == [("0-3600", ""), ("3600-21600", " selected"), ("21600-86400", "")]
    assert band in get(f"/badge.svg?lead=3600-21600&lang={lang}").text
    plain = get(f"/?lang={lang}").text
    assert reach not in plain
    assert " selected" not in re.findall(r'<option value="\d+-\d+"[^>]*>', plain)


def test_models_of_older_runs_are_named_and_not_drawn_where_a_lead_time_is_asked_for(
    tmp_path: Path, get_of: Of
) -> None:
    uri = write_store(tmp_path / "mlflow.db", Shape(9, pipelines=1))
    chosen = "(SELECT run_uuid FROM tags WHERE key = 'frugal.chosen' AND value = 'true')"
    engine = sqlalchemy.create_engine(uri)
    with engine.begin() as connection:
        query = f"DELETE FROM tags WHERE key = 'frugal.mae_by_lead' AND run_uuid IN {chosen}"  # noqa: S608 - no input
        assert connection.execute(sqlalchemy.text(query)).rowcount == 1
    engine.dispose()
    get = get_of(uri)
    (older,) = (one for one in get("/board.json").json()["models"] if not one["mae_by_lead"])
    assert older["recommended"]
    page = get("/?lead=0-3600").text
    assert f"no error of these lead times was kept (older runs kept none): {older['rung']}." in page
    picture = page[page.index('<svg class="scatter"') : page.index("</svg>")]
    assert f"{older['rung']}:" not in picture
    assert picture.count('class="naive est"') > 0
    assert f"<b>{older['rung']}</b>" in page  # recommended all the same
    assert f"{older['rung']}:" in get("/").text
    nobody = get("/?lead=0-99")
    assert nobody.status_code == 200
    assert "no error of these lead times was kept" in nobody.text
    assert 'class="scatter"' not in nobody.text


def test_the_page_of_a_model_has_its_errors_by_lead_time(get: Get) -> None:
    run_id = get("/board.json").json()["models"][0]["run_id"]
    page = get(f"/models/{run_id}").text
    at = [page.index(f"MAE {one} ahead") for one in (
        "0\u20131\u00a0h", "1\u00a0h\u20136\u00a0h", "6\u00a0h\u20131\u00a0d",
    )]  # fmt: skip
    assert at == sorted(at)


def test_a_form_keeps_language_comparison_and_order(get: Get) -> None:
    group = get("/board.json?pipeline=synthetic-load-01").json()["group"]
    page = get(f"/?group={group}&sort=error&descending=1&lang=fr").text
    form = page[page.index("<form") : page.index("</form>")]
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    assert hidden == {"lang": "fr", "group": group, "sort": "error", "descending": "1"}


def test_exports_have_the_same_rows(get: Get) -> None:
    rows = list(csv.DictReader(io.StringIO(get("/board.csv").text)))
    models = get("/board.json").json()["models"]
    assert [row["rung"] for row in rows] == [one["rung"] for one in models]
    assert [float(row["stated_g"]) for row in rows] == [one["stated_g"] for one in models]
    assert [row["recommended"] for row in rows].count("true") == 1
    svg = get("/board.svg")
    assert svg.headers["content-type"].startswith("image/svg+xml")
    ET.fromstring(svg.text)  # noqa: S314 - of our own making
    badge = get("/badge.svg")
    assert "simulated" in badge.text
    ET.fromstring(badge.text)  # noqa: S314 - likewise


@pytest.mark.parametrize(
    "query", ["metric=nonsense", "intensity=-1", "page=x", "sort=id", "lead=6h"]
)
def test_what_cannot_be_asked_is_answered_in_one_sentence(get: Get, query: str) -> None:
    answer = get(f"/?{query}")
    assert answer.status_code == 400
    assert f"{query.partition('=')[0]}: expected" in answer.text


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/models/nothing", "/models/nothing/files/run.json", "/models/x/plots/y.svg"],
)
def test_what_is_not_there_is_not_found(get: Get, path: str) -> None:
    answer = get(path)
    assert (answer.status_code, "There is no such model" in answer.text) == (404, True)


def test_names_from_the_store_are_text_on_every_page(tmp_path: Path, get_of: Of) -> None:
    uri = write_store(tmp_path / "mlflow.db", Shape(9, pipelines=1))
    engine = sqlalchemy.create_engine(uri)
    with engine.begin() as connection:
        for tag in ("frugal.rung", "frugal.title", "hardware", "frugal.over", "frugal.series",
                    "mlflow.note.content", "frugal.unit", "frugal.git_revision"):  # fmt: skip
            number = "|| rowid" if tag == "frugal.rung" else ""
            connection.execute(
                sqlalchemy.text(f"UPDATE tags SET value = :text {number} WHERE key = :tag"),  # noqa: S608 - no input
                {"text": HOSTILE, "tag": tag},
            )
    engine.dispose()
    get = get_of(uri)
    pages = ["/", "/?lang=fr", "/board.svg", "/badge.svg"]
    pages += [unescape(one) for one in re.findall(r'href="(/models/[^"]+)"', get("/").text)]
    assert len(pages) > 6
    for path in pages:
        answer = get(path)
        if answer.headers["content-type"].startswith("application"):
            continue
        assert answer.status_code in {200, 404}, path
        assert "<img src=x" not in answer.text, path
        assert "49" not in re.findall(r"&quot;'&amp;(\d+)", answer.text)


def test_a_formula_in_a_name_is_none_in_a_spreadsheet(tmp_path: Path, get_of: Of) -> None:
    uri = write_store(tmp_path / "mlflow.db", Shape(9, pipelines=1))
    engine = sqlalchemy.create_engine(uri)
    with engine.begin() as connection:
        query = "UPDATE tags SET value = '=HYPERLINK(1)' || rowid WHERE key = 'frugal.rung'"
        connection.execute(sqlalchemy.text(query))
    engine.dispose()
    rows = list(csv.DictReader(io.StringIO(get_of(uri)("/board.csv").text)))
    assert all(row["rung"].startswith("'=HYPERLINK") for row in rows)


def test_failed_gates_stand_first(tmp_path: Path, get_of: Of) -> None:
    uri = write_store(tmp_path / "mlflow.db", Shape(9, pipelines=1))
    engine = sqlalchemy.create_engine(uri)
    with engine.begin() as connection:
        query = (
            "INSERT INTO tags SELECT 'frugal.failed_gates', '[\"keeps too little\"]', run_uuid "
            "FROM tags WHERE key = 'frugal.role' AND value = 'run'"
        )
        connection.execute(sqlalchemy.text(query))
    engine.dispose()
    page = get_of(uri)("/").text
    assert 'class="headline failed"' in page
    assert "Gates failed: keeps too little" in page
    assert "GATES FAILED" in page[page.index("<tbody>") :]
    assert "GATES FAILED" in get_of(uri)("/badge.svg").text


def test_an_empty_store_says_how_to_fill_it(tmp_path: Path, get_of: Of) -> None:
    uri = write_store(tmp_path / "mlflow.db", Shape(0, pipelines=1))
    assert "frugal-ai run" in get_of(uri)("/").text


def test_a_store_is_read_again_only_when_a_run_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = write_store(tmp_path / "mlflow.db", Shape(9, pipelines=1))
    monkeypatch.setattr("frugal_ai.board.store._ASK_EVERY_S", 0.0)
    store = Store(uri)
    first = store.snapshot()
    assert store.snapshot() is first
    engine = sqlalchemy.create_engine(uri)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE runs SET end_time = end_time + 1"))
    engine.dispose()
    assert store.snapshot() is not first
