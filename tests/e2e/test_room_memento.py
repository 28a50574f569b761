"""A Memento client walks the room as RFC 7089 has it: TimeGate → Memento → TimeMap → every Memento."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from jobs.room.raw.showing import SANDBOX
from tests.rooms import PLANTED_URL, SOURCE
from tests.site.pages import SEED_URL

if TYPE_CHECKING:
    import httpx

    from jobs.catalog import StoredCapture
    from jobs.room.library import Library
    from tests.rooms import Client

BASE = "http://127.0.0.1:8460"


@dataclass(frozen=True)
class Link:
    """One link of a Link header or a TimeMap (RFC 8288)."""

    url: str
    rels: frozenset[str]
    at: datetime | None


def read_links(text: str) -> list[Link]:
    """Return the links in *text*, all of which must be read."""
    links, at = [], 0
    pattern = re.compile(r'\s*<([^>]*)>((?:\s*;\s*[a-z]+="[^"]*")*)\s*(?:,|$)')
    while at < len(text.rstrip()):
        found = pattern.match(text, at)
        assert found, text[at:]
        given = dict(re.findall(r'([a-z]+)="([^"]*)"', found[2]))
        moment = parsedate_to_datetime(given["datetime"]) if "datetime" in given else None
        links.append(Link(found[1], frozenset(given["rel"].split()), moment))
        at = found.end()
    return links


def pick(links: list[Link], rel: str) -> Link:
    (found,) = [one for one in links if rel in one.rels]
    return found


def get(client: Client, url: str, **headers: str) -> httpx.Response:
    assert url.startswith(BASE)
    return client.get(url.removeprefix(BASE), **headers)


@pytest.fixture(scope="module")
def seed(room_library: Library) -> list[StoredCapture]:
    with room_library.lend("") as desk:
        return desk.catalog.list_captures(SOURCE, SEED_URL)


def test_a_client_walks(room_client: Client, seed: list[StoredCapture]) -> None:
    wanted = seed[1].captured_at + timedelta(seconds=0.4)
    gate = get(room_client, f"{BASE}/timegate/{SEED_URL}", accept_datetime=format_datetime(wanted, usegmt=True))
    assert gate.status_code == 302
    assert gate.headers["Vary"] == "accept-datetime"
    assert "Memento-Datetime" not in gate.headers
    links = read_links(gate.headers["Link"])
    assert pick(links, "original").url == SEED_URL

    memento = get(room_client, gate.headers["Location"])
    assert memento.status_code == 200
    at = parsedate_to_datetime(memento.headers["Memento-Datetime"])
    assert at == seed[1].captured_at.replace(microsecond=0)
    assert "Vary" not in memento.headers
    assert memento.headers["Content-Security-Policy"] == SANDBOX
    assert "Blinken" in memento.text
    links = read_links(memento.headers["Link"])
    assert pick(links, "original").url == SEED_URL
    assert pick(links, "timegate").url == f"{BASE}/timegate/{SEED_URL}"
    assert parsedate_to_datetime(get(room_client, pick(links, "prev").url).headers["Memento-Datetime"]) < at
    assert parsedate_to_datetime(get(room_client, pick(links, "next").url).headers["Memento-Datetime"]) > at

    timemap = get(room_client, pick(links, "timemap").url)
    assert timemap.headers["Content-Type"] == "application/link-format"
    listed = read_links(timemap.text)
    assert pick(listed, "original").url == SEED_URL
    assert pick(listed, "self").url == pick(links, "timemap").url
    mementos = [one for one in listed if "memento" in one.rels]
    assert [one.at for one in mementos] == [one.captured_at.replace(microsecond=0) for one in seed]
    assert mementos[0] == pick(listed, "first")
    assert mementos[-1] == pick(listed, "last")
    assert len({one.url for one in mementos}) == len(seed)
    for one in mementos:
        answer = get(room_client, one.url)
        assert answer.status_code == 200  # the site says with 200 that it is gone
        assert parsedate_to_datetime(answer.headers["Memento-Datetime"]) == one.at


def test_without_a_time_the_gate_leads_to_the_last(room_client: Client, seed: list[StoredCapture]) -> None:
    gate = get(room_client, f"{BASE}/timegate/{SEED_URL}")
    assert f"/memento/{seed[-1].captured_at:%Y%m%d%H%M%S}/" in gate.headers["Location"]


@pytest.mark.parametrize("given", ["yesterday", "2023-11-07", "Tue, 99 Nov 2023 12:00:00 GMT"])
def test_what_is_no_time_is_refused(room_client: Client, given: str) -> None:
    assert get(room_client, f"{BASE}/timegate/{SEED_URL}", accept_datetime=given).status_code == 400


def test_a_memento_of_another_time_leads_to_the_nearest(room_client: Client, seed: list[StoredCapture]) -> None:
    answer = get(room_client, f"{BASE}/memento/19990101000000/{SEED_URL}")
    assert answer.status_code == 302
    assert "Memento-Datetime" not in answer.headers
    assert f"/memento/{seed[0].captured_at:%Y%m%d%H%M%S}/" in answer.headers["Location"]


def test_a_timemap_for_programs(room_client: Client, seed: list[StoredCapture]) -> None:
    told = get(room_client, f"{BASE}/timemap/json/{SEED_URL}").json()
    assert told["original_uri"] == SEED_URL
    assert len(told["mementos"]["list"]) == len(seed)
    first = told["mementos"]["first"]
    assert datetime.fromisoformat(first["datetime"]) == seed[0].captured_at.replace(microsecond=0).astimezone(UTC)
    assert get(room_client, first["uri"]).status_code == 200


WRITTEN = {
    "as it is": SEED_URL,
    "escaped": quote(SEED_URL, safe=""),
    "with one slash": SEED_URL.replace("://", ":/"),
    "with what counts clicks": f"{SEED_URL}?utm_source=x",
    "a planted one": PLANTED_URL,
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("path", ["timegate", "timemap/link", "timemap/json", "memento/20240101000000"])
def test_a_url_may_be_written_in_several_ways(room_client: Client, path: str, written: str) -> None:
    assert room_client.get(f"/{path}/{written}").status_code in {200, 302}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("timegate/https://nobody.example/", 404),
        ("timegate/javascript:x()", 400),
        ("timegate/..%2f..%2fetc%2fpasswd", 400),
        ("timegate/", 400),
        ("timemap/link/1000/" + SEED_URL, 404),
        ("timemap/link/7/" + SEED_URL, 404),
        ("memento/2024/" + SEED_URL, 400),
        ("memento/20249999999999/" + SEED_URL, 400),
        (f"timegate/{SEED_URL}%0d%0aSet-Cookie:%20a=b", 404),
    ],
)
def test_what_makes_no_sense_is_said_to(room_client: Client, path: str, status: int) -> None:
    answer = room_client.get(f"/{path}")
    assert answer.status_code == status
    assert "set-cookie" not in answer.headers
