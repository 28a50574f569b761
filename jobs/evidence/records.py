"""WARC records in a bundle, each held against the row of its capture; then the index and the pages against these."""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

from config.errors import DamageFound, RecordError
from crawler.rows import format_time, read_json_object
from crawler.urls import surt
from crawler.warc import digest_bytes, read_records
from jobs.evidence.manifest import RECORDS
from jobs.evidence.parts import inflate_chunks, read_chunks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.rows import Extent
    from crawler.warc import RecordView
    from jobs.evidence.chain import ChainFacts
    from jobs.evidence.findings import Findings
    from jobs.evidence.parts import Parts
    from jobs.evidence.rows import Budget, CaptureFact, Held

MAX_RECORD_BYTES = 1 << 30
INDEX, SQUEEZED_INDEX, INDEX_OF_INDEX, PAGES = (
    "indexes/index.cdx",
    "indexes/index.cdx.gz",
    "indexes/index.idx",
    "pages/pages.jsonl",
)
_MAX_LINE_BYTES = 128 * 1024 * 1024
_ANSWERS = frozenset({"response", "revisit"})
_BESIDE = {"request": "request", "metadata": "metadata", "conversion": "rendered"}

Indexed = dict[tuple[str, int], dict[str, Any]]
"""File and offset → what an index must say of the record there."""


def check_records(parts: Parts, chain: ChainFacts, held: Held, findings: Findings, budget: Budget) -> Indexed:
    """Hold the records against the rows in *held*, which then says what is proven; return what an index may name."""
    indexed: Indexed = {}
    files: dict[str, list[CaptureFact]] = {}
    for fact in held.captures.values():
        if (fact.told.records is None) != (fact.warc is None):
            findings.damage(
                "evidence/manifest.json", f"capture {fact.told.n}: records are there, or not, unlike its row says"
            )
        elif fact.told.records is not None:
            files.setdefault(fact.told.records.path, []).append(fact)
    committed = _list_files(chain)
    for path, facts in sorted(files.items()):
        whole = path != RECORDS
        try:
            if whole:
                _check_whole(parts, path, committed)
            with parts.open(path) as file:
                for fact in sorted(facts, key=lambda one: one.told.records.offset if one.told.records else 0):
                    _check_capture(file, fact, held, indexed, findings, budget=budget, whole=whole)
                if not whole:
                    _check_cover(file, path, facts, findings)
        except (DamageFound, RecordError) as error:
            findings.damage(path, str(error).removeprefix(f"{path}: "))
    held.whole = bool(files) and all(path != RECORDS for path in files)
    _follow_revisits(held)
    return indexed


def _list_files(chain: ChainFacts) -> set[tuple[str, str, int]]:
    """Return name, digest and length of each file that a commit in the bundle names."""
    files = (one for commit in chain.commits.values() for one in commit.files)
    return {(one.key.rpartition("/")[2], one.sha256, one.size_bytes) for one in files}


def _check_whole(parts: Parts, path: str, committed: set[tuple[str, str, int]]) -> None:
    """Raise DamageFound unless the segment's file is the one that its commit names."""
    hashed, size = hashlib.sha256(), 0
    with parts.open(path) as file:
        for data in read_chunks(file):
            hashed.update(data)
            size += len(data)
    if (path.rpartition("/")[2], f"sha256:{hashed.hexdigest()}", size) not in committed:
        raise DamageFound(f"was altered: found {size} bytes with sha256:{hashed.hexdigest()}, no commit names that")


def _check_capture(
    file: IO[bytes],
    fact: CaptureFact,
    held: Held,
    indexed: Indexed,
    findings: Findings,
    *,
    budget: Budget,
    whole: bool,
) -> None:
    told = fact.told.records
    if told is None or fact.warc is None:
        return
    file.seek(told.offset)
    proven = False
    for number, record in enumerate(read_records(_Stretch(file, told.length, told.path))):  # type: ignore[arg-type]
        where = f"capture {fact.told.n} of {fact.told.segment}, record at byte {told.offset + record.offset}"
        budget.take(len(record.block) + len(record.head), where)
        faults = record.find_faults()
        faults += _compare_answer(fact, record) if number == 0 else _compare_beside(fact, record)
        for fault in faults:
            findings.damage(told.path, f"{where}: {fault}")
        if number == 0:
            proven = not faults
            indexed[told.path, told.offset] = _describe(record, fact)
    if proven:
        head = fact.warc.response.head if fact.warc.response else None
        payload = indexed[told.path, told.offset]["mime"] != "warc/revisit"
        held.captures[fact.told.place] = replace(fact, payload_proven=payload, headers_proven=whole or head is not None)


def _compare_answer(fact: CaptureFact, record: RecordView) -> list[str]:
    """Return what the answer's record says otherwise than its row."""
    place = fact.warc.response if fact.warc else None
    wanted = "revisit" if fact.revisit_of else "response"
    pairs: list[tuple[str, object, object]] = [
        ("type", wanted, record.type),
        ("WARC-Payload-Digest", fact.payload_digest, record.header("WARC-Payload-Digest")),
        *_compare_length(fact, place, record),
        *_compare_common(fact, record),
    ]
    if place is not None and place.head is not None:
        pairs.append(("headers of the record", place.head, digest_bytes(record.head)))
    if record.type == "response":
        pairs.append(("bytes of the page", fact.size_bytes, len(record.payload)))
    status = record.block[:64].split(b" ", 2)[1:2]
    pairs.append(("status", str(fact.told.status).encode(), status[0][:3] if status else b""))
    return [
        f"{name}: found {found!s:.200}, its row says {stated!s:.200}"
        for name, stated, found in pairs
        if stated != found
    ]


def _compare_beside(fact: CaptureFact, record: RecordView) -> list[str]:
    """Return what a record behind the answer's says otherwise than the row."""
    name = _BESIDE.get(record.type)
    if name is None:
        return [f"a {record.type[:40]} record, which belongs to no capture"]
    place: Extent | None = getattr(fact.warc, name)
    pairs = list(_compare_common(fact, record))
    if record.type != "metadata" or place is not None:
        pairs += _compare_length(fact, place, record)
    return [
        f"{name}: found {found!s:.200}, its row says {stated!s:.200}"
        for name, stated, found in pairs
        if stated != found
    ]


def _compare_length(fact: CaptureFact, place: Extent | None, record: RecordView) -> list[tuple[str, object, object]]:
    if place is not None and fact.compacted:
        return []  # that of a frame, which the record came out of
    return [("length", place.length if place else None, record.length)]


def _compare_common(fact: CaptureFact, record: RecordView) -> Iterator[tuple[str, object, object]]:
    date = format_time(fact.told.captured_at)
    yield "WARC-Target-URI", fact.told.target_uri, record.header("WARC-Target-URI")
    yield "WARC-Date", date if "." in date else date[:-1] + ".000000Z", record.header("WARC-Date")
    yield "WARC-IP-Address", fact.peer, record.header("WARC-IP-Address")


def _describe(record: RecordView, fact: CaptureFact) -> dict[str, Any]:
    return {
        "url": record.header("WARC-Target-URI"),
        "length": str(record.length),
        "digest": record.header("WARC-Payload-Digest"),
        "status": str(fact.told.status),
        "mime": "warc/revisit" if record.type == "revisit" else fact.media_type or "unk",
        "at": f"{fact.told.captured_at:%Y%m%d%H%M%S}",
        "key": _make_key(fact.told.target_uri),
    }


def _make_key(url: str) -> str:
    """Return the key that an index has of *url*."""
    try:
        return surt(url)
    except ValueError:  # an odd URL sorts under itself
        return re.sub(r"\s", "%20", url)


def _check_cover(file: IO[bytes], path: str, facts: list[CaptureFact], findings: Findings) -> None:
    """Look for bytes that no capture names: before the first stands a warcinfo record, and nothing else anywhere."""
    places = sorted((one.told.records.offset, one.told.records.length) for one in facts if one.told.records)
    file.seek(0)
    first = next(read_records(_Stretch(file, places[0][0], path), limit=1 << 20), None)  # type: ignore[arg-type]
    if first is None or first.type != "warcinfo" or first.length != places[0][0] or first.find_faults():
        findings.damage(path, "does not begin with a warcinfo record, and then the first capture")
    end = places[0][0]
    for offset, length in places:
        if offset != end:
            findings.damage(path, f"no capture names what lies between bytes {end} and {offset}")
        end = offset + length
    file.seek(end)
    if file.read(1):
        findings.damage(path, f"goes on behind the last capture, from byte {end}")


def _follow_revisits(held: Held) -> None:
    """Say of answers without a page of their own that it is proven, where the record that they repeat is."""
    for place, fact in held.captures.items():
        referred = held.captures.get(fact.revisit_of) if fact.revisit_of else None
        if referred and referred.payload_proven and fact.payload_digest in {None, referred.payload_digest}:
            held.captures[place] = replace(fact, payload_proven=True)


class _Stretch:
    """A part of a file, for who reads to its end."""

    def __init__(self, file: IO[bytes], length: int, name: str) -> None:
        self._file = file
        self._left = length
        self.name = name

    def read(self, size: int = -1) -> bytes:
        """Read no further than the stretch goes."""
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data


def check_index(parts: Parts, indexed: Indexed, findings: Findings) -> None:
    """Hold the index against the records: a player shows what it names."""
    paths = parts.sizes()
    path = INDEX if INDEX in paths else SQUEEZED_INDEX
    named: set[tuple[str, int]] = set()
    try:
        for number, line in enumerate(_read_lines(parts, path, squeezed=path == SQUEEZED_INDEX)):
            if number == len(indexed):
                raise DamageFound(f"more lines than the {len(indexed)} answers")
            key, stamp, told = line.decode().split(" ", 2)
            fields = read_json_object(told.encode())  # no name twice: players may take the other
            place = (f"archive/{fields['filename']}", int(fields["offset"]))
            wanted = indexed.get(place)
            if wanted is None or place in named:
                findings.damage(path, f"names byte {place[1]} of {place[0][:200]}, where no answer begins, or twice")
                continue
            named.add(place)
            said = {name: fields.get(name) for name in ("url", "length", "digest", "status", "mime")} | {
                "at": stamp,
                "key": key,
            }
            if said != wanted:
                findings.damage(path, f"says otherwise than the record at byte {place[1]}: {told[:200]!a}")
    except (DamageFound, ValueError, KeyError, TypeError, RecursionError, zlib.error) as error:
        findings.damage(path, f"not an index: {error}")
        return
    if len(named) != len(indexed):
        findings.damage(path, f"names {len(named)} records, found {len(indexed)}")


def check_pages(parts: Parts, held: Held, findings: Findings) -> None:
    """Hold the list of pages against the captures and their texts."""
    known = {(one.told.target_uri, f"{one.told.captured_at:%Y-%m-%dT%H:%M:%SZ}"): one for one in held.captures.values()}
    try:
        for number, line in enumerate(_read_lines(parts, PAGES, squeezed=False)):
            page = read_json_object(line)
            if number > len(held.captures):
                raise DamageFound(f"more lines than the {len(held.captures)} captures")
            if number == 0:
                if page.get("format") != "json-pages-1.0":
                    raise DamageFound(f"found {str(page)[:100]!a}")
                continue
            fact = known.get((str(page.get("url")), str(page.get("ts"))))
            text = page.get("text")
            if fact is None:
                findings.damage(
                    PAGES, f"line {number + 1}: names {str(page.get('url'))[:200]!a}, which is no capture here"
                )
            elif text is not None and digest_bytes(text.encode()) != fact.told.text:
                findings.damage(PAGES, f"line {number + 1}: has another text than the capture")
    except (DamageFound, ValueError, AttributeError, TypeError, RecursionError) as error:
        findings.damage(PAGES, f"not a list of pages: {error}")


def _read_lines(parts: Parts, path: str, *, squeezed: bool) -> Iterator[bytes]:
    """Yield the lines of a part, none of them too long."""
    with parts.open(path) as file:
        held = b""
        for data in inflate_chunks(file) if squeezed else read_chunks(file):
            held += data
            *lines, held = held.split(b"\n")
            yield from lines
            if len(held) > _MAX_LINE_BYTES:
                raise DamageFound(f"a line of more than {_MAX_LINE_BYTES} bytes")
        if held:
            raise DamageFound("the last line does not end")
