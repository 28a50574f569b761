"""Who is compared: our own command and what people would use in its place, each as a command line over one list."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tests.installation import install

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.benchmarks.measuring import Cost

_PEER = [sys.executable, "-m", "tests.benchmarks.scrapy_peer"]
_PASSED_ENVIRONMENT = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH")
CONCURRENT_REQUESTS = 8
"""To each of the sites; every contender has 32 in all, but for wget, which has one."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be fetched, and where everything goes that comes of it."""

    urls: Path
    """One a line."""
    folder: Path
    """Empty."""
    home: str


class Contender(Protocol):
    """One way to fetch a list of pages."""

    @property
    def name(self) -> str:
        """As in the table."""

    @property
    def share(self) -> float:
        """Of the pages: one that is ten times as slow gets fewer, so that a round ends."""

    def find_obstacle(self) -> str | None:
        """Return why it cannot be run here, `None` if it can."""

    def prepare(self, task: Task) -> tuple[list[str], Mapping[str, str]]:
        """Return command and environment; what is done here is not measured."""

    def count_pages(self, cost: Cost, task: Task) -> int:
        """Return how many pages it fetched by its own word. Raises ValueError if it does not say."""


@dataclass(frozen=True, slots=True)
class Ours:
    """`ofrecord crawl`: raw, clean text, hashes, sealed and committed into a new archive."""

    name: str = "ofrecord"
    share: float = 1.0
    words: tuple[str, ...] = ()
    counted: str = "new"
    """In the report: pages that have all that was asked for."""

    def find_obstacle(self) -> str | None:
        """Return nothing: it is what is measured."""
        return None

    def prepare(self, task: Task) -> tuple[list[str], Mapping[str, str]]:
        """Make an archive with one source whose sites are all private and may be asked as fast as they can."""
        source = {
            "home": task.home,
            "discover": [{"feed": f"{task.home}rss.xml"}],
            "politeness": {"delay_seconds": 0, "concurrent_requests": CONCURRENT_REQUESTS},
        }
        ofrecord = install(task.folder, source, workers=0)
        words = ("crawl", "gazette", "--urls", task.urls, "--json", "--log-level", "warning")  # as on a terminal
        return ofrecord.command(*words, *self.words), ofrecord.variables()

    def count_pages(self, cost: Cost, task: Task) -> int:  # noqa: ARG002 - as the others
        """Return how many pages have a text in the archive, or a record where no more was asked for."""
        return _read_number(cost, self.counted)


@dataclass(frozen=True, slots=True)
class ScrapyPeer:
    """A spider of some lines."""

    name: str
    words: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """Modules."""
    share: float = 1.0

    def find_obstacle(self) -> str | None:
        """Return what is not installed."""
        missing = [name for name in self.needs if find_spec(name) is None]
        return f"not installed: {', '.join(missing)} (extra bench)" if missing else None

    def prepare(self, task: Task) -> tuple[list[str], Mapping[str, str]]:
        """Return its command."""
        return [*_PEER, str(task.urls), str(task.folder), *self.words], _environment()

    def count_pages(self, cost: Cost, task: Task) -> int:  # noqa: ARG002 - as the others
        """Return how many answers its callback saw."""
        return _read_number(cost, "pages")


@dataclass(frozen=True, slots=True)
class Wget:
    """wget with a WARC file: raw only, in C, one connection."""

    name: str = "wget --warc-file"
    share: float = 1.0

    def find_obstacle(self) -> str | None:
        """Return that there is no wget."""
        return None if shutil.which("wget") else "not installed: wget"

    def prepare(self, task: Task) -> tuple[list[str], Mapping[str, str]]:
        """Return its command; it keeps bodies as they come, so it is asked to take gzip as all others do."""
        words = ["wget", "-q", "-i", str(task.urls), "--header=Accept-Encoding: gzip", "--delete-after"]
        return [*words, f"--warc-file={task.folder / 'peer'}", "-P", str(task.folder / "pages")], _environment()

    def count_pages(self, cost: Cost, task: Task) -> int:
        """Return the length of the list if it says that all went well: it reports no count."""
        if cost.code:
            raise ValueError(f"exit code {cost.code}")
        return len(task.urls.read_text("utf-8").split())


CONTENDERS: tuple[Contender, ...] = (
    Ours(),
    Ours("ofrecord, raw only", words=("--raw-only",), counted="unread"),
    ScrapyPeer("bare Scrapy, defaults"),
    ScrapyPeer("bare Scrapy, tuned", ("--tuned",), ("uvloop",)),
    ScrapyPeer("Scrapy + FastWARC", ("--warc",), ("fastwarc",)),
    ScrapyPeer("… + resiliparse", ("--warc", "--extract", "resiliparse"), ("fastwarc", "resiliparse")),
    ScrapyPeer("… + trafilatura", ("--warc", "--extract", "trafilatura"), ("fastwarc", "trafilatura"), share=0.2),
    Wget(),
)


def _read_number(cost: Cost, key: str) -> int:
    if cost.code:
        raise ValueError(f"exit code {cost.code}")
    found = cost.result().get(key)
    if not isinstance(found, int):
        raise ValueError(f"{key}: found {found!r}, expected a number")  # noqa: TRY004 - what a command printed
    return found


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _PASSED_ENVIRONMENT if name in os.environ}
