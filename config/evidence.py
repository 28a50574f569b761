"""The settings of what an archive proves: its signing key, its heads and where they go, retention, redaction."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from config.masks import hide
from config.quantities import Seconds  # noqa: TC001 - pydantic reads annotations

KEY_ID = re.compile(r"[0-9a-f]{64}")
"""Of a public key: the lower-case hex of the SHA-256 of its 32 bytes."""


def _read_words(value: object) -> object:
    return [part for part in re.split(r"[,\s]+", value) if part] if isinstance(value, str) else value


Words = Annotated[list[str], NoDecode, BeforeValidator(_read_words), Field(max_length=100)]


_WEB = re.compile(r"https?://", re.IGNORECASE)


def is_web(place: str) -> bool:
    """Whether *place* is an address that takes a POST; else it is a store."""
    return _WEB.match(place) is not None


def show_place(place: str) -> str:
    """Return *place* as it may be shown: of an address, which may be a secret, scheme and host alone."""
    if not is_web(place):
        return place
    scheme, _, rest = place.partition("://")
    return f"{scheme.lower()}://{re.split(r'[/?#]', rest)[0].rpartition('@')[2]}/***"


class EvidenceSettings(BaseModel):
    """What holds for signatures, heads, retention and redaction."""

    signing_key: SecretStr | None = None
    """The Ed25519 key that signs what is committed, as PEM. Only by way of the environment."""
    signing_key_file: Path | None = None
    """File with that key."""
    trusted_keys: Words = []
    """Fingerprints of the keys that this archive's log must be signed by, noted outside of it."""

    heads_seconds: Seconds = Field(86_400.0, ge=0, le=366 * 86_400, allow_inf_nan=False)
    """The ends of all logs are written down once in that time, and after each job; 0: only by hand."""
    heads_to: Words = []
    """Second places for heads: a folder, s3://bucket/prefix, or an http(s) address that takes a POST."""
    heads_s3_profile: str | None = None
    """Profile in the AWS configuration files by which those buckets are reached; by default as the archive is."""
    stamp_url: str | None = None
    """A time-stamping authority (RFC 3161) that is asked to stamp each head."""
    stamp_ca_file: Path | None = None
    """PEM file of the roots that stamps are checked by."""

    object_lock: Literal["none", "governance", "compliance"] = "none"
    """Retention that each immutable object is put with, on S3."""
    object_lock_days: int = Field(3_650, ge=1, le=36_500)
    """How long."""
    redact_grace_seconds: Seconds = Field(30 * 86_400.0, ge=0, le=366 * 86_400, allow_inf_nan=False)
    """What a redaction lets go is deleted after that long."""

    @field_validator("trusted_keys")
    @classmethod
    def _check_trusted(cls, value: list[str]) -> list[str]:
        for one in value:
            if not KEY_ID.fullmatch(one):
                raise ValueError("fingerprints of 64 lower-case hex digits, as `ofrecord keys list` prints them")
        return value

    @field_validator("heads_to")
    @classmethod
    def _hide_addresses(cls, value: list[str]) -> list[str]:
        hide(*(re.split(r"[/?#]", one.partition("://")[2], maxsplit=1)[-1] for one in value if is_web(one)))
        return value

    @field_validator("stamp_url")
    @classmethod
    def _check_stamp_url(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"https?://[^/\s]+", value):
            raise ValueError("a URL that begins with http:// or https:// and has a host")
        return value

    @field_validator("signing_key_file", "stamp_ca_file")
    @classmethod
    def _expand_evidence_paths(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        try:
            return value and value.expanduser()
        except RuntimeError as error:
            raise ValueError(f"{info.field_name}: a path without `~`: there is no home folder") from error
