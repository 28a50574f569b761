"""Two sequences of lines or words → what they have in common, in order. Bounded work, whatever they hold.

The shortest edit where it is short (Myers 1986); where it is long, both are first cut at what stands once in each
(patience diff), and what then still shares too little counts as replaced.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_EDITS = 256
"""Differences up to which the shortest edit is looked for."""
MAX_DEPTH = 8
"""How often the parts between anchors are cut again."""
MAX_STEPS = 1_000_000
"""Of all searches of one matcher; about a second."""
_ONE_FOR_ONE = 3
"""Steps that the search takes to find that one element was replaced by one."""

Block = tuple[int, int, int]
"""Start in one sequence, start in the other, length."""


class Matcher:
    """Matches sequences until the work that it may do is used up; from then on only beginnings, ends and anchors."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self._steps = steps

    def match(self, a: Sequence[str], b: Sequence[str]) -> list[Block]:
        """Return blocks that both sequences have, in order, none empty, none overlapping."""
        found: list[Block] = []
        waiting = [(0, len(a), 0, len(b), 0)]
        while waiting:
            i, i_end, j, j_end, depth = waiting.pop()
            head, tail = measure_ends(a[i:i_end], b[j:j_end])
            found += [(i, j, head), (i_end - tail, j_end - tail, tail)]
            i, i_end, j, j_end = i + head, i_end - tail, j + head, j_end - tail
            if i == i_end or j == j_end:
                continue
            if i + 1 == i_end and j + 1 == j_end:
                self._steps -= _ONE_FOR_ONE
                continue
            shortest = self._find_shortest_edit(a[i:i_end], b[j:j_end])
            if shortest is not None:
                found += [(i + x, j + y, size) for x, y, size in shortest]
            elif depth < MAX_DEPTH and (anchors := _find_anchors(a[i:i_end], b[j:j_end])):
                anchors = [(i + x, j + y) for x, y in anchors]
                found += [(x, y, 1) for x, y in anchors]
                for (x, y), (x_next, y_next) in pairwise([(i - 1, j - 1), *anchors, (i_end, j_end)]):
                    waiting.append((x + 1, x_next, y + 1, y_next, depth + 1))
        return sorted(block for block in found if block[2])

    def _find_shortest_edit(self, a: Sequence[str], b: Sequence[str]) -> list[Block] | None:
        """Return what the shortest edit from *a* to *b* keeps; `None` if it is too long."""
        if abs(len(a) - len(b)) > MAX_EDITS:
            return None
        reach = {1: 0}
        trace: list[dict[int, int]] = []
        for edits in range(min(MAX_EDITS, len(a) + len(b)) + 1):
            self._steps -= edits
            if self._steps < 0:
                return None
            trace.append(dict(reach))
            for k in range(-edits, edits + 1, 2):
                x = _step(reach, edits, k)
                while x < len(a) and x - k < len(b) and a[x] == b[x - k]:
                    x += 1
                reach[k] = x
                if x >= len(a) and x - k >= len(b):
                    return _walk_back(trace, len(a), len(b))
        return None


def measure_ends(a: Sequence[str], b: Sequence[str]) -> tuple[int, int]:
    """Return how many elements are equal at the beginning, and how many at the end of the rest."""
    room = min(len(a), len(b))
    head = tail = 0
    while head < room and a[head] == b[head]:
        head += 1
    while tail < room - head and a[-tail - 1] == b[-tail - 1]:
        tail += 1
    return head, tail


def _step(reach: dict[int, int], edits: int, k: int) -> int:
    """Return how far in the first sequence diagonal *k* is with one more edit."""
    down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
    return reach[k + 1] if down else reach[k - 1] + 1


def _walk_back(trace: list[dict[int, int]], x: int, y: int) -> list[Block]:
    blocks: list[Block] = []
    for edits in range(len(trace) - 1, -1, -1):
        reach, k = trace[edits], x - y
        start = _step(reach, edits, k)
        blocks.append((start, start - k, x - start))
        down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
        k_before = k + 1 if down else k - 1
        x, y = reach[k_before], reach[k_before] - k_before
    return blocks


def _find_anchors(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """Return places of what stands once in each, as many as lie in the same order in both."""
    once = [{item for item, count in Counter(items).items() if count == 1} for items in (a, b)]
    both = once[0] & once[1]
    places = {item: place for place, item in enumerate(b) if item in both}
    pairs = [(place, places[item]) for place, item in enumerate(a) if item in both]
    tails: list[int] = []
    ends: list[int] = []
    links: list[int] = []
    for number, (_, place) in enumerate(pairs):
        height = bisect_left(tails, place)
        links.append(ends[height - 1] if height else -1)
        tails[height : height + 1] = [place]
        ends[height : height + 1] = [number]
    chain = []
    link = ends[-1] if ends else -1
    while link != -1:
        chain.append(pairs[link])
        link = links[link]
    return chain[::-1]
