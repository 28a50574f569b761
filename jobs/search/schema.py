"""Tables of the index, and how its file is opened: made anew where it is missing, damaged or of another version."""

from __future__ import annotations

import sqlite3
import unicodedata
from typing import TYPE_CHECKING

from jobs.catalog.schema import SCHEMA_VERSION as CATALOG_VERSION
from jobs.catalog.schema import is_damage
from jobs.edits import EDIT_RULES
from jobs.fold import FOLD

if TYPE_CHECKING:
    from pathlib import Path

INDEX_VERSION = 1
VERSION = f"{INDEX_VERSION} {CATALOG_VERSION} {FOLD} {EDIT_RULES} {unicodedata.unidata_version}"
"""Of all that what is in the index depends on."""
_CACHE_KIB = 16_384
"""Of a writer; of a reader an eighth."""

_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE marks (source TEXT PRIMARY KEY, seq INTEGER NOT NULL, url TEXT NOT NULL, head TEXT NOT NULL,
    thin INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE articles (id INTEGER PRIMARY KEY, source TEXT NOT NULL, url TEXT NOT NULL, state TEXT NOT NULL,
    latest INTEGER NOT NULL, UNIQUE (source, url));
CREATE TABLE documents (id INTEGER PRIMARY KEY, article INTEGER NOT NULL, number INTEGER NOT NULL,
    segment TEXT NOT NULL, n INTEGER NOT NULL, captured_at TEXT NOT NULL, kinds TEXT NOT NULL, silent INTEGER NOT NULL,
    facets TEXT NOT NULL, text_digest TEXT NOT NULL, tokens INTEGER NOT NULL);
CREATE INDEX documents_by_article ON documents (article, number);
CREATE VIRTUAL TABLE words USING fts5 (title, body, facets, content='', tokenize='ascii');
CREATE VIRTUAL TABLE terms USING fts5vocab (words, row);
CREATE TABLE stated (name TEXT, folded TEXT, value TEXT NOT NULL, texts INTEGER NOT NULL, PRIMARY KEY (name, folded))
    WITHOUT ROWID;
CREATE INDEX stated_by_texts ON stated (name, texts);
CREATE TABLE events (id INTEGER PRIMARY KEY, article INTEGER NOT NULL, source TEXT NOT NULL, what TEXT NOT NULL,
    at INTEGER NOT NULL, kinds TEXT NOT NULL, silent INTEGER, backdated INTEGER NOT NULL, title TEXT, before INTEGER,
    after INTEGER, evidence TEXT, target TEXT, run TEXT NOT NULL, segment TEXT NOT NULL, n INTEGER NOT NULL, item BLOB);
CREATE INDEX events_by_article ON events (article, at);
CREATE INDEX events_by_time ON events (at);
CREATE INDEX events_by_source ON events (source, at);
CREATE INDEX events_by_what ON events (what, at);
CREATE INDEX events_by_source_and_what ON events (source, what, at);
CREATE INDEX edits_by_time ON events (at, kinds) WHERE kinds != '';
CREATE INDEX edits_by_source ON events (source, at, kinds) WHERE kinds != '';
CREATE INDEX silent_edits_by_time ON events (at) WHERE silent = 1;
CREATE INDEX silent_edits_by_source ON events (source, at) WHERE silent = 1;
"""


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open the index's file; a writer makes it anew if it is missing, of another version, or no index."""
    if not read_only and not _usable(path):
        remove(path)
    mode = "ro" if read_only else "rwc"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=60, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB // 8 if read_only else _CACHE_KIB}")
    connection.execute("PRAGMA trusted_schema = OFF")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    else:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        _create(connection)
    return connection


def remove(path: Path) -> None:
    """Take the index away; whoever has it open goes on reading what was there."""
    for leftover in path.parent.glob(path.name + "*"):
        leftover.unlink()


def is_whole(connection: sqlite3.Connection) -> bool:
    """Whether the file can be read: all of it is."""
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError as error:
        return not is_damage(error)


def _usable(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                return True  # another process is just making it
            found = connection.execute("SELECT value FROM facts WHERE name = 'version'").fetchone()
            return found is not None and found[0] == VERSION
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        return not is_damage(error)


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        for statement in _SCHEMA.split(";"):
            if statement.strip():
                connection.execute(statement)
        connection.execute("INSERT INTO facts VALUES ('version', ?)", (VERSION,))
    connection.execute("COMMIT")
