"""Changed words in short: what stands beside them is cut between words where there are spaces."""

from __future__ import annotations

from jobs.changes.words import render_words, shorten_diff


def tell(before: str, after: str) -> str:
    return render_words(shorten_diff(before, after)[0], colour=False)


def test_what_stands_beside_changed_words_is_cut_between_words() -> None:
    before = "It opened three of the long closed and half forgotten berths of the port to boats on Monday, it said."
    after = before.replace("three", "four").replace("Monday", "Tuesday")
    assert tell(before, after).splitlines() == [
        "- It opened [-three-] of the long closed and half … of the port to boats on [-Monday-], it said.",
        "+ It opened {+four+} of the long closed and half … of the port to boats on {+Tuesday+}, it said.",
    ]


def test_a_line_without_spaces_is_cut_all_the_same() -> None:
    before = "港口管理局星期一" + "为渔船开放了长期关闭的泊位" * 8 + "共三个"
    removed, added = tell(before, before.replace("三", "四")).splitlines()
    assert "三" in removed
    assert "四" in added
    assert len(removed) < len(before) / 2
