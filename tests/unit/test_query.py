"""`ofrecord query`: rows as the tables have them, views as the fold has them, and nothing else within reach."""

from __future__ import annotations

import csv
import io
import json
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ConfigError, StoreUnavailable
from jobs.cli import main
from jobs.query import VIEWS, ask_tables
from jobs.store.local import LocalStore
from tests.machines import CountingStore
from tests.rollups import DAY_1, DAY_2, DAY_3, OTHER_DERIVATION, Again, Newsstand, Seen, link_to

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.store import ObjectStore

LATER = timedelta(hours=1)


class Desk:
    """An archive of three days with tables, and questions about it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "archive").mkdir()
        (folder / "work").mkdir()
        self.stand = Newsstand(LocalStore(folder / "archive"), folder / "work")

    def ask(self, query: str, store: ObjectStore | None = None) -> list[dict[str, Any]]:
        with ask_tables(store or self.stand.store, self.stand.info, query) as answer:
            return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("query"))
    stand = desk.stand
    stand.crawl(
        Seen("/a", "It rains.", title="Rain"),
        Seen("/b", "The tax is 2 %.", fields={"authors": {"value": ["A. Writer"], "from": "meta"}}),
        Seen("/none", None, status=500),
        links=(link_to("/x", DAY_1),),
    )
    stand.crawl(Seen("/a", "It pours.", title="Rain, more of it", at=DAY_2), Seen("/b", None, status=404, at=DAY_2))
    stand.crawl(
        Seen("/a", "It has stopped.", at=DAY_3, title="Sun"),
        Seen("/b", None, status=404, at=DAY_3),
        Seen("/c", at=DAY_3),
    )
    stand.crawl(Seen("/c", None, status=410, at=DAY_3 + LATER), Seen("/d", at=DAY_3), source="herald")
    stand.crawl(Seen("/c", None, status=410, at=DAY_3 + LATER))
    stand.build()
    return desk


def test_tables_are_what_the_manifest_lists(desk: Desk) -> None:
    counts = desk.ask(
        "select (select count(*) from captures) c, (select count(*) from snapshots) s,"
        " (select count(*) from revisions) r, (select count(*) from links) l"
    )
    rows = {file.table: 0 for file in desk.stand.manifest().files}
    for file in desk.stand.manifest().files:
        rows[file.table] += file.rows
    assert counts == [{"c": rows["captures"], "s": rows["snapshots"], "r": rows["revisions"], "l": rows["links"]}]
    found = desk.ask("select authors, captured_at from snapshots where url like '%/b'")
    assert found == [{"authors": ["A. Writer"], "captured_at": DAY_1}]


def test_articles_are_as_the_fold_has_them(desk: Desk) -> None:
    found = desk.ask("select source, url, state, revisions, title, captures from articles order by source, url")
    with desk.stand.open() as archive:
        archive.refresh()
        told = [
            (one["source"], one["url"], one["state"], one["revisions"], one["title"], one["captures"])
            for one in archive.catalog.list_articles()
            if one["revisions"]
        ]
    assert [tuple(one.values()) for one in found] == told
    assert [one["state"] for one in found] == ["live", "gone", "suspected", "live"]


def test_edits_have_both_texts(desk: Desk) -> None:
    first, second = desk.ask("select * from edits order by number")
    assert (first["before"], first["after"]) == ("Rain\nIt rains.", "Rain, more of it\nIt pours.")
    assert (first["before_title"], first["after_title"], first["number"]) == ("Rain", "Rain, more of it", 2)
    assert (first["before_at"], first["after_at"], first["same_rules"]) == (DAY_1, DAY_2, True)
    assert (second["after"], second["same_rules"]) == ("Sun\nIt has stopped.", True)


def test_the_earlier_text_is_read_by_the_later_rules_where_it_was(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    old = Seen("/a", "It rains.")
    first = desk.stand.crawl(old)
    new = Seen("/a", "It pours.", at=DAY_2, derivation=OTHER_DERIVATION)
    desk.stand.crawl(new, again=(Again(first.segment or "", 0, old, "It rains, by other rules."),))
    desk.stand.build()
    (edit,) = desk.ask("select before, after, same_rules from edits")
    assert edit == {"before": "Rain\nIt rains, by other rules.", "after": "Rain\nIt pours.", "same_rules": True}


def test_only_days_and_columns_that_are_asked_for_are_read(desk: Desk) -> None:
    store = CountingStore(desk.stand.store)
    desk.ask("select title from snapshots where captured_at >= '2026-11-21' and captured_at < '2026-11-22'", store)
    asked = {line.split(" ")[1] for line in store.asked if ".parquet" in line}
    assert {key.rpartition("/")[0] for key in asked} == {"tables/snapshots/day=2026-11-21"}
    plan = desk.ask("explain select title from snapshots where source = 'herald'")
    told = str(plan)
    assert "Projections: title" in told.replace("\\n", "\n")
    assert "Filters" in told


def test_wide_columns_that_nobody_asks_for_are_not_read(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    words = " ".join(str(number * 2_654_435_761 % 2**32) for number in range(40_000))
    desk.stand.crawl(*(Seen(f"/{number}", f"{number} {words[number:]}") for number in range(12)))
    desk.stand.build()

    def read_bytes(query: str) -> int:
        sizes: list[int] = []

        class Measuring(CountingStore):
            def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
                data = super().get(key, offset=offset, length=length)
                sizes.append(len(data))
                return data

        desk.ask(query, Measuring(desk.stand.store))
        return sum(sizes)

    assert read_bytes("select url, title from snapshots") * 3 < read_bytes("select text from snapshots")


@pytest.mark.parametrize(
    "query",
    [
        "copy (select 1) to '{folder}/written'",
        "export database '{folder}/written'",
        "attach '{folder}/written'",
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from '{folder}/archive/ofrecord.json'",
        "select * from glob('/*')",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set temp_directory = '/tmp'",
        "create persistent secret s (type s3)",
        "select * from desk",
        "drop table captures; delete from revisions",
        "import database '{folder}'",
        "pragma database_list; checkpoint; copy revisions to '{folder}/written'",
    ],
)
def test_nothing_else_is_within_reach(desk: Desk, query: str) -> None:
    before = sorted(desk.folder.rglob("*"))
    with pytest.raises(ConfigError, match="query: "):
        desk.ask(query.format(folder=desk.folder))
    assert sorted(desk.folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("selec 1", "syntax error"),
        ("select nothing from captures", "nothing"),
        ("select * from capture", "captures"),
        ("select 1/x from (select 'a' x)", "No function matches"),
    ],
)
def test_mistakes_are_said(desk: Desk, query: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        desk.ask(query)


def test_a_store_that_fails_is_not_the_query_s_fault(desk: Desk) -> None:
    class Failing(CountingStore):
        def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
            if key.endswith(".parquet"):
                raise StoreUnavailable("the bucket is away")
            return super().get(key, offset=offset, length=length)

    with pytest.raises(StoreUnavailable, match="the bucket is away"):
        desk.ask("select url from captures", Failing(desk.stand.store))


def test_without_tables_or_duckdb_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(tmp_path)
    with pytest.raises(ConfigError, match="ofrecord tables build"):
        desk.ask("select 1")
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ConfigError, match=r"pip install 'ofrecord\[query\]'"):
        desk.ask("select 1")


def test_the_command_prints_what_is_asked_for(desk: Desk, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def run(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        found = main(["query", *words, "--archive", desk.stand.store.url, "--state", str(tmp_path)])
        out, said = capsys.readouterr()
        assert found == code, said
        return out if code == 0 else said

    sql = (
        "select url, captured_at, null::int x, '=1+1' f, ['a', chr(27)] l from revisions"
        " where number = 1 order by url limit 2"
    )
    rows = [json.loads(line) for line in run(sql, "--json").splitlines()]
    assert rows[0] == {
        "url": "https://gazette.example/a",
        "captured_at": "2026-11-20T12:00:00Z",
        "x": None,
        "f": "=1+1",
        "l": ["a", "\x1b"],
    }
    assert json.loads(run(sql, "--as", "json")) == rows
    assert json.loads(run("select 1 where false", "--as", "json")) == []
    table = list(csv.reader(io.StringIO(run(sql, "--as", "csv"))))
    assert table[0] == ["url", "captured_at", "x", "f", "l"]
    assert table[1][:4] == ["https://gazette.example/a", "2026-11-20T12:00:00Z", "", "'=1+1"]
    head, line, first, _ = run(sql).splitlines()
    assert head.split() == ["url", "captured_at", "x", "f", "l"]
    assert set(line) == {"-", " "}
    assert first.startswith("https://gazette.example/a  2026-11-20T12:00:00Z")
    assert run("select count(*) n from range(2000)").split() == ["n", "----", "2000"]
    assert len(run("select * from range(2000)").splitlines()) == 2_002
    assert "query: Parser Error" in run("selec", code=2)
    assert "expected SQL" in run(" ", code=2)
    odd = "select 'nan'::float a, 1.50::decimal(4,2) b, {'k': date '2026-11-22'} c, 'x'::blob d, interval 1 day e"
    assert json.loads(run(odd, "--json")) == {
        "a": "nan",
        "b": "1.50",
        "c": {"k": "2026-11-22"},
        "d": "eA==",
        "e": "1 day, 0:00:00",
    }


def test_views_name_their_columns() -> None:
    assert set(VIEWS) == {"articles", "edits"}
