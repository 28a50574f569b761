"""Texts made anew from their raw pages: the same where nothing was changed, and named where something was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.rules import ExtractRules
from crawler.derivation import derive, read_ingredients
from jobs.segments.pages import DerivingLimits
from jobs.verify import VerifyReport, verify_archive
from tests.archives import NOON, build_archive, copy_store, file_keys, read_lines
from tests.faults import WARC, damage, damaged_keys, notices
from tests.faults.revisits import put_forged_text
from tests.faults.rows import edit_rows
from tests.real_archives import MAX_BODY_BYTES, Growing, make_exchange, site_pages

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.store.memory import MemoryStore

LIMITS = DerivingLimits(
    workers=1, page_seconds=20.0, page_cpu_seconds=20.0, memory_bytes=1 << 30, max_inflated_bytes=MAX_BODY_BYTES
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    """All articles of the site; then two again, as revisits, in another language, with the earlier ones derived anew.

    One of the revisits has a header that its first capture had not.
    """
    growing = Growing(tmp_path_factory.mktemp("spool"))
    urls = list(site_pages())
    growing.add_segment([make_exchange(url, NOON + timedelta(seconds=n)) for n, url in enumerate(urls)])
    texts = [one for one in growing.kept if one.has_text]
    at = NOON + timedelta(days=2)
    again = [growing.refer(replace(one.exchange, started_at=at, refers_to=None)) for one in texts[:3]]
    again[0] = replace(again[0], response_head=again[0].response_head.replace(b"X-Odd:", b"X-Even:"))
    derived = [growing.derive_again(one, "es") for one in texts[:3]]
    growing.add_segment(again, language="es", derived=tuple(row for row in derived if row is not None))
    return growing.store


def _check(store: MemoryStore, **limits: Any) -> VerifyReport:
    return verify_archive(store, full=False, rederive=replace(LIMITS, **limits))


def _snapshots(store: MemoryStore, number: int) -> list[int]:
    return [n for n, row in enumerate(read_lines(store, file_keys(store, WARC)[number])) if row["type"] == "snapshot"]


def test_every_text_comes_of_its_page(sound: MemoryStore) -> None:
    report = _check(sound)
    assert damage(report) == []
    assert report.full
    counted = sum(row["type"] == "snapshot" for key in file_keys(sound, WARC) for row in read_lines(sound, key))
    assert report.counts.rederived == counted
    rows = read_lines(sound, file_keys(sound, WARC)[1])
    assert sum(bool(row.get("revisit_of")) for row in rows) == 3
    assert sum(row["type"] == "snapshot" and bool(row.get("of")) for row in rows) == 3
    assert verify_archive(sound, full=True).counts.rederived == 0


@pytest.mark.parametrize("number", [0, 1])
def test_finds_every_forged_text(sound: MemoryStore, number: int) -> None:
    key = file_keys(sound, WARC)[number]
    for at in _snapshots(sound, number)[:: 1 if number else 4]:
        store = copy_store(sound)
        put_forged_text(store, key, at)
        assert damage(verify_archive(store, full=True)) == []
        found = [one for one in _check(store).findings if one.severity == "damage"]
        assert [(one.key, one.line) for one in found] == [(key, at + 1)]
        row = read_lines(store, key)[at]
        place = row.get("of") or {"segment": read_lines(store, key)[0]["segment"], "n": row["n"]}
        warc = next(one for one in file_keys(store, WARC) if place["segment"] in one)
        capture = [one for one in read_lines(store, warc) if one["type"] == "capture"][place["n"]]
        offset = capture["warc"]["response"]["offset"]
        assert f"the page is {warc}: offset {offset}" in found[0].message
        assert "the text does not come of the raw page any more: found 'sha256:" in found[0].message


@pytest.mark.parametrize(
    ("name", "value"),
    [("title", "Another"), ("lead", "Another"), ("class", "video"), ("fields", {}), ("title", None)],
)
def test_finds_other_forged_values(sound: MemoryStore, name: str, value: object) -> None:
    store = copy_store(sound)
    key = file_keys(store, WARC)[0]
    at = _snapshots(store, 0)[0]

    def change(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        lines[at][name] = value
        return lines

    edit_rows(store, key, change)
    assert [line for line in damage(_check(store)) if f"the {name} does not come of the raw page" in line] == damage(
        _check(store)
    )
    assert damaged_keys(_check(store)) == {key}


def test_finds_a_text_of_a_page_that_gives_none(sound: MemoryStore) -> None:
    store = copy_store(sound)
    key = file_keys(store, WARC)[0]
    at = _snapshots(store, 0)[0]
    listing = next(row for row in read_lines(store, key) if row.get("class") == "listing")

    def change(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        lines[at].update({name: listing[name] for name in ("n", "url", "captured_at")})
        return lines

    edit_rows(store, key, change)
    assert damage(verify_archive(store, full=True)) == []
    assert "none comes ('listing: " in damage(_check(store))[0]


def test_leaves_alone_what_another_program_derived(tmp_path: Path) -> None:
    report = _check(build_archive(tmp_path))
    assert damage(report) == []
    assert report.counts.rederived == 0


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"page_seconds": 0.001}, "the text could not be made anew: time-out"),
        ({"max_inflated_bytes": 1024}, "at most 1024 are read"),
    ],
)
def test_a_limit_of_this_machine_is_no_damage(tmp_path: Path, limits: dict[str, Any], message: str) -> None:
    growing = Growing(tmp_path)
    url, page = next((url, page) for url, page in site_pages().items() if "library" in url)
    words = "".join(f"<p>The {n}th reader said that she had waited all morning for a book.</p>" for n in range(2_000))
    at = page.index(b"</p>") + len(b"</p>")
    long = page[:at] + words.encode() + page[at:]  # not read before a busy machine looks whether the time is over
    growing.add_segment([make_exchange(url, NOON, long)])
    assert _check(growing.store).counts.rederived == 1
    report = _check(growing.store, **limits)
    assert damage(report) == []
    assert message in notices(report)


def test_a_page_that_cannot_be_read_is_named_once_more(sound: MemoryStore) -> None:
    store = copy_store(sound)
    first, _ = file_keys(store, WARC)
    store.delete(first)
    report = _check(store)
    assert damaged_keys(report) == {first}
    assert "the text cannot be made anew" in notices(report)


def test_only_what_the_running_program_makes_is_read_back() -> None:
    rules = ExtractRules(title="h1.title", remove=["aside"])
    made = derive(rules, timezone="Asia/Beirut", language="ar")
    found = read_ingredients(made.digest, made.meaning)
    assert found is not None
    assert (found.rules, found.timezone, found.language) == (rules, "Asia/Beirut", "ar")
    others: list[object] = [
        None,
        [],
        {},
        {**made.meaning, "later": True},
        {**made.meaning, "parsers": {"lxml": "0"}},
        {**made.meaning, "rules": {"later": "x"}},
        {**made.meaning, "rules": {"title": ">>"}},
        {**made.meaning, "timezone": 5},
    ]
    assert [one for one in others if read_ingredients(made.digest, one) is not None] == []
