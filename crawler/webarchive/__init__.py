"""What other web archives hold of a site: their lists of copies read, copies chosen, the original exchange rebuilt.

Pure: who asks an archive is `crawler.backfill`.
"""

from __future__ import annotations

from crawler.webarchive.cdx import read_cdx
from crawler.webarchive.copies import Copy, CopyList, decode_copies, encode_copies, read_stamp, write_stamp
from crawler.webarchive.pending import Pending
from crawler.webarchive.position import POSITION_FILE, Position
from crawler.webarchive.replay import NotACopy, raw_form, raw_url, rebuild_exchange
from crawler.webarchive.timemap import read_timemap
from crawler.webarchive.windows import FIRST_SECOND, Window, Windows

__all__ = [
    "FIRST_SECOND",
    "POSITION_FILE",
    "Copy",
    "CopyList",
    "NotACopy",
    "Pending",
    "Position",
    "Window",
    "Windows",
    "decode_copies",
    "encode_copies",
    "raw_form",
    "raw_url",
    "read_cdx",
    "read_stamp",
    "read_timemap",
    "rebuild_exchange",
    "write_stamp",
]
