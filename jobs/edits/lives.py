"""What changed in a live page because posts came, or old ones are no longer shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jobs.diff import Change

if TYPE_CHECKING:
    from jobs.diff import Line
    from jobs.edits.kinds import State

_TIME = re.compile(r"\d{1,2}\D{1,3}\d{2}")
_TIME_CHARS = 24


class LivePage:
    """The posts of two states of an article; none where it is no live page."""

    def __init__(self, before: State, after: State) -> None:
        old, new = (_read_posts(state) for state in (before, after))
        self.come = [_words(post) for id_, post in new.items() if id_ not in old]
        """The words of posts that came."""
        oldest = min((_time(post) for post in new.values()), default="")
        self._gone = [
            _words(post) for id_, post in old.items() if id_ not in new and self.come and _time(post) < oldest
        ]
        """Of those that are older than all that are shown now."""

    def explains(self, line: Line) -> bool:
        """Whether *line*, added or removed, is of a post that came or fell behind, or the time of one."""
        text = line.after if line.change is Change.ADDED else line.before
        posts = self.come if line.change is Change.ADDED else self._gone
        if not posts or not text:
            return False
        is_time = len(text) <= _TIME_CHARS and _TIME.search(text) is not None
        return is_time or any(text in words for words in posts)


def _read_posts(state: State) -> dict[str, dict[str, Any]]:
    return {str(post.get("id")): post for post in state.fields.get("posts") or () if isinstance(post, dict)}


def _words(post: dict[str, Any]) -> str:
    return "\n".join(str(post[name]) for name in ("title", "text") if post.get(name))


def _time(post: dict[str, Any]) -> str:
    return str(post.get("time") or "")
