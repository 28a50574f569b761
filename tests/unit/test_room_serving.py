"""How the room answers: what a reader has is not made again, files that are made anew are read, time is bounded."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from config.errors import DamageFound, StoreRefused, StoreUnavailable
from jobs.catalog import Catalog
from jobs.context import CATALOG_FILE
from jobs.room import app as room_app
from jobs.room import library as lending
from jobs.room.answers import answer_trouble
from jobs.room.endpoints import Asked, Document, Download, NotThere, TookTooLong
from jobs.room.freshness import TRUSTED_SECONDS, Freshness
from jobs.room.headers import SAFE_HEADERS, encode_value, name_file
from jobs.room.static_files import SHEET, find_static, link_static
from jobs.search.index import INDEX_FILE
from tests.doors import ARTICLE, Visitor, fold_index, open_small_library
from tests.machines import Look, Machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.room.desk import Desk
    from jobs.room.library import Library


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with open_small_library(tmp_path) as library:
        yield library


def visit(library: Library) -> Visitor:
    return Visitor(room_app.make_app(library), "http://127.0.0.1:8460", "127.0.0.1")


def offer(monkeypatch: pytest.MonkeyPatch, view: Any) -> None:
    """Have the room offer *view* at /odd, beside nothing else."""
    monkeypatch.setattr(room_app, "ENDPOINTS", [Download("odd", "/odd", Asked, view, ("text/plain",), "Odd")])


def test_what_a_reader_has_is_not_made_again(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def view(desk: Desk, asked: Asked) -> Document:
        del desk, asked
        made.append(1)
        return Document(b"the same", "text/plain")

    offer(monkeypatch, view)
    client = visit(library)
    first = client.get("/odd")
    assert (first.status_code, len(made)) == (200, 1)
    again = client.get("/odd", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content, len(made)) == (304, b"", 1)
    assert again.headers["ETag"] == first.headers["ETag"]
    for tag in ("*", "", '"x"', first.headers["ETag"].replace("-", "_"), first.headers["ETag"][:-2] + '0"'):
        made.clear()
        client.get("/odd", headers={"If-None-Match": tag})
        if tag.endswith('0"'):
            continue  # of another body, which for a minute nobody knows better than the logs
        assert made, tag


def ask(library: Library, tag: str | None = None, *, later: float = 0, query: bytes = b"") -> Freshness:
    headers = [] if tag is None else [(b"if-none-match", tag.encode())]
    request = Request({"type": "http", "method": "GET", "path": "/x", "query_string": query, "headers": headers})
    with library.lend("http://here") as desk:
        object.__setattr__(desk, "now", datetime(2026, 11, 27, 12, tzinfo=UTC) + timedelta(seconds=later))
        return Freshness.of(desk, request)


def test_after_a_minute_the_body_decides(library: Library) -> None:
    tag = ask(library).mark(Response(b"one")).headers["ETag"]
    assert ask(library, tag, later=TRUSTED_SECONDS - 1).is_had()
    late = ask(library, tag, later=TRUSTED_SECONDS)
    assert not late.is_had()
    assert late.mark(Response(b"two")).status_code == 200
    unchanged = late.mark(Response(b"one"))
    assert unchanged.status_code == 304
    assert ask(library, unchanged.headers["ETag"], later=TRUSTED_SECONDS + 30).is_had(), "good for another minute"
    assert not ask(library, tag, query=b"a=1").is_had(), "another question"
    assert not ask(library, tag, later=-1).is_had(), "a clock that was set back"


def test_commit_makes_an_answer_old(library: Library) -> None:
    tag = ask(library).mark(Response(b"one")).headers["ETag"]
    with Catalog.open(library.state / CATALOG_FILE) as catalog:
        machine = Machine(open_store_of(library), library.info, catalog)
        machine.commit([Look("one", "The bridge will not be built")], number=2)
        assert not ask(library, tag).is_had()
        between = ask(library).mark(Response(b"one")).headers["ETag"]
        fold_index(library.state, catalog, library.info.archive)
    assert not ask(library, between).is_had(), "the index has taken it in"


def open_store_of(library: Library) -> Any:
    return library.store._get.__self__  # type: ignore[attr-defined]


def test_catalog_and_index_that_are_made_anew_are_read(library: Library) -> None:
    client = visit(library)
    assert client.get(ARTICLE).status_code == 200
    (library.state / INDEX_FILE).rename(library.state / "kept")
    (library.state / CATALOG_FILE).unlink()
    doubts: list[int] = []
    library.doubt = lambda: doubts.append(1)
    assert (client.get(ARTICLE).status_code, len(doubts)) == (503, 1)
    with Catalog.open(library.state / CATALOG_FILE):
        (library.state / "kept").rename(library.state / INDEX_FILE)
        assert client.get(ARTICLE).status_code == 404, "the new one is empty"


def test_file_that_is_damaged_while_it_is_read_is_doubted(library: Library) -> None:
    client = visit(library)
    assert client.get(ARTICLE).status_code == 200
    path = library.state / INDEX_FILE
    doubts: list[int] = []
    library.doubt = lambda: doubts.append(1)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xff" * (size - 4_096))
    library.close()  # what a desk has read it has
    answer = client.get("/search.json?words=bridge")
    assert (answer.status_code, answer.json()["title"], doubts) == (503, "Out of order", [1])


def test_request_has_so_much_time_in_the_catalog(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def view(desk: Desk, asked: Asked) -> Document:
        del asked
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
        desk.catalog._db.execute(endless).fetchone()
        return Document(b"", "text/plain")

    offer(monkeypatch, view)
    monkeypatch.setattr(lending, "QUERY_SECONDS", 0.2)
    began = time.monotonic()
    answer = visit(library).get("/odd", headers={"Accept": "application/json"})
    assert time.monotonic() - began < 5
    assert (answer.status_code, answer.json()["title"]) == (503, "Too much at once")
    assert answer.headers["Retry-After"] == "10"
    monkeypatch.undo()
    assert visit(library).get(ARTICLE).status_code == 200, "the next has its own time"


TROUBLE: dict[str, tuple[Exception, int, bool]] = {
    "not there": (NotThere("this is told"), 404, True),
    "too long": (TookTooLong("this is told"), 503, True),
    "damaged": (DamageFound("this is told"), 502, True),
    "no store": (StoreUnavailable("http://10.0.0.7/secret"), 503, False),
    "refused": (StoreRefused("http://10.0.0.7/secret"), 502, False),
    "a bug": (RuntimeError("secret"), 500, False),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_trouble_is_told_as_far_as_it_is_a_readers_business(
    library: Library, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    error, status, told = TROUBLE[name]

    def view(desk: Desk, asked: Asked) -> Document:
        del desk, asked
        raise error

    offer(monkeypatch, view)
    answer = visit(library).get("/odd")
    assert answer.status_code == status
    assert ("this is told" in answer.text.lower()) is told
    assert "secret" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "ETag" not in answer.headers


def test_nothing_in_a_header_ends_it(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = "https://gazette.example/\r\nSet-Cookie: a=b\x00\u2028\u0430"

    def view(desk: Desk, asked: Asked) -> Document:
        del desk, asked
        return Document(b"", "text/plain", {"Link": f"<{evil}>; rel=original"}, filename=f'{evil}".txt')

    offer(monkeypatch, view)
    answer = visit(library).get("/odd")
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Link"] == ("<https://gazette.example/%0D%0ASet-Cookie: a=b%00%E2%80%A8%D0%B0>; rel=original")
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="https___gazette.example___Set-Cookie__a_b____.txt"; ')
    assert "\n" not in disposition


def test_header_values_and_names_are_whole() -> None:
    assert encode_value(' <a>; rel="next" ') == '<a>; rel="next"'
    assert encode_value("\udce9") == "%3F"
    assert name_file("text.md") == "attachment; filename=\"text.md\"; filename*=UTF-8''text.md"
    assert len(name_file("x" * 5_000)) < 400


def test_view_has_a_say_in_its_headers(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def view(desk: Desk, asked: Asked) -> Document:
        del desk, asked
        return Document(b"", "text/html", {"Content-Security-Policy": "sandbox"})

    offer(monkeypatch, view)
    answer = visit(library).get("/odd")
    assert answer.headers.get_list("Content-Security-Policy") == ["sandbox"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_reader_who_has_it_keeps_its_headers(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy that came with a 304 would replace that of the page in the browser's cache."""

    def view(desk: Desk, asked: Asked) -> Document:
        del desk, asked
        return Document(b"", "text/html", {"Content-Security-Policy": "sandbox"})

    offer(monkeypatch, view)
    client = visit(library)
    tag = client.get("/odd").headers["ETag"]
    again = client.get("/odd", headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert {name.lower() for name in SAFE_HEADERS}.isdisjoint(again.headers)


def test_static_files_are_named_by_what_they_are() -> None:
    path = link_static(SHEET)
    found = find_static(path.rpartition("/")[2])
    plain = find_static(SHEET)
    assert found is not None
    assert plain is not None
    assert (found.for_good, plain.for_good) == (True, False)
    assert found.body == plain.body
    assert found.media_type == "text/css; charset=utf-8"
    with pytest.raises(KeyError):
        link_static("nothing.css")
    for name in ("__init__.py", "../app.py", "", ".", "front.css", "ROOM.css"):
        assert find_static(name) is None


def test_who_asks_for_json_is_told_in_json() -> None:
    request = Request({"type": "http", "method": "GET", "path": "/x.json", "query_string": b"", "headers": []})
    answer = answer_trouble(request, NotThere("no"))
    assert answer.media_type == "application/problem+json"
