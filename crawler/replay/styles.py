"""A style sheet → the same sheet with other addresses. Cut into tokens as CSS Syntax Level 3 does, in linear time.

Whatever is taken for an address is replaced: in `url()`, behind `@import`, and in the functions that take strings for
addresses. Everything else stays as it is written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from crawler.replay.assets import Assets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

MAX_CHARS: Final = 2 * 1024 * 1024
"""What a sheet is cut at."""
_MAX_DEPTH: Final = 1_000
"""Functions and brackets within one another that are told apart."""
_ESCAPE: Final = r"\\(?:[0-9A-Fa-f]{1,6}[ \t\n]?|[^\n0-9A-Fa-f]|\Z)"
_NAME: Final = rf"(?:[-A-Za-z0-9_\u0080-\U0010ffff]++|{_ESCAPE})++"
_COMMENT: Final = r"/\*.*?(?:\*/|\Z)"
_PASSED_OVER: Final = re.compile(
    rf"""(?:{_COMMENT}|\#{_NAME}|{_NAME}(?!\()|[^-A-Za-z0-9_\u0080-\U0010ffff"'()@\#\\/]++|/(?!\*)|\#|\\(?=\n)|@(?!{_NAME}))*+""",
    re.DOTALL | re.VERBOSE,
)
"""What is no address and leads to none."""
_TOKEN: Final = re.compile(
    rf"""(?P<quote>["'])|(?P<at>@?)(?P<name>{_NAME})(?P<call>\(?)|(?P<open>\()|(?P<close>\))""", re.VERBOSE
)
_STRING: Final = {
    quote: re.compile(rf"((?:[^{quote}\\\n]++|\\(?:.|\Z))*+)(?:{quote}|(?=\n)|\Z)", re.DOTALL) for quote in "\"'"
}
_BLANK: Final = re.compile(rf"(?:[ \t\n]++|{_COMMENT})*+", re.DOTALL)
_QUOTED: Final = re.compile(r"[ \t\n]*+[\"']")
_PLAIN_URL: Final = re.compile(
    rf"[ \t\n]*+((?:[^\"'()\\ \t\n\x00-\x08\x0b\x0e-\x1f\x7f]++|{_ESCAPE})*+)[ \t\n]*+(?:\)|\Z)"
)
_BAD_URL: Final = re.compile(r"(?:[^)\\]++|\\(?:.|\Z))*+\)?", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(?:([0-9A-Fa-f]{1,6})[ \t\n]?|(\n)|(.)|\Z)", re.DOTALL)
_NEW_LINES: Final = re.compile(r"\r\n?|\f")
_END: Final = re.compile(r"</(style)", re.IGNORECASE)
_UNQUOTABLE: Final = re.compile(r"[\x00-\x1f\x7f\"\\<>]")
_WITH_STRINGS: Final = frozenset({"image", "image-set", "-webkit-image-set", "src", "url"})
"""Functions in which a string is an address."""
_LAST_CHARACTER: Final = 0x10FFFF


def replay_sheet(css: str, url: str, assets: Mapping[str, str]) -> str:
    """Return the sheet *css*, served at *url*, with what *assets* has for it: absolute URL → address in its place."""
    return replay_styles(css, Assets(url, assets).replace)


def replay_styles(css: str, replace: Callable[[str], str]) -> str:
    """Return *css* with every address as *replace* gives it, which is asked for it unescaped, relative ones as written.

    Of a style attribute or a presentation attribute too. A sheet that is longer than 2 Mi characters is cut. What
    comes out ends no `style` element.
    """
    text = _NEW_LINES.sub("\n", css[:MAX_CHARS]).replace("\0", "\ufffd")
    return _END.sub(r"<\\/\1", "".join(_replace_all(text, replace)))


def _replace_all(text: str, replace: Callable[[str], str]) -> Iterator[str]:
    at = passed = 0
    within: list[bool] = []
    """Of each open bracket, whether it is that of a function in which strings are addresses."""
    imported = -1
    """Where a string is the address of a sheet."""
    while (found := _TOKEN.match(text, at := _skip(_PASSED_OVER, text, at))) is not None:
        begins, at = at, found.end()
        address = None
        if found["quote"]:
            string = _STRING[found["quote"]].match(text, at)
            at = string.end() if string else len(text)
            if string and (begins == imported or (within and within[-1])):
                address = _unescape(string[1])
        elif found["name"]:
            name = _unescape(found["name"]).lower()
            if found["at"]:
                at = found.end("name")  # a bracket behind it is one of its own
                imported = _skip(_BLANK, text, at) if name == "import" else -1
            elif found["call"] and name == "url" and not _QUOTED.match(text, at):
                address, at = _read_url(text, at)
            elif found["call"] and len(within) < _MAX_DEPTH:
                within.append(name in _WITH_STRINGS)
        elif found["open"] and len(within) < _MAX_DEPTH:
            within.append(False)
        elif found["close"] and within:
            within.pop()
        if address is not None:
            yield text[passed:begins]
            yield _quote(replace(address)) if found["quote"] else f"url({_quote(replace(address))})"
            passed = at
    yield text[passed:at]


def _skip(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _read_url(text: str, at: int) -> tuple[str, int]:
    """Return the address in an unquoted `url(` that was opened at *at*, and where it ends; of a bad one, none."""
    found = _PLAIN_URL.match(text, at)
    if found is not None:
        return _unescape(found[1]), found.end()
    bad = _BAD_URL.match(text, at)
    return "", bad.end() if bad else len(text)


def _unescape(text: str) -> str:
    return _ESCAPED.sub(_name_character, text) if "\\" in text else text


def _name_character(found: re.Match[str]) -> str:
    if found[1] is None:
        return found[3] or ""
    code = int(found[1], 16)
    return "\ufffd" if code == 0 or code > _LAST_CHARACTER or 0xD800 <= code < 0xE000 else chr(code)


def _quote(address: str) -> str:
    return '"' + _UNQUOTABLE.sub(lambda found: f"\\{ord(found[0]):x} ", address) + '"'
