"""What many pages say of a source's boxes, on outlines made for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.rules import LearnedRules
from crawler.model import PageClass
from jobs.learning import learn_rules
from jobs.learning.candidates import find_candidates
from jobs.learning.evidence import Evidence, Sample, group_stories
from tests.outlines import Line, outline, own

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crawler.model import Outline
    from jobs.learning import Lesson
    from jobs.learning.trial import Place

FOLLOW = Line("Follow us everywhere and never miss a story.")
OTHER = "Another day brings a new sentence number"


def samples_of(make: Callable[[int, int], list[Line]], *, articles: int = 6, captures: int = 1) -> list[Sample]:
    """*make*: number of article and capture → the page's lines."""
    return [
        Sample(f"https://gazette.example/{number}", tuple(outline(make(number, turn)) for turn in range(captures)))
        for number in range(articles)
    ]


def extract(page: Outline, rules: LearnedRules) -> list[str]:
    """What an extractor without whims leaves of the page."""
    return [
        one.line
        for one in page.lines
        if one.kept
        and one.line not in rules.lines
        and one.label not in rules.labels
        and not any(page.names[name] in (rules.remove + rules.links * one.linked) for name in one.names)
    ]


def learn(samples: Sequence[Sample]) -> Lesson:
    def read(jobs: Sequence[tuple[Place, LearnedRules]]) -> list[list[str] | None]:
        return [extract(samples[place[0]].outlines[place[1]], rules) for place, rules in jobs]

    return learn_rules(samples, read)


def test_a_line_at_the_end_of_most_articles_is_learned() -> None:
    lesson = learn(samples_of(lambda number, _: [*own(number), FOLLOW]))
    assert lesson.learned == LearnedRules(lines=[FOLLOW.text])
    assert (lesson.lines, lesson.touched) == (6, 6)


def test_what_two_articles_share_is_chance() -> None:
    assert learn(samples_of(lambda number, _: [*own(number), *([FOLLOW] if number < 2 else [])])).rules == {}


def test_background_that_some_articles_repeat_in_their_midst_is_text() -> None:
    def make(number: int, _: int) -> list[Line]:
        lines = own(number, 14)
        return [*lines[:7], Line("The bridge had been closed for repairs since 2019.", ("p.text",)), *lines[7:]]

    assert learn(samples_of(make, articles=7)).rules == {}  # of so few, all may be of one story


def test_a_subhead_of_the_house_that_few_articles_have_is_text() -> None:
    subhead = Line("What we know so far", ("h2.sub",), heading=True)
    samples = samples_of(lambda number, _: [*own(number), *([subhead] if number % 3 == 0 else []), FOLLOW], articles=12)
    assert learn(samples).learned == LearnedRules(lines=[FOLLOW.text])


def test_an_element_that_says_the_same_everywhere_is_learned_and_its_lines_are_not_too() -> None:
    box = [Line("Our letter brings the day to your inbox.", ("div.kiosk",)), Line("Join now", ("div.kiosk", "a.go"))]
    lesson = learn(samples_of(lambda number, _: [*own(number), *box]))
    assert lesson.learned == LearnedRules(remove=["div.kiosk"])


def test_an_element_with_one_line_of_one_article_is_not() -> None:
    def make(number: int, _: int) -> list[Line]:
        box = [Line("Our letter brings the day to your inbox.", ("div.kiosk",))]
        special = [Line("The minister's answer in full length.", ("div.kiosk",))] if number == 3 else []
        return [*own(number), *special, *box]

    assert learn(samples_of(make)).learned == LearnedRules(lines=["Our letter brings the day to your inbox."])


def test_a_box_that_changes_while_the_text_does_not_is_learned() -> None:
    samples = samples_of(
        lambda number, turn: [*own(number), Line(f"{OTHER} {number}/{turn}.", ("div.kiosk", "div.kiosk.wide"))],
        articles=4,
        captures=2,
    )
    lesson = learn(samples)
    assert lesson.learned == LearnedRules(remove=["div.kiosk.wide"])  # of equals the narrower
    assert (lesson.moved_before, lesson.moved_after) == (4, 0)


def test_one_article_is_not_enough_unless_the_box_holds_but_links() -> None:
    def make(number: int, turn: int, *, linked: bool) -> list[Line]:
        box = [Line(f"{OTHER} {turn}.", ("div.kiosk",), linked=linked)] if number == 0 else []
        return [*own(number), *box]

    assert learn(samples_of(lambda n, t: make(n, t, linked=False), captures=3)).rules == {}
    assert learn(samples_of(lambda n, t: make(n, t, linked=True), captures=2)).rules == {}
    assert learn(samples_of(lambda n, t: make(n, t, linked=True), captures=3)).learned == LearnedRules(
        links=["div.kiosk"]
    )


def test_a_list_of_links_that_only_one_text_had_is_learned_where_the_links_change() -> None:
    """The extractor may leave out by itself what it read as text before: the list is a box all the same."""

    def make(number: int, turn: int, *, disjoint: bool) -> list[Line]:
        if number:
            return own(number)
        first = "The one that stays" if not disjoint else f"{OTHER} {turn} a"
        items = [Line(one, ("div.body > ul",), linked=True, kept=not turn) for one in (first, f"{OTHER} {turn} b")]
        return [*own(number), *items]

    assert learn(samples_of(lambda n, t: make(n, t, disjoint=True), captures=3)).learned == LearnedRules(
        links=["div.body > ul"]
    )
    assert learn(samples_of(lambda n, t: make(n, t, disjoint=False), captures=3)).rules == {}
    assert learn(samples_of(lambda n, t: make(n, t, disjoint=True), captures=2)).rules == {}


def test_a_list_of_the_article_is_not_taken_for_a_menu_of_the_same_name_that_changes() -> None:
    def make(number: int, turn: int) -> list[Line]:
        menu = [Line(f"{OTHER} {turn}", ("ul.list",), linked=True, kept=False)]
        papers = [Line(f"Paper {at} on which article {number} rests", ("ul.list",), linked=True) for at in range(1)]
        return [*menu, *own(number, 30), *papers]

    assert learn(samples_of(make, captures=3)).rules == {}


def test_a_list_of_which_the_text_has_the_links_that_stay_is_a_box_if_others_change() -> None:
    def make(number: int, turn: int) -> list[Line]:
        links = [
            Line(f"{OTHER} {turn} for {number}", ("ul.list",), linked=True, kept=False),
            Line(f"Town {number} in short", ("ul.list",), linked=True),
        ]
        return [*own(number, 30), *links]

    assert learn(samples_of(make, captures=2)).learned == LearnedRules(links=["ul.list"])


def test_an_edit_is_no_box() -> None:
    def make(number: int, turn: int) -> list[Line]:
        lines = own(number)
        lines[3] = replace(lines[3], text=f"Article {number} was edited: {turn} people were there.")
        return lines

    assert learn(samples_of(make, captures=3)).rules == {}


def test_what_changes_only_with_an_edit_is_no_box() -> None:
    def make(number: int, turn: int) -> list[Line]:
        lines = own(number)
        lines[3] = replace(lines[3], text=f"Article {number} was edited: {turn} people were there.")
        return [*lines, Line(f"Corrected for the {turn}. time, article {number}.", ("div.note",))]

    assert learn(samples_of(make, captures=3)).rules == {}


def test_a_mark_that_comes_with_edits_is_text() -> None:
    def make(number: int, turn: int) -> list[Line]:
        lines = own(number)
        if turn and number < 4:
            lines[2] = replace(lines[2], text=f"Article {number} now says something else in paragraph one.")
            lines.append(Line("This article was corrected after it was published.", ("div.note",)))
        return lines

    assert learn(samples_of(make, captures=2)).rules == {}


def test_title_and_lead_are_never_learned() -> None:
    def make(number: int, turn: int) -> list[Line]:
        lead = Line(f"The lead of article {number}, capture {turn}, in a few words.", ("div.lead",), head=True)
        return [*own(number)[:1], lead, *own(number)[1:]]

    assert learn(samples_of(make, captures=3)).rules == {}
    assert learn(samples_of(lambda n, _: [replace(FOLLOW, head=n == 0), *own(n)[1:]])).rules == {}


def test_words_before_a_link_that_changes() -> None:
    def make(number: int, turn: int) -> list[Line]:
        link = Line(f"See too: {OTHER} {turn}", linked=True, label="See too:") if number < 2 else FOLLOW
        return [*own(number)[:4], link, *own(number)[4:]]

    lesson = learn(samples_of(make, articles=4, captures=2))
    assert lesson.learned == LearnedRules(labels=["See too:"])


def test_words_before_a_link_that_only_one_text_had() -> None:
    def make(number: int, turn: int, *, stays: bool) -> list[Line]:
        if number:
            return own(number)
        link = Line(f"See too: {OTHER} {turn}", linked=True, label="See too:", kept=not turn)
        source = Line("See too: the paper that this rests on", linked=True, label="See too:")
        return [*own(number, 20), link, *([source] if stays else [])]

    assert learn(samples_of(lambda n, t: make(n, t, stays=False), captures=3)).learned == LearnedRules(
        labels=["See too:"]
    )
    assert learn(samples_of(lambda n, t: make(n, t, stays=True), captures=3)).rules == {}


def test_only_lines_that_went_are_counted() -> None:
    """A line as short as an answer stays within a text, whatever was learned: see `crawler.extract.page.rules`."""

    def make(number: int, _: int) -> list[Line]:
        lines = own(number, 9)
        return [*lines[:5], Line("Yes."), *lines[5:], *([Line("Yes.")] if number < 4 else []), Line("Print")]

    samples = samples_of(make, articles=8)

    def read(jobs: Sequence[tuple[Place, LearnedRules]]) -> list[list[str] | None]:
        texts = []
        for place, rules in jobs:
            text = [one.line for one in samples[place[0]].outlines[place[1]].lines]
            while text[-1] in rules.lines:
                text.pop()
            texts.append(text)
        return list(texts)

    lesson = learn_rules(samples, read)
    effects = {rule.value: (effect.lines, effect.articles) for rule, effect in lesson.rules.items()}
    assert effects == {"Yes.": (4, {0, 1, 2, 3}), "Print": (8, set(range(8)))}
    assert lesson.lines == 12


def test_copies_of_one_story_count_once() -> None:
    samples = samples_of(lambda number, _: [*own(number // 4), Line(f"Print view {number}")], articles=8)
    assert len(set(group_stories(samples))) == 2
    assert find_candidates(Evidence(samples)) == []


def test_live_pages_grow_and_that_is_no_box() -> None:
    def make(number: int, turn: int) -> Outline:
        posts = [
            Line(f"Post {at} of live page {number}, at noon.", ("div.post",), linked=True) for at in range(turn + 2)
        ]
        return outline([*own(number), *posts[::-1]], PageClass.LIVE)

    samples = [Sample(f"https://gazette.example/{n}", tuple(make(n, turn) for turn in range(3))) for n in range(5)]
    assert learn(samples).rules == {}


def test_a_rule_that_takes_other_text_along_is_refused() -> None:
    samples = samples_of(
        lambda number, turn: [*own(number), Line(f"{OTHER} {number}/{turn}.", ("div.kiosk",)), FOLLOW],
        articles=4,
        captures=2,
    )

    def read(jobs: Sequence[tuple[Place, LearnedRules]]) -> list[list[str] | None]:
        texts = []
        for place, rules in jobs:
            lines = extract(samples[place[0]].outlines[place[1]], rules)
            # where the box goes, this extractor takes another container
            texts.append(lines[:3] if "div.kiosk" in rules.remove and place[0] == 2 else lines)
        return list(texts)

    lesson = learn_rules(samples, read)
    assert lesson.learned.remove == []
    assert {rule.value: reason for rule, reason in lesson.refused.items()} == {
        "div.kiosk": "63% of the article's own text went with it"
    }


def test_a_rule_that_takes_a_good_part_of_an_article_is_refused() -> None:
    def make(number: int, turn: int) -> list[Line]:
        if number == 5:  # of which there is one capture's worth: nothing says that this is no text
            return [*own(number, 3), Line("All that the readers of this one came for stands here.", ("div.kiosk",))]
        return [*own(number), Line(f"{OTHER} {number}/{turn}.", ("div.kiosk",))]

    lesson = learn(samples_of(make, captures=2))
    assert lesson.rules == {}
    assert any("of the article's own text went with it" in reason for reason in lesson.refused.values())
