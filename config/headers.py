"""What a source has sent with each request: headers and cookies. Their secrets come from the environment alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from config.document import show
from config.errors import ConfigError
from config.masks import hide

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SECRET = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]{0,99})\}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)
_MAX_VALUE = 4_096
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})
_RESERVED_HEADERS = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "expect", "keep-alive"}
    | {"user-agent", "accept-encoding", "if-none-match", "if-modified-since", "range", "proxy-authorization"}
)


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise ValueError, showing no value, if *headers* cannot be sent, or are the crawler's own to set."""
    for name, text in headers.items():
        _check_header(name, text)
    if len({name.lower() for name in headers}) < len(headers):
        raise ValueError("each header once, whatever the case of its name")


def _check_header(name: str, text: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"header names as HTTP has them, not {show(name)}")
    if name.lower() in _RESERVED_HEADERS:
        hint = ": set user_agent in the settings" if name.lower() == "user-agent" else ": the crawler sets it"
        raise ValueError(f"no {name} header{hint}")
    if not text or len(text) > _MAX_VALUE or not text.isascii() or not text.isprintable():
        raise ValueError(f"printable ASCII on one line as the value of {name}")
    _check_secrets(name, text)


def name_secrets(texts: Iterable[str]) -> frozenset[str]:
    """Return the names of the environment variables that stand as `${NAME}` in *texts*."""
    return frozenset(name for text in texts for name in _SECRET.findall(text))


def find_secret_headers(headers: Mapping[str, str], cookies: Mapping[str, str]) -> frozenset[str]:
    """Return the names, in lower case, of the headers whose values are masked wherever they are written.

    That of *cookies* is, whatever these are.
    """
    found = {name.lower() for name, text in headers.items() if _SECRET.search(text)}
    return frozenset(found | {name.lower() for name in headers} & _SECRET_HEADERS | ({"cookie"} if cookies else set()))


def check_cookies(cookies: Mapping[str, str]) -> None:
    """Raise ValueError, showing no value, if *cookies* cannot be sent."""
    for name, text in cookies.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"cookie names as HTTP has them, not {show(name)}")
        if text != text.strip() or not _is_cookie_value(text):
            raise ValueError(f"printable ASCII without `;`, and no blanks around it, as the value of {name}")
        _check_secrets(name, text)


def resolve_headers(
    headers: Mapping[str, str], cookies: Mapping[str, str], environment: Mapping[str, str], *, source: str
) -> dict[str, str]:
    """Return *headers*, and one of *cookies* if there are any, with the secrets of *environment* put in.

    Has no log line show these. *source*: whose they are. Raises ConfigError, naming what is missing.
    """
    filled = {name: _fill(text, environment, f"source {source}: headers.{name}") for name, text in headers.items()}
    pairs = {name: _fill(text, environment, f"source {source}: cookies.{name}") for name, text in cookies.items()}
    for name, text in pairs.items():
        if not _is_cookie_value(text):
            raise ConfigError(f"source {source}: cookies.{name}: its secret must have no `;`")
        if name_secrets([cookies[name]]):
            hide(text)
    if pairs:
        filled["Cookie"] = "; ".join(f"{name}={text}" for name, text in pairs.items())
    hide(*(environment[name] for name in name_secrets([*headers.values(), *cookies.values()])))
    secret = find_secret_headers(headers, cookies)
    for name, text in filled.items():
        if name.lower() in secret:
            hide(text, text.partition(" ")[2])  # with and without `Bearer`
    return filled


def _fill(text: str, environment: Mapping[str, str], place: str) -> str:
    missing = sorted(name for name in name_secrets([text]) if not environment.get(name))
    if missing:
        raise ConfigError(f"{place}: found no {', '.join(missing)} in the environment; set it")
    filled = _SECRET.sub(lambda match: environment[match[1]], text)
    if not filled.isprintable() or not filled.isascii():
        raise ConfigError(f"{place}: its secret must be printable ASCII on one line")
    return filled


def _check_secrets(name: str, text: str) -> None:
    if "${" in _SECRET.sub("", text):
        raise ValueError(f"`${{NAME}}` with letters, digits and `_` in {name}")


def _is_cookie_value(text: str) -> bool:
    return len(text) <= _MAX_VALUE and text.isascii() and text.isprintable() and ";" not in text
