"""Lines → members of a WARC file → the same lines, whatever they hold and wherever records end."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import RecordError
from crawler.warc import encode_facts, read_facts, read_records

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LINES = st.lists(st.binary(max_size=60).map(lambda data: data.replace(b"\n", b"\r") + b"\n"), max_size=40)


@given(lines=LINES, block_bytes=st.integers(1, 500))
def test_lines_come_back(lines: list[bytes], block_bytes: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crawler.warc.facts.BLOCK_BYTES", block_bytes)
        members = list(encode_facts(lines, segment="gazette-x", date=NOON))
    assert list(read_facts(io.BytesIO(b"".join(members)))) == lines
    records = list(read_records(io.BytesIO(b"".join(members))))
    assert len(records) == len(members)
    for record in records:
        assert record.block.endswith(b"\n")
        assert len(record.block) <= block_bytes or record.block.count(b"\n") == 1


@given(lines=LINES.filter(bool), end=st.integers(1))
def test_a_member_that_was_cut_is_refused(lines: list[bytes], end: int) -> None:
    (data,) = encode_facts(lines, segment="gazette-x", date=NOON)
    reader = read_facts(io.BytesIO(data[: end % (len(data) - 1) + 1]))
    with pytest.raises(RecordError, match="ends inside a gzip member"):
        list(reader)
