"""The pages that a run has seen, and those that wait to be fetched: in a file of its own, thrown away with the run.

So memory stays as it is however many links are found. What is lost with the file is found again by the next run.
"""

from __future__ import annotations

import errno
import json
import sqlite3
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import RecordError
from crawler.rows import LinkRow, decode_row, encode_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

FOUND, TAKEN, ASSET = 1, 2, 4
"""What is noted of a URL: it was announced; it is fetched in this run, or was left by it; so it is as an asset."""
BATCH = 500
"""So many links are looked at, or given out, in one go: a few milliseconds."""
_AHEAD = 50
_CACHE_KIB = 2_048
_SCHEMA = (
    "CREATE TABLE seen (url INTEGER PRIMARY KEY, marks INTEGER NOT NULL)",
    "CREATE TABLE waiting (id INTEGER PRIMARY KEY, listed INTEGER, known INTEGER, target TEXT, line BLOB NOT NULL)",
    "CREATE TABLE assets (id INTEGER PRIMARY KEY, target TEXT, via TEXT, page TEXT, depth INTEGER)",
    "CREATE INDEX listed ON waiting (listed, id)",
)


@dataclass(frozen=True, slots=True)
class WaitingLink:
    """A page to be fetched."""

    row: LinkRow
    """What is written down if it is not fetched after all."""
    target: str
    """Its URL as found."""
    listed: bool = False
    """Whether it was given or is due, and not announced: such wait behind all others."""
    known: bool = False
    """Whether the archive has captures of it, so that there may be something to ask with."""


@dataclass(frozen=True, slots=True)
class WaitingAsset:
    """What a page is shown with, and is to be fetched for it."""

    target: str
    via: str
    """The page or style sheet that names it."""
    page: str
    """The page's normalised URL."""
    depth: int = 0
    """So many style sheets lie between."""


class Frontier:
    """Marks of URLs, and two queues: first in, first out; of pages, what is listed behind what is found; of assets.

    Everything here raises OSError where the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ahead: tuple[deque[WaitingLink], deque[WaitingLink]] = (deque(), deque())
        self._left = [0, 0]
        """How many wait in the file, found and listed."""
        self._last = [0, 0]
        self._assets_ahead: deque[WaitingAsset] = deque()
        self._assets_left = 0
        self._closed = False
        with self._faults():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)  # a run that was killed left it
            self._db = sqlite3.connect(path, isolation_level=None)
            # nothing of it is ever needed after a crash: pages go to the disk only where the cache does not hold them
            for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
                self._db.execute(f"PRAGMA {setting}")
            self._db.execute("BEGIN EXCLUSIVE")
            for statement in _SCHEMA:
                self._db.execute(statement)

    def __len__(self) -> int:
        """Return how many pages wait."""
        return sum(self._left) + sum(map(len, self._ahead))

    @property
    def has_waiting(self) -> bool:
        """Whether anything waits, assets among it."""
        return len(self) + self._assets_left + len(self._assets_ahead) > 0

    def mark(self, urls: Sequence[str], mark: int) -> list[int]:
        """Note *mark* of each normalised URL; return what was noted before, one number each.

        URLs are known by 64 bits, another 64 for each process: of five million, two are taken for one in one run of a
        million. Of a URL that stands twice in *urls* the second is told of the first.
        """
        places = [hash(url) for url in urls]
        query = "SELECT url, marks FROM seen WHERE url IN (SELECT value FROM json_each(?))"
        with self._faults():
            marks: dict[int, int] = dict(self._db.execute(query, (json.dumps(places),)).fetchall())
            before = []
            changed: dict[int, int] = {}
            for place in places:
                known = marks.get(place, 0)
                before.append(known)
                if known | mark != known:
                    marks[place] = changed[place] = known | mark
            self._db.executemany("INSERT OR REPLACE INTO seen VALUES (?,?)", sorted(changed.items()))
        return before

    def add(self, links: Iterable[WaitingLink]) -> None:
        """Let *links* wait, in their order."""
        rows = [
            (link.listed, link.known, None if link.target == link.row.url else link.target, encode_row(link.row))
            for link in links
        ]
        with self._faults():
            self._db.executemany("INSERT INTO waiting (listed, known, target, line) VALUES (?,?,?,?)", rows)
        for listed, _, _, _ in rows:
            self._left[listed] += 1

    def add_assets(self, assets: Iterable[WaitingAsset]) -> None:
        """Let *assets* wait, in their order, behind all pages."""
        rows = [(one.target, one.via, one.page, one.depth) for one in assets]
        with self._faults():
            self._db.executemany("INSERT INTO assets (target, via, page, depth) VALUES (?,?,?,?)", rows)
        self._assets_left += len(rows)

    def pop_asset(self) -> WaitingAsset | None:
        """Return the asset whose turn it is, which waits no more; `None` if none does."""
        if not self._assets_ahead and self._assets_left:
            chosen = "(SELECT id FROM assets ORDER BY id LIMIT ?)"
            with self._faults():
                rows = self._db.execute(
                    f"DELETE FROM assets WHERE id IN {chosen} RETURNING id, target, via, page, depth",  # noqa: S608 - a text of ours
                    (_AHEAD,),
                ).fetchall()
            self._assets_ahead.extend(WaitingAsset(*row[1:]) for row in sorted(rows))
            self._assets_left = self._assets_left - len(rows) if rows else 0
        return self._assets_ahead.popleft() if self._assets_ahead else None

    def pop(self) -> WaitingLink | None:
        """Return the page whose turn it is, which waits no more; `None` if none does."""
        for listed, ahead in enumerate(self._ahead):
            if not ahead and self._left[listed]:
                ahead.extend(self._read(listed))
            if ahead:
                return ahead.popleft()
        return None

    def list_known_ahead(self) -> list[str]:
        """Return the normalised URLs of those known pages whose turn comes soon: some fifty, read already."""
        return [link.row.url for ahead in self._ahead for link in ahead if link.known]

    def take_rows(self) -> Iterator[list[bytes]]:
        """Yield the rows of all that wait, encoded, up to 500 at a time; each lot waits no more once it is asked for.

        A lot that cannot be written is to be written again before the next is asked for.
        """
        for listed, ahead in enumerate(self._ahead):
            lines = [encode_row(link.row) for link in ahead]
            ahead.clear()
            if lines:
                yield lines
            while found := self._fetch(listed, BATCH):
                yield [bytes(line) for _, _, _, line in found]

    def close(self) -> None:
        """Throw it all away. Safe to repeat; raises nothing."""
        if not self._closed:
            self._closed = True
            try:
                self._db.close()
                self._path.unlink(missing_ok=True)
            except (sqlite3.Error, OSError):
                pass  # the next run takes it away

    def _read(self, listed: int) -> Iterator[WaitingLink]:
        for _, known, target, line in self._fetch(listed, _AHEAD):
            row = decode_row(bytes(line))
            if not isinstance(row, LinkRow):
                raise RecordError(f"{self._path}: holds what is no link")
            yield WaitingLink(row, target or row.url, bool(listed), bool(known))

    def _fetch(self, listed: int, count: int) -> list[tuple[int, int, str | None, bytes]]:
        query = "SELECT id, known, target, line FROM waiting WHERE listed = ? AND id > ? ORDER BY id LIMIT ?"
        with self._faults():
            found: list[tuple[int, int, str | None, bytes]] = self._db.execute(
                query, (listed, self._last[listed], count)
            ).fetchall()
        if found:
            self._last[listed] = found[-1][0]
        self._left[listed] = self._left[listed] - len(found) if found else 0
        return found

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
            number = errno.ENOSPC if code == sqlite3.SQLITE_FULL else errno.EIO
            raise OSError(number, f"the file of waiting links: {error}", str(self._path)) from error
