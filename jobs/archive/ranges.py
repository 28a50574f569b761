"""A part of an object that holds records → bytes that can be read alone: behind the dictionary that it needs, if any.

Of what was compacted (`.warc.zst`, FORMAT.md § 5) the dictionary is fetched once an object and kept for a while.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Protocol
from weakref import WeakKeyDictionary

from config.errors import RecordError
from crawler.warc.frames import DICTIONARY_FRAME, FRAME_HEAD_BYTES, MAX_DICTIONARY_BYTES, skippable_size


class Ranges(Protocol):
    """What of a store is needed here."""

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        """As `jobs.store.ObjectStore.get`."""


COMPACTED = ".warc.zst"
"""How the keys of objects end that have a dictionary."""
MAX_KEPT_BYTES = 16 << 20
"""Of dictionaries, as they are stored; the newest stays however long it is."""
_FIRST_BYTES = 256 << 10
"""Most dictionaries are shorter, so that one request brings them."""


class _Dictionaries:
    """The dictionary frames of one store's objects, those used last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0

    def find(self, key: str) -> bytes | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: str, frame: bytes) -> None:
        with self._lock:
            self._size += len(frame) - len(self._kept.pop(key, b""))
            self._kept[key] = frame
            while self._size > MAX_KEPT_BYTES and len(self._kept) > 1:
                self._size -= len(self._kept.popitem(last=False)[1])


_STORES: WeakKeyDictionary[Ranges, _Dictionaries] = WeakKeyDictionary()
_LOCK = threading.Lock()


def fetch_range(store: Ranges, key: str, offset: int, length: int) -> bytes:
    """Return *length* bytes from *offset* of the object *key*, fewer past its end, as readers of records take them.

    Of a compacted object the dictionary frame stands before them. Raises RecordError where that cannot be read,
    ObjectMissing and the store's other errors.
    """
    data = store.get(key, offset=offset, length=length)
    return data if not key.endswith(COMPACTED) else fetch_dictionary(store, key) + data


def fetch_dictionary(store: Ranges, key: str) -> bytes:
    """Return the dictionary frame that the compacted object *key* begins with; empty if it has none.

    Raises RecordError and StoreError.
    """
    with _LOCK:
        kept = _STORES.setdefault(store, _Dictionaries())
    frame = kept.find(key)
    if frame is None:
        frame = _fetch(store, key)
        kept.keep(key, frame)
    return frame


def _fetch(store: Ranges, key: str) -> bytes:
    data = store.get(key, offset=0, length=_FIRST_BYTES)
    if not data.startswith(DICTIONARY_FRAME):
        return b""
    size = skippable_size(data[:FRAME_HEAD_BYTES])
    if size > MAX_DICTIONARY_BYTES + FRAME_HEAD_BYTES:
        raise RecordError(f"{key}: a dictionary of {size} bytes; at most {MAX_DICTIONARY_BYTES} are read")
    if len(data) < size:
        data += store.get(key, offset=len(data), length=size - len(data))
    if len(data) < size:
        raise RecordError(f"{key}: the object ends inside its dictionary")
    return data[:size]
