"""What a log is held against, and what a walk along it saw on its way. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.archive.commit import RowsPlace


class Identity:
    """What every commit of an archive must carry; `archive` is `None` where `ofrecord.json` cannot be read."""

    def __init__(self, archive: str | None, info_digest: str) -> None:
        self.archive = archive
        self.info_digest = info_digest


@dataclass(slots=True)
class LogTrace:
    """What a walk saw on its way."""

    digests: dict[int, str] = field(default_factory=dict)
    """Number of a commit → digest of the object as it is."""
    claims: dict[int, str] = field(default_factory=dict)
    """Number of a commit → digest that the next one says it had."""
    rows: dict[int, RowsPlace | None] = field(default_factory=dict)
    """Number of a commit that could be read → where its rows are; of the newest ones only."""
    others: list[str] = field(default_factory=list)
    """Keys below the log that are no commits: packs."""
