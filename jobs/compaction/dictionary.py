"""Records of segments → the dictionary that squeezes them best: what all of them share, and pages that come again.

Zstandard's own training finds the first. The second are pages that were captured several times: with one version in the
dictionary, another one costs what changed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import zstandard

if TYPE_CHECKING:
    from collections.abc import Callable

PAGES_BYTES = 6 << 20
"""Of pages in a dictionary. Who reads one record fetches them all, squeezed to a tenth, once an object."""
TRAINED_BYTES = 112 << 10
_MAX_PAGE_BYTES = 1 << 20
_MAX_ADDRESSES = 200_000
_SAMPLES = 400
_SAMPLE_BYTES = 4 << 10
"""Of a record: of pages their heads, so that training learns what is no page."""
_LEAST_SAMPLES = 20
"""Of fewer nothing can be learned."""
_CODED = b"\r\ncontent-encoding:"
_SMALLEST_ID, _LARGEST_ID = 1 << 15, (1 << 31) - 1


@dataclass(slots=True)
class _Address:
    count: int = 0
    place: int = 0
    """Which record has its last version."""


@dataclass(slots=True)
class DictionaryMaker:
    """Is shown every record once, in order, and then picks."""

    _seen: int = 0
    _addresses: dict[bytes, _Address] = field(default_factory=dict)
    """Digest of the address of a page → how often it was captured whole, and not squeezed on the wire."""
    _samples: dict[int, bytes] = field(default_factory=dict)
    _step: int = 1

    def show(self, record: bytes) -> None:
        """Take in the next record."""
        number = self._seen
        self._seen += 1
        if _scatter(number) % self._step == 0:
            self._samples[number] = record[:_SAMPLE_BYTES]
            if len(self._samples) > 2 * _SAMPLES:
                self._step *= 2
                self._samples = {one: data for one, data in self._samples.items() if _scatter(one) % self._step == 0}
        address = _find_page(record)
        if address is None:
            return
        found = self._addresses.get(address)
        if found is None:
            if len(self._addresses) >= _MAX_ADDRESSES:
                return
            found = self._addresses[address] = _Address()
        found.count += 1
        found.place = number

    def make(self, read: Callable[[int], bytes]) -> zstandard.ZstdCompressionDict | None:
        """Return the dictionary; `None` where there is too little to learn from. *read*: a record, by its number."""
        if len(self._samples) < _LEAST_SAMPLES:
            return None
        samples: list[bytes | bytearray | memoryview[int]] = list(self._samples.values())
        try:
            trained = zstandard.train_dictionary(TRAINED_BYTES, samples).as_bytes()
        except zstandard.ZstdError:  # all of them alike, or shorter than anything worth a word
            return None
        # What stands last is found by every level, and is the cheapest to point at: so what was trained is there, too.
        data = b"".join([trained, *self._pick_pages(read), trained])
        number = int.from_bytes(hashlib.sha256(data).digest()[:8], "big")
        identity = _SMALLEST_ID + number % (_LARGEST_ID - _SMALLEST_ID)
        return zstandard.ZstdCompressionDict(data[:4] + identity.to_bytes(4, "little") + data[8:])

    def _pick_pages(self, read: Callable[[int], bytes]) -> list[bytes]:
        """Return pages, those that came most often last, where a match is cheapest to write."""
        often = Counter({address: one.count for address, one in self._addresses.items()}).most_common()
        pages: list[bytes] = []
        left = PAGES_BYTES
        for address, count in often:
            if count < 2 and pages:
                break
            page = read(self._addresses[address].place)
            if len(page) > left:
                break
            pages.append(page)
            left -= len(page)
        return pages[::-1]


def _scatter(number: int) -> int:
    """Return a number made of *number* by which every kind of record is sampled: kinds come in turns."""
    return number * 0x9E3779B1 % (1 << 32) >> 8


def _find_page(record: bytes) -> bytes | None:
    """Return what stands for the address of the page in *record*; `None` if it holds none that can be squeezed."""
    if len(record) > _MAX_PAGE_BYTES:
        return None
    head, _, block = record.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    if b"WARC-Type: response" not in lines:
        return None
    if _CODED in block[: 16 << 10].partition(b"\r\n\r\n")[0].lower():
        return None
    address = next((line for line in lines if line.startswith(b"WARC-Target-URI:")), b"")
    return hashlib.sha256(address).digest()
