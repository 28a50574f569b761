"""Lines and labels that a source's pages taught → blocks without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.extract.body.blocks import find_label
from crawler.extract.page.tree import measure

if TYPE_CHECKING:
    from config.rules import LearnedRules
    from crawler.extract.body.blocks import Block

_SHORT = 8
"""A line of fewer characters may be an answer or a cry in any text."""


def drop_learned_lines(blocks: list[Block], learned: LearnedRules) -> list[Block]:
    """Return *blocks* without the lines that *learned* takes out; short ones go only at an end of all blocks."""
    wanted, labels = frozenset(learned.lines), frozenset(learned.labels)
    if not wanted and not labels:
        return blocks
    anywhere = list_lines(learned)
    labelled = [bool(labels) and find_label(block) in labels for block in blocks]
    staying = [at for at, block in enumerate(blocks) if not (labelled[at] or wanted.issuperset(block.lines))]
    kept = []
    for at, block in enumerate(blocks):
        gone = anywhere if staying and staying[0] <= at <= staying[-1] else wanted
        lines = [line for line in block.lines if line not in gone]
        if not lines or labelled[at]:
            block.dropped = "a learned line"
        else:
            block.lines = lines
            kept.append(block)
    return kept


def list_lines(learned: LearnedRules) -> set[str]:
    """Return the lines that *learned* takes out wherever they stand."""
    return {line for line in learned.lines if measure(line) >= _SHORT}
