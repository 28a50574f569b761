"""The room's secret: what proves that a reader knows it, and what a browser keeps in its place."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING

from config.errors import ConfigError
from config.masks import hide

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Settings

LEAST_CHARS = 20
COOKIE_SECONDS = 30 * 86_400
FORM_SECONDS = 3_600
_MOST_BYTES = 4_096
_EXPECTED = f"a secret of {LEAST_CHARS} characters or more: letters, digits, signs of ASCII, and no blanks"


class Token:
    """A secret that readers share. All comparisons take the same time whatever is wrong."""

    def __init__(self, text: str) -> None:
        self._digest = hashlib.sha256(text.encode()).digest()
        self._key = hmac.digest(text.encode(), b"ofrecord reading room", "sha256")
        self._form_key = secrets.token_bytes(32)

    @classmethod
    def of(cls, settings: Settings) -> Token | None:
        """Return the secret that the settings name, if they do. Raises ConfigError."""
        text, path = settings.room_token, settings.room_token_file
        if text is not None and path is not None:
            raise ConfigError("OFRECORD_ROOM_TOKEN and room_token_file: found both, expected one of them")
        if text is not None:
            return cls(_check(text.get_secret_value(), "OFRECORD_ROOM_TOKEN"))
        return None if path is None else cls(_check(_read(path), f"room_token_file: {path}"))

    def is_shown_by(self, given: str) -> bool:
        """Whether *given* is the secret."""
        return hmac.compare_digest(hashlib.sha256(given.encode("utf-8", "replace")).digest(), self._digest)

    def make_cookie(self, now: float) -> str:
        """Return what a browser may keep for COOKIE_SECONDS: the secret cannot be had from it."""
        return _seal(self._key, int(now) + COOKIE_SECONDS)

    def accepts_cookie(self, given: str, now: float) -> bool:
        """Whether *given* is a cookie of this secret that is still good."""
        return _is_sealed(self._key, given, now)

    def make_form(self, nonce: str, now: float) -> str:
        """Return what the login's form sends back beside the cookie *nonce*: a page of others can know neither."""
        return _seal(self._form_key, int(now) + FORM_SECONDS, nonce)

    def accepts_form(self, given: str, nonce: str, now: float) -> bool:
        """Whether a form was made for that *nonce*, within the last hour, by this process."""
        return bool(nonce) and _is_sealed(self._form_key, given, now, nonce)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES + 1).decode("utf-8", "replace")
    except OSError as error:
        raise ConfigError(f"room_token_file: {path} cannot be read ({error.strerror}): expected {_EXPECTED}") from error


def _check(text: str, where: str) -> str:
    """Return the secret that *text* is, without blanks around it, masked in logs from now on. Raises ConfigError."""
    found = text.strip()
    if not LEAST_CHARS <= len(found) <= _MOST_BYTES or not re.fullmatch(r"[!-~]+", found):
        raise ConfigError(f"{where}: found {len(found)} characters, expected {_EXPECTED}")
    hide(found)
    return found


def make_nonce() -> str:
    """Return what nobody can guess."""
    return secrets.token_urlsafe(24)


def is_nonce(text: str) -> bool:
    """Whether `make_nonce` may have made that."""
    return re.fullmatch(r"[A-Za-z0-9_-]{32}", text) is not None


def _seal(key: bytes, until: int, subject: str = "") -> str:
    return f"{until}.{hmac.digest(key, f'{until}.{subject}'.encode(), 'sha256').hex()}"


def _is_sealed(key: bytes, given: str, now: float, subject: str = "") -> bool:
    until, _, _ = given.partition(".")
    if not (until.isascii() and until.isdigit() and len(until) <= 12):
        return False
    expected = _seal(key, int(until), subject)
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")) and now < int(until)
