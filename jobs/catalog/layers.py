"""The catalog ⇄ lines of a checkpoint's layers: one object with named columns for each row, of one source.

What comes in is of the right types already; that the rows hold together is checked here.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import zstandard

from config.errors import DamageFound
from jobs.archive.commit import digest, owns_segment
from jobs.catalog.folding import FoldingCatalog
from jobs.catalog.layer_lines import FACT_KEYS, FACTS, JUDGED, TABLE_OF
from jobs.catalog.retelling import Retelling
from jobs.catalog.schema import LOCAL_TABLES, LOOKED, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Line = dict[str, Any]
Place = tuple[str, int]


class LayeredCatalog(FoldingCatalog):
    """The catalog as far as it can be written from layers, and layers from it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._compressor = zstandard.ZstdCompressor(level=3)
        self._is_for_reading = bool(connection.execute("PRAGMA query_only").fetchone()[0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Let all that is written within be there as a whole, or not at all."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except sqlite3.IntegrityError as error:
            self._db.execute("ROLLBACK")
            raise DamageFound(f"rows that contradict each other: {error}") from error
        except BaseException:
            with suppress(sqlite3.DatabaseError):  # a full disk has rolled it back already
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def put_snapshot(self, line: Mapping[str, Any]) -> bool:
        """Add a snapshot, or put it in the place of a lesser one of that derivation; return whether it counts now."""
        cursor = self._db.execute(
            "INSERT INTO snapshots VALUES (:segment, :n, :url, :captured_at, :derivation, :native, :text_digest,"
            " :title, :lead, :class, :fields, :confidence, :source, :seq, :meta_digest, :native)"
            " ON CONFLICT DO UPDATE SET native = excluded.native, text_digest = excluded.text_digest,"
            " title = excluded.title, lead = excluded.lead, class = excluded.class, fields = excluded.fields,"
            " confidence = excluded.confidence, source = excluded.source, seq = excluded.seq, url = excluded.url,"
            " captured_at = excluded.captured_at, meta_digest = excluded.meta_digest, own = max(own, excluded.own)"
            " WHERE excluded.native > native OR (excluded.native = native AND excluded.text_digest < text_digest)",
            line,
        )
        return cursor.rowcount > 0

    def put_text(self, text_digest: str, text: str) -> None:
        """Keep a text, once."""
        if self._db.execute("SELECT 1 FROM texts WHERE digest = ?", (text_digest,)).fetchone() is None:
            self._db.execute("INSERT INTO texts VALUES (?,?)", (text_digest, self._compressor.compress(text.encode())))

    def checkpoint(self, source: str) -> dict[str, Any] | None:
        """Return what the last commit folded names as checkpoint."""
        row = self._db.execute("SELECT checkpoint FROM logs WHERE source = ?", (source,)).fetchone()
        found: dict[str, Any] | None = json.loads(row["checkpoint"]) if row and row["checkpoint"] else None
        return found

    def list_layers(self, source: str) -> list[dict[str, Any]]:
        """Return the layers that are known to cover the log's first commits, in order, as commits name them."""
        rows = self._db.execute("SELECT reference FROM layers WHERE source = ? ORDER BY seq", (source,))
        return [json.loads(row["reference"]) for row in rows]

    def keep_layers(self, source: str, layers: Iterable[dict[str, Any]]) -> None:
        """Know *layers* in place of those known before."""
        with self.transaction():
            self._keep_layers(source, layers)

    def forget(self, source: str, *, distrusted: int) -> None:
        """Know nothing of *source*, but that layers up to commit *distrusted* could not be used."""
        with self.transaction():
            self._doubt_texts(source)
            self._forget(source)
            self._drop_doubted_texts()
            self._db.execute("INSERT OR REPLACE INTO depths VALUES (?,0,0,?)", (source, distrusted))

    def distrusted_until(self, source: str) -> int:
        """Return up to which commit there are layers that could not be used; 0: none are known."""
        row = self._db.execute("SELECT distrusted FROM depths WHERE source = ?", (source,)).fetchone()
        return row["distrusted"] if row else 0

    def list_incomplete(self, source: str) -> list[int]:
        """Return the commits of which only the rows were read."""
        query = "SELECT seq FROM commits INDEXED BY incomplete_commits WHERE source = ? AND kind IS NULL ORDER BY seq"
        return [row["seq"] for row in self._db.execute(query, (source,))]

    def list_unsettled(self, source: str) -> list[int]:
        """Return the commits whose rows leave open which epoch is the greatest, or whether its lease was given up."""
        query = (
            "SELECT seq FROM commits INDEXED BY incomplete_commits WHERE source = ?1 AND kind IS NULL"
            " AND (segment IS NULL OR (epoch = ?2 AND ?3)) ORDER BY seq"
        )
        epoch = self.last_epoch(source)
        is_open = epoch > 0 and not self.is_released(source, epoch)
        return [row["seq"] for row in self._db.execute(query, (source, epoch, is_open))]

    def list_touched(self, source: str, after: int) -> Iterator[str]:
        """Yield the articles that commits after number *after* touched, by URL."""
        query = "SELECT url FROM articles WHERE source = ? AND seq > ? ORDER BY url"
        for row in self._db.execute(query, (source, after)):
            yield row["url"]

    def list_answers(self, source: str, *, url: str | None = None, after: int = 0) -> Iterator[Line]:
        """Yield how an article's captures were answered, or those of all that is no article since commit *after*.

        Those of one URL stand together.
        """
        query = (
            "SELECT c.segment, c.n, c.target_uri, c.captured_at, c.status, c.response_offset, c.truncated,"
            " c.revisit_segment, c.revisit_n FROM captures c"
        )
        if url is not None:
            for row in self._db.execute(f"{query} WHERE c.source = ? AND c.url = ?", (source, url)):
                yield dict(row)
            return
        query += (
            " JOIN segments s USING (segment) WHERE s.source = ? AND s.seq > ? AND c.purpose != 'article'"
            " AND c.response_offset IS NOT NULL ORDER BY c.target_uri"
        )
        for row in self._db.execute(query, (source, after)):
            yield dict(row)

    def export_facts(self, source: str, first: int, last: int) -> Iterator[Line]:
        """Yield all that the commits from *first* to *last* brought. Texts come before the snapshots that have them."""
        place = (source, first, last)
        between = "WHERE source = ? AND seq BETWEEN ? AND ? ORDER BY seq"
        named: set[str] = set()
        for row in self._db.execute(f"SELECT * FROM commits {between}", place):  # noqa: S608 - a text of ours
            yield _make_line("commit", row)
            named.update(json.loads(row["derivations"]))
        for derivation in sorted(named):
            query = "SELECT derivation, meaning FROM derivations WHERE derivation = ?"
            yield from (_make_line("derivation", row) for row in self._db.execute(query, (derivation,)))
        for kind in ("adoption", "segment", "run", "slot"):
            query = f"SELECT * FROM {TABLE_OF[kind]} {between}"  # noqa: S608 - texts of ours
            yield from (_make_line(kind, row) for row in self._db.execute(query, place))
        query = (
            "SELECT c.* FROM captures c JOIN segments s USING (segment)"
            " WHERE s.source = ? AND s.seq BETWEEN ? AND ? ORDER BY s.seq, c.n"
        )
        for row in self._db.execute(query, place):
            yield _make_line("capture", row, without=JUDGED["capture"])
        told: set[str] = set()
        for row in self._db.execute(f"SELECT * FROM snapshots {between}, segment, n, derivation", place):  # noqa: S608
            if row["text_digest"] not in told:
                told.add(row["text_digest"])
                yield from self._export_text(row["text_digest"])
            yield _make_line("snapshot", row, without=JUDGED["snapshot"])
        query = "SELECT url, seq FROM articles WHERE source = ? AND seq BETWEEN ? AND ? ORDER BY url"
        yield from (_make_line("article", row) for row in self._db.execute(query, place))

    def export_article(self, source: str, url: str) -> Iterator[Line]:
        """Yield what is judged of an article: its state and revisions."""
        for kind, table in (("article", "articles"), ("revision", "revisions")):
            query = f"SELECT * FROM {table} WHERE source = ? AND url = ?"  # noqa: S608 - names of ours
            yield from (_make_line(kind, row) for row in self._db.execute(query, (source, url)))

    def export_captures(self, places: Iterable[Place]) -> Iterator[Line]:
        """Yield captures with their verdicts, and what is compared of their snapshots."""
        for place in places:
            rows = self._db.execute("SELECT * FROM captures WHERE segment = ? AND n = ?", place)
            yield from (_make_line("capture", row) for row in rows)
            rows = self._db.execute("SELECT * FROM snapshots WHERE segment = ? AND n = ?", place)
            yield from (_make_line("snapshot", row, without=("lead", "fields")) for row in rows)

    def export_runs(self, source: str, places: Iterable[Place]) -> Iterator[Line]:
        """Yield the runs that made the captures at *places*, each once."""
        told = set()
        for place in places:
            found = self._db.execute("SELECT run FROM captures WHERE segment = ? AND n = ?", place).fetchone()
            if found is not None and found["run"] not in told:
                told.add(found["run"])
                rows = self._db.execute("SELECT * FROM runs WHERE source = ? AND run = ?", (source, found["run"]))
                yield from (_make_line("run", row) for row in rows)

    def export_segments(self, source: str, after: int, named: set[str]) -> Iterator[Line]:
        """Yield the segments of the commits after number *after*, and those *named*; all that is known of these only.

        Also the last commit, that of the greatest epoch (the one that gave its lease up, if any did), the latest crawl.
        """
        query = "SELECT segment, seq FROM segments WHERE source = ? AND seq > ?"
        for row in self._db.execute(query, (source, after)):
            if row["segment"] not in named:
                yield _make_line("segment", row)
        for segment in sorted(named):
            rows = self._db.execute("SELECT * FROM segments WHERE segment = ?", (segment,))
            yield from (_make_line("segment", row) for row in rows)
        for kind, query in (
            ("commit", "SELECT * FROM commits WHERE source = ?1 ORDER BY seq DESC LIMIT 1"),
            ("commit", "SELECT * FROM commits WHERE source = ?1 ORDER BY epoch DESC, releases DESC, seq DESC LIMIT 1"),
            ("run", f"SELECT * FROM runs WHERE source = ?1 ORDER BY {LOOKED} DESC, started DESC LIMIT 1"),  # noqa: S608
        ):
            yield from (_make_line(kind, row) for row in self._db.execute(query, (source,)))

    def export_adoptions(self, source: str) -> Iterator[Line]:
        """Yield which derivations were adopted: all of them, since nothing is judged without."""
        rows = self._db.execute("SELECT * FROM adoptions WHERE source = ? ORDER BY seq, number", (source,))
        yield from (_make_line("adoption", row) for row in rows)

    def export_slots(self, source: str, after: int) -> Iterator[Line]:
        """Yield what commits after number *after* say of slots: all of it, since nothing else tells when none ran."""
        query = "SELECT * FROM slots WHERE source = ? AND seq > ? ORDER BY seq"
        yield from (_make_line("slot", row) for row in self._db.execute(query, (source, after)))

    def find_row(self, source: str, line: Line) -> Line | None:
        """Return the row that *line* of a layer stands for, with all its columns; `None` if there is none."""
        table = TABLE_OF.get(line["type"], f"{line['type']}s")
        keys = [row["name"] for row in self._db.execute(f"PRAGMA table_info({table})") if row["pk"]]
        where = " AND ".join(f"{name} = ?" for name in keys)
        values = [source if name == "source" else line[name] for name in keys]
        row = self._db.execute(f"SELECT * FROM {table} WHERE {where}", values).fetchone()  # noqa: S608 - names of ours
        return None if row is None or ("source" in row.keys() and row["source"] != source) else dict(row)  # noqa: SIM118

    def walk_facts(self, source: str) -> Iterator[tuple[tuple[Any, ...], int, Line]]:
        """Yield what is known of *source*, verdicts left out: kind and key, in order; number of the commit; columns."""
        for kind, query in FACTS.items():
            for row in self._db.execute(query, (source,)):
                line = dict(row)
                seq = line.pop("in_commit")
                for name in JUDGED.get(kind, ()):
                    del line[name]
                yield (kind, *(line[name] for name in FACT_KEYS[kind])), seq, line

    def restore_thin(
        self, source: str, seq: int, head: str, layers: list[dict[str, Any]], lines: Iterable[Line]
    ) -> None:
        """Know of *source* what thin parts say, up to commit *seq*, and nothing else. Raises DamageFound."""
        columns = self._read_columns()
        with self.transaction():
            self._doubt_texts(source)
            self._forget(source)
            self._drop_doubted_texts()
            retelling = Retelling(self._db, source)
            for line in lines:
                kind = _claim(line, source)
                if kind == "snapshot":
                    self._put("snapshots", columns["snapshots"], line)
                elif kind in TABLE_OF:
                    if kind == "article":
                        retelling.tell_article(line["url"])
                    elif kind == "capture":
                        retelling.tell_capture(line["segment"], line["n"])
                    if kind != "segment" or line.get("warc_key") or not self.has_segment(line["segment"]):
                        self._put(TABLE_OF[kind], columns[TABLE_OF[kind]], line)
            retelling.drop_untold()
            self._settle(source, seq, head, layers)
            self._db.execute("INSERT OR REPLACE INTO depths VALUES (?,?,0,0)", (source, seq))

    def restore_full(
        self, source: str, seq: int, head: str, layers: list[dict[str, Any]], lines: Iterable[Line]
    ) -> None:
        """Know of *source* all facts up to commit *seq*, judge them, and forget the rest. Raises DamageFound."""
        columns = self._read_columns()
        touched: dict[str, int] = {}
        with self.transaction():
            self._doubt_texts(source)
            self._forget(source)
            for line in lines:
                kind = _claim(line, source)
                if kind == "snapshot":
                    self.put_snapshot(dict.fromkeys(("title", "lead", "fields")) | line)
                elif kind == "text":
                    if digest(line["text"].encode()) != line["digest"]:
                        raise DamageFound(f"a text that does not have the digest {line['digest'][:80]!a}")
                    self._db.execute("INSERT OR IGNORE INTO doubted VALUES (?)", (line["digest"],))
                    self.put_text(line["digest"], line["text"])
                elif kind == "article":
                    touched[line["url"]] = max(line["seq"], touched.get(line["url"], 0))
                elif kind == "derivation":
                    row = (line["derivation"], line["meaning"])
                    self._db.execute("INSERT OR IGNORE INTO derivations VALUES (?,?)", row)
                elif kind in {"run", "slot"}:
                    self._put(TABLE_OF[kind], columns[TABLE_OF[kind]], line, otherwise="IGNORE")
                elif kind != "revision":
                    self._put(TABLE_OF[kind], columns[TABLE_OF[kind]], line, otherwise="ABORT")
            self._require_whole(source, seq)
            for url, last in sorted(touched.items()):
                self._fold(source, url, last)
            self._settle(source, seq, head, layers)

    def _export_text(self, text_digest: str) -> Iterator[Line]:
        for row in self._db.execute("SELECT text FROM texts WHERE digest = ?", (text_digest,)):
            yield {"type": "text", "digest": text_digest, "text": zstandard.decompress(row["text"]).decode()}

    def _read_columns(self) -> dict[str, tuple[str, ...]]:
        return {
            table: tuple(one[0] for one in self._db.execute(f"SELECT * FROM {table} LIMIT 0").description)  # noqa: S608
            for table in TABLES
        }

    def _put(self, table: str, columns: tuple[str, ...], line: Line, *, otherwise: str = "REPLACE") -> None:
        marks = ",".join("?" * len(columns))
        values = tuple(line.get(column) for column in columns)
        self._db.execute(f"INSERT OR {otherwise} INTO {table} VALUES ({marks})", values)  # noqa: S608 - names of ours

    def _move_on(self, source: str, seq: int, head: str, checkpoint: dict[str, Any] | None) -> None:
        """Note commit *seq* as the last one folded."""
        text = json.dumps(checkpoint, sort_keys=True) if checkpoint else None
        self._db.execute("INSERT OR REPLACE INTO logs VALUES (?,?,?,?)", (source, seq, head, text))

    def _settle(self, source: str, seq: int, head: str, layers: list[dict[str, Any]]) -> None:
        self._move_on(source, seq, head, layers[-1] if layers else None)
        self._keep_layers(source, layers)

    def _keep_layers(self, source: str, layers: Iterable[dict[str, Any]]) -> None:
        self._db.execute("DELETE FROM layers WHERE source = ?", (source,))
        self._db.executemany(
            "INSERT INTO layers VALUES (?,?,?)", [(source, one["seq"], json.dumps(one)) for one in layers]
        )

    def _forget(self, source: str) -> None:
        """Take away all that is known of *source*, but for what sources share."""
        for table in (*TABLES, *LOCAL_TABLES):
            if table not in {"texts", "derivations"}:
                self._db.execute(f"DELETE FROM {table} WHERE source = ?", (source,))  # noqa: S608 - names of ours

    def _doubt_texts(self, source: str) -> None:
        """Note the texts of *source*: once it is forgotten, or known anew, some may be nobody's."""
        self._doubt_nothing()
        self._db.execute("INSERT OR IGNORE INTO doubted SELECT text_digest FROM snapshots WHERE source = ?", (source,))

    def _doubt_nothing(self) -> None:
        self._db.execute("CREATE TEMP TABLE IF NOT EXISTS doubted (digest TEXT PRIMARY KEY) WITHOUT ROWID")
        self._db.execute("DELETE FROM doubted")

    def _drop_doubted_texts(self) -> None:
        self._db.execute(
            "DELETE FROM texts WHERE digest IN (SELECT digest FROM doubted)"
            " AND NOT EXISTS (SELECT 1 FROM snapshots WHERE text_digest = texts.digest)"
        )

    def _require_whole(self, source: str, seq: int) -> None:
        """Drop texts that no snapshot has. Raises DamageFound if the facts cannot be those of commits 1 to *seq*."""
        self._drop_doubted_texts()
        lacking = "SELECT 1 FROM snapshots LEFT JOIN texts ON digest = text_digest WHERE source = ? AND digest IS NULL"
        if self._db.execute(lacking, (source,)).fetchone() is not None:
            raise DamageFound(f"a text of {source} is missing")
        found = self._db.execute("SELECT COUNT(*), MAX(seq) FROM commits WHERE source = ?", (source,)).fetchone()
        if tuple(found) != (seq, seq):
            raise DamageFound(f"found {found[0]} commits of {source} up to {found[1]}, expected {seq}")


def _claim(line: Line, source: str) -> str:
    """Say in *line* that it is of *source*; return its type. Raises DamageFound if it speaks of another's captures."""
    segment = line.get("segment")
    if segment is not None and not owns_segment(source, segment):
        raise DamageFound(f"a {line['type']} of another source's segment: {segment[:100]!a}")
    line["source"] = source
    return str(line["type"])


def _make_line(kind: str, row: sqlite3.Row, *, without: tuple[str, ...] = ()) -> Line:
    left_out = {"source", *without}
    return {"type": kind, **{name: row[name] for name in row.keys() if name not in left_out}}  # noqa: SIM118 - a Row
