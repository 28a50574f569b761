"""What a source has sent with each request, and the secrets in it, which come from the environment alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from config.document import show
from config.errors import ConfigError
from config.masks import hide

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SECRET = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]{0,99})\}", re.ASCII)
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
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", name):
        raise ValueError(f"header names as HTTP has them, not {show(name)}")
    if name.lower() in _RESERVED_HEADERS:
        hint = ": set user_agent in the settings" if name.lower() == "user-agent" else ": the crawler sets it"
        raise ValueError(f"no {name} header{hint}")
    if not text or len(text) > 4_096 or not text.isascii() or not text.isprintable():
        raise ValueError(f"printable ASCII on one line as the value of {name}")
    if "${" in _SECRET.sub("", text):
        raise ValueError(f"`${{NAME}}` with letters, digits and `_` in {name}")


def name_secrets(texts: Iterable[str]) -> frozenset[str]:
    """Return the names of the environment variables that stand as `${NAME}` in *texts*."""
    return frozenset(name for text in texts for name in _SECRET.findall(text))


def find_secret_headers(headers: Mapping[str, str]) -> frozenset[str]:
    """Return the names, in lower case, of those of *headers* whose values are masked wherever they are written."""
    return frozenset(
        name.lower() for name, text in headers.items() if _SECRET.search(text) or name.lower() in _SECRET_HEADERS
    )


def resolve_headers(headers: Mapping[str, str], environment: Mapping[str, str], *, source: str) -> dict[str, str]:
    """Return *headers* with the secrets of *environment* put in, and have no log line show these.

    *source*: whose they are. Raises ConfigError, naming what is missing.
    """
    names = name_secrets(headers.values())
    missing = sorted(name for name in names if not environment.get(name))
    if missing:
        raise ConfigError(f"source {source}: headers: found no {', '.join(missing)} in the environment; set it")
    resolved = {name: _SECRET.sub(lambda match: environment[match[1]], text) for name, text in headers.items()}
    for name, text in resolved.items():
        if not text.isprintable() or not text.isascii():
            raise ConfigError(f"source {source}: headers.{name}: its secret must be printable ASCII on one line")
    hide(*(environment[name] for name in names))
    secret = find_secret_headers(headers)
    for name, text in resolved.items():
        if name.lower() in secret:
            hide(text, text.partition(" ")[2])  # with and without `Bearer`
    return resolved
