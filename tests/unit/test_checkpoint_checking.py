"""Checkpoints that say other than the log, though a commit names them with their digest: verify finds what differs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from jobs.archive.commit import commit_key
from jobs.checkpoint import writing
from jobs.checkpoint.checking import check_layers
from jobs.checkpoint.layer import layer_key
from jobs.checkpoint.lines import encode_line
from jobs.checkpoint.restoring import refresh_catalog
from jobs.checkpoint.writing import list_superseded
from jobs.verify import Severity, VerifyReport, verify_archive
from tests.archives import put
from tests.machines import SOURCE, Look, Machine, fold_log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.archive.identity import ArchiveInfo
    from jobs.store.memory import MemoryStore
    from tests.unit.conftest import MakeCatalog

    Line = dict[str, Any]

GONE = {"words": None, "status": 404}


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "LEVEL_COMMITS", (3, 9, 27))


def check(store: MemoryStore, *, full: bool = True) -> VerifyReport:
    report = verify_archive(store, full=False)
    report.full = full  # the machines' segments hold rows alone: their WARC files are not to be read
    check_layers(store, report)
    return report


def told(report: VerifyReport) -> list[str]:
    return [str(one) for one in report.findings if one.severity is Severity.DAMAGE]


def look(number: int) -> list[Look]:
    """A page that stays, one that is edited and edited back, one that goes and returns, a listing, a late fact."""
    absent = number % 9 in {4, 5, 6}
    return [
        Look("stays"),
        Look("budget", f"*{number % 4}", derivation="ab"[number // 10 % 2]),
        Look("comes-and-goes", **(GONE if absent else {})),  # type: ignore[arg-type]
        Look("", purpose="section", words=None),
        Look("late", f"*{number % 3}", minutes=-600 * (number % 5)),
        Look(f"once-{number}", also=("b",)),
    ]


@pytest.mark.parametrize("jobs", [True, False])
def test_layers_of_a_sound_log_are_found_sound(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, jobs: bool
) -> None:
    """Whoever wrote them: a machine that knows all facts, or jobs that know thin ones only."""
    machine = Machine(store, info, catalogs("writer"))
    for number in range(43):
        if jobs and number % 4 == 0:
            machine = Machine(store, info, catalogs(f"job-{number}"))
            machine.prepare()
        machine.commit(look(number), number=number, epoch=number % 7, releases=number % 7 > 0)
    report = check(store)
    assert told(report) == []
    assert not [one for one in report.findings if "checkpoint" in one.key]
    levels = [one["level"] for one in machine.catalog.list_layers(SOURCE)]
    assert levels[:2] == [3, 2]


def test_jobs_that_know_thin_facts_only_count_captures_only_as_far_as_they_know(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog
) -> None:
    """Nothing comes late, so no job ever needs all facts; what they count is less than what there was."""
    for number in range(25):
        machine = Machine(store, info, catalogs(f"job-{number}"))
        machine.prepare()
        machine.commit([Look("stays"), Look("edited", f"*{number % 4}")], number=number)
    assert told(check(store)) == []


Change = Callable[[dict[str, Any]], dict[str, Any] | None]
OTHER = "https://gazette.example/other"


def alter(kind: str, **fields: Any) -> Change:
    return lambda line: {**line, **fields} if is_of(line, kind) else line


def leave_out(kind: str) -> Change:
    return lambda line: None if is_of(line, kind) else line


def is_of(line: Line, kind: str) -> bool:
    return line["type"] == kind and line.get("url") in (None, "https://gazette.example/budget")


THIN: dict[str, tuple[Change, str]] = {
    "state": (alter("article", state="gone"), "article .*budget: state: found 'gone', the log says 'live'"),
    "texts": (alter("revision", texts="{}"), "revision .*budget 1: texts: found '{}'"),
    "count": (alter("article", captures=10_000), "article .*budget: captures: found '10000'"),
    "status": (alter("capture", status=500), "capture .* 0: status: found '500', the log says '200'"),
    "verdict": (alter("capture", verdict="gone"), "capture .* 0: verdict: found 'gone'"),
    "lacking": (leave_out("capture"), "capture .* 0: is missing, though the log has it"),
    "invented": (alter("article", url=OTHER), "article .*other: the log has no such thing"),
    "types": (alter("revision", number=0.5), "valid integer"),
}
FACTS: dict[str, tuple[Change, str]] = {
    "class": (alter("capture", **{"class": "live"}), "capture .* of commit 1: class: found 'live'"),
    "title": (alter("snapshot", title="Nothing"), "snapshot .* of commit 1: title: found 'Nothing'"),
    "lacking": (leave_out("snapshot"), "snapshot .* of commit 1: is missing, though the log has it"),
    "invented": (alter("article", url=OTHER), "article .*budget of commit 2: is missing, though"),
    "epoch": (alter("commit", epoch=99), "commit 1 of commit 1: epoch: found '99', the log says '0'"),
    "release": (alter("commit", releases=1), "commit 1 of commit 1: releases: found '1', the log says '0'"),
    "run": (alter("run", reason="died"), "run .* of commit 1: reason: found 'died'"),
    "meaning": (alter("derivation", meaning="{}"), "derivation .*: meaning: found '{}'"),
    "types": (alter("commit", derivations="{}"), "no list as JSON"),
}


def lie(monkeypatch: pytest.MonkeyPatch, name: str, change: Change) -> None:
    """Let one part of each layer be written with another content; all digests are then as they should be."""
    write = getattr(writing, name)

    def write_changed(*arguments: Any) -> Iterator[Any]:
        for found in write(*arguments):
            line = found if isinstance(found, dict) else json.loads(found)
            changed = change(line)
            if changed is not None:
                yield changed if isinstance(found, dict) else encode_line(changed)

    monkeypatch.setattr(writing, name, write_changed)


@pytest.mark.parametrize(("part", "name"), [*(("thin", name) for name in THIN), *(("facts", name) for name in FACTS)])
def test_what_a_layer_says_against_the_log_is_found(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, monkeypatch: pytest.MonkeyPatch, part: str, name: str
) -> None:
    """Two layers: the lie is told of the first; the second is sound."""
    change, message = (THIN if part == "thin" else FACTS)[name]
    machine = Machine(store, info, catalogs("writer"))
    with monkeypatch.context() as patch:
        lie(patch, "list_thin" if part == "thin" else "_list_facts", change)
        for number in range(4):
            machine.commit([Look("budget" if number < 2 else "stays", "*1")], number=number)
    assert not told(check(store, full=False))
    for number in range(4, 8):
        machine.commit([Look("stays", f"*{number}")], number=number)
    found = told(check(store))
    assert any(re.search(message, one) for one in found), found
    if name != "types":
        assert all(one.startswith(f"{layer_key(SOURCE, 3)}: ") for one in found), found


@pytest.mark.parametrize("full", [True, False])
def test_superseded_layers_may_be_gone_and_needed_ones_may_not(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, full: bool
) -> None:
    machine = Machine(store, info, catalogs("writer"))
    for number in range(14):
        machine.commit([Look("budget", f"*{number}")], number=number)
    superseded = list_superseded(store, machine.log)
    assert superseded
    for key in superseded:
        store.delete(key)
    assert told(check(store, full=full)) == []
    first, last = (one["key"] for one in machine.catalog.list_layers(SOURCE))
    data = store.get(first)
    store.delete(first)
    assert told(check(store, full=full)) == [f"{first}: missing; the newest checkpoint of this log stands on it"]
    put(store, first, data)
    store.delete(last)
    (one,) = told(check(store, full=full))
    assert one.startswith(f"{last}: missing; commit ")


def test_a_log_that_cannot_be_read_is_compared_as_far_as_it_can(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog
) -> None:
    machine = Machine(store, info, catalogs("writer"))
    for number in range(8):
        machine.commit([Look("budget", f"*{number}")], number=number)
    store.delete(commit_key(SOURCE, 5))
    report = check(store)
    assert any("not compared with the log" in one.message for one in report.findings)
    assert [one.key for one in report.findings if one.severity is Severity.DAMAGE] == [commit_key(SOURCE, 5)]


def test_layers_of_an_earlier_fold_are_no_damage_and_are_made_anew(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Machine(store, info, catalogs("old"))
    with monkeypatch.context() as patch:
        patch.setattr(writing, "FOLD", 1)
        patch.setattr(writing, "encode_line", lambda line: encode_line(line | {"metadata": None, "meta_digest": None}))
        for number in range(14):
            old.commit(look(number), number=number)
    there = [item.key for item in store.list("checkpoint/")]
    assert there
    report = check(store)
    assert told(report) == []
    assert [str(one) for one in report.findings if "holds facts for fold 1, expected 4" in str(one)]
    assert list_superseded(store, old.log) == []
    job = Machine(store, info, catalogs("job"))
    job.prepare()
    named = job.commit([Look("stays")], number=14).commit.checkpoint
    assert named is not None
    assert (named["first"], named["seq"]) == (1, 14)
    assert [item.key for item in store.list("checkpoint/") if item.key not in there] == [named["key"]]
    assert told(check(store)) == []
    following = Machine(store, info, catalogs("following"))
    following.prepare()
    assert following.catalog.thin_until(SOURCE) == 14
    whole, restored = catalogs("whole"), catalogs("restored")
    refresh_catalog(restored, store, job.log, full=True)
    assert restored.dump() == fold_log(whole, store, info)
