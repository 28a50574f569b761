"""Masks secrets in what is logged: those it was told of, wherever they stand, and what stands where secrets do.

Places: the user in a URL, query parameters and keys by their names, headers that authorise. Never by looks alone, since
the addresses of articles are full of long random words; but for JSON Web Tokens, which look like nothing else.
"""

from __future__ import annotations

import json
import re
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Callable

MASK = "***"
LEAST_CHARACTERS = 6
"""A secret that is shorter is masked by its place only: by value it would tear words apart."""
_MAX_DEPTH = 20

_ALWAYS = re.compile(
    r".*(?:token|secret|password|passwd|passphrase|signature|apikey|accesskey|accesskeyid|secretkey|secretaccesskey"
    r"|privatekey|sessionid|sessid|credentials?|authorization|hmac|jwt)"
    r"|pwd|pass|sig|hdnea|hdnts|hdntl|googleaccessid|keypairid|(?:set)?cookies?2?"
)
"""Names, lower-case letters and digits only, whose values are secrets whatever they look like."""
_OFTEN = frozenset({"auth", "code", "key", "policy", "session", "sid", "ticket"})
"""Names whose values are secrets where they look random: articles have keys and codes, too."""
_RANDOM = re.compile(r"[A-Za-z0-9]{16}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)

_USER = re.compile(r"://[^\s/?#\"'<>]*@")
_ENCODED_USER = re.compile(r"(%3A%2F%2F)(?:(?!%2F|%3F|%23|%40)[^\s/?#&\"'<>])*%40", re.IGNORECASE)
_PARAMETER = re.compile(r"([?&;#])([\w.\[\]-]{1,64})=([^&;#\s\"'<>]*)", re.ASCII)
_ENCODED_PARAMETER = re.compile(
    r"(%3F|%26|%23|%3B)([\w.-]{1,64})(%3D)((?:[^%&;#\s\"'<>]|%(?!26|23|3B))*)", re.ASCII | re.IGNORECASE
)

_MASKED = r"\*{3}(?=[\]),}'\"]|$)"
_QUOTED = r"b?(?:'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\")"
_LINE = re.compile(
    r"(?<![\w-])((?:proxy-)?authorization|(?:set-)?cookies?2?)"
    rf"(?:(\\*[\"']?\s*[:=]\s*)(?:{_MASKED}|[\[(]\s*{_QUOTED}(?:\s*,\s*{_QUOTED})*+|{_QUOTED}|[^\r\n]+)"
    rf"|([\"']\s*,\s*)(?:[\[(]\s*)?{_QUOTED})",
    re.IGNORECASE,
)
"""A header whose value goes on to the end of its line, where nothing quotes it: as text, in a dict, in a pair."""
_WORD = re.compile(
    r"(?<![\w/-])([\w-]{0,40}(?:token|secret|password|passwd|passphrase|api[_-]?key|access[_-]?key(?:[_-]?id)?"
    r"|secret[_-]?key|private[_-]?key|session[_-]?id|credentials?|signature))"
    rf"(?:(\\*[\"']?\s*[:=]\s*)(?:[\[(]\s*)?(?:{_QUOTED}|\\+[\"'][^\\\"']*|[^\s,;&)}}\]>\"'<\\]+)"
    rf"|([\"']\s*,\s*){_QUOTED})",
    re.IGNORECASE | re.ASCII,
)
"""Any other name of a secret, and one word or quotation."""
_ELEMENT = re.compile(r"<((?:SecretAccessKey|SessionToken|AccessKeyId|Signature))>[^<]*<")
"""In answers of Amazon's token service, which botocore prints at debug."""
_SCHEME = re.compile(
    r"\b(?:(Bearer|Negotiate)\s+[\w.~+/=-]{6,}|(Basic|Digest)\s+(?=[\w.~+/-]*(?:[0-9=]|[a-z][A-Z]))[\w.~+/=-]{6,})",
    re.ASCII,
)
"""What authorises without the header's name. Prose has basic things, too, and never a digit or capital in them."""
_JSON_WEB_TOKEN = re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)*", re.ASCII)

_hidden: frozenset[str] = frozenset()
_spellings: tuple[str, ...] = ()
_probes: tuple[str, ...] = ()
"""The longest word in each secret: it stays as it is, however often the secret is escaped."""
_lock = threading.Lock()


def hide(*secrets: str | None) -> None:
    """Have *secrets* masked in every log line of this process from now on, however they are escaped there.

    Nothing, and what is shorter than LEAST_CHARACTERS, is left out. Safe to repeat.
    """
    global _hidden, _spellings, _probes  # noqa: PLW0603 - what is secret is so for the whole process
    new = {secret for secret in secrets if secret and len(secret) >= LEAST_CHARACTERS} - _hidden
    if not new:
        return
    with _lock:
        _hidden = _hidden | new
        found = {spelling for secret in _hidden for spelling in _spell(secret)}
        _spellings = tuple(sorted(found, key=lambda one: (-len(one), one)))
        _probes = tuple({max(re.findall("[A-Za-z0-9]*", secret), key=len) for secret in _hidden})


def may_hold_secret(line: str) -> bool:
    """Tell, in some two microseconds, whether `mask` could find anything in what *line* was rendered from."""
    for probe in _probes:
        if probe in line:
            return True
    return "=" in line or ("@" in line and "://" in line) or "%3" in line or _may_name_secret(line)


def mask_text(text: str) -> str:
    """Return *text* with every secret in it masked. Takes time linear in its length."""
    for secret in _spellings:
        if secret in text:
            text = text.replace(secret, MASK)
    if "@" in text and "://" in text:
        text = _USER.sub(f"://{MASK}@", text)
    if "=" in text:
        text = _PARAMETER.sub(_mask_parameter, text)
    if "%" in text:
        text = _ENCODED_USER.sub(rf"\1{MASK}%40", text)
        text = _ENCODED_PARAMETER.sub(_mask_encoded, text)
    if _may_name_secret(text):
        text = _mask_named(text)
    return text


def mask(value: Any, limit: Callable[[str], str] = str, *, depth: int = 0) -> Any:  # noqa: ANN401 - whatever is logged
    """Return *value* with every secret in it masked; what is no text, number, list or mapping is made a text of.

    *limit*: what else is to be done to each text.
    """
    if isinstance(value, str):
        return limit(mask_text(str.__str__(value)))
    if value is None or isinstance(value, int | float):
        return value
    if depth < _MAX_DEPTH:
        if isinstance(value, dict):
            return {
                limit(mask_text(name)): mask_named(name, part, limit, depth=depth + 1)
                for name, part in ((_describe(key), part) for key, part in value.items())
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [mask(part, limit, depth=depth + 1) for part in value]
    return limit(mask_text(_describe(value)))


def mask_named(name: str, value: Any, limit: Callable[[str], str] = str, *, depth: int = 0) -> Any:  # noqa: ANN401 - as `mask`
    """Return *value* masked, and as a whole where *name* says that it is a secret."""
    if value is not None and _names_secret(name):
        return MASK
    return mask(value, limit, depth=depth)


def _describe(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - a log line must not fail for what it is about
        return f"{type(value).__name__} that cannot be shown ({type(error).__name__})"


def _spell(secret: str) -> set[str]:
    """Return *secret* as it may stand in JSON, in what Python shows, and in a URL."""
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        repr(secret.encode("utf-8", "surrogatepass"))[2:-1],
        quote(secret, errors="replace"),
        quote(secret, safe="", errors="replace"),
        quote_plus(secret, errors="replace"),
    }


@lru_cache(maxsize=1_024)
def _names_secret(name: str) -> bool:
    return _ALWAYS.fullmatch(_plain(name)) is not None


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name[:200].lower()))


def _is_secret(name: str, value: str) -> bool:
    return _names_secret(name) or (_plain(name) in _OFTEN and _is_random(value))


def _is_random(value: str) -> bool:
    plain = re.sub(r"%[0-9A-Fa-f]{2}|[+/=]", "", value)
    return any(map(str.isdigit, plain)) and any(map(str.isalpha, plain)) and _RANDOM.search(plain) is not None


def _mask_parameter(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2]}={MASK}" if _is_secret(found[2], found[3]) else found[0]


def _mask_encoded(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2]}{found[3]}{MASK}" if _is_secret(found[2], found[4]) else found[0]


def _may_name_secret(text: str) -> bool:
    """Tell whether any of the expressions in `_mask_named` can match, or a key be the name of a secret."""
    low = text.lower()
    return (
        "key" in low
        or "token" in low
        or "auth" in low
        or "cookie" in low
        or "secret" in low
        or "pass" in low
        or "sess" in low
        or "sig" in low
        or "credent" in low
        or "bearer" in low
        or "basic" in low
        or "digest " in low
        or "negotiate" in low
        or "eyj" in low
        or "pwd" in low
        or "jwt" in low
        or "hmac" in low
    )


def _mask_named(text: str) -> str:
    text = _LINE.sub(lambda found: f"{found[1]}{found[2] or found[3]}{MASK}", text)
    text = _WORD.sub(lambda found: f"{found[1]}{found[2] or found[3]}{MASK}", text)
    text = _ELEMENT.sub(rf"<\1>{MASK}<", text)
    text = _SCHEME.sub(lambda found: f"{found[1] or found[2]} {MASK}", text)
    return _JSON_WEB_TOKEN.sub(MASK, text)
