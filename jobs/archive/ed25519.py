"""Ed25519, by cryptography. Apart from who signs: to load it takes 40 ms and 7 MB, which no unsigned archive needs."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

__all__ = [
    "Ed25519PrivateKey",
    "Ed25519PublicKey",
    "decode_private",
    "decode_public",
    "encode_private",
    "encode_public",
    "generate_key",
    "is_signature",
]


def generate_key() -> Ed25519PrivateKey:
    """Return a new key."""
    return Ed25519PrivateKey.generate()


def decode_private(pem: bytes) -> Ed25519PrivateKey:
    """Return the key that *pem* (PKCS #8, no password) holds. Raises ValueError: what was found in its place."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        found = "a key with a password" if isinstance(error, TypeError) else "no private key in PEM"
        raise ValueError(found) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"a {type(key).__name__}")  # noqa: TRY004 - bad input
    return key


def decode_public(pem: str) -> Ed25519PublicKey:
    """Return the key that *pem* (SubjectPublicKeyInfo) holds. Raises ValueError."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"not a public key in PEM: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(f"found a {type(key).__name__}, expected an Ed25519 key")  # noqa: TRY004 - bad input
    return key


def encode_private(key: Ed25519PrivateKey) -> bytes:
    """Return *key* as PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def encode_public(key: Ed25519PublicKey) -> tuple[bytes, str]:
    """Return the 32 bytes of *key*, and its PEM."""
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw), pem.decode()


def is_signature(key: Ed25519PublicKey, data: bytes, line: bytes) -> bool:
    """Whether *data* is the signature of *key* over *line*."""
    try:
        key.verify(data, line)
    except (InvalidSignature, ValueError):
        return False
    return True
