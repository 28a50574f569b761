"""The raw copy that a web archive serves → the exchange that it once recorded. Pure.

Its head is put together from what the archive says of it (`X-Archive-Orig-*`): near to what the publisher sent, and
not that byte for byte.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from config.errors import FetchError
from crawler.model import Purpose
from crawler.throttle import parse_http_date
from crawler.urls import normalise_url, resolve_link
from crawler.webarchive.copies import write_stamp

if TYPE_CHECKING:
    from crawler.model import Exchange
    from crawler.webarchive.copies import Copy

_PREFIX = "x-archive-orig-"
_PASSED_ON = ("content-type", "content-language", "content-disposition")
"""Headers of the publisher's that archives also hand on under their own names."""
_OF_THE_WAY = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive"})
"""What holds for the archive's answer, and may not hold for the publisher's."""
_STAMPED = re.compile(r"/(\d{14})(?:[a-z]{2}_)?/(?=https?:)", re.ASCII)
_REPLAYED = re.compile(r"/\d{1,14}(?:[a-z]{2}_)?/(https?:.*)", re.ASCII | re.DOTALL)
_ORIGINAL = re.compile(r"<([^<>]{0,8192})>\s*;\s*rel=\"?original\"?", re.ASCII)
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_SAFE_VALUE = re.compile(r"[^\x20-\x7e\xa0-\xff\t]")


class NotACopy(FetchError):
    """What an archive answered is not the copy that it was asked for."""

    def __init__(self, kind: str, told: str = "", *, transient: bool = False) -> None:
        super().__init__(f"{kind}: {told}" if told else kind)
        self.kind = kind
        """The reason in a few words, the same for all that it holds for."""
        self.transient = transient
        """Whether it may be had another time."""


def raw_url(replay: str, copy: Copy) -> str:
    """Return where an archive that replays below *replay* serves *copy* as it was recorded."""
    return f"{replay}{write_stamp(copy.captured_at)}id_/{copy.url}"


def raw_form(memento: str) -> str:
    """Return the address of the copy at *memento* as it was recorded; as it is where it does not name its time."""
    return _STAMPED.sub(r"/\1id_/", memento, count=1)


def rebuild_exchange(answer: Exchange, copy: Copy) -> Exchange:
    """Return the exchange that the archive recorded, from its *answer* when asked for *copy*, redirects not followed.

    URL, time, status and payload are the copy's; there is no request, and no peer. Raises NotACopy.
    """
    if answer.status is None:
        raise NotACopy(
            "robots.txt forbids it" if answer.forbidden else "no answer",
            answer.error or "",
            transient=not answer.forbidden,
        )
    if answer.truncated is not None and answer.truncated != "length":
        raise NotACopy("the answer was cut", answer.truncated, transient=True)
    captured_at = parse_http_date(answer.header("Memento-Datetime"))
    if captured_at is None:
        _refuse(answer)
    elif captured_at != copy.captured_at:
        raise NotACopy("the archive has another time", f"{captured_at:%Y-%m-%d %H:%M:%S}Z")
    _require_same_page(answer, copy)
    return replace(
        answer,
        url=copy.url,
        purpose=Purpose.ARTICLE,
        started_at=captured_at or copy.captured_at,
        seconds=0.0,
        request_head=b"",
        response_head=_rebuild_head(answer),
        peer=None,
        via=None,
        masked=(),
        via_proxy=False,
        tls=None,
    )


def _refuse(answer: Exchange) -> None:
    """Raise NotACopy for an *answer* of the archive's own, one without Memento-Datetime."""
    status = answer.status or 0
    if status in _TRANSIENT:
        raise NotACopy(f"the archive answered {status}", transient=True)
    if status != 200 or not any(name.startswith(_PREFIX) for name, _ in _read_headers(answer)):
        raise NotACopy("the archive has no such copy", f"status {status}")


def _require_same_page(answer: Exchange, copy: Copy) -> None:
    for value in answer.header_values("Link"):
        if (match := _ORIGINAL.search(value)) is None:
            continue
        try:
            same = normalise_url(match[1]) == normalise_url(copy.url)
        except ValueError:
            same = False
        if not same:
            raise NotACopy("the archive has another page", repr(match[1][:200]))


def _read_headers(answer: Exchange) -> list[tuple[str, str]]:
    """Return the headers of *answer* in order, names as written, prefixes in lower case."""
    found = []
    for line in re.sub(rb"\r\n[ \t]+", b" ", answer.response_head).split(b"\r\n")[1:]:
        name, colon, value = line.decode("latin-1").partition(":")
        name = name.strip()
        if name[: len(_PREFIX)].lower() == _PREFIX:
            name = _PREFIX + name[len(_PREFIX) :]
        if colon and name:
            found.append((name, value.strip()))
    return found


def _rebuild_head(answer: Exchange) -> bytes:
    headers = _read_headers(answer)
    original = [(name[len(_PREFIX) :], value) for name, value in headers if name.startswith(_PREFIX)]
    lines = [(name, value) for name, value in original if name and name.lower() not in _OF_THE_WAY]
    known = {name.lower() for name, _ in lines}
    lines += [(name, value) for name, value in headers if name.lower() in _PASSED_ON and name.lower() not in known]
    if "location" not in known and (location := answer.header("Location")) is not None:
        lines.append(("Location", _original_target(answer.url, location)))
    lines += [(name, value) for name, value in headers if name.lower() == "content-encoding"]
    lines.append(("Content-Length", str(len(answer.body))))
    status = answer.response_head.split(b"\r\n", 1)[0].decode("latin-1")
    told = "".join(f"{_clean(name)}: {_clean(value)}\r\n" for name, value in lines)
    return f"{_clean(status)}\r\n{told}\r\n".encode("latin-1")


def _original_target(url: str, location: str) -> str:
    """Return where a recorded redirect led to, the archive's own address taken away."""
    absolute = resolve_link(url, location) or location
    match = _REPLAYED.search(absolute)
    return match[1] if match else location


def _clean(text: str) -> str:
    return _SAFE_VALUE.sub("?", text)
