"""One of several writers of one log, a process of its own: `python -m tests.writer PLACE SOURCE NUMBER COMMITS`.

Appends COMMITS ledger commits with the ids <NUMBER><k>, and prints how often another writer was faster.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from config.settings import Settings
from jobs.archive.commit import Commit
from jobs.archive.identity import read_info
from jobs.archive.log import Log
from jobs.store import open_store


def draft_id(writer: int, number: int) -> str:
    """Return the id of a writer's draft."""
    return f"{writer:016x}{number:016x}"


def main(place: str, source: str, writer: int, commits: int) -> int:
    """Append *commits* commits; return how many others came in between."""
    store = open_store(place, Settings())
    info = read_info(store)
    log = Log(store, info, source)
    after, head, lost = 0, "", 0
    for number in range(commits):
        draft = Commit(
            source=source,
            kind="ledger",
            id=draft_id(writer, number),
            committed=datetime.now(UTC).replace(microsecond=0),
            archive=info.archive,
            writer="ofrecord/test",
            epoch=writer,
        )
        stored, others = log.append(draft, after=after, head=head)
        lost += len(others)
        after, head = stored.commit.seq, stored.digest
    return lost


if __name__ == "__main__":
    sys.stdout.write(f"{main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))}\n")
