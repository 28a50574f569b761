"""What `make demo` runs: the real command against the bundled site, while one article is edited, restored, taken away.

Prints what the command prints, and ends with 1 and the reason if anything is not as it must be.
Leaves an archive in ./demo that every reading command can be tried on.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

from tests.installation import ROOT, Ofrecord, write_config
from tests.site.pages import SEED_URL
from tests.site.server import Site

if TYPE_CHECKING:
    from tests.installation import Result
    from tests.site.pages import Phase

ENGLISH = "almayadeen-english"
SOURCES = (ENGLISH, "almayadeen-arabic", "almayadeen-spanish")
VERDICTS = ["new", "revised", "reverted", "suspected", "gone"]


class Demo:
    """One showing: the folder that it fills, the site that it serves, the command that it runs."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.folder = folder
        self.site = site
        config = write_config(
            folder / "config", site, archive=folder / "archive", state=folder / "state", page_seconds=60
        )
        self.ofrecord = Ofrecord(config, home=folder)
        self.log = folder / "log.jsonl"

    def play(self) -> None:
        """Run every act. Raises AssertionError where something is not as it must be."""
        say("A news site of three hosts now runs on this machine. ofrecord crawls it as it would crawl the web.")
        self.show("init")

        say("\nThe publisher puts out an article, among others.")
        self.crawl("2023", *SOURCES)

        say("\nAn hour later one sentence is softened and a paragraph is gone. No notice says so.")
        self.crawl("edited", ENGLISH)
        self.show("diff", SEED_URL)

        say("\nThe first text comes back in a new design: menus, boxes and markup differ, the words do not.")
        self.crawl("2025", ENGLISH)

        say("\nThe article is taken away. The site answers 200 and an error page.")
        self.crawl("gone", ENGLISH)

        say("\nOne look proves little, so a second run confirms it.")
        self.crawl("gone", ENGLISH)

        say("\nAll of it is on record:")
        self.show("history", SEED_URL)
        self.show("verify", "--full")
        self.check()
        self.tell_where()

    def crawl(self, phase: Phase, *sources: str) -> None:
        """Crawl while the article is in *phase*; known articles are looked at again, due or not."""
        self.site.phase = phase
        self.show("crawl", *sources, *(() if phase == "2023" else ("--recheck", "all")))

    def show(self, *words: str) -> Result:
        """Run a command, and print it and what it prints."""
        say(paint(f"$ {shlex.join(['ofrecord', *words])}", "1"))
        result = self.ofrecord(*words, code=None)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(result.stderr)
        say(result.stdout.rstrip())
        if result.returncode:
            raise AssertionError(f"ofrecord {words[0]} ended with {result.returncode}:\n{result.stderr[-2000:]}")
        return result

    def check(self) -> None:
        """Ask the archive, as a program would, whether it holds what the site did."""
        verdicts = [row["verdict"] for row in self.ofrecord("history", SEED_URL, "--json").rows()]
        expect("verdicts of the article", verdicts, VERDICTS)
        for revision, name in ((1, "clean.txt"), (2, "edited.txt")):
            text = self.ofrecord("show", SEED_URL, "--revision", str(revision)).stdout.removesuffix("\n")
            wanted = (ROOT / "tests" / "site" / "expected" / name).read_text("utf-8")
            expect(f"text {revision}", text, wanted)
        articles = self.ofrecord("list", "--json").rows()
        others = {row["url"]: (row["state"], row["revisions"]) for row in articles if row["url"] != SEED_URL}
        live = {url for url, (state, _) in others.items() if state == "live"}
        expect("other articles that have one text and are live", len(live), 9)
        expect("other articles with more than one text", {u for u, (_, texts) in others.items() if texts > 1}, set())
        expect("sources in the archive", {row["source"] for row in articles}, set(SOURCES))

    def tell_where(self) -> None:
        """Say where the archive is, what is in it, and what to try next."""
        archive = self.folder / "archive"
        files = [path for path in archive.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        say(f"\nThe archive: {near(archive)}, {len(files)} files, {size / 1000:.0f} kB. The log: {near(self.log)}")
        for folder, what in (("log", "commits, each chained to the one before"), ("segments", "WARC files and rows")):
            count = sum(1 for path in files if path.relative_to(archive).parts[0] == folder)
            say(f"  {folder + '/':<10} {count:>3} {what}")
        say(
            dedent(f"""
            Look around:
              .venv/bin/ofrecord list --config {near(self.folder)}/config
              .venv/bin/ofrecord show --config {near(self.folder)}/config --revision 2 {SEED_URL}
              .venv/bin/ofrecord serve --config {near(self.folder)}/config   # the same, as a site to read""")
        )


def near(path: Path) -> str:
    """Return *path* as one types it from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def expect(what: str, found: object, wanted: object) -> None:
    """Raise AssertionError unless *found* is *wanted*."""
    if found != wanted:
        raise AssertionError(f"{what}: found {found}, expected {wanted}")


def paint(text: str, code: str) -> str:
    """Return *text* in a terminal's colours, where stdout is a terminal that wants them."""
    return f"\x1b[{code}m{text}\x1b[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


def say(text: str) -> None:
    """Print at once, so that the wait comes after what is waited for."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Play the demo into ./demo, which is emptied first, or into a new folder given as the one argument."""
    folder = Path(arguments[0]).resolve() if arguments else ROOT / "demo"
    if not arguments:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with Site() as site:
            Demo(folder, site).play()
    except AssertionError as error:
        sys.stderr.write(f"\ndemo: {error}\ndemo: this is not as it must be; the log is {near(folder)}/log.jsonl\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
