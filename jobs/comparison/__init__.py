"""Two texts of an article → all that a reader is told of them, as text for a terminal or as one page of HTML."""

from jobs.comparison.page import read_style, render_page, show_lines
from jobs.comparison.telling import (
    Comparison,
    Side,
    compare_snapshots,
    describe_report,
    judge_snapshots,
    list_units,
    tell_units,
)

__all__ = [
    "Comparison",
    "Side",
    "compare_snapshots",
    "describe_report",
    "judge_snapshots",
    "list_units",
    "read_style",
    "render_page",
    "show_lines",
    "tell_units",
]
