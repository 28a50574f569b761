"""Texts derived again under other rules: compared first, adopted on request, once, whatever stops it in between."""

from __future__ import annotations

import gzip
import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import DamageFound, RunLocked, StoreUnavailable
from config.rules import ExtractRules
from config.settings import Settings
from jobs.archive.identity import read_info
from jobs.archive.log import Log
from jobs.catalog import Catalog
from jobs.compaction.running import Compaction
from jobs.context import OpenArchive
from jobs.rebuild import RebuildOptions, rebuild_source
from jobs.rebuild.comparing import ComparedArticle, ComparedCapture, ComparisonReport, Difference, SampleText
from jobs.rebuild.page import render_report
from jobs.rebuild.parts import PartsFolder
from jobs.rebuild.planning import Rules, plan_tasks
from jobs.redaction.redacting import RedactRequest, redact_articles
from jobs.shards import Shard
from jobs.verify import verify_archive
from tests.archives import NOON, SOURCE, copy_store
from tests.daemons import make_source
from tests.real_archives import Growing, build_revisited, make_exchange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.sources import Source
    from jobs.rebuild import Rebuild
    from jobs.store import ObjectStore

HEAD = "<html><head><title>Rain</title></head><body><main><article><h1>Rain falls on the valley</h1>"
SENTENCE = "The river rose by two metres over night and the bridge at the mill was closed to all traffic. "
URL = "https://gazette.example/2026/rain"


def page(box: str, words: str = SENTENCE * 4, title: str = "Rain falls on the valley") -> bytes:
    head = HEAD.replace("Rain falls on the valley", title)
    box = f'<p class="box">{box} {SENTENCE}</p>'
    return f"{head}<p>{words}</p>{box}<p>{SENTENCE * 2}</p></article></main></body></html>".encode()


@pytest.fixture
def growing(tmp_path: Path) -> Growing:
    """Four captures of an article whose box changes each time, and its text once; each in a segment of its own."""
    growing = Growing(tmp_path / "spool")
    texts = [SENTENCE * 4, SENTENCE * 4, SENTENCE * 4, "Then the rain ended, and people came back to clean up. " * 6]
    for number, words in enumerate(texts):
        at = NOON + timedelta(hours=number)
        growing.add_segment([make_exchange(URL, at, page(f"Ten o'clock news, number {number}.", words))])
    return growing


@contextmanager
def open_it(store: ObjectStore, state: Path) -> Iterator[OpenArchive]:
    state.mkdir(exist_ok=True)
    settings = Settings(archive="memory:", workers=1)
    with Catalog.open(state / "catalog.sqlite") as catalog:
        archive = OpenArchive(store, read_info(store), settings, state, catalog)
        archive.refresh()
        yield archive


def source_of(*remove: str) -> Source:
    source = make_source(None, home="https://gazette.example/", timezone=None, language=None)
    return source.model_copy(update={"extract": ExtractRules(remove=tuple(remove))})


RULES = Rules.of(source_of(".box"))


def run(archive: OpenArchive, source: Source, **options: Any) -> Rebuild:
    archive.refresh(source.id)
    return rebuild_source(archive, source, RebuildOptions(**options))


def tell(archive: OpenArchive) -> list[tuple[str | None, int | None]]:
    return [(one.verdict, one.revision) for one in archive.catalog.list_captures(SOURCE, URL)]


def commits(store: ObjectStore) -> list[str]:
    return [item.key for item in store.list(f"log/{SOURCE}/")]


def read_objects(store: ObjectStore) -> dict[str, bytes]:
    return {item.key: store.get(item.key) for item in store.list("")}


def test_rules_of_now_are_compared_and_then_adopted_without_a_false_edit(growing: Growing, tmp_path: Path) -> None:
    with open_it(growing.store, tmp_path / "state") as archive:
        before = read_objects(growing.store)
        source = source_of(".box")
        seen = run(archive, source)
        assert read_objects(growing.store) == before
        assert tell(archive) == [("new", 1), ("revised", 2), ("revised", 3), ("revised", 4)]
        assert seen.report is not None
        assert seen.report.counts == {Difference.SMALL: 4}
        (article,) = seen.report.differing
        assert (article.url, article.captures) == (URL, 4)
        assert article.worst.removed > 15
        assert article.worst.added == 0
        assert (seen.derived, seen.found, seen.adopted_rows, seen.decided) == (4, 0, 0, False)

        done = run(archive, source, adopt=True)
        assert (done.derived, done.found, done.adopted_rows, done.commits, done.decided) == (0, 4, 4, 2, True)
        assert tell(archive) == [("new", 1), ("unchanged", 1), ("unchanged", 1), ("revised", 2)]
        first = archive.catalog.list_captures(SOURCE, URL)[0]
        own = archive.catalog.read_snapshot(*first.place)
        assert own is not None
        assert "o'clock" not in own["text"]
        native = archive.catalog.read_snapshot(*first.place, Rules.of(source_of()).derivation.digest)
        assert native is not None
        assert "o'clock" in native["text"]

        log = commits(growing.store)
        again = run(archive, source, adopt=True)
        assert (again.derived, again.adopted_rows, again.commits, again.skipped) == (0, 0, 0, 4)
        assert commits(growing.store) == log
    with open_it(growing.store, tmp_path / "other") as other:
        assert tell(other) == [("new", 1), ("unchanged", 1), ("unchanged", 1), ("revised", 2)]
    report = verify_archive(growing.store, full=True)
    assert [str(one) for one in report.findings if one.severity.value == "damage"] == []


def test_a_rebuild_under_the_same_rules_finds_all_equal_and_adopts_nothing(tmp_path: Path) -> None:
    growing = build_revisited(tmp_path / "spool")
    with open_it(growing.store, tmp_path / "state") as archive:
        before = commits(growing.store)
        done = run(archive, source_of(), adopt=True, again=True)
        assert done.report is not None
        assert done.report.counts[Difference.SAME] == done.report.counts.total() - done.report.counts[Difference.NONE]
        assert done.report.counts[Difference.SAME] >= 6
        assert (done.report.metadata, done.commits, done.decided) == (0, 0, False)
        assert commits(growing.store) == before
        plain = run(archive, source_of(), adopt=True)
        assert (plain.derived, plain.commits) == (0, 0)
        assert plain.report is not None
        assert plain.report.captures == done.report.counts[Difference.NONE]


def test_a_revisit_is_derived_through_the_body_that_it_refers_to(tmp_path: Path) -> None:
    growing = build_revisited(tmp_path / "spool")
    with open_it(growing.store, tmp_path / "state") as archive:
        done = run(archive, source_of("figure"), adopt=True)
        assert done.adopted_rows >= 6
        derivation = Rules.of(source_of("figure")).derivation.digest
        for kept in growing.kept:
            if kept.exchange.status == 200 and kept.has_text:
                assert archive.catalog.read_snapshot(kept.place.segment, kept.place.n, derivation) is not None


def test_what_lies_in_a_compacted_object_is_derived_as_before(growing: Growing, tmp_path: Path) -> None:
    with open_it(growing.store, tmp_path / "state") as archive:
        before = run(archive, source_of(".box")).report
        Compaction(archive, SOURCE, grace=timedelta(0)).compact(datetime.now(UTC))
        assert {item.key.rpartition(".")[2] for item in growing.store.list("segments/")} == {"gz", "zst"}
    with open_it(growing.store, tmp_path / "anew") as archive:
        after = run(archive, source_of(".box"))
        assert before is not None
        assert after.report is not None
        assert (after.derived, after.report.counts) == (4, before.counts)


def test_shards_make_the_parts_that_one_process_makes_and_one_adopts_them(growing: Growing, tmp_path: Path) -> None:
    source, shared = source_of(".box"), tmp_path / "shared"
    for number in range(3):
        with open_it(growing.store, tmp_path / f"machine {number}") as archive:
            done = run(archive, source, shard=Shard(number, 3), parts=shared)
            assert done.report is None
    with open_it(growing.store, tmp_path / "alone") as archive:
        alone = run(archive, source)
    with open_it(growing.store, tmp_path / "joining") as archive:
        joined = run(archive, source, parts=shared, adopt=True)
        assert (joined.derived, joined.found, joined.adopted_rows) == (0, 4, 4)
    assert alone.report is not None
    assert joined.report is not None
    assert joined.report.digest == alone.report.digest
    one, other = ({path.name: path.read_bytes() for path in of.folder.iterdir()} for of in (alone, joined))
    assert one == other


def test_a_part_that_is_not_what_its_task_asks_for_is_made_anew(growing: Growing, tmp_path: Path) -> None:
    with open_it(growing.store, tmp_path / "state") as archive:
        good = run(archive, source_of(".box"))
        assert good.report is not None
        paths = sorted(good.folder.iterdir())
        data = gzip.decompress(paths[0].read_bytes())
        row, *rest = data.splitlines(keepends=True)
        told = json.loads(row)
        for name, spoilt in {
            "cut": gzip.compress(row),
            "cut within": gzip.compress(row + rest[0][:9]),
            "text": gzip.compress(b"".join([json.dumps(told | {"text": "Forged."}).encode() + b"\n", *rest])),
            "of": gzip.compress(b"".join([json.dumps(told | {"url": f"{URL}s"}).encode() + b"\n", *rest])),
            "empty": b"",
            "another's": paths[1].read_bytes(),
            "bomb": gzip.compress(b"\0" * 80_000_000, 1),
        }.items():
            paths[0].write_bytes(spoilt)
            assert PartsFolder(good.folder).read(next(plan_tasks(archive.catalog, SOURCE, RULES))) is None, name
        again = run(archive, source_of(".box"))
        assert (again.derived, again.found) == (1, 3)
        assert again.report is not None
        assert again.report.digest == good.report.digest
        assert gzip.decompress(paths[0].read_bytes()) == data


class FailingStore:
    """A store that takes so many puts and no more."""

    def __init__(self, store: ObjectStore, puts: int) -> None:
        self._store = store
        self._left = puts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def create(self, key: str, data: bytes | Path, *, sha256: str) -> Any:
        self._left -= 1
        if self._left < 0:
            raise StoreUnavailable("memory: no more")
        return self._store.create(key, data, sha256=sha256)


def test_an_adoption_that_was_stopped_goes_on(
    growing: Growing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two segments of two rows and what decides: five puts, stopped after each of them."""
    monkeypatch.setattr("jobs.rebuild.adopting.SEGMENT_ROWS", 2)
    source, shared = source_of(".box"), tmp_path / "shared"
    with open_it(growing.store, tmp_path / "first") as archive:
        run(archive, source, parts=shared)
    for puts in range(6):
        store = copy_store(growing.store)
        with open_it(store, tmp_path / f"state {puts}") as archive:
            failing: Any = FailingStore(store, puts)
            if puts < 5:
                with pytest.raises(StoreUnavailable):
                    run(replace(archive, store=failing), source, adopt=True, parts=shared)
                assert tell(archive) == [("new", 1), ("revised", 2), ("revised", 3), ("revised", 4)]
            else:
                run(replace(archive, store=failing), source, adopt=True, parts=shared)
            done = run(archive, source, adopt=True, parts=shared)
            assert tell(archive) == [("new", 1), ("unchanged", 1), ("unchanged", 1), ("revised", 2)]
            assert (done.derived, done.decided) == (0, puts < 5)
            log = list(Log(store, archive.info, SOURCE).read())
        assert [stored.commit.kind for stored in log[4:]] == ["adopt"] * 3
        assert [stored.commit.counts.get("rederived") for stored in log[4:]] == [2, 2, None]
        assert [bool(stored.commit.requires) for stored in log[4:]] == [False, False, True]
        found = verify_archive(store, full=True).findings
        assert [str(one) for one in found if one.severity.value == "damage"] == []


def test_a_record_that_is_damaged_is_told_and_keeps_its_text(growing: Growing, tmp_path: Path) -> None:
    with open_it(growing.store, tmp_path / "state") as archive:
        first = archive.catalog.list_captures(SOURCE, URL)[0]
        data = bytearray(growing.store.get(first.warc_key))
        at = (first.response_offset or 0) + (first.response_length or 0) // 2
        data[at] ^= 0xFF
        growing.store.delete(first.warc_key)
        growing.store.create(
            first.warc_key, bytes(data), sha256="sha256:" + __import__("hashlib").sha256(data).hexdigest()
        )
        done = run(archive, source_of(".box"), adopt=True)
        assert done.report is not None
        assert done.report.counts == {Difference.SMALL: 3, Difference.FAILED: 1}
        assert done.adopted_rows == 3
        own = archive.catalog.read_snapshot(*first.place)
        assert own is not None
        assert "o'clock" in own["text"]


def test_two_rebuilds_of_a_source_do_not_run_beside_each_other(growing: Growing, tmp_path: Path) -> None:
    with open_it(growing.store, tmp_path / "state") as archive:

        class Within:
            def derive(self, tasks: Any) -> Iterator[Any]:
                del tasks
                with pytest.raises(RunLocked, match="another process rebuilds it"):
                    run(archive, source_of(".box"))
                return iter(())

        with pytest.raises(Exception, match="was there and is not any more"):
            rebuild_source(archive, source_of(".box"), RebuildOptions(), Within())


def test_kinds_of_pages_of_a_stranger_are_escaped_on_the_page() -> None:
    attack = "<img src=x onerror=alert(1)>"
    compared = ComparedCapture(URL, NOON, "s", 1, Difference.CLASS, classes=(attack, "article"))
    report = ComparisonReport(SOURCE, "sha256:" + "0" * 64)
    report.articles[URL] = ComparedArticle(URL, 1, compared)
    report._samples[Difference.CLASS] = [("0", SampleText(compared, {}, {}))]
    html = render_report([report])
    assert html.count("&lt;img src=x") == 2
    assert "<img" not in html


def test_hostile_texts_are_escaped_on_the_page(tmp_path: Path) -> None:
    growing = Growing(tmp_path / "spool")
    attack = "&lt;script&gt;alert(1)&lt;/script&gt; &lt;img src=x onerror=alert(1)&gt; \u202eevil "
    body = page("A box.", attack + SENTENCE * 5, title="&lt;/title&gt;&lt;script&gt;alert(2)&lt;/script&gt; Rain on us")
    growing.add_segment([make_exchange(URL + "?%22%3E%3Cscript%3E", NOON, body)])
    with open_it(growing.store, tmp_path / "state") as archive:
        done = run(archive, source_of(".box"))
    assert done.report is not None
    assert done.report.samples
    html = render_report([done.report])
    assert "alert(1)" in html
    assert "<script" not in html
    assert "<img" not in html
    assert "\u202e" not in html
    assert "default-src 'none'" in html
    assert "Derived again" in html


def test_what_the_source_did_not_want_is_not_derived(growing: Growing, tmp_path: Path) -> None:
    outside = make_exchange("https://gazette.example/sport/1", NOON + timedelta(days=1), page("A box."))
    growing.add_segment([outside], edit=lambda row: replace(row, page_class="outside", class_reason="section sport"))
    with open_it(growing.store, tmp_path / "state") as archive:
        tasks = list(plan_tasks(archive.catalog, SOURCE, Rules.of(source_of(".box"))))
    assert {one.url for task in tasks for one in task.pages} == {URL}


def test_what_was_redacted_leaves_the_parts_and_is_not_adopted(growing: Growing, tmp_path: Path) -> None:
    other = URL.replace("rain", "other")
    growing.add_segment([make_exchange(other, NOON + timedelta(days=2), page("A box on quorvashtel."))])
    with open_it(growing.store, tmp_path / "state") as archive:
        derived = run(archive, source_of("h1"))
        holding = [path for path in derived.folder.iterdir() if b"quorvashtel" in gzip.decompress(path.read_bytes())]
        assert len(holding) == 1
        request = RedactRequest(SOURCE, frozenset({other}), "asked for", timedelta(0))
        redact_articles(archive, request)
        assert not holding[0].exists()
        done = run(archive, source_of("h1"), adopt=True)
        assert (done.derived, done.found, done.adopted_rows, done.decided) == (0, 4, 4, True)
        assert [one.page_class for one in archive.catalog.list_captures(SOURCE, other)] == ["redacted"]
    found = verify_archive(growing.store, full=True).findings
    assert [str(one) for one in found if one.severity.value == "damage"] == []


def test_a_text_that_was_redacted_while_it_was_committed_is_told(growing: Growing, tmp_path: Path) -> None:
    """The redaction comes between the plan and the put of the commit, by another machine."""
    with open_it(growing.store, tmp_path / "state") as archive, open_it(growing.store, tmp_path / "other") as other:
        run(archive, source_of(".box"))
        store: Any = BetweenStore(growing.store, other)
        with pytest.raises(DamageFound, match="redacted while it was under way: run ofrecord redact for them again"):
            run(replace(archive, store=store), source_of(".box"), adopt=True)
        redact_articles(archive, RedactRequest(SOURCE, frozenset({URL}), "asked for", timedelta(0)))
        done = run(archive, source_of(".box"), adopt=True)
        assert (done.adopted_rows, done.decided) == (0, False)
        assert archive.catalog.list_revisions(SOURCE, URL) == []


class BetweenStore(FailingStore):
    """A store to which another machine redacts the article before the first segment's put."""

    def __init__(self, store: ObjectStore, other: OpenArchive) -> None:
        super().__init__(store, 99)
        self._other: OpenArchive | None = other

    def create(self, key: str, data: bytes | Path, *, sha256: str) -> Any:
        if self._other is not None:
            other, self._other = self._other, None
            redact_articles(other, RedactRequest(SOURCE, frozenset({URL}), "asked for", timedelta(0)))
        return super().create(key, data, sha256=sha256)
