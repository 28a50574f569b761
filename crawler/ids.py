"""Ids of runs and segments: source, UTC time and 64 random bits, so that two machines never make the same one."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

from config.errors import RecordError

_ID = re.compile(r"([a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?)-(\d{8}T\d{6}Z)-([0-9a-f]{16})", re.ASCII)


def new_id(source: str, now: datetime) -> str:
    """Return a fresh run or segment id: `<source>-<yyyymmddThhmmssZ>-<16 hex digits>`. *now* must be aware."""
    return f"{source}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(8)}"


def split_id(value: str) -> tuple[str, datetime]:
    """Return source and time of a run or segment id. Raises RecordError if it is none."""
    match = _ID.fullmatch(value)
    if match is None:
        raise RecordError(f"{value!r} is no id of a run or segment: expected SOURCE-YYYYMMDDTHHMMSSZ-16 hex digits")
    try:
        when = datetime.strptime(match[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise RecordError(f"{value!r} is no id of a run or segment: {error}") from error
    return match[1], when


def read_stamp(value: str) -> datetime | None:
    """Return the time of a run or segment id; `None` if it is none."""
    try:
        return split_id(value)[1]
    except RecordError:
        return None
