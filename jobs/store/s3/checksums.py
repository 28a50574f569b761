"""What is sent along for the server to check a body by, and what it says of a stored object's digest. Reads files."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from config.errors import ConfigError
from jobs.store.files import BLOCK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ChecksumName = Literal["sha256", "crc64nvme"]


class Sha256:
    """The digest that the archive knows an object by: one value for wire and proof."""

    algorithm: Literal["SHA256"] = "SHA256"
    kind: Literal["COMPOSITE"] = "COMPOSITE"
    """What a server makes of the parts' checksums."""
    field = "ChecksumSHA256"
    """Its name in requests and answers."""

    def of(self, data: bytes | Path, sha256: str) -> str:
        """Return the value for *data*, whose SHA-256 shall be *sha256* (hex), as S3 writes it."""
        del data  # what it ought to be is sent, so that the server finds out if it is not
        return base64.b64encode(bytes.fromhex(sha256)).decode()


class Crc64Nvme:
    """S3's own checksum, for servers that take no SHA-256 or none of an object in parts. Needs awscrt."""

    algorithm: Literal["CRC64NVME"] = "CRC64NVME"
    kind: Literal["FULL_OBJECT"] = "FULL_OBJECT"
    field = "ChecksumCRC64NVME"

    def __init__(self) -> None:
        try:
            from awscrt.checksums import crc64nvme  # noqa: PLC0415 — an extra that few need
        except ImportError as error:
            raise ConfigError(
                "s3_checksum: found crc64nvme, which needs the package awscrt 0.23.4 or later; "
                "pip install awscrt, or set s3_checksum to sha256"
            ) from error
        self._crc64nvme = crc64nvme

    def of(self, data: bytes | Path, sha256: str) -> str:
        """Return the value for *data*, as S3 writes it."""
        del sha256
        value = 0
        for block in _blocks(data):
            value = self._crc64nvme(block, value)
        return base64.b64encode(value.to_bytes(8, "big")).decode()


Checksum = Sha256 | Crc64Nvme
"""One of S3's request checksums."""


def choose_checksum(name: ChecksumName) -> Checksum:
    """Return the checksum that the setting s3_checksum names. Raises ConfigError if its package is missing."""
    return Crc64Nvme() if name == "crc64nvme" else Sha256()


def proven_digest(answer: Mapping[str, Any]) -> str | None:
    """Return the labelled SHA-256 that the server holds for the whole object, or `None` if it has none."""
    value = answer.get("ChecksumSHA256", "")
    if not value or answer.get("ChecksumType") == "COMPOSITE":
        return None
    try:
        raw = base64.b64decode(value, validate=True)
    except ValueError:
        return None
    return f"sha256:{raw.hex()}" if len(raw) == 32 else None


def digest_of(blocks: Iterable[bytes]) -> str:
    """Return the labelled SHA-256 of *blocks* in a row."""
    found = hashlib.sha256()
    for block in blocks:
        found.update(block)
    return f"sha256:{found.hexdigest()}"


def _blocks(data: bytes | Path) -> Iterator[bytes]:
    if not isinstance(data, Path):
        yield data
        return
    with data.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            yield block
