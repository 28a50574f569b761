"""What counts as metadata, and what moves by itself and does not."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.metadata import digest_metadata, list_changed

FIELDS: dict[str, Any] = {
    "title": {"value": "The tax", "from": "visible"},
    "authors": {"value": ["Anna Weber", "John Smith"], "from": "json-ld", "confidence": 0.9},
    "published": {"value": "2026-11-21T08:00:00+02:00", "from": "meta"},
    "modified": {"value": "2026-11-21T10:00:00+02:00", "from": "meta"},
    "tags": {"value": ["tax", "council"], "from": "visible"},
    "roles": {"value": [{"name": "Anna Weber", "role": "editor"}, {"name": "J", "role": "x"}], "from": "visible"},
    "image": {
        "value": {"url": "https://a.example/i/1.jpg?v=2&sig=abc#x", "caption": "The harbour", "credit": "AP"},
        "from": "json-ld",
    },
    "access": {"value": "free", "from": "json-ld"},
}


def change(name: str, value: object, origin: str = "meta", **more: object) -> dict[str, Any]:
    return {**FIELDS, name: {"value": value, "from": origin, **more}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authors", ["Anna Weber"]),
        ("authors", None),
        ("published", "2026-11-20T08:00:00+02:00"),
        ("modified", "2026-11-21T10:00:01+02:00"),
        ("tags", ["tax"]),
        ("section", "Politics"),
        ("source", "Agencies"),
        ("access", "paid"),
        ("title_tag", "The tax that nobody wants"),
        ("social_title", "You will not believe this tax"),
        ("corrections", ["An earlier version named the wrong day."]),
        ("image", {"url": "https://a.example/i/2.jpg", "caption": "The harbour", "credit": "AP"}),
        ("image", {"url": "https://a.example/i/1.jpg", "caption": "The port", "credit": "AP"}),
    ],
)
def test_what_is_said_otherwise_is_named_with_both_values(name: str, value: object) -> None:
    after = change(name, value)
    before = FIELDS.get(name, {}).get("value")
    assert digest_metadata(after) != digest_metadata(FIELDS)
    assert list_changed(FIELDS, after) == [{"name": name, "before": before, "after": value}]
    assert list_changed(after, FIELDS) == [{"name": name, "before": value, "after": before}]


@pytest.mark.parametrize(
    "after",
    [
        change("title", "Another"),
        change("reading_time_minutes", 4),
        change("canonical_url", "https://gazette.example/x?from=rss"),
        change("byline", "By Anna Weber, 5 hours ago"),
        change("published", "2026-11-21T06:00:00Z", "json-ld", assumed_zone="Asia/Beirut"),
        change("tags", ["council", "tax"]),
        change("roles", [{"role": "x", "name": "J"}, {"role": "editor", "name": "Anna Weber"}]),
        change("authors", ["Anna Weber", "John Smith"], "visible", confidence=0.1),
        change("image", {"url": "https://b.example/i/1.jpg?v=3", "credit": "AP", "caption": "The harbour"}),
        change("section", ""),
        change("source", None),
        change("corrections", []),
    ],
)
def test_what_moves_by_itself_is_no_change(after: dict[str, Any]) -> None:
    assert digest_metadata(after) == digest_metadata(FIELDS)
    assert list_changed(FIELDS, after) == []


def test_times_that_were_guessed_are_none() -> None:
    assert digest_metadata(change("modified", "2026-11-21", "guess")) == digest_metadata(change("modified", None))


@pytest.mark.parametrize(
    "value",
    ["no time", 5, {"a": [None]}, ["x", None, 3, {"y": 1}], [["tax"]], "\ud800", "9999-12-31T23:59:59-14:00", True],
)
@pytest.mark.parametrize("name", ["published", "modified", "tags", "roles", "image", "authors"])
def test_whatever_a_row_holds_is_compared(name: str, value: object) -> None:
    after = change(name, value)
    assert digest_metadata(after) == digest_metadata(change(name, value))
    list_changed(FIELDS, after)


@pytest.mark.parametrize("fields", [{"authors": None}, {"authors": "Anna"}, {"authors": []}, {"tags": 7}, {}])
def test_fields_that_are_none_are_passed_over(fields: dict[str, Any]) -> None:
    assert digest_metadata(fields) == digest_metadata({})
