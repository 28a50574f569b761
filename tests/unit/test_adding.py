"""What `sources add` says in the end."""

from __future__ import annotations

from pathlib import Path

from jobs.cli.adding import _conclude


def test_what_a_page_says_steers_no_terminal() -> None:
    problem = "https://gazette.example/ says that it is at https://herald.example/\x9b2J\u202e, another site"
    told = _conclude(Path("gazette.yaml"), None, problem, written=False)
    assert told.startswith("\nnothing to write: https://gazette.example/ says")
    assert told[1:].isprintable()
