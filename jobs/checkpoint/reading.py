"""Layers as they lie in the store: which of them a log's end names, and their parts, fetched and checked."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from config.errors import DamageFound
from jobs.checkpoint.layer import (
    LayerHead,
    LayerReference,
    PartPlace,
    decode_lines,
    parse_reference,
    read_head,
    read_lines,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.store import ObjectStore

_HELD_BYTES = 64 * 1024**2
"""What is longer lies in a temporary file, and is fetched in pieces of that length."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The layers that together cover the commits 1 to `seq` of a log."""

    layers: tuple[LayerReference, ...]
    head: str
    """Digest of commit `seq`."""
    newest: BinaryIO
    """The thin part of the last layer; to be closed."""

    @property
    def seq(self) -> int:
        """The last commit that is covered."""
        return self.layers[-1].seq

    def to_json(self) -> list[dict[str, Any]]:
        """Return the layers as commits name them."""
        return [one.to_json() for one in self.layers]

    def list_thin(self) -> list[LayerReference]:
        """Return the layers whose thin parts are enough together, in order: three at most, the newest last."""
        chosen: list[LayerReference] = []
        for level in (3, 2, 1):
            found = [one for one in self.layers if one.level == level]
            if found and (not chosen or found[-1].seq > chosen[-1].seq):
                chosen.append(found[-1])
        return chosen


def open_stack(store: ObjectStore, archive: str, source: str, named: dict[str, Any]) -> Stack:
    """Return the layers that the checkpoint *named* stands on. Takes one request.

    Raises DamageFound, FormatTooNew, StoreError.
    """
    reference = parse_reference(named, source)
    thin = fetch_thin(store, reference)
    try:
        head = _open_part(thin, reference, archive, source, "thin")[0]
    except BaseException:
        thin.close()
        raise
    return Stack((*head.below, reference), head.head, thin)


def fetch_thin(store: ObjectStore, reference: LayerReference) -> BinaryIO:
    """Return a layer's thin part as a file, its bytes checked. Raises DamageFound, StoreError."""
    return _fetch(store, reference.key, reference.thin)


def read_thin(thin: BinaryIO, reference: LayerReference, archive: str, source: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of a thin part, and close it. Raises DamageFound, FormatTooNew."""
    with thin:
        thin.seek(0)
        head, lines = _open_part(thin, reference, archive, source, "thin")
        yield from decode_lines(head, lines, reference.key)


def read_facts(store: ObjectStore, reference: LayerReference, archive: str, source: str) -> Iterator[dict[str, Any]]:
    """Yield the facts of a layer, its bytes checked first. Raises DamageFound, FormatTooNew, StoreError."""
    with _fetch(store, reference.key, reference) as file:
        file.seek(reference.thin.size_bytes)
        head, lines = _open_part(file, reference, archive, source, "facts")
        yield from decode_lines(head, lines, reference.key)


def copy_facts(store: ObjectStore, reference: LayerReference, archive: str, source: str) -> Iterator[bytes]:
    """Yield the facts of a layer as they lie there, its bytes checked first. Raises as `read_facts`."""
    with _fetch(store, reference.key, reference) as file:
        file.seek(reference.thin.size_bytes)
        head, lines = _open_part(file, reference, archive, source, "facts")
        yield from read_lines(head, lines, reference.key)


def _fetch(store: ObjectStore, key: str, place: PartPlace | LayerReference) -> BinaryIO:
    """Return the first bytes of an object as a file at its beginning. Raises DamageFound unless they are as named."""
    file = cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=_HELD_BYTES))  # noqa: SIM115 - the caller's
    try:
        size, found = 0, hashlib.sha256()
        while size < place.size_bytes:
            data = store.get(key, offset=size, length=min(_HELD_BYTES, place.size_bytes - size))
            if not data:
                break
            file.write(data)
            found.update(data)
            size += len(data)
        if size != place.size_bytes or f"sha256:{found.hexdigest()}" != place.sha256:
            raise DamageFound(f"{store.url}/{key}: found {size} bytes, expected {place.size_bytes} with {place.sha256}")
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _open_part(
    file: BinaryIO, reference: LayerReference, archive: str, source: str, part: str
) -> tuple[LayerHead, BinaryIO]:
    head, lines = read_head(file, reference.key)
    found = (head.archive, head.source, head.first, head.seq, head.level, head.part)
    expected = (archive, source, reference.first, reference.seq, reference.level, part)
    if found != expected:
        raise DamageFound(f"{reference.key}: found a layer of {found}, expected {expected}")
    return head, lines
