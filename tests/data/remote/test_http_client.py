import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from frugal_ai import __version__
from frugal_ai.data.remote.http import Client, Patience, quoted
from frugal_ai.errors import FetchError, PipelineError

DATASET = "catalog/datasets/eco2mix-national-cons-def/exports/json"
QUESTION = {
    "where": "date_heure >= date'2024-01-01T00:00:00Z' AND date_heure < date'2024-01-02T00:00:00Z'"
}


def ask(client: Client) -> Any:
    return client.get_json(DATASET, QUESTION)[0]


def test_an_answer_and_how_it_was_asked(service: Any, client: Client) -> None:
    answer, url = client.get_json(DATASET, QUESTION)
    assert len(answer) == 96
    assert url.startswith(f"{service.url}/{DATASET}?where=date_heure")
    ((_, params, headers),) = service.asked
    assert params == QUESTION
    assert headers["User-Agent"] == f"frugal-ai/{__version__}"


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_error_passes(
    service: Any, client: Client, waited: list[float], answer: Any, status: int
) -> None:
    service.faults = [answer("broken", status), answer("broken", status)]
    assert len(ask(client)) == 96
    assert waited == [1.0, 2.0]


def test_a_server_error_that_stays_is_an_error(
    service: Any, client: Client, waited: list[float], answer: Any
) -> None:
    service.faults = [answer({"message": "out of order"}, 500) for _ in range(9)]
    said = r"answer 500 Internal Server Error: out of order; given up after 4 tries"
    with pytest.raises(FetchError, match=said):
        ask(client)
    assert len(service.asked) == 4
    assert waited == [1.0, 2.0, 4.0]


def test_the_wait_has_an_upper_limit_and_jitter(
    service: Any, waited: list[float], answer: Any
) -> None:
    service.faults = [answer("broken", 500) for _ in range(7)]
    patience = Patience(tries=8, longest_wait_s=5)
    spread: list[tuple[float, float]] = []

    def low(lowest: float, highest: float) -> float:
        spread.append((lowest, highest))
        return lowest

    with Client(service.url, patience, sleep=waited.append, jitter=low) as client:
        ask(client)
    assert spread == [(0.5, 1), (1, 2), (2, 4), (2.5, 5), (2.5, 5), (2.5, 5), (2.5, 5)]
    assert waited == [lowest for lowest, _ in spread]


def test_the_service_says_how_long_to_wait(
    service: Any, client: Client, waited: list[float], answer: Any
) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    service.faults = [
        answer({}, 429, {"Retry-After": "17"}),
        answer({}, 503, {"Retry-After": later}),
        answer({}, 429, {"Retry-After": "soon"}),
    ]
    assert len(ask(client)) == 96
    assert waited[0] == 17
    assert 80 < waited[1] <= 90
    assert waited[2] == 30  # what a spent quota takes at least


def test_a_wait_beyond_the_limit_is_not_begun(
    service: Any, client: Client, waited: list[float], answer: Any
) -> None:
    limit = {"error": True, "reason": "Daily API request limit exceeded. Please try again tomorrow"}
    service.faults = [answer(limit, 429, {"Retry-After": "3600"})]
    with pytest.raises(FetchError, match=r"429.*try again tomorrow.*in 3600 s, beyond the limit"):
        ask(client)
    assert waited == []


def test_a_refusal_is_not_asked_again_and_quoted_in_short(
    service: Any, client: Client, waited: list[float], answer: Any
) -> None:
    said = "ODSQL query is malformed: Unknown field: date_heur " + "x" * 1000
    service.faults = [answer({"error_code": "ODSQLError", "message": said}, 400)]
    with pytest.raises(FetchError, match="400 Bad Request: ODSQL query is malformed") as caught:
        ask(client)
    assert len(service.asked) == 1
    assert waited == []
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("announced", [True, False])
def test_a_cut_connection_is_asked_again(
    service: Any, client: Client, waited: list[float], answer: Any, *, announced: bool
) -> None:
    service.faults = [answer(b'[{"date_heure": "2024', cut=1000, announced=announced)]
    assert len(ask(client)) == 96
    assert waited == [1.0]


def test_a_page_in_place_of_data_is_an_error(service: Any, client: Client, answer: Any) -> None:
    service.faults = [answer(b"<html><body><h1>Maintenance</h1> until noon</body></html>")]
    with pytest.raises(FetchError, match=r"expected JSON, got text/html: Maintenance until noon"):
        ask(client)
    assert len(service.asked) == 1


def test_an_empty_body_is_an_error(service: Any, client: Client, answer: Any) -> None:
    service.faults = [answer(b"")]
    with pytest.raises(FetchError, match="expected JSON, got application/json: nothing"):
        ask(client)


def test_a_slow_answer_is_given_up(service: Any, waited: list[float], answer: Any) -> None:
    service.faults = [answer([], slow=True), answer([], slow=True)]
    patience = Patience(read_s=0.05, tries=2)
    with (
        Client(service.url, patience, sleep=waited.append) as client,
        pytest.raises(FetchError, match=r"no answer within 0\.05 s; given up after 2 tries"),
    ):
        ask(client)
    assert len(waited) == 1


def test_an_answer_that_only_drips_is_given_up(service: Any) -> None:
    times = iter([0.0, 10.0, 20.0])
    with (
        Client(service.url, Patience(total_s=5), clock=lambda: next(times)) as client,
        pytest.raises(FetchError, match=r"expected an answer within 5 s, got \d+ bytes of one"),
    ):
        ask(client)


def test_nobody_there(waited: list[float]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with (
            Client(url, Patience(tries=3), sleep=waited.append) as client,
            pytest.raises(FetchError, match=r"connection failed: .*given up after 3 tries"),
        ):
            ask(client)
    assert len(waited) == 2


def test_waits_are_told(service: Any, answer: Any) -> None:
    told: list[tuple[float, str]] = []
    service.faults = [answer({"message": "busy"}, 503)]
    with Client(
        service.url,
        waits=lambda seconds, reason: told.append((seconds, reason)),
        sleep=lambda _: None,
        jitter=lambda _low, high: high,
    ) as client:
        ask(client)
    assert told == [(1.0, "answer 503 Service Unavailable: busy")]


@pytest.mark.parametrize("url", ["odre.opendatasoft.com", "ftp://somewhere", "http:///v1", ""])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(PipelineError, match="--url: expected an address"):
        Client(url)


def test_what_a_service_says_fits_in_a_line() -> None:
    assert quoted(b"<b>No</b>\n  such <i>thing</i>") == "No such thing"
    assert quoted(b'{"reason": "bad", "error": true}') == "bad"
    assert quoted(b'{"other": 1}') == '{"other": 1}'
    assert quoted(b"\xff\xfe") == "\ufffd\ufffd"
    assert quoted(b"") == "nothing"
