"""The hunter finds words wherever a text can lie, and nothing where it does not: each hiding place is tried."""

from __future__ import annotations

import gzip
import io
import json
import random
import sqlite3
import zipfile
import zlib
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.hunting import Hunter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SENTENCE = "Überraschend trat Quorvashtel „zurück“ & ging."
WORD = "quorvashtel"


def hunt(data: bytes) -> list[str]:
    hunter = Hunter([SENTENCE])
    hunter.look("here", data)
    return hunter.found


def pack_parquet(text: str) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table({"text": ["a", text], "n": [1, 2]}), target, compression="zstd")
    return target.getvalue()


def pack_zip(text: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("archive/data.warc.gz", gzip.compress(text.encode()))
    return target.getvalue()


def pack_record(text: str, coding: str, body: Callable[[bytes], bytes]) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n\r\n".encode()
    return gzip.compress(b"WARC/1.1\r\nWARC-Type: response\r\n\r\n" + head + body(text.encode()) + b"\r\n\r\n")


def pack_with_dictionary(text: str) -> bytes:
    words = zstandard.train_dictionary(512, [f"sample {n} of words that recur".encode() * 4 for n in range(200)])
    frame = zstandard.ZstdCompressor(dict_data=words).compress(f"sample of words that recur {text}".encode())
    told = words.as_bytes()
    return b"\x5d\x2a\x4d\x18" + len(told).to_bytes(4, "little") + told + frame


PLACES: dict[str, Callable[[str], bytes]] = {
    "plain": lambda text: text.encode(),
    "other case": lambda text: text.upper().encode(),
    "json": lambda text: json.dumps({"text": text}).encode(),
    "html": lambda text: f"<p>{text.replace('&', '&amp;')}</p>".encode(),
    "utf-16": lambda text: text.encode("utf-16-le"),
    "second gzip member": lambda text: gzip.compress(b"first") + gzip.compress(text.encode()),
    "second zstd frame": lambda text: zstandard.compress(b"first") + zstandard.compress(text.encode()),
    "frame in the middle": lambda text: b"rows" * 20 + zstandard.compress(text.encode()) + b"end",
    "gzip in gzip": lambda text: gzip.compress(b"head" + gzip.compress(text.encode())),
    "deflated answer": lambda text: pack_record(text, "deflate", zlib.compress),
    "zstd with a dictionary": pack_with_dictionary,
    "parquet": pack_parquet,
    "zip": pack_zip,
}


@pytest.mark.parametrize("place", PLACES)
def test_is_found_in(place: str) -> None:
    assert hunt(PLACES[place](SENTENCE))
    assert not hunt(PLACES[place]("Nobody went anywhere."))


def test_a_cut_frame_and_noise_hold_up_nothing() -> None:
    noise = random.Random(5).randbytes(20_000)
    marks = b"\x28\xb5\x2f\xfd" + noise + b"\x1f\x8b\x08" + noise
    assert not hunt(marks)
    assert hunt(marks + gzip.compress(SENTENCE.encode()))


def fill(path: Path, text: str, *, journal: str, secure: bool) -> sqlite3.Connection:
    """Make a file of compressed texts as the catalog keeps them: between others, long enough for several pages."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA journal_mode = {journal}")
    db.execute(f"PRAGMA secure_delete = {'ON' if secure else 'OFF'}")
    db.execute("CREATE TABLE texts (digest TEXT PRIMARY KEY, text BLOB NOT NULL) WITHOUT ROWID")
    chance = random.Random(1)
    for number in range(40):
        words = " ".join(f"{chance.randrange(10**9):x}" for _ in range(1_500))
        held = f"{words} {text} {words}" if number == 20 else words
        db.execute("INSERT INTO texts VALUES (?,?)", (f"{number:064}", zstandard.compress(held.encode())))
    return db


def hunt_below(folder: Path) -> list[str]:
    hunter = Hunter([SENTENCE])
    hunter.look_below(folder)
    return hunter.found


def test_a_text_over_several_pages_is_found_and_so_it_is_when_it_was_deleted(tmp_path: Path) -> None:
    with fill(tmp_path / "catalog.sqlite", SENTENCE, journal="DELETE", secure=False) as db:
        assert hunt_below(tmp_path)
        db.execute("DELETE FROM texts WHERE digest = ?", (f"{5:064}",))  # the first page that is freed lists the others
        db.execute("DELETE FROM texts WHERE digest = ?", (f"{20:064}",))
        assert hunt_below(tmp_path), "its pages are free, and hold it"
        db.execute("VACUUM")
        assert not hunt_below(tmp_path)
    db.close()


def test_pages_that_were_overwritten_hold_nothing(tmp_path: Path) -> None:
    with fill(tmp_path / "catalog.sqlite", SENTENCE, journal="DELETE", secure=True) as db:
        db.execute("DELETE FROM texts WHERE digest = ?", (f"{20:064}",))
        assert not hunt_below(tmp_path)
    db.close()


def test_the_log_that_is_written_ahead_is_looked_through(tmp_path: Path) -> None:
    with fill(tmp_path / "catalog.sqlite", SENTENCE, journal="WAL", secure=True) as db:
        db.execute("DELETE FROM texts WHERE digest = ?", (f"{20:064}",))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("INSERT INTO texts SELECT ?, ? ", (f"{20:064}", zstandard.compress(SENTENCE.encode() * 2)))
        db.execute("DELETE FROM texts WHERE digest = ?", (f"{20:064}",))
        assert hunt_below(tmp_path), "an earlier image of the page has it"
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert not hunt_below(tmp_path)
    db.close()


def test_a_word_is_found_in_an_index_that_has_deleted_it(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "search.sqlite", isolation_level=None)
    db.execute("CREATE VIRTUAL TABLE words USING fts5 (body, content='', tokenize='ascii')")
    db.execute("INSERT INTO words (rowid, body) VALUES (1, ?)", (f"the quota of {WORD} is quoted",))
    hunter = Hunter([], [WORD])
    hunter.look_below(tmp_path)
    assert hunter.found
    db.execute("INSERT INTO words (words, rowid, body) VALUES ('delete', 1, ?)", (f"the quota of {WORD} is quoted",))
    again = Hunter([], [WORD])
    again.look_below(tmp_path)
    assert again.found, "SQLite keeps what was deleted until it merges"
    db.execute("INSERT INTO words (words) VALUES ('optimize')")
    db.execute("VACUUM")
    last = Hunter([], [WORD])
    last.look_below(tmp_path)
    assert not last.found
    db.close()
