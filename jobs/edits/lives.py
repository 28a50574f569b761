"""What changed in a live page because posts came, or old ones are no longer shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jobs.diff import Change

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.diff import Line
    from jobs.edits.states import State

_TIME = re.compile(r"\d{1,2}\D{1,3}\d{2}")
_TIME_CHARS = 24


class LivePage:
    """The posts of two states of an article; none where it is no live page."""

    def __init__(self, before: State, after: State) -> None:
        old, new = (_read_posts(state) for state in (before, after))
        self.come = [_words(post) for id_, post in new.items() if id_ not in old]
        """The words of posts that came."""
        oldest = min((_time(post) for post in new.values()), default="")
        gone = [_words(post) for id_, post in old.items() if id_ not in new and self.come and _time(post) < oldest]
        self._lines = {Change.ADDED: _list_lines(self.come), Change.REMOVED: _list_lines(gone)}
        """Gone are those alone that are older than all that are shown now: another one was withdrawn."""

    def explains(self, line: Line) -> bool:
        """Whether *line*, added or removed, is of a post that came or fell behind, or the time of one."""
        lines = self._lines[line.change]
        text = line.after if line.change is Change.ADDED else line.before
        if not lines or not text:
            return False
        return text in lines or (len(text) <= _TIME_CHARS and _TIME.search(text) is not None)


def _read_posts(state: State) -> dict[str, dict[str, Any]]:
    posts = state.fields.get("posts")
    if not isinstance(posts, (list, tuple)):
        return {}
    return {str(post.get("id")): post for post in posts if isinstance(post, dict)}


def _words(post: dict[str, Any]) -> str:
    return "\n".join(str(post[name]) for name in ("title", "text") if post.get(name))


def _time(post: dict[str, Any]) -> str:
    return str(post.get("time") or "")


def _list_lines(posts: Iterable[str]) -> frozenset[str]:
    return frozenset(line for post in posts for line in post.split("\n"))
