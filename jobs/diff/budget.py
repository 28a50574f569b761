"""The work that one comparison of two texts may do. Counted, never timed: equal texts give equal results."""

from __future__ import annotations

from dataclasses import dataclass

MAX_READ = 800_000
"""Bytes (UTF-8) of changed lines that are read word by word, of both texts together; each line counts for 30 more. Two
articles of 200 KB with nothing in common, in thirteen thousand lines, take as much."""
MAX_LIKENINGS = 4_000_000
"""Words that are looked at to find which line became which; each pair of lines counts for 20 more."""
MAX_RUNS = 60_000
"""Runs of words that are told; 200 KB of words of which every second is another have fewer."""
_LINE = 30
_PAIR = 20


@dataclass(slots=True)
class Budget:
    """What is left of it. What is too much for the rest takes nothing of it, so that smaller changes are still told."""

    read: int = MAX_READ
    likenings: int = MAX_LIKENINGS
    runs: int = MAX_RUNS

    def take_lines(self, old: list[str], new: list[str]) -> bool:
        """Take what it costs to read the words of both; whether there was enough."""
        cost = sum(map(_measure, old)) + sum(map(_measure, new)) + _LINE * (len(old) + len(new))
        if cost > self.read:
            return False
        self.read -= cost
        return True

    def take_pairs(self, old: list[int], new: list[int]) -> bool:
        """Take what it costs to liken each line of one to each of the other, by their numbers of different words."""
        cost = min(len(new) * sum(old), len(old) * sum(new)) + _PAIR * len(old) * len(new)
        if cost > self.likenings:
            return False
        self.likenings -= cost
        return True

    def take_runs(self, count: int) -> bool:
        """Take *count* runs of words that are to be told; whether there were enough."""
        if count > self.runs:
            return False
        self.runs -= count
        return True


def _measure(line: str) -> int:
    return len(line) if line.isascii() else len(line.encode("utf-8", "surrogatepass"))
