"""The command sources add: a look at a site, what was found, and the file of a new source."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Literal

import click

from config.drafts import Draft, check_draft, encode_draft, write_draft
from config.errors import ConfigError, ExitCode
from config.sources import ID_PATTERN, Source, read_sources
from crawler.survey.drafting import draft_source, make_id
from crawler.survey.proposal import propose
from crawler.urls import find_normal, normalise_url
from jobs.cli.options import Invocation, common_options, exit_codes, printable
from jobs.cli.surveying import MAX_REQUESTS, describe_look, look_at, show_look

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.survey.facts import Survey
    from crawler.survey.proposal import Proposal

LOOK_DELAY_SECONDS = 1.0
"""Between two requests of a look, where neither a person nor robots.txt asks for more."""
MAX_SECONDS = 180.0


@click.command(epilog=exit_codes(ExitCode.CRAWL_FAILED))
@click.argument("url")
@click.option("--yes", is_flag=True, help="Write the file without asking.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--id", "source_id", metavar="ID", help="The source's id, and its file's name; else from the host.")
@click.option("--name", help="The source's name; else the site's own.")
@click.option(
    "--network",
    type=click.Choice(["public", "private"]),
    default="public",
    help="private: also addresses of your own network.",
)
@click.option(
    "--delay",
    type=click.FloatRange(0, 3_600),
    metavar="SECONDS",
    help="Between two requests, now and in the file; else 1 now, in the file what suits. robots.txt may ask for more.",
)
@click.option(
    "--max-requests",
    type=click.IntRange(5, 1_000),
    default=MAX_REQUESTS,
    show_default=True,
    help="That the look may make, robots.txt and redirects among them.",
)
@click.option(
    "--max-seconds",
    type=click.FloatRange(5, 86_400),
    default=MAX_SECONDS,
    show_default=True,
    help="That the look may take: where robots.txt asks for long delays, longer shows more.",
)
@common_options
def add(
    invocation: Invocation,
    *,
    url: str,
    yes: bool,
    dry_run: bool,
    source_id: str | None,
    name: str | None,
    network: Literal["public", "private"],
    delay: float | None,
    max_requests: int,
    max_seconds: float,
) -> int:
    """Look at the site at URL and write the file of a source for it.

    Reads robots.txt, the home page, feeds, sitemaps, some sections and some pages, politely and within --max-requests.
    Nothing is archived. Shows what announces articles, how many there are a day, which URLs are articles, and three
    of them as they would be archived; then asks, and writes ID.yaml, which is never put in place of another file.
    """
    if not (yes or dry_run) and (invocation.as_json or not sys.stdin.isatty()):
        raise ConfigError("nobody can be asked here: add --yes to write the file, or --dry-run to see it only")
    home = complete_url(url)
    path = choose_file(invocation.config_dir / "sources", home, source_id, writing=not dry_run)
    survey = look_at(invocation, make_source(home, network, delay), requests=max_requests, seconds=max_seconds)
    proposal = propose(survey)
    draft, problem = make_draft(proposal, survey, path.stem, name=name, delay=delay, network=network)
    data = describe_look(survey, proposal) | {
        "source": path.stem,
        "file": str(path),
        "yaml": encode_draft(draft) if draft else None,
        "problem": problem,
    }
    if not invocation.as_json:
        click.echo(show_look(data))
    written = draft is not None and not dry_run and (yes or click.confirm(f"\nWrite {path}?", err=True))
    if draft is not None and written:
        write_draft(path, draft)
    invocation.print_result(data | {"written": written}, _conclude(path, draft, problem, written=written))
    return ExitCode.DONE if draft is not None else ExitCode.CRAWL_FAILED


def complete_url(url: str) -> str:
    """Return the URL that a person meant: `gazette.example` is `https://gazette.example/`. Raises ConfigError."""
    whole = url.strip() if "://" in url else f"https://{url.strip()}"
    try:
        return normalise_url(whole)
    except ValueError as error:
        raise ConfigError(
            f"{url[:200]!r}: {error}; expected the address of a site, as https://gazette.example"
        ) from error


def choose_file(folder: Path, home: str, source_id: str | None, *, writing: bool) -> Path:
    """Return where the file of a source of that id, or of one for *home*, is to be.

    Raises ConfigError if there is a source of that id, or of that home and no id was given, or no room for a file.
    """
    chosen = source_id or make_id(home)
    if not ID_PATTERN.fullmatch(chosen):
        raise ConfigError(f"--id {chosen!r}: expected a file name of a-z, 0-9 and inner `-`, at most 64 characters")
    known, documents, _ = read_sources(folder) if folder.exists() else ({}, {}, [])
    # a file that is not sound is in nobody's way
    path = folder / f"{chosen}.yaml"
    if chosen in documents:
        raise ConfigError(
            f"{documents[chosen].path}: is there already; `ofrecord sources check {chosen}` looks at it, "
            "--id gives another name"
        )
    if path.exists() or path.is_symlink():
        raise ConfigError(f"{path}: is there already; give another name with --id")
    former = next((one.id for one in known.values() if chosen in one.formerly), None)
    if former is not None:
        raise ConfigError(f"{chosen}: was an id of {former}; give another one with --id")
    same = [one.id for one in known.values() if find_normal(one.home) == home]
    if same and source_id is None:
        raise ConfigError(
            f"{home}: is the home of the source {same[0]}; `ofrecord sources check {same[0]}` looks at it, "
            "--id adds it once more"
        )
    if writing and not os.access(folder if folder.exists() else folder.parent, os.W_OK):
        raise ConfigError(
            f"{folder}: nothing can be written there; keep the sources in a folder of yours: --config DIR"
        )
    return path


def make_source(home: str, network: Literal["public", "private"], delay: float | None) -> Source:
    """Return a source for a look at *home*, of which nothing is known yet. Raises ConfigError."""
    seconds = LOOK_DELAY_SECONDS if delay is None else delay
    if network == "public" and seconds < 1:
        raise ConfigError(f"--delay {seconds:g}: at least 1 (less only with --network private)")
    return Source(
        id="survey",
        name="Survey",
        home=home,
        discover=[{"section": home}],
        articles={"include": ["."]},
        network=network,
        politeness={"delay_seconds": seconds},
    )


def make_draft(
    proposal: Proposal,
    survey: Survey,
    source_id: str,
    *,
    name: str | None,
    delay: float | None,
    network: Literal["public", "private"],
) -> tuple[Draft | None, str | None]:
    """Return the draft of the source, or `None` and why there can be none."""
    if not proposal.sound:
        reasons = "; ".join(problem.text for problem in survey.problems[:3])
        return None, reasons or "nothing was found that announces articles, or no way to tell them from other pages"
    draft = draft_source(
        proposal, source_id=source_id, looked_at=survey.looked_at, name=name, delay_seconds=delay, network=network
    )
    check_draft(draft)
    return draft, None


def _conclude(path: Path, draft: Draft | None, problem: str | None, *, written: bool) -> str:
    if draft is None:
        return f"\nnothing to write: {printable(problem or '')}"
    if written:
        return f"\nwrote {path}; `ofrecord crawl {path.stem}` fetches its articles"
    return f"\nnot written: {path}\n\n{encode_draft(draft)}".rstrip()
