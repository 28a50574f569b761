"""A layer of a checkpoint ⇄ bytes: two zstd frames of JSON lines, `thin` and `facts` (FORMAT.md § 4).

Bounded in both directions: lines are streamed, and what is long lies in temporary files.
"""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import zstandard
from pydantic import TypeAdapter, ValidationError

from config.errors import DamageFound, RecordError
from crawler.rows import MAX_LINE_BYTES
from jobs.archive.commit import FORMAT, MAX_NUMBER, require_format, require_supported
from jobs.checkpoint.lines import decode_line
from jobs.fold import FOLD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MAX_INFLATED_BYTES = 4 * 1024**3
MAX_PART_BYTES = MAX_INFLATED_BYTES + MAX_INFLATED_BYTES // 64
"""Of a frame as it is stored, where nothing could be deflated."""
MAX_WINDOW_BYTES = 128 * 1024**2
_KEPT_BYTES = 32 * 1024**2
_CHUNK_BYTES = 1 << 20


class OtherFold(DamageFound):
    """A layer that was made by other rules of the fold: of no use, and no damage."""


@dataclass(frozen=True, slots=True)
class PartPlace:
    """The first bytes of a layer: its thin part."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class LayerReference:
    """How commits and other layers name a layer."""

    key: str
    size_bytes: int
    sha256: str
    seq: int
    """The last commit that it covers."""
    first: int
    level: int
    thin: PartPlace

    def to_json(self) -> dict[str, Any]:
        """Return what a commit's `checkpoint` says."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class LayerHead:
    """The first line of each part."""

    requires: tuple[str, ...]
    fold: int
    archive: str
    source: str
    first: int
    seq: int
    head: str
    """Digest of commit `seq`."""
    level: int
    part: Literal["thin", "facts"]
    below: tuple[LayerReference, ...]
    """The layers that cover the commits before `first`, in order."""
    lines: int
    """That follow this one."""
    inflated_bytes: int
    """Of those."""
    format: str = FORMAT
    type: Literal["layer"] = "layer"


_HEADS: TypeAdapter[LayerHead] = TypeAdapter(LayerHead)
_REFERENCES: TypeAdapter[LayerReference] = TypeAdapter(LayerReference)


def layer_key(source: str, seq: int) -> str:
    """Return the key of the layer that ends with commit *seq*."""
    return f"checkpoint/{source}/{seq:012d}"


def parse_reference(found: object, source: str) -> LayerReference:
    """Return what a commit's `checkpoint` says. Raises DamageFound if it names no layer of *source*."""
    try:
        reference = _REFERENCES.validate_json(json.dumps(found), strict=True)
    except (ValidationError, ValueError, RecursionError) as error:
        raise DamageFound(f"names a checkpoint that is none: {str(found)[:200]!a}") from error
    _require_sound(reference, source)
    return reference


def write_layer(
    path: Path, head: LayerHead, thin: Iterable[bytes], facts: Iterable[bytes]
) -> tuple[LayerReference, dict[str, int]]:
    """Write a layer into the new file *path*; return how to name it, and the lines of each part.

    *head*: its `part`, `lines` and `inflated_bytes` are filled in. *thin*, *facts*: lines with their newlines.
    """
    sizes: dict[str, int] = {}
    with path.open("xb") as file:
        sizes["thin"] = _write_part(file, head, "thin", thin)
        thin_bytes = file.tell()
        sizes["facts"] = _write_part(file, head, "facts", facts)
        size_bytes = file.tell()
    with path.open("rb") as file:
        thin_place = PartPlace(thin_bytes, _hash(file, thin_bytes))
        file.seek(0)
        sha256 = _hash(file, size_bytes)
    reference = LayerReference(
        layer_key(head.source, head.seq), size_bytes, sha256, head.seq, head.first, head.level, thin_place
    )
    return reference, sizes


def read_head(source: BinaryIO, where: str) -> tuple[LayerHead, BinaryIO]:
    """Return the first line of the part that begins where *source* stands, and what the other lines are read from.

    Raises DamageFound and FormatTooNew.
    """
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
    lines: BinaryIO = io.BufferedReader(
        _Inflated(decompressor.stream_reader(source, read_size=_CHUNK_BYTES)), _CHUNK_BYTES
    )
    line = _read_line(lines, where)
    try:
        fields = json.loads(line)
        require_format(fields.get("format"), where)
        require_supported([str(name) for name in fields.get("requires", ())], where)
        head = _HEADS.validate_json(line, strict=True)
    except (ValidationError, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise DamageFound(f"{where}: its first line is not that of a layer") from error
    if head.fold != FOLD:
        raise OtherFold(f"{where}: holds facts for fold {head.fold}, expected {FOLD}")
    for reference in head.below:
        _require_sound(reference, head.source)
    if [one.first for one in head.below] + [head.first] != [1, *(one.seq + 1 for one in head.below)]:
        raise DamageFound(f"{where}: the layers below do not cover the commits before {head.first}")
    return head, lines


def read_lines(head: LayerHead, lines: BinaryIO, where: str) -> Iterator[bytes]:
    """Yield the lines after the first. Raises DamageFound if they are not as many as it says."""
    number, size = 0, 0
    while line := _read_line(lines, where):
        number, size = number + 1, size + len(line)
        if number > head.lines or size > min(head.inflated_bytes, MAX_INFLATED_BYTES):
            raise DamageFound(f"{where}: goes on after {head.lines} lines of {head.inflated_bytes} bytes")
        yield line
    if (number, size) != (head.lines, head.inflated_bytes):
        raise DamageFound(
            f"{where}: found {number} lines of {size} bytes, expected {head.lines} of {head.inflated_bytes}"
        )


def decode_lines(head: LayerHead, lines: BinaryIO, where: str) -> Iterator[dict[str, Any]]:
    """Yield the lines after the first as data; those of unknown types are passed over. Raises DamageFound."""
    for number, line in enumerate(read_lines(head, lines, where), 2):
        found = decode_line(line, f"{where}: {head.part} line {number}")
        if found is not None:
            yield found


class _Inflated(io.RawIOBase):
    """A frame being inflated, whose faults are damage."""

    def __init__(self, reader: zstandard.ZstdDecompressionReader) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - a buffer
        try:
            return int(self._reader.readinto(buffer))
        except (zstandard.ZstdError, MemoryError) as error:
            raise DamageFound(f"a frame that cannot be inflated: {error}") from error


def _write_part(file: BinaryIO, head: LayerHead, part: str, lines: Iterable[bytes]) -> int:
    with tempfile.SpooledTemporaryFile(max_size=_KEPT_BYTES) as held:
        number, size = 0, 0
        with zstandard.ZstdCompressor(level=1).stream_writer(held, closefd=False) as writer:
            for line in lines:
                writer.write(line)
                number, size = number + 1, size + len(line)
        if size > MAX_INFLATED_BYTES:
            raise RecordError(f"{layer_key(head.source, head.seq)}: {size} bytes of facts are too many for a layer")
        held.seek(0)
        fields = {**asdict(head), "part": part, "lines": number, "inflated_bytes": size}
        parameters = zstandard.ZstdCompressionParameters.from_level(9, window_log=24)
        compressor = zstandard.ZstdCompressor(compression_params=parameters)
        with compressor.stream_writer(file, closefd=False) as writer:
            writer.write(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            for chunk in zstandard.ZstdDecompressor().read_to_iter(held):
                writer.write(chunk)
    return number


def _read_line(lines: BinaryIO, where: str) -> bytes:
    line = lines.readline(MAX_LINE_BYTES + 1)
    if line and (len(line) > MAX_LINE_BYTES or not line.endswith(b"\n")):
        raise DamageFound(f"{where}: a line that does not end within {MAX_LINE_BYTES} bytes")
    return line


def _require_sound(reference: LayerReference, source: str) -> None:
    numbers = (1, reference.first, reference.seq, MAX_NUMBER)
    if (
        reference.key != layer_key(source, reference.seq)
        or list(numbers) != sorted(numbers)
        or not 0 < reference.thin.size_bytes <= min(reference.size_bytes, MAX_PART_BYTES)
        or reference.size_bytes > 2 * MAX_PART_BYTES
    ):
        raise DamageFound(f"names a checkpoint {reference.key[:200]!a}, which cannot be one of {source}")


def _hash(file: BinaryIO, size: int) -> str:
    found = hashlib.sha256()
    while size and (chunk := file.read(min(size, _CHUNK_BYTES))):
        found.update(chunk)
        size -= len(chunk)
    return "sha256:" + found.hexdigest()
