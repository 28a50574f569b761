"""What the captures of one article say happened to it: edits, reverts, alternation, deletion, return."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobs.catalog import Sight
from jobs.changes import Change, What, list_changes
from jobs.changes.alternation import Flip, find_alternations
from jobs.changes.events import tell_evidence

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ARCHIVE = "0123456789abcdef" * 2


def make_sights(story: str) -> list[Sight]:
    """Return captures an hour apart: A to F are texts, `s` and `g` evidence of deletion, `u` an uncompared capture."""
    sights: list[Sight] = []
    numbers: dict[str, int] = {}
    last, deleted = "", False
    for n, letter in enumerate(story):
        revision, status = None, 200
        if letter in "sg":
            verdict, status, deleted = {"s": "suspected", "g": "gone"}[letter], 404, True
        elif letter == "u":
            verdict, deleted = "uncompared", False
        else:
            verdict = "reverted" if letter in numbers else "revised" if numbers else "new"
            if letter == last:
                verdict = "returned" if deleted else "unchanged"
            revision = numbers.setdefault(letter, len(numbers) + 1)
            last, deleted = letter, False
        at = NOON + timedelta(hours=n)
        sights.append(Sight(at, f"gazette-{n}", n, f"run-{n}", verdict, revision, status, "article", "as asked"))
    return sights


def tell(story: str) -> list[Change]:
    return list_changes("gazette", "https://gazette.example/1", make_sights(story))


def shape(story: str) -> list[tuple[str, int]]:
    """Return what happened, and at which capture, counted from 0."""
    return [(change.what.value, change.place[1]) for change in tell(story)]


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("", []),
        ("A", []),
        ("AAAA", []),
        ("AB", [("revised", 1)]),
        ("AABB", [("revised", 2)]),
        ("ABA", [("revised", 1), ("reverted", 2)]),
        ("ABAB", [("alternating", 3)]),
        ("ABABABAB", [("alternating", 7)]),
        ("AABBAABB", [("alternating", 6)]),
        ("ABABC", [("alternating", 3), ("revised", 4)]),
        ("XABAB".replace("X", "C"), [("revised", 1), ("alternating", 4)]),
        ("ABCBA", [("revised", 1), ("revised", 2), ("reverted", 3), ("reverted", 4)]),
        ("ABCABC", [("alternating", 5)]),
        ("ABCDABCD", [("alternating", 7)]),
        ("ABCDEABCDE", [("revised", n) for n in range(1, 5)] + [("reverted", n) for n in range(5, 10)]),
        ("As", [("suspected", 1)]),
        ("Assgg", [("suspected", 1), ("gone", 3)]),
        ("AsgA", [("suspected", 1), ("gone", 2), ("returned", 3)]),
        ("AsA", [("suspected", 1), ("returned", 2)]),
        ("AsgB", [("suspected", 1), ("gone", 2), ("returned", 3), ("revised", 3)]),
        ("Asgu", [("suspected", 1), ("gone", 2), ("returned", 3)]),
        ("Au", []),
        ("ABAsgA", [("revised", 1), ("reverted", 2), ("suspected", 3), ("gone", 4), ("returned", 5)]),
    ],
)
def test_a_story_is_told(story: str, expected: list[tuple[str, int]]) -> None:
    assert shape(story) == expected


def test_an_edit_has_both_texts_as_they_were_seen() -> None:
    (change,) = tell("AAAB")
    assert (change.what, change.at, change.run) == (What.REVISED, NOON + timedelta(hours=3), "run-3")
    assert change.before is not None
    assert change.after is not None
    assert (change.before.revision, change.before.captured_at) == (1, NOON + timedelta(hours=2))  # seen last
    assert change.before.places == (("gazette-2", 2), ("gazette-1", 1), ("gazette-0", 0))
    assert (change.after.revision, change.after.places) == (2, (("gazette-3", 3),))


def test_of_a_text_seen_very_often_the_last_captures_and_the_first_are_kept() -> None:
    (change,) = tell("A" * 50 + "B")
    assert change.before is not None
    assert [n for _, n in change.before.places] == [49, 48, 47, 0]


def test_an_alternation_says_between_which_texts_how_often_and_since_when() -> None:
    first, change = tell("CABABAB")
    assert first.what is What.REVISED
    assert (change.texts, change.times, change.since) == ((2, 3), 5, NOON + timedelta(hours=2))
    assert (change.at, change.place, change.first) == (NOON + timedelta(hours=6), ("gazette-6", 6), ("gazette-2", 2))


def test_an_edit_that_begins_an_alternation_keeps_its_id() -> None:
    edit = tell("AB")[0]
    assert edit.make_id(ARCHIVE) == tell("ABA")[0].make_id(ARCHIVE) == tell("ABABAB")[0].make_id(ARCHIVE)
    assert edit.make_id(ARCHIVE).startswith("urn:uuid:")


def test_each_event_has_an_id_of_its_own() -> None:
    changes = tell("ABACsgBsA")
    assert len({change.make_id(ARCHIVE) for change in changes}) == len(changes) > 6
    other = list_changes("gazette", "https://gazette.example/2", make_sights("AB"))[0]
    assert other.make_id(ARCHIVE) != tell("AB")[0].make_id(ARCHIVE)
    assert tell("AB")[0].make_id("f" * 32) != tell("AB")[0].make_id(ARCHIVE)


def test_evidence_of_deletion_is_said_in_words() -> None:
    (change,) = tell("As")
    assert change.evidence == "404"
    assert tell_evidence(200, "soft-404", "the page says so") == "soft 404 (the page says so)"
    assert tell_evidence(None, "blocked", "rule /a") == "blocked by robots.txt (rule /a)"
    assert change.before is not None
    assert change.after is None


def test_long_flapping_takes_no_longer_than_it_is_long() -> None:
    flips = [Flip(1 + n % 2, 2 - n % 2, back=n > 0) for n in range(50_000)]
    assert find_alternations(flips) == [(0, 49_999)]
    many = [Flip(n % 5 + 1, (n + 1) % 5 + 1, back=n > 3) for n in range(50_000)]
    assert find_alternations(many) == []
