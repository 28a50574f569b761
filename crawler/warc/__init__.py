"""Exchanges ⇄ WARC/1.1 records: `writer` makes them, `reader` reads them back."""

from crawler.warc.conversion import gzip_members, gzip_record
from crawler.warc.facts import encode_facts, facts_uri, read_facts
from crawler.warc.reader import (
    MAX_RECORD_BYTES,
    MemberFile,
    RecordView,
    StoredResponse,
    inflate_member,
    read_member,
    read_records,
    read_response,
)
from crawler.warc.recorded import NOTHING_RECORDED, Recorded
from crawler.warc.writer import (
    NOT_MODIFIED,
    cdxj_line,
    digest_bytes,
    encode_exchange,
    encode_warcinfo,
    format_index_line,
)

__all__ = [
    "MAX_RECORD_BYTES",
    "NOTHING_RECORDED",
    "NOT_MODIFIED",
    "MemberFile",
    "RecordView",
    "Recorded",
    "StoredResponse",
    "cdxj_line",
    "digest_bytes",
    "encode_exchange",
    "encode_facts",
    "encode_warcinfo",
    "facts_uri",
    "format_index_line",
    "gzip_members",
    "gzip_record",
    "inflate_member",
    "read_facts",
    "read_member",
    "read_records",
    "read_response",
]
