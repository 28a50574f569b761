"""Layers as they lie in the store: which of them a log's end names, and their parts, fetched and checked."""

from __future__ import annotations

import io
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from config.errors import DamageFound
from jobs.checkpoint.layer import (
    LayerHead,
    LayerReference,
    decode_lines,
    parse_reference,
    read_head,
    read_lines,
    require_bytes,
)
from jobs.seal import hash_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.store import ObjectStore

_HELD_BYTES = 64 * 1024**2
"""Longer layers are read from a temporary file."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The layers that together cover the commits 1 to `seq` of a log."""

    layers: tuple[LayerReference, ...]
    head: str
    """Digest of commit `seq`."""
    newest: bytes
    """The thin part of the last layer."""

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
    data = fetch_thin(store, reference)
    head = _open_part(io.BytesIO(data), reference, archive, source, "thin")[0]
    return Stack((*head.below, reference), head.head, data)


def fetch_thin(store: ObjectStore, reference: LayerReference) -> bytes:
    """Return the bytes of a layer's thin part. Raises DamageFound, StoreError."""
    data = store.get(reference.key, length=reference.thin.size_bytes)
    require_bytes(data, reference.thin, f"{store.url}/{reference.key}")
    return data


def read_thin(data: bytes, reference: LayerReference, archive: str, source: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of a thin part. Raises DamageFound, FormatTooNew."""
    head, lines = _open_part(io.BytesIO(data), reference, archive, source, "thin")
    yield from decode_lines(head, lines, reference.key)


def read_facts(store: ObjectStore, reference: LayerReference, archive: str, source: str) -> Iterator[dict[str, Any]]:
    """Yield the facts of a layer, its bytes checked first. Raises DamageFound, FormatTooNew, StoreError."""
    with _fetch(store, reference) as file:
        file.seek(reference.thin.size_bytes)
        head, lines = _open_part(file, reference, archive, source, "facts")
        yield from decode_lines(head, lines, reference.key)


def copy_facts(store: ObjectStore, reference: LayerReference, archive: str, source: str) -> Iterator[bytes]:
    """Yield the facts of a layer as they lie there, its bytes checked first. Raises as `read_facts`."""
    with _fetch(store, reference) as file:
        file.seek(reference.thin.size_bytes)
        head, lines = _open_part(file, reference, archive, source, "facts")
        yield from read_lines(head, lines, reference.key)


@contextmanager
def _fetch(store: ObjectStore, reference: LayerReference) -> Iterator[BinaryIO]:
    where = f"{store.url}/{reference.key}"
    if reference.size_bytes <= _HELD_BYTES:
        data = store.get(reference.key, length=reference.size_bytes + 1)
        require_bytes(data, reference, where)
        yield io.BytesIO(data)
        return
    with tempfile.TemporaryDirectory(prefix="ofrecord-") as folder:
        path = Path(folder) / "layer"
        store.fetch(reference.key, path)
        if path.stat().st_size != reference.size_bytes or hash_file(path) != reference.sha256:
            raise DamageFound(f"{where}: is not the layer that was named")
        with path.open("rb") as file:
            yield file


def _open_part(
    file: BinaryIO, reference: LayerReference, archive: str, source: str, part: str
) -> tuple[LayerHead, BinaryIO]:
    head, lines = read_head(file, reference.key)
    found = (head.archive, head.source, head.first, head.seq, head.level, head.part)
    expected = (archive, source, reference.first, reference.seq, reference.level, part)
    if found != expected:
        raise DamageFound(f"{reference.key}: found a layer of {found}, expected {expected}")
    return head, lines
