"""Tables of the catalog, and how its file is opened: made anew where it is missing, damaged or of another version."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from typing import TYPE_CHECKING

from config.errors import CatalogDamaged, ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_LEAST_FREE_BYTES = 1 << 20
_CACHE_KIB = 4_096
"""Of a writer. With SQLite's own 2 MB pages are written several times while a segment is folded, a tenth of its cost;
16 MB save little more."""

SCHEMA_VERSION = 16

_SCHEMA = """
CREATE TABLE logs (source TEXT PRIMARY KEY, seq INTEGER NOT NULL, head TEXT NOT NULL, checkpoint TEXT) WITHOUT ROWID;
CREATE TABLE commits (source TEXT, seq INTEGER, digest TEXT, kind TEXT, committed TEXT, run TEXT, segment TEXT,
    signature TEXT, epoch INTEGER, releases INTEGER, derivations TEXT, PRIMARY KEY (source, seq)) WITHOUT ROWID;
CREATE INDEX incomplete_commits ON commits (source, seq) WHERE kind IS NULL;
CREATE INDEX redact_commits ON commits (source, seq) WHERE kind = 'redact';
CREATE INDEX commits_by_epoch ON commits (source, epoch, releases);
CREATE TABLE segments (segment TEXT PRIMARY KEY, source TEXT, seq INTEGER, run TEXT, warc_key TEXT,
    rows_offset INTEGER, rows_bytes INTEGER, rows_sha256 TEXT, opened TEXT, closed TEXT, size_bytes INTEGER,
    replaced INTEGER) WITHOUT ROWID;
CREATE INDEX segments_by_commit ON segments (source, seq);
CREATE INDEX segments_replaced ON segments (source, replaced) WHERE replaced IS NOT NULL;
CREATE TABLE captures (source TEXT, url TEXT, captured_at TEXT, segment TEXT, n INTEGER, run TEXT, target_uri TEXT,
    purpose TEXT, status INTEGER, class TEXT, class_reason TEXT, payload_digest TEXT, size_bytes INTEGER, seconds REAL,
    etag TEXT, last_modified TEXT, redirect TEXT, error TEXT, extraction_error TEXT,
    response_offset INTEGER, response_length INTEGER, request_offset INTEGER, request_length INTEGER,
    truncated TEXT, revisit_segment TEXT, revisit_n INTEGER,
    reading TEXT, not_modified INTEGER, verdict TEXT, revision INTEGER, metadata INTEGER, judged_class TEXT,
    origin TEXT, PRIMARY KEY (segment, n)) WITHOUT ROWID;
CREATE INDEX captures_by_url ON captures (source, url, captured_at);
CREATE INDEX records_by_payload ON captures (source, target_uri, payload_digest, captured_at)
    WHERE response_offset IS NOT NULL AND revisit_segment IS NULL AND truncated IS NULL;
CREATE INDEX captures_from_elsewhere ON captures (source, url, captured_at) WHERE origin IS NOT NULL;
CREATE INDEX captures_by_run ON captures (run);
CREATE INDEX captures_redacted ON captures (source, url) WHERE class = 'redacted';
CREATE INDEX captures_by_redirect ON captures (source, redirect) WHERE redirect IS NOT NULL AND purpose = 'article';
CREATE TABLE snapshots (segment TEXT, n INTEGER, url TEXT, captured_at TEXT, derivation TEXT, native INTEGER,
    text_digest TEXT, title TEXT, lead TEXT, class TEXT, fields TEXT, confidence REAL, source TEXT, seq INTEGER,
    meta_digest TEXT, own INTEGER, PRIMARY KEY (segment, n, derivation)) WITHOUT ROWID;
CREATE INDEX snapshots_by_commit ON snapshots (source, seq);
CREATE INDEX snapshots_by_text ON snapshots (text_digest);
CREATE TABLE texts (digest TEXT PRIMARY KEY, text BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE articles (source TEXT, url TEXT, title TEXT, first_seen TEXT, last_captured TEXT, last_good TEXT,
    state TEXT, captures INTEGER, revisions INTEGER, seq INTEGER, unread INTEGER, PRIMARY KEY (source, url))
    WITHOUT ROWID;
CREATE INDEX articles_by_commit ON articles (source, seq);
CREATE TABLE revisions (source TEXT, url TEXT, number INTEGER, segment TEXT, n INTEGER, captured_at TEXT,
    captures INTEGER, texts TEXT, PRIMARY KEY (source, url, number)) WITHOUT ROWID;
CREATE TABLE derivations (derivation TEXT PRIMARY KEY, meaning TEXT) WITHOUT ROWID;
CREATE TABLE runs (run TEXT, source TEXT, trigger TEXT, slot TEXT, started TEXT, finished TEXT, reason TEXT,
    counts TEXT, discovery TEXT, seq INTEGER, certificates TEXT, PRIMARY KEY (source, run)) WITHOUT ROWID;
CREATE INDEX runs_by_commit ON runs (source, seq);
CREATE INDEX runs_by_start ON runs (source, started);
CREATE TABLE slots (source TEXT, slot TEXT, outcome TEXT, through TEXT, slots INTEGER, run TEXT, reason TEXT,
    schedule TEXT, seq INTEGER, PRIMARY KEY (source, slot, outcome, through, slots, run, reason, schedule))
    WITHOUT ROWID;
CREATE INDEX slots_by_commit ON slots (source, seq);
CREATE TABLE adoptions (source TEXT, seq INTEGER, number INTEGER, derivation TEXT, PRIMARY KEY (source, seq, number))
    WITHOUT ROWID;
CREATE TABLE layers (source TEXT, seq INTEGER, reference TEXT, PRIMARY KEY (source, seq)) WITHOUT ROWID;
CREATE TABLE depths (source TEXT PRIMARY KEY, thin INTEGER NOT NULL, wanting INTEGER NOT NULL,
    distrusted INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE rechecks (source TEXT, url TEXT, site TEXT, section INTEGER, step INTEGER, kind INTEGER, at INTEGER,
    looked INTEGER, edits TEXT, PRIMARY KEY (source, url)) WITHOUT ROWID;
CREATE INDEX rechecks_by_turn ON rechecks (source, site, kind, section, step, at, url) WHERE kind IS NOT NULL;
CREATE TABLE recheck_counts (source TEXT, section INTEGER, step INTEGER, articles INTEGER NOT NULL,
    edits INTEGER NOT NULL, PRIMARY KEY (source, section, step)) WITHOUT ROWID;
CREATE TABLE recheck_looks (source TEXT, site TEXT, hour INTEGER, looks INTEGER NOT NULL,
    PRIMARY KEY (source, site, hour)) WITHOUT ROWID;
CREATE TABLE recheck_plans (source TEXT PRIMARY KEY, asked TEXT NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE health_marks (source TEXT PRIMARY KEY, seq INTEGER NOT NULL, facts TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE health_days (source TEXT, day INTEGER, counts TEXT NOT NULL, PRIMARY KEY (source, day)) WITHOUT ROWID;
CREATE TABLE health_runs (source TEXT, run TEXT, began TEXT NOT NULL, counts TEXT NOT NULL,
    PRIMARY KEY (source, run)) WITHOUT ROWID;
CREATE INDEX captures_by_change ON captures (source, captured_at)
    WHERE verdict IN ('revised', 'reverted', 'returned', 'uncompared', 'suspected', 'gone')
    OR metadata = 1 OR redirect IS NOT NULL;
CREATE TABLE edit_reports (source TEXT, after_segment TEXT, after_n INTEGER, before_segment TEXT, before_n INTEGER,
    derivation TEXT, texts TEXT, rules INTEGER, report BLOB NOT NULL,
    PRIMARY KEY (source, after_segment, after_n, before_segment, before_n)) WITHOUT ROWID;
"""
LOOKED = "(trigger NOT IN ('import', 'backfill') OR discovery != '[]')"
"""Of a row of `runs`: whether it looked at its source, and did not only take in what others had seen."""
TABLES = (
    "logs",
    "commits",
    "segments",
    "captures",
    "snapshots",
    "texts",
    "articles",
    "revisions",
    "derivations",
    "runs",
    "slots",
    "adoptions",
)
"""What is folded from the log; `seq` is the commit that brought a row or, of an article, touched it last; `replaced`
the one that said last where a segment lies now."""
LOCAL_TABLES = (
    *("layers", "depths", "rechecks", "recheck_counts", "recheck_looks", "recheck_plans"),
    *("edit_reports", "health_marks", "health_days", "health_runs"),
)
"""What this catalog knows of itself: the layers that it can build on, of which sources it has thin facts only, where
articles stand in their plans, by the ages that were asked for last, and what kinds of edits lie between texts that were
compared, and what captures came to by day and by run."""


def explain(error: sqlite3.DatabaseError, path: Path) -> Exception:
    """Return what a failure of SQLite means to a person; *error* itself where it is a fault of ours."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR} and _is_full(path, code):
        return OSError(errno.ENOSPC, "no room for the catalog", str(path))
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}:
        return ConfigError(f"{path}: cannot be used ({error}); give --state DIR")
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR}:
        return CatalogDamaged(f"{path}: cannot be read ({error}); ofrecord index --rebuild makes this cache anew")
    return error


def is_damage(error: Exception) -> bool:
    """Whether *error* says that a file of SQLite cannot be read as it is: damaged, no such file, or not yet made."""
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or str(error).startswith("no such table: ")


def _is_full(path: Path, code: int) -> bool:
    return code == sqlite3.SQLITE_FULL or shutil.disk_usage(path.parent).free < _LEAST_FREE_BYTES


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open the catalog's file; a writer makes it anew if it is missing, of another version, or no catalog."""
    if not read_only and not _usable(path):
        for leftover in path.parent.glob(path.name + "*"):
            leftover.unlink()
    mode = "ro" if read_only else "rwc"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=60,
        isolation_level=None,
        check_same_thread=not read_only,  # readers are lent from one thread to the next
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA trusted_schema = OFF")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    else:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        _create_schema(connection)
    return connection


def _usable(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            if connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
                return True
            return not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()  # another is just making it
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        return not is_damage(error)


def _create_schema(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
        for statement in _SCHEMA.split(";"):
            if statement.strip():
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")
