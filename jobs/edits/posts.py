"""The posts of two states of a live page → which is which. Ids are believed as far as the posts bear them out."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

from jobs.diff import split_words

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from jobs.edits.states import State

MAX_POSTS = 2_000
"""Of one state; an extractor gives no more."""
_LIKE = 0.4
"""Share of words that two posts of one minute have in common, at least, where their ids say nothing."""
_LIKE_CHARS = 2_000
"""Of a post's words that are looked at for that."""


@dataclass(frozen=True, slots=True)
class Post:
    """One post of a live page."""

    id: str
    time: str
    """As the page states it; may be a clock's time alone, or empty."""
    text: str
    """Title and words, in lines."""

    @property
    def moment(self) -> datetime | None:
        """The instant, where the time states one with its zone."""
        try:
            found = datetime.fromisoformat(self.time)
        except ValueError:
            return None
        return found if found.tzinfo else None


class Timeline:
    """The posts that one state shows, in the page's order."""

    def __init__(self, state: State) -> None:
        self.posts: tuple[Post, ...] = tuple(dict.fromkeys(_read_posts(state)))
        """Each once, where a page shows one twice (pinned, and in its place)."""
        self.partial: bool = state.fields.get("partial") is True
        """Whether the page holds older ones back."""

    @cached_property
    def _moments(self) -> list[datetime]:
        return [moment for post in self.posts if (moment := post.moment)]

    @cached_property
    def _newest_first(self) -> bool:
        falling = sum(one > other for one, other in pairwise(self._moments))
        rising = sum(one < other for one, other in pairwise(self._moments))
        return falling >= rising

    def ends_before(self, post: Post, *, stood_last: bool) -> bool:
        """Whether *post*, which is not here, lies beyond the end of what is shown.

        Told by its time, against that of the last post (the first may be pinned); without times, by *stood_last*:
        whether no post that is still here stood behind it.
        """
        moment = post.moment
        if moment is None or len(self._moments) < len(self.posts):
            return stood_last
        edge = self._moments[-1]
        return moment < edge if self._newest_first else moment > edge


def match_posts(old: Sequence[Post], new: Sequence[Post]) -> dict[int, int]:
    """Return place in *old* → place in *new* of the posts that are there in both. Takes linear time.

    First those of one time and wording. If these have kept their ids, others of one id are one post too; if not, ids
    are but places in a list. At last those of one wording, and those of one time that are alike.
    """
    found: dict[int, int] = {}
    _pair(old, new, found, lambda post: (post.time, post.text), in_order=True)
    kept = sum(old[i].id == new[j].id for i, j in found.items())
    if 2 * kept >= len(found):
        _pair(old, new, found, lambda post: post.id or None)
        _pair(old, new, found, lambda post: (post.id, post.time))
    _pair(old, new, found, lambda post: post.text or None)
    _pair(old, new, found, lambda post: post.time or None, accept=_are_alike)
    return found


def _pair(
    old: Sequence[Post],
    new: Sequence[Post],
    found: dict[int, int],
    key: Callable[[Post], Hashable],
    *,
    in_order: bool = False,
    accept: Callable[[Post, Post], bool] | None = None,
) -> None:
    """Add to *found* the posts, not in it yet, that alone have one *key*; with *in_order* the first with the first."""
    taken = set(found.values())
    groups: tuple[defaultdict[Hashable, list[int]], ...] = (defaultdict(list), defaultdict(list))
    for posts, known, group in ((old, found.keys(), groups[0]), (new, taken, groups[1])):
        for place, post in enumerate(posts):
            name = None if place in known else key(post)
            if name is not None:
                group[name].append(place)
    for name, places in groups[0].items():
        others = groups[1].get(name, [])
        if in_order or len(places) == len(others) == 1:
            pairs = zip(places, others, strict=False)
            found |= {i: j for i, j in pairs if accept is None or accept(old[i], new[j])}


def _are_alike(one: Post, other: Post) -> bool:
    """Whether both may be one post that was edited; without two ids that say otherwise, its time is enough."""
    if not (is_own_id(one.id) and is_own_id(other.id)):
        return True
    bags = [Counter(word for word in split_words(post.text[:_LIKE_CHARS]) if word.strip()) for post in (one, other)]
    return 2 * (bags[0] & bags[1]).total() >= _LIKE * (bags[0].total() + bags[1].total())


def is_own_id(name: str) -> bool:
    """Whether the page itself gives a post that id; one that begins with `~` was made of its time and words."""
    return bool(name) and not name.startswith("~")


def _read_posts(state: State) -> Iterator[Post]:
    posts = state.fields.get("posts")
    for post in islice(posts, MAX_POSTS) if isinstance(posts, (list, tuple)) else ():
        if isinstance(post, dict):
            words = "\n".join(str(post[name]) for name in ("title", "text") if post.get(name))
            yield Post(_say(post, "id"), _say(post, "time"), words)


def _say(post: dict[str, Any], name: str) -> str:
    value = post.get(name)
    return "" if value is None else str(value)
