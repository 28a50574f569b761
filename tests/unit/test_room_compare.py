"""Two texts compared in the room: what is told of lines, words, moves and folds, and how the page shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import pytest

from jobs.diff.budget import MAX_READ
from jobs.room.endpoints import NotThere
from jobs.room.rendering import render_page
from jobs.room.views.compare import (
    ENDPOINTS,
    FOLDED_LINES,
    MAX_CHOICES,
    MAX_LINES,
    CompareAsked,
    CompareTold,
    view_compare,
)
from tests.machines import SOURCE, START, Look, Machine
from tests.rooms import lay_desk

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.archive.identity import ArchiveInfo
    from jobs.search.index import SearchIndex
    from jobs.store.memory import MemoryStore
    from tests.unit.conftest import MakeCatalog

LINES = [f"Paragraph {number} of the report, which nobody ever touched." for number in range(9)]
NOTE = "The words within 2 lines that came or went were not compared: that is too much for one comparison."
MOVED = "The mayor thanked all who had come, and went home by tram."
OLD = ["The tax will rise", "It rises by two per cent in May.", *LINES, MOVED, "This goes."]
NEW = ["The tax will rise", MOVED, "It rises by three per cent in May.", *LINES]


class Room:
    """A desk with one article, whose texts are *texts*."""

    def __init__(self, machine: Machine, info: ArchiveInfo, state: Path) -> None:
        self.machine = machine
        self.desk = lay_desk(
            machine.catalog, cast("SearchIndex", None), machine.store, info, state, START
        )  # no view here asks the index
        self.numbers = iter(range(1, 10_000))

    def say(self, text: str, *, path: str = "tax", derivation: str = "a", **fields: str) -> None:
        told = {name: {"value": value, "from": "json-ld"} for name, value in fields.items()}
        number = next(self.numbers)
        self.machine.commit([Look(path, text, derivation=derivation, fields=told)], number=number)

    def compare(self, before: int | None = None, after: int | None = None, **asked: Any) -> CompareTold:
        url = Look("tax").url
        return view_compare(self.desk, CompareAsked(source=SOURCE, url=url, before=before, after=after, **asked))

    def show(self, told: CompareTold) -> str:
        return render_page("compare", told, desk=self.desk, page=ENDPOINTS[0], twin="/compare.json").decode()


@pytest.fixture
def room(store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, tmp_path: Path) -> Room:
    return Room(Machine(store, info, catalogs("room")), info, tmp_path)


def list_lines(told: CompareTold) -> list[tuple[str, int | None, int | None]]:
    lines = [line for stretch in told.stretches for line in stretch.lines]
    return [(line.change, line.before_line, line.after_line) for line in lines if line.change != "same"]


def test_what_moved_is_not_what_changed(room: Room) -> None:
    room.say("\n".join(OLD), language="en")
    room.say("\n".join(NEW), language="en")
    told = room.compare()
    assert (told.before.number, told.after.number, told.latest, told.changes) == (1, 2, 2, 2)
    assert list_lines(told) == [
        ("moved_to", None, 2),
        ("changed", 2, 3),
        ("moved_from", 12, None),
        ("removed", 13, None),
    ]
    lines = {line.change: line for stretch in told.stretches for line in stretch.lines}
    assert (lines["moved_to"].other_line, lines["moved_from"].other_line) == (12, 2)
    pieces = [(piece.change, piece.text) for piece in lines["changed"].pieces]
    assert pieces == [
        ("same", "It rises by "),
        ("removed", "two"),
        ("added", "three"),
        ("same", " per cent in May."),
    ]
    assert set(told.kinds) >= {"number", "paragraph_removed"}


def test_no_line_is_lost_and_long_stretches_are_folded(room: Room) -> None:
    room.say("\n".join(OLD))
    room.say("\n".join(NEW))
    told = room.compare()
    assert [(stretch.folded, len(stretch.lines)) for stretch in told.stretches] == [(False, 4), (True, 7), (False, 4)]
    lines = [line for stretch in told.stretches for line in stretch.lines]
    assert [line.before_line for line in lines if line.before_line] == list(range(1, len(OLD) + 2))
    assert [line.after_line for line in lines if line.after_line] == list(range(1, len(NEW) + 2))


def test_what_is_folded_takes_less_room_than_it_hides(room: Room) -> None:
    lines = [f"Line {number}" for number in range(3 + FOLDED_LINES)]
    room.say("\n".join([*lines[:2], "This goes.", *lines[2:]]))
    room.say("\n".join(lines))
    assert [(one.folded, len(one.lines)) for one in room.compare().stretches] == [(False, 4), (True, 3)]


def test_the_page_marks_words_and_links_what_moved(room: Room) -> None:
    room.say("\n".join(OLD))
    room.say("\n".join(NEW))
    inline = room.show(room.compare())
    assert "rises by <del>two</del><ins>three</ins> per cent" in inline
    assert "<del>This goes.</del>" in inline
    assert inline.count(MOVED) == 1
    assert ">7 lines unchanged</summary>" in inline
    for name in re.findall(r'href="#([^"]+)"', inline):
        assert inline.count(f'id="{name}"') == 1, name
    side = room.show(room.compare(view="side"))
    assert "<td>It rises by <del>two</del> per cent in May.</td>\n<td>It rises by <ins>three</ins> per cent" in side
    assert side.count(MOVED) == 2
    for name in re.findall(r'href="#([^"]+)"', side):
        assert side.count(f'id="{name}"') == 1, name


@pytest.mark.parametrize("view", ["inline", "side"])
def test_nothing_of_a_text_is_markup(room: Room, view: str) -> None:
    hostile = '<script>alert(1)</script>" onload=x \u202e&amp;'
    room.say(f"{hostile}\nIt rises by two.", published=hostile, modified=hostile)
    room.say(f"{hostile}\nIt rises by {hostile} three.\n{hostile}", published=hostile, modified="2023")
    page = room.show(room.compare(view=view))
    assert "<script>alert" not in page
    assert '" onload' not in page
    assert "\u202e" not in page
    assert "\\u202e&amp;amp;" in page
    assert "style=" not in page


def test_what_shows_nothing_is_shown(room: Room) -> None:
    room.say("It rises by two\u200b per cent.")
    room.say("It rises by two per cent.")
    assert "\\u200b" in room.show(room.compare())


def test_arabic_runs_to_the_left(room: Room) -> None:
    room.say("سترتفع الضريبة بنسبة اثنين في المئة", language="ar")
    room.say("سترتفع الضريبة بنسبة ثلاثة في المئة", language="ar")
    told = room.compare()
    assert (told.direction, told.language) == ("rtl", "ar")
    assert '<div class="text" dir="rtl" lang="ar">' in room.show(told)


def test_one_text_is_compared_with_itself(room: Room) -> None:
    room.say("It rises by two.")
    told = room.compare()
    assert (told.before.number, told.after.number, told.changes, told.differs) == (1, 1, 0, False)
    assert "One and the same text." in room.show(told)


def test_the_later_one_may_be_the_one_before(room: Room) -> None:
    room.say("It rises by two.", modified="2023-11-06T10:00:00Z")
    room.say("It rises by three.", modified="2023-11-06T10:00:00Z")
    assert room.compare().silent is True
    assert "Silent: words changed" in room.show(room.compare())
    told = room.compare(2, 1)
    assert (told.before.number, told.after.number, told.silent) == (2, 1, None)


def test_kinds_are_not_told_of_texts_that_other_rules_read(room: Room) -> None:
    room.say("It rises by two.")
    room.machine.commit([Look("tax", "It rises by three.", also=("b",))], number=next(room.numbers))
    room.say("It rises by four.", derivation="b")
    assert room.compare(1, 2).judged
    told = room.compare(1, 3)
    assert (told.judged, told.kinds) == (False, ())
    assert "different rules read the two texts" in room.show(told)


def test_what_is_not_there_is_said(room: Room) -> None:
    room.say("It rises by two.")
    with pytest.raises(NotThere, match="text 2: this article has 1"):
        room.compare(1, 2)
    with pytest.raises(NotThere, match="no text of it"):
        view_compare(room.desk, CompareAsked(source=SOURCE, url="https://gazette.example/other"))


def test_texts_to_choose_from_are_bounded_and_the_chosen_is_among_them(room: Room) -> None:
    looks = [Look("tax", f"It rises by {number}.", minutes=number) for number in range(MAX_CHOICES + 5)]
    room.machine.commit(looks, number=1)
    told = room.compare(2, 3)
    assert len(told.choices) == MAX_CHOICES
    page = room.show(told)
    assert page.count(" selected>") == 2
    assert '<option value="2" selected>' in page


def test_a_page_without_end_has_one(room: Room) -> None:
    lines = [f"Line {number}" for number in range(MAX_LINES + 100)]
    room.say("\n".join(lines))
    room.say("\n".join(["Line 0 and more", "Line 1 and more", *lines[2:], "One more."]))
    told = room.compare()
    assert (sum(len(stretch.lines) for stretch in told.stretches), told.left_out) == (MAX_LINES, 102)
    assert (told.changes, told.told_changes, told.differs) == (3, 2, True)
    page = room.show(told)
    assert "102 more lines" in page
    for name in re.findall(r'href="#(change-[^"]+)"', page):
        assert page.count(f'id="{name}"') == 1, name


@pytest.mark.parametrize("view", ["inline", "side"])
def test_a_page_says_that_words_were_not_compared(room: Room, view: str) -> None:
    room.say("The tax\n" + "a " * MAX_READ + "\nIt will rise.\nThe end.")
    room.say("The tax\n" + "b " * MAX_READ + "\nIt will rise.\nOne end.")
    told = room.compare(view=view)
    assert told.uncompared == 2
    assert [line[0] for line in list_lines(told)] == ["removed", "added", "changed"]
    assert f'<p class="note">{NOTE}</p>' in room.show(told)
    room.say("The tax\n" + "b " * MAX_READ + "\nIt will fall.\nOne end.")
    told = room.compare(view=view)
    assert told.uncompared == 0
    assert "not compared" not in room.show(told)
