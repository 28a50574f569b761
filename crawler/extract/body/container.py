"""A marked tree → the element that holds the article's body, found by where the running text stands."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from crawler.extract.page.signs import BODY
from crawler.extract.page.tree import BLOCK_TAGS, HEADING_TAGS, Element

if TYPE_CHECKING:
    from crawler.extract.body.boxes import Prose

_TAG_WEIGHT: Final = {"li": 0.5, "td": 0.4, "th": 0.2, "dd": 0.4, "dt": 0.2, "address": 0.1, "footer": 0.2}
_CORE_SHARE: Final = 0.65
_STORY_CHARS: Final = 500
_STORY_SHARE: Final = 0.3
"""Articles in a row are of like size; a story in chapters begins with a short one."""
_CELL_TAGS: Final = frozenset({"td", "th"})
"""Columns: what stands beside one is another."""
_TEXT_TAGS: Final = frozenset({"p", "pre", "blockquote", "li", "ul", "ol"})
_CLIMB_SHARE: Final = 0.12
"""An outer element that adds this share of text, as running text, takes the place of the inner one."""


def find_container(body: Element, prose: Prose, heading: Element | None) -> Element:
    """Return the element that holds the article's body; *body* itself where nothing stands out.

    *heading*: the article's own headline: an element that holds it is no other story.
    """
    marked = _marked_body(body, prose)
    if marked is not None:
        return _keep_to_story(marked, prose, heading)
    scores = _scores(body, prose)
    if not scores:
        return body
    branch = _branch(heading, body)
    best = max(scores, key=lambda element: (scores[element] * _weight(element, body, branch), -element.order))
    return _keep_to_story(_climb(best, prose, heading), prose, heading)


def _keep_to_story(container: Element, prose: Prose, heading: Element | None) -> Element:
    """Return the part of *container* around *heading* that holds no other article; pages may show several in a row."""
    if heading is None or not container.order <= heading.order < container.end:
        return container
    stories = [story for story in container.below("article") if not story.order <= heading.order < story.end]
    others = [story for story in stories if not story.is_dropped and story.find("h1") is not None]
    places = [story.order for story in others]
    part: Element = heading
    for around in heading.ancestors():
        following = bisect_right(places, around.order)
        if around is container or (following < len(places) and places[following] < around.end):
            break
        part = around
    enough = max(_STORY_CHARS, _STORY_SHARE * prose.of(container))
    return part if others and prose.of(part) >= enough else container


def find_column(container: Element, prose: Prose) -> tuple[int, int]:
    """Return the places where the article's column ends, and where what stands right beside it does.

    Behind the first there may be more of the article, behind the second hardly: footers and teasers.
    """
    core = _find_core(container, prose)
    if core is container or core.parent is None:
        return container.end, container.end
    kind = (core.tag, core.get("class"))
    end = max(one.end for one in core.parent.elements if (one.tag, one.get("class")) == kind and prose.of(one))
    return end, end if core.tag in _CELL_TAGS else max(end, core.parent.end)


def _find_core(container: Element, prose: Prose) -> Element:
    """Return the innermost element in *container* that still holds nearly all of its running text."""
    core = container
    wanted = _CORE_SHARE * prose.of(container)
    while True:
        inner = next((child for child in core.elements if not child.dropped and prose.of(child) >= wanted), None)
        if inner is None or inner.tag in _TEXT_TAGS or not wanted:
            return core
        core = inner


def _marked_body(body: Element, prose: Prose) -> Element | None:
    """Return the smallest element around all that the page itself calls the article's body, if that is most text."""
    named = [element for element in body.tree.described if "articlebody" in element.get("itemprop").lower()]
    named = [element for element in named if not element.is_dropped]
    inner = set(named)
    named = [element for element in named if inner.isdisjoint(element.ancestors())]
    if not named or sum(prose.of(element) for element in named) < 0.5 * prose.total:
        return None
    return _common(named)


def _common(elements: list[Element]) -> Element:
    paths = [[element, *element.ancestors()][::-1] for element in elements]
    common = paths[0][0]
    for level in zip(*paths, strict=False):
        if any(element is not level[0] for element in level):
            break
        common = level[0]
    return common


def _scores(body: Element, prose: Prose) -> dict[Element, float]:
    """Score elements by the paragraphs in them: in full for a parent, less for each level above."""
    scores: dict[Element, float] = {}
    for element in body.walk(kept=True):
        if element.tag not in BLOCK_TAGS or element.tag in HEADING_TAGS:
            continue
        chars, links = prose.own(element)
        plain = chars - links
        if plain < 25:
            continue
        worth = (min(plain, 600) / 100 + 0.5) * _TAG_WEIGHT.get(element.tag, 1.0) * (1 - links / chars)
        holder = (
            element if element.tag in {"div", "section", "article", "td", "main"} and _holds_runs(element) else None
        )
        share = 1.0
        for around in ([holder] if holder else []) + list(element.ancestors()):
            scores[around] = scores.get(around, 0.0) + worth * share
            share *= 0.6
            if share < 0.1:
                break
    return scores


def _holds_runs(element: Element) -> bool:
    """Whether *element* holds paragraphs parted by line breaks rather than by elements."""
    return sum(1 for child in element.elements if child.tag == "br") >= 2


def _weight(element: Element, body: Element, branch: Element | None) -> float:
    """Weigh *element* by its name, its links, and whether it stands in the same part of the page as the headline."""
    weight = 1.3 if element.signs & BODY else 1.0
    if element.tag in {"body", "html"}:
        weight *= 0.7
    elif branch is not None and _branch(element, body) is not branch:
        weight *= 0.6
    return weight * (1 - 0.5 * element.link_density)


def _branch(element: Element | None, body: Element) -> Element | None:
    """Return the child of *body* that *element* lies in."""
    if element is None:
        return None
    return next((item for item in [element, *element.ancestors()] if item.parent is body), None)


def _climb(best: Element, prose: Prose, heading: Element | None) -> Element:
    """Return the outermost element around *best* that adds much running text in few links."""
    current = best
    for around in best.ancestors():
        if around.tag in {"body", "html"}:
            break
        gained = prose.of(around) - prose.of(current)
        if gained < _CLIMB_SHARE * prose.of(current):
            continue
        if _is_same_text(around, current, prose, heading):
            current = around
    return current


def _is_same_text(around: Element, current: Element, prose: Prose, heading: Element | None) -> bool:
    """Whether what *around* adds to *current* looks like more of the same article."""
    child = next((item for item in [current, *current.ancestors()] if item.parent is around), None)
    others = [item for item in around.elements if item is not child and not item.dropped and prose.of(item)]
    added = sum(prose.of(item) for item in others)
    linked = sum(item.link_chars for item in others)
    chars = sum(item.chars for item in others)
    return (
        bool(others)
        and linked < 0.3 * chars
        and added > 0.5 * chars
        and not any(_is_story(item, current, heading) for item in others)
    )


def _is_story(element: Element, current: Element, heading: Element | None) -> bool:
    """Whether *element* holds another article than *current*; some write `<h1>` for the subheads of one."""
    if heading is not None and element.order <= heading.order < element.end:
        return False
    if element.tag == "article" or element.find("article") is not None:
        return True
    if element.find("h1") is None:
        return False
    own = current.tree.between("h1", current.order + 1, current.end, limit=2)
    return all(inner is heading for inner in own)
