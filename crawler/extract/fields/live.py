"""A live blog's posts → units with id, time and text, so that a new post is an addition and a changed one an edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.extract.body.blocks import read_blocks
from crawler.extract.page.parsing import MAX_ELEMENTS
from crawler.extract.page.signs import LIVE, MORE_POSTS

if TYPE_CHECKING:
    from crawler.extract.fields.statements import Fields
    from crawler.extract.page.metadata import Metadata
    from crawler.extract.page.tree import Element

MAX_POSTS = 2_000


def read_posts(fields: Fields, scope: Element, found: Metadata) -> None:
    """Add `posts` (newest first, as on the page) and, where older posts are held back, `partial` to *fields*."""
    shown = [_post(element) for element in find_posts(scope)[:MAX_POSTS]]
    if shown:
        fields.put("posts", shown, "visible")
    else:
        updates = found.of_type("LiveBlogPosting").get("liveBlogUpdate")
        stated = [item for item in updates if isinstance(item, dict)] if isinstance(updates, list) else []
        posts = [
            {
                name: value if isinstance(value := item.get(key), str) else None
                for name, key in (("time", "datePublished"), ("title", "headline"), ("text", "articleBody"))
            }
            for item in stated[:MAX_POSTS]
        ]
        fields.put("posts", posts, "json-ld")
    if scope.signed(MORE_POSTS):
        fields.put("partial", True, "visible")


def find_posts(scope: Element) -> list[Element]:
    """Return the innermost elements in *scope* that are named as a live post and show a time."""
    named = scope.signed(LIVE)
    timed = [element for element in named if element.chars > 10 and element.find("time") is not None]
    following = [element.order for element in timed[1:]] + [MAX_ELEMENTS + 1]
    return [element for element, after in zip(timed, following, strict=False) if after >= element.end]


def _post(element: Element) -> dict[str, str]:
    time = element.find("time")
    stamp = time.get("datetime") or time.text() if time is not None else ""
    text = " ".join(block.text for block in read_blocks([element]))
    if time is not None:
        text = text.removeprefix(time.text()).strip()
    return {"id": element.get("id"), "time": stamp, "text": text}
