"""What an import holds on to while it reads a file: heads of records that repeat another, and no more than some."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

from config.settings import Settings
from crawler.imports import taking
from crawler.imports.flows import BEGINNING
from crawler.imports.pairs import AnswerReader
from crawler.imports.report import FileReport
from crawler.imports.selection import Selection
from crawler.imports.streams import open_flow
from crawler.imports.taking import ForeignFile, Taker
from crawler.leash import Leash
from tests.foreign import THEN, Record, make_request, plain

if TYPE_CHECKING:
    import pytest

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"


def make_revisit(number: int) -> Record:
    headers = {
        "WARC-Target-URI": f"https://herald.example/{number}",
        "WARC-Date": THEN.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "WARC-Profile": "http://netpreserve.org/warc/1.0/revisit/identical-payload-digest",
    }
    return Record("revisit", HEAD + b"x" * 100_000, headers)


def test_of_records_that_repeat_another_only_heads_wait_and_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "_MAX_DEFERRED_BYTES", 5_000)
    revisits = [make_revisit(number) for number in range(30)]
    data = plain([record for one in revisits for record in (one, make_request(one))])
    selection = Selection([], any_page=True)
    taker = Taker(selection, Settings(), None, Leash(), 1, lambda: False)  # type: ignore[arg-type]  # asked for nothing
    report = FileReport()
    passage = taking._Passage(taker, ForeignFile("a.warc", io.BytesIO(data)), report)
    reader = AnswerReader(open_flow(io.BytesIO(data), start=BEGINNING, begins_at=0), selection, limit=1 << 20)

    async def take_all() -> None:
        while (answer := reader.read()) is not None:
            await passage._take(answer)

    asyncio.run(take_all())
    assert 5 < len(passage._deferred) < 25
    assert all(
        answer.record.block is None and answer.request is None for answer in (page.answer for page in passage._deferred)
    )
    assert report.left_out == {taking.NO_ORIGINAL: 30 - len(passage._deferred)}
