"""How verify reads the members of a WARC file: exact places, every fault in words, bounded work on garbage."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import pytest

from jobs.archive.commit import digest
from jobs.verify import Finding, VerifyReport
from jobs.verify.members import Record, walk_records
from jobs.verify.report import MAX_FINDINGS_PER_OBJECT, Notes

if TYPE_CHECKING:
    from pathlib import Path


def _walk(path: Path, data: bytes) -> tuple[list[Record], list[Finding]]:
    path.write_bytes(data)
    report = VerifyReport(full=True)
    return list(walk_records(path, Notes(report, "x.warc.gz"))), report.findings


def _record(block: bytes = b"x", **headers: str) -> bytes:
    fields = {
        "WARC-Type": "metadata",
        "WARC-Record-ID": "<urn:uuid:1>",
        "WARC-Date": "2026-11-22T12:00:00Z",
        "WARC-Block-Digest": digest(block),
        "Content-Length": str(len(block)),
    }
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value != "-")
    return b"WARC/1.1\r\n" + head.encode() + b"\r\n" + block + b"\r\n\r\n"


def _zip(data: bytes) -> bytes:
    compressor = zlib.compressobj(6, zlib.DEFLATED, 31)
    return compressor.compress(data) + compressor.flush()


def test_member_places_are_exact(tmp_path: Path) -> None:
    members = [_zip(_record(bytes([n]) * n * 1000)) for n in range(200)]
    records, findings = _walk(tmp_path / "x", b"".join(members))
    assert findings == []
    assert [record.length for record in records] == [len(member) for member in members]
    assert [record.offset for record in records] == [len(b"".join(members[:n])) for n in range(200)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "found an empty file"),
        (b"WARC/1.1\r\n", "incorrect header check"),
        (_record(), "incorrect header check"),
        (_zip(b""), "no end of headers"),
        (_zip(b"x" * 3_000_000), "no end of headers"),
        (_zip(b"HTTP/1.1 200 OK\r\n\r\n"), "expected WARC/1.1"),
        (_zip(_record(WARC_Type="-")), "header warc-type is missing"),
        (_zip(_record(WARC_Block_Digest="-")), "header warc-block-digest is missing"),
        (_zip(_record(Content_Length="-")), "header content-length is missing"),
        (_zip(_record(Content_Length="1e3")), "Content-Length: found '1e3'"),
        (_zip(_record(Content_Length="+1")), "Content-Length: found '+1'"),
        (_zip(_record(Content_Length="9" * 5000)), "Content-Length: found '999"),
        (_zip(_record(Content_Length="7")), "found 5 bytes of block"),
        (_zip(_record(Content_Length="0")), "after the block"),
        (_zip(_record(Content_Length="1\r\nContent-Length: 2")), "stands twice"),
        (_zip(_record(WARC_Block_Digest=digest(b"y"))), "WARC-Block-Digest: found"),
        (_zip(_record(WARC_Block_Digest="sha1:ABC")), "WARC-Block-Digest: found"),
        (_zip(_record(X="1\r\nno colon")), "a header line without a colon"),
        (_zip(_record() + _record()), "after the block"),
        (_zip(_record()[:-2]), "after the block"),
        (
            _zip(_record(WARC_Type="response", WARC_Target_URI="https://x.example/")),
            "without the end of its HTTP headers",
        ),
        (_zip(_record(b"HTTP/1.1 200 OK\r\n\r\nx", WARC_Type="response")), "without WARC-Target-URI"),
        (_zip(_record(b"HTTP/1.1 200 OK\r\n\r\nx", WARC_Type="response")), "WARC-Payload-Digest: found"),
        (_zip(_record())[:-1], "the file ends inside a gzip member"),
        (_zip(_record()) + b"\0", "1 bytes cannot be read"),
        (_zip(_record()) + bytes(9), "incorrect header check"),
        (_zip(_record()) + _zip(_record())[:12], "the file ends inside a gzip member"),
    ],
)
def test_bad_members_are_found(tmp_path: Path, data: bytes, message: str) -> None:
    _, findings = _walk(tmp_path / "x", data)
    assert any(message in finding.message for finding in findings), findings


def test_member_that_inflates_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.verify.inflating.MAX_RECORD_BYTES", 1 << 22)
    records, findings = _walk(tmp_path / "x", _zip(_record(bytes(1 << 23))) + _zip(_record()))
    assert [record.number for record in records] == [2]
    assert [(finding.record, finding.offset) for finding in findings] == [(1, 0)]
    assert "inflates to more than" in findings[0].message


def test_garbage_is_not_worth_a_million_lines(tmp_path: Path) -> None:
    _, findings = _walk(tmp_path / "x", _zip(b"garbage") * 1000)
    assert len(findings) == MAX_FINDINGS_PER_OBJECT + 1
    assert "the rest is left out" in findings[-1].message


def test_too_many_records_are_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.verify.members.MAX_RECORDS", 10)
    records, findings = _walk(tmp_path / "x", _zip(_record()) * 20)
    assert len(records) == 10
    assert "more than 10 records" in findings[0].message


def test_notices_leave_room_for_damage() -> None:
    report = VerifyReport(full=True)
    notes = Notes(report, "x.warc.gz")
    for number in range(3 * MAX_FINDINGS_PER_OBJECT):
        notes.notice(f"notice {number}")
    notes.damage("a text was changed")
    assert report.damaged
    assert len(report.findings) == MAX_FINDINGS_PER_OBJECT + 2
