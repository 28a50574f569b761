"""Whatever lies behind the last whole capture, recovery keeps what is before it and says what it took off."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.model import Exchange, PageClass, Purpose, Snapshot
from crawler.normalise import digest_text
from crawler.rows import CaptureRow, EndRow, LinkRow, decode_row
from crawler.segment import SegmentWriter, recover_segments
from crawler.warc import encode_exchange, read_records

NOW = datetime(2026, 11, 22, 3, 45, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
STEPS = st.lists(st.one_of(st.none(), st.tuples(st.binary(max_size=80), st.one_of(st.none(), TEXTS))), max_size=5)


def take_step(writer: SegmentWriter, number: int, step: tuple[bytes, str | None] | None) -> None:
    if step is None:
        writer.add(LinkRow(url=f"https://gazette.example/{number}", via="https://gazette.example/", found_at=NOW))
        return
    body, text = step
    exchange = Exchange(
        url=f"https://gazette.example/{number}",
        purpose=Purpose.ARTICLE,
        started_at=NOW + timedelta(seconds=number),
        seconds=0.1,
        request_head=b"GET / HTTP/1.1\r\n\r\n",
        status=200,
        response_head=b"HTTP/1.1 200 OK\r\n\r\n",
        body=body,
    )
    row = CaptureRow(
        n=0, url=exchange.url, target_uri=exchange.url, captured_at=exchange.started_at, purpose="article",
        page_class="article", class_reason=text or "", status=200,
    )  # fmt: skip
    snapshot = text and Snapshot(
        page_class=PageClass.ARTICLE, class_reason="", title=text, lead=None, text=text,
        text_digest=digest_text(text), derivation="sha256:0", fields={}, confidence=0.5,
    )  # fmt: skip
    writer.append(row, encode_exchange(exchange), snapshot or None)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.binary(max_size=60), st.binary(max_size=60))
def test_rubbish_behind_the_last_capture(
    steps: list[tuple[bytes, str | None] | None], warc_rubbish: bytes, rows_rubbish: bytes
) -> None:
    with tempfile.TemporaryDirectory() as name:
        spool = Path(name)
        writer = SegmentWriter.open(spool, source="gazette", run="r", archive=None, writer="ofrecord/0", now=NOW)
        for number, step in enumerate(steps):
            take_step(writer, number, step)
        writer.abandon()
        folder = spool / "open" / writer.segment
        whole = [(folder / file).read_bytes() for file in ("records.warc.gz", "rows.jsonl")]
        (folder / "records.warc.gz").write_bytes(whole[0] + warc_rubbish)
        (folder / "rows.jsonl").write_bytes(whole[1] + rows_rubbish)

        found = recover_segments(spool, NOW)

        if all(step is None for step in steps):
            assert found == []
            return
        assert (found[0] / "records.warc.gz").read_bytes() == whole[0]
        rows = (found[0] / "rows.jsonl").read_bytes()
        assert rows.startswith(whole[1])
        end = decode_row(rows[len(whole[1]) :])
        assert isinstance(end, EndRow)
        assert end.counts == writer.counts
        assert end.warc_records == writer.warc_records == len(list(read_records(found[0] / "records.warc.gz")))
        cut = {"warc_bytes": len(warc_rubbish), "rows_bytes": len(rows_rubbish)}
        assert (end.cut and {key: end.cut[key] for key in cut}) == (cut if any(cut.values()) else None)
