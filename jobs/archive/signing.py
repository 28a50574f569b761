"""Documents of two lines, as commits, manifests, keys and heads are (FORMAT.md § 4), and who signed them: Ed25519.

Line 1 is JSON, line 2 `-` or the signatures made over line 1 with its newline. Reads no store.
"""

# ruff: noqa: PLC0415 - what an unsigned archive has no use for is loaded where a key is

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from config.errors import ConfigError, DamageFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.settings import Settings
    from jobs.archive.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

UNSIGNED = "-"
MAX_SIGNATURES = 8
MAX_KEY_FILE_BYTES = 16 * 1024
_SIGNATURE = re.compile(r"([a-z0-9-]{1,32}) ([0-9a-f]{64}) ([A-Za-z0-9+/]{2,8192}={0,2})")


@dataclass(frozen=True, slots=True)
class Signature:
    """One of the signatures of a document."""

    algorithm: str
    key_id: str
    base64: str

    def __str__(self) -> str:
        return f"{self.algorithm} {self.key_id} {self.base64}"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that signatures are checked by."""

    key_id: str
    """Lower-case hex of the SHA-256 of its 32 bytes: what people call its fingerprint."""
    pem: str
    """SubjectPublicKeyInfo, as openssl takes it."""
    _key: Ed25519PublicKey

    @classmethod
    def of(cls, key: Ed25519PublicKey) -> Self:
        """Return *key* with its id and PEM."""
        from jobs.archive.ed25519 import encode_public

        raw, pem = encode_public(key)
        return cls(hashlib.sha256(raw).hexdigest(), pem, key)

    @classmethod
    def read(cls, pem: str) -> Self:
        """Return the Ed25519 key that *pem* holds. Raises ValueError."""
        from jobs.archive.ed25519 import decode_public

        return cls.of(decode_public(pem))

    def has_signed(self, line: bytes, signature: Signature) -> bool:
        """Whether *signature* is this key's, over *line*, its newline included."""
        if (signature.algorithm, signature.key_id) != ("ed25519", self.key_id):
            return False
        try:
            data = base64.b64decode(signature.base64, validate=True)
        except ValueError:
            return False
        from jobs.archive.ed25519 import is_signature

        if not is_signature(self._key, data, line):
            return False
        return base64.b64encode(data).decode() == signature.base64  # one way to write it: bits behind the end count


class Signer:
    """A private key, in memory. Nothing of it is ever printed or stored by us but by `encode_private`."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey.of(key.public_key())

    def __repr__(self) -> str:
        return f"Signer({self.public.key_id[:16]})"

    @classmethod
    def generate(cls) -> Self:
        """Return a new key."""
        from jobs.archive.ed25519 import generate_key

        return cls(generate_key())

    @classmethod
    def read(cls, pem: bytes, where: str) -> Self:
        """Return the Ed25519 key that *pem* (PKCS #8, no password) holds. Raises ConfigError naming *where*."""
        from jobs.archive.ed25519 import decode_private

        try:
            key = decode_private(pem)
        except ValueError as error:
            expected = "an Ed25519 key as `ofrecord keys new` makes"
            raise ConfigError(f"{where}: found {error}, expected {expected}") from error
        return cls(key)

    def sign(self, line: bytes) -> Signature:
        """Return the signature over *line*, its newline included."""
        return Signature("ed25519", self.public.key_id, base64.b64encode(self._key.sign(line)).decode())

    def encode_private(self) -> bytes:
        """Return the key as PEM, to be written where only its owner reads."""
        from jobs.archive.ed25519 import encode_private

        return encode_private(self._key)


def read_signer(settings: Settings) -> Signer | None:
    """Return the key that *settings* name, `None` if they name none. Raises ConfigError."""
    if settings.signing_key is not None and settings.signing_key_file is not None:
        raise ConfigError("signing_key: found this and signing_key_file, expected one of them")
    if settings.signing_key is not None:
        return Signer.read(settings.signing_key.get_secret_value().encode(), "OFRECORD_SIGNING_KEY")
    path = settings.signing_key_file
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            pem = file.read(MAX_KEY_FILE_BYTES)
    except OSError as error:
        raise ConfigError(f"signing_key_file: {path} cannot be read: {error.strerror}") from error
    return Signer.read(pem, f"signing_key_file: {path}")


def encode_document(line: bytes, signers: Iterable[Signer] = ()) -> bytes:
    """Return the document of *line* (without a newline) and the signatures of *signers* over it."""
    signed = line + b"\n"
    signatures = ", ".join(str(one.sign(signed)) for one in signers)
    return signed + (signatures or UNSIGNED).encode() + b"\n"


def split_document(data: bytes, where: str, what: str, most: int) -> tuple[bytes, str]:
    """Return line 1 without and line 2 without their newlines. Raises DamageFound: *where* is not *what*."""
    first, newline, rest = data.partition(b"\n")
    if not newline or not rest.endswith(b"\n") or rest.count(b"\n") != 1 or len(data) > most:
        raise DamageFound(f"{where}: not {what}: found {len(data)} bytes that are not two lines")
    return first, rest.decode("utf-8", "replace").rstrip("\n")


def parse_signatures(line: str) -> tuple[Signature, ...]:
    """Return what line 2 of a document holds; none for `-`. Raises ValueError."""
    if line == UNSIGNED:
        return ()
    matches = [_SIGNATURE.fullmatch(part) for part in line.split(", ", MAX_SIGNATURES)]
    if not all(matches) or len(matches) > MAX_SIGNATURES:
        raise ValueError(f"line 2: found {line[:80]!a}, expected - or at most {MAX_SIGNATURES} signatures")
    return tuple(Signature(*match.groups()) for match in matches if match)
