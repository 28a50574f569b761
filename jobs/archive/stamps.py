"""RFC 3161 time stamps: what an authority is asked, what it answers, and what that proves.

The library is an extra (`pip install 'ofrecord[stamp]'`), loaded when it is needed; no other module imports it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from config.errors import ConfigError, DamageFound

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography import x509

MAX_CA_BYTES = 1024 * 1024
REQUEST_TYPE = "application/timestamp-query"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a time stamp says."""

    at: datetime
    """What was stamped existed by then."""
    checked: bool
    """Whether it leads to a root that the reader trusts."""


def load_library() -> Any:  # noqa: ANN401 - a module
    """Return the library. Raises ConfigError saying how to install it."""
    try:
        import rfc3161_client  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigError("time stamps need a library that is not installed: pip install 'ofrecord[stamp]'") from error
    return rfc3161_client


def make_request(data: bytes) -> bytes:
    """Return the query for a stamp on *data*, by its SHA-256, in DER. Raises ConfigError."""
    library = load_library()
    builder = library.TimestampRequestBuilder().data(data).hash_algorithm(library.HashAlgorithm.SHA256)
    return bytes(builder.nonce(nonce=True).cert_request(cert_request=True).build().as_bytes())


def read_roots(path: Path) -> list[x509.Certificate]:
    """Return the certificates in a PEM file. Raises ConfigError."""
    from cryptography import x509  # noqa: PLC0415 - few archives have stamps

    try:
        with path.open("rb") as file:
            return x509.load_pem_x509_certificates(file.read(MAX_CA_BYTES))
    except OSError as error:
        raise ConfigError(f"stamp_ca_file: {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"stamp_ca_file: {path}: found no certificate in PEM, expected the roots of a TSA") from error


def read_stamp(data: bytes, answer: bytes, where: str, roots: list[x509.Certificate] | None = None) -> Stamp:
    """Return what the stamp *answer* (DER) on *data* says; with *roots* it must lead to one of them.

    Raises DamageFound where it is none, is on something else or leads elsewhere; ConfigError without the library.
    """
    library = load_library()
    try:
        response = library.decode_timestamp_response(answer)
        if roots is None:
            if library.PKIStatus(response.status) != library.PKIStatus.GRANTED:
                raise DamageFound(f"{where}: not a time stamp: the authority refused")
            import hashlib  # noqa: PLC0415

            imprint = bytes(response.tst_info.message_imprint.message)
            if not any(imprint == hashlib.new(name, data).digest() for name in ("sha256", "sha384", "sha512")):
                raise DamageFound(f"{where}: a time stamp on something else")
        else:
            builder = library.VerifierBuilder(roots=list(roots))
            builder.build().verify_message(response, data)
        return Stamp(response.tst_info.gen_time, checked=roots is not None)
    except library.VerificationError as error:
        raise DamageFound(f"{where}: a time stamp that does not hold: {error}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise DamageFound(f"{where}: not a time stamp: {error}") from error
