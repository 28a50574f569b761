"""Segments that wait on this machine for the same archive at another place → one warning each, with what to do.

Nothing is taken over by itself: what stood there may be a copy, or this archive before it was moved. Only people know.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from config.errors import ArchiveError
from config.settings import ENV_PREFIX
from jobs.archive.identity import read_info
from jobs.context import read_place
from jobs.spool_use import measure_spool
from jobs.store.local import LocalStore

if TYPE_CHECKING:
    from jobs.context import OpenArchive

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one other state folder holds back."""

    state: Path
    place: str
    """"" where the folder does not say."""
    segments: dict[str, int]
    """Source → how many wait; none is 0."""


def warn_of_waiting(archive: OpenArchive) -> None:
    """Log each state folder of this archive at another place in which segments wait. Never raises for what is there."""
    for waiting in find_waiting(archive):
        log.warning(
            "found_waiting_segments",
            segments=sum(waiting.segments.values()),
            path=str(waiting.state),
            place=waiting.place or None,
            advice=advise(archive, waiting),
        )


def find_waiting(archive: OpenArchive) -> list[Waiting]:
    """Return the other state folders of an archive with this id in which segments wait, sorted by path."""
    here = archive.state.absolute()
    found = []
    for state in sorted(here.parent.glob(f"{archive.info.archive}*")):
        if state == here:
            continue
        try:
            counts = {spool.name: measure_spool(spool).segments for spool in sorted(state.glob("spool/*"))}
            place = read_place(state)
        except OSError as error:  # another user's, or just being taken away
            log.warning("failed_lookup", path=str(state), error=str(error))
            continue
        if segments := {source: number for source, number in counts.items() if number}:
            found.append(Waiting(state, place, segments))
    return found


def advise(archive: OpenArchive, waiting: Waiting) -> str:
    """Return what to do about *waiting*, commands included."""
    old, place = waiting.state, archive.store.place
    copy = shlex.join(["cp", "-a", str(old / "spool"), str(archive.state.absolute())])
    take_over = f"stop all runs of it, then: {copy} && {shlex.join(['rm', '-r', str(old)])}"
    take_over += "; the next crawl commits them"
    if waiting.place.startswith("/"):
        if _holds(Path(waiting.place), archive.info.archive):
            return f"they are for that copy of this archive; to commit them there: {_crawl(waiting, waiting.place)}"
        return (
            f"this archive is not at {waiting.place} any more; if it was moved to {place}, {take_over};"
            " if that disk is only not mounted, leave them until it is"
        )
    url, _, endpoint = waiting.place.rpartition(" at ")
    if not url:
        return f"nothing says which place they are for; if it is {place}, {take_over}"
    command = _crawl(waiting, url)
    if endpoint.startswith("http"):
        command = f"{ENV_PREFIX}S3_ENDPOINT_URL={shlex.quote(endpoint)} {command}"
    elif not place.endswith(endpoint):
        command += " (with no s3_endpoint_url)"
    return (
        f"if that is a copy of this archive, to commit them there: {command};"
        f" if it is this one under another address, {take_over}"
    )


def _crawl(waiting: Waiting, place: str) -> str:
    state = str(waiting.state.parent)
    return shlex.join(["ofrecord", "crawl", *waiting.segments, "--archive", place, "--state", state])


def _holds(path: Path, archive: str) -> bool:
    try:
        return read_info(LocalStore(path)).archive == archive
    except (ArchiveError, OSError):
        return False
