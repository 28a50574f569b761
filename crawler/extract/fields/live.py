"""A live blog's posts → units with id, time and text, so that a new post is an addition and a changed one an edit."""

from __future__ import annotations

import re
from bisect import bisect_right
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from crawler.extract.body.blocks import read_blocks
from crawler.extract.page.parsing import MAX_ELEMENTS
from crawler.extract.page.signs import BYLINE, LIVE, MORE_POSTS
from crawler.extract.page.words import OLDER_POSTS, bare

if TYPE_CHECKING:
    from crawler.extract.fields.statements import Fields
    from crawler.extract.page.metadata import Metadata
    from crawler.extract.page.tree import Element

MAX_POSTS = 2_000
_MAX_ID_CHARS = 200
_MAX_NAME_CHARS = 100
_BEGINNING_CHARS = 40
_LABEL_CHARS = 60
_UPDATE = "liveblogupdate"
_ID = re.compile(r"data-(?:[a-z0-9]+-){0,3}id|data-(?:post|entry|block|update)|itemid")
_MORE = re.compile(r"data-(?:[a-z0-9]+-){0,3}(?:load-?more|has-?more|next|next-?(?:page|cursor|url|token)|older)")
"""What scripts are told of posts that are not there yet, in whatever language the page is."""
_NOTHING = frozenset({"", "false", "0", "null", "none", "undefined", "[]", "{}", "-1"})


def read_posts(fields: Fields, scope: Element, found: Metadata) -> None:
    """Add `posts` (as on the page, mostly newest first) and, where others are held back, `partial` to *fields*.

    A post has `id` (the page's own or, behind `~`, one made of time, author and beginning: it stays what it is when
    others come), `time`, `text` and, as far as they are there, `author` and `title`.
    """
    elements = find_posts(scope)[:MAX_POSTS]
    updates = found.of_type("LiveBlogPosting").get("liveBlogUpdate")
    stated = [item for item in updates if isinstance(item, dict)] if isinstance(updates, list) else []
    if elements:
        authors = _find_authors(scope, elements)
        fields.put("posts", [_post(element, authors.get(element.order, "")) for element in elements], "visible")
    else:
        fields.put("posts", [_stated_post(item) for item in stated[:MAX_POSTS]], "json-ld")
    if _offers_more(scope, elements, found):
        fields.put("partial", True, "visible")
    elif 0 < len(elements) < min(len(stated), MAX_POSTS):
        fields.put("partial", True, "json-ld")


def find_posts(scope: Element) -> list[Element]:
    """Return the innermost elements in *scope* that are named as a live post, or stated to be one, and show a time."""
    named = {element.order: element for element in scope.signed(LIVE)}
    named |= {
        element.order: element for element in _list_described(scope) if _UPDATE in element.get("itemprop").lower()
    }
    ordered = [named[order] for order in sorted(named)]
    timed = [element for element in ordered if element.chars > 10 and element.find("time") is not None]
    following = [element.order for element in timed[1:]] + [MAX_ELEMENTS + 1]
    return [element for element, after in zip(timed, following, strict=False) if after >= element.end]


def _list_described(scope: Element) -> list[Element]:
    return [element for element in scope.tree.described if scope.order <= element.order < scope.end]


def _post(element: Element, author: str) -> dict[str, str]:
    time = element.find("time")
    stamp = time.get("datetime") or time.text() if time is not None else ""
    text = " ".join(block.text for block in read_blocks([element]))
    if time is not None:
        text = text.removeprefix(time.text()).strip()
    post = {"id": _find_id(element, time) or _make_id(stamp, author, text), "time": stamp, "text": text}
    return post | {"author": author} if author else post


def _stated_post(item: dict[str, Any]) -> dict[str, str | None]:
    keys = (("time", "datePublished"), ("title", "headline"), ("text", "articleBody"))
    post = {name: value if isinstance(value := item.get(key), str) else None for name, key in keys}
    author = item.get("author")
    name = author.get("name") if isinstance(author, dict) else author
    said = name[:_MAX_NAME_CHARS] if isinstance(name, str) else ""
    own = next((value for key in ("@id", "url") if isinstance(value := item.get(key), str) and value), "")
    words = " ".join(value for value in (post["title"], post["text"]) if value)
    made: dict[str, str | None] = {"id": own[-_MAX_ID_CHARS:] or _make_id(post["time"] or "", said, words)}
    return made | post | ({"author": said} if said else {})


def _find_id(element: Element, time: Element | None) -> str:
    """Return the id that the page gives a post: its own, one that scripts know it by, or that of the link to it."""
    if own := element.get("id"):
        return own[:_MAX_ID_CHARS]
    for name in sorted(element.attributes):
        if _ID.fullmatch(name) and (value := element.get(name)):
            return value[:_MAX_ID_CHARS]
    around = time.ancestors() if time is not None else iter(())
    for inner in around:
        if inner is element:
            break
        _, _, anchor = inner.get("href").partition("#")
        if anchor:
            return anchor[:_MAX_ID_CHARS]
    return ""


def _make_id(time: str, author: str, text: str) -> str:
    words = "\n".join((time, bare(author), bare(text[: 2 * _BEGINNING_CHARS])[:_BEGINNING_CHARS]))
    return "~" + sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _find_authors(scope: Element, posts: list[Element]) -> dict[int, str]:
    """Return the place of each of *posts* that names who wrote it → the name."""
    starts = [post.order for post in posts]
    stated = [element for element in _list_described(scope) if "author" in element.get("itemprop").split()]
    authors: dict[int, str] = {}
    for element in [*stated, *scope.signed(BYLINE)]:
        place = bisect_right(starts, element.order) - 1
        if place < 0 or element.order >= posts[place].end or element is posts[place]:
            continue
        if 0 < element.chars <= _MAX_NAME_CHARS:
            authors.setdefault(starts[place], element.text())
    return authors


def _offers_more(scope: Element, posts: list[Element], found: Metadata) -> bool:
    """Whether there is a button, a link or a word to scripts by which others come: beside *posts*, not within one."""
    starts = [post.order for post in posts]

    def is_beside(element: Element) -> bool:
        place = bisect_right(starts, element.order) - 1
        return place < 0 or element.order >= posts[place].end

    if any(is_beside(element) for element in scope.signed(MORE_POSTS)):
        return True
    after = starts[0] if starts else scope.order
    for element in scope.below("button", "a"):
        if element.order < after or element.chars > 2 * _LABEL_CHARS or not is_beside(element):
            continue
        label = element.text() or element.get("aria-label")
        if OLDER_POSTS.fullmatch(label[:_LABEL_CHARS].rstrip(" .…»›>↓+")) or _has_more(element):
            return True
    if posts and any(_has_more(element) for element in posts[-1].ancestors() if element.order >= scope.order):
        return True
    nexts = [e.get("href") for e in _list_described(scope) if "next" in e.get("rel").lower().split() and is_beside(e)]
    return _leads_on([*nexts, *found.links.get("next", [])], found)


def _has_more(element: Element) -> bool:
    return any(
        _MORE.fullmatch(name) and element.get(name).strip().lower() not in _NOTHING for name in element.attributes
    )


def _leads_on(addresses: list[str], found: Metadata) -> bool:
    """Whether one of *addresses*, said to come next, is a further page of this one and not another article."""
    own = next((link for link in found.links.get("canonical", []) if link), "").partition("?")[0].rstrip("/")
    return any(link.startswith("?") or (own and link != own and link.startswith(own)) for link in addresses)
