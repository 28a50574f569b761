"""Two states of a live page → what was done to its posts, and the lines that belong to none of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jobs.diff import Change, Line, diff_words
from jobs.edits.kinds import Edit, EditKind, PostChange, PostEdit
from jobs.edits.passages import judge_line
from jobs.edits.posts import Timeline, match_posts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jobs.edits.names import Names
    from jobs.edits.posts import Post
    from jobs.edits.states import State

MAX_CHARS = 100_000
"""Of posts that changed, over both sides; of more, no single words are told."""
MAX_STEPS = 100_000
"""Of the search for what both texts of a post have."""
_CLOCK = re.compile(r"\d{1,2}\D{1,3}\d{2}")
_STAMP = re.compile(r"\W{0,3}\d{1,2}[.:٫h时時：]\s?\d{2}(?::\d{2})?(?:\s?[APap]\.?[Mm]\b\.?)?\W{0,4}")
"""A clock's time that begins a line."""
_TIME_CHARS = 24
_MAX_CANDIDATES = 50
"""Posts that begin with one word, of those that are tried for a line."""


class LivePage:
    """Two states of a live page by unit. Where the later one shows no posts, nothing is told of them."""

    def __init__(self, before: State, after: State) -> None:
        self._old, self._new = old, new = Timeline(before), Timeline(after)
        pairs = match_posts(old.posts, new.posts) if new.posts else {}
        shown = set(pairs.values())
        come = [(at, post) for at, post in enumerate(new.posts) if at not in shown]
        last = max(shown, default=-1)
        added = [post for at, post in come if not (old.partial and old.ends_before(post, stood_last=at > last))]
        gone = [(at, post) for at, post in enumerate(old.posts) if at not in pairs] if new.posts else []
        last = max(pairs, default=-1)
        cut = new.partial or bool(added)
        removed = [post for at, post in gone if not (cut and new.ends_before(post, stood_last=at > last))]
        both = [(old.posts[i], new.posts[j]) for i, j in sorted(pairs.items(), key=lambda pair: pair[1])]
        changed = [(one, other) for one, other in both if (one.text, one.time) != (other.text, other.time)]
        closely = sum(len(one.text) + len(other.text) for one, other in changed) <= MAX_CHARS
        self.posts = (
            *(PostEdit(PostChange.ADDED, post.id, None, post.time, None, post.text) for post in added),
            *(_tell_changed(one, other, closely=closely) for one, other in changed),
            *(PostEdit(PostChange.REMOVED, post.id, post.time, None, post.text, None) for post in removed),
        )
        """What was done to each. What was held back before and is shown now did not come; what lies behind the end of
        the later page may still be there."""

    def judge_posts(self, names: Names) -> Iterator[Edit]:
        """Yield the kinds of what was done to the posts; of one that changed, those of its words, too."""
        come = [post.after or "" for post in self.posts if post.change is PostChange.ADDED]
        if come:
            yield Edit(EditKind.LIVE_APPEND, "posts", None, "\n".join(come))
        for post in self.posts:
            place = f"post {post.id or post.time_after or post.time_before}"
            if post.change is PostChange.REMOVED:
                yield Edit(EditKind.POST_REMOVED, place, post.before, None)
            elif post.change is PostChange.CHANGED:
                same = post.before == post.after
                old, new = (post.time_before, post.time_after) if same else (post.before, post.after)
                yield Edit(EditKind.POST_CHANGED, place, old, new)
                if post.words:
                    yield from judge_line(Line(Change.CHANGED, old, new, None, None, post.words), place, names)

    def list_frames(self, old: Sequence[str], new: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the lines of both texts, and of a live page those alone that are no part of a post."""
        if not self._new.posts:
            return tuple(old), tuple(new)
        return _drop_posts(old, self._old.posts), _drop_posts(new, self._new.posts)


def list_frame(state: State) -> tuple[str, ...]:
    """Return the lines of a live page's body that are no part of a post."""
    return _drop_posts(state.lines, Timeline(state).posts)


def _tell_changed(one: Post, other: Post, *, closely: bool) -> PostEdit:
    words = diff_words(one.text, other.text, steps=MAX_STEPS) if closely and one.text != other.text else ()
    return PostEdit(PostChange.CHANGED, other.id or one.id, one.time, other.time, one.text, other.text, words)


def _drop_posts(lines: Sequence[str], posts: Sequence[Post]) -> tuple[str, ...]:
    """Return the *lines* that lie in no post and are not the time of one. A post's text has its lines in one."""
    begins: dict[str, list[str]] = {}
    for post in posts:
        text = " ".join(post.text.split("\n"))
        begins.setdefault(text.partition(" ")[0], []).append(text)
    kept: list[str] = []
    rest = ""
    for line in lines:
        found = _find_rest(line, rest, begins)
        if found is not None:
            rest = found
        elif len(line) <= _TIME_CHARS and _CLOCK.search(line):
            rest = ""
        else:
            rest = ""
            kept.append(line)
    return tuple(kept)


def _find_rest(line: str, rest: str, begins: dict[str, list[str]]) -> str | None:
    """Return what follows *line* in the post that it goes on with or begins; `None` if it lies in no post."""
    stamp = _STAMP.match(line)
    bare = line[stamp.end() :] if stamp else line
    for words in dict.fromkeys((line, bare)):
        candidates = begins.get(words.partition(" ")[0], [])[:_MAX_CANDIDATES] if words else []
        for text in (rest, *candidates):
            if text and text.startswith(words) and text[len(words) : len(words) + 1] in {"", " "}:
                return text[len(words) + 1 :]
    return None
