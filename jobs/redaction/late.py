"""A segment that was committed behind a redaction that its writer did not know of: a further one follows at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from crawler.spool import WARC_FILE
from jobs.redaction.redacting import RedactRequest, redact_articles
from jobs.redaction.rewriting import LocalSegment
from jobs.redaction.waiting import find_late, read_redactions

if TYPE_CHECKING:
    from jobs.context import OpenArchive
    from jobs.segments.seal import SealedSegment

log = structlog.get_logger()


def redact_late(archive: OpenArchive, sealed: SealedSegment) -> None:
    """Take out of the log what *sealed*, which was just committed and still lies here, has from before a redaction.

    Raises ConfigError, DamageFound, RecordError, StoreError: the next `ofrecord redact --finish` finds it then.
    """
    draft = sealed.draft
    if draft.rows is None or draft.segment is None:
        return
    local = LocalSegment(draft.segment, sealed.path / WARC_FILE, draft.files[0], draft.rows)
    late = find_late(draft.source, local.list_rows(), read_redactions(archive, draft.source))
    grace = timedelta(seconds=archive.settings.redact_grace_seconds)
    for reason in sorted({one.reason for one in late.values()}):
        urls = frozenset(url for url, one in late.items() if one.reason == reason)
        report = redact_articles(archive, RedactRequest(draft.source, urls, reason, grace))
        log.info("redacted_late", source=draft.source, segment=draft.segment, commits=report.commits)
