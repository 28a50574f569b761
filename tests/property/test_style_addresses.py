"""Addresses in style sheets, against a second reading that follows CSS Syntax Level 3 character by character."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.replay.styles import replay_styles

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNS = "\"'()\\/*@#-+.;{}<> \n\ta1é\x00\x7f"
WORDS = [
    "url(",
    "URL(",
    "u\\72l(",
    "\\75 rl(",
    "@import",
    "@\\69mport ",
    "image-set(",
    "src(",
    "/*",
    "*/",
    "//x",
    "a.png",
]
ODD = ["a.png", "\\\n", "\\)", "\\(", '\\"', "1e", "url", "--", "\r\n", "<!--"]
PIECES = st.sampled_from([*SIGNS, *WORDS, *ODD])
ADDRESSED = {"image", "image-set", "-webkit-image-set", "src", "url"}


class Standard:
    """§ 4.3, as far as it tells strings, addresses, functions and at-keywords apart."""

    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n").replace("\0", "\ufffd")
        self.at = 0

    def peek(self, offset: int = 0) -> str:
        return self.text[self.at + offset : self.at + offset + 1]

    def is_escape(self, offset: int = 0) -> bool:
        return self.peek(offset) == "\\" and self.peek(offset + 1) != "\n"

    def is_name(self, one: str) -> bool:
        return bool(one) and ((one.isascii() and (one.isalnum() or one in "-_")) or ord(one) >= 0x80)

    def starts_name(self, offset: int = 0) -> bool:
        one = self.peek(offset)
        if one == "-":
            following = self.peek(offset + 1)
            return (
                following == "-" or (self.is_name(following) and not following.isdigit()) or self.is_escape(offset + 1)
            )
        return (self.is_name(one) and not (one.isascii() and one.isdigit())) or self.is_escape(offset)

    def read_escape(self) -> str:
        self.at += 1
        digits = ""
        while len(digits) < 6 and self.peek() and self.peek() in "0123456789abcdefABCDEF":
            digits += self.peek()
            self.at += 1
        if not digits:
            self.at += 1
            return self.text[self.at - 1 : self.at]
        if self.peek() and self.peek() in " \t\n":
            self.at += 1
        code = int(digits, 16)
        return "\ufffd" if not code or code > 0x10FFFF or 0xD800 <= code < 0xE000 else chr(code)

    def read_name(self) -> str:
        name = ""
        while True:
            if self.is_name(self.peek()):
                name += self.peek()
                self.at += 1
            elif self.is_escape():
                name += self.read_escape()
            else:
                return name

    def read_string(self) -> str:
        quote, found = self.peek(), ""
        self.at += 1
        while (one := self.peek()) and one != "\n":
            if one == quote:
                self.at += 1
                break
            if one == "\\":
                if self.peek(1) == "\n":
                    self.at += 2
                elif not self.peek(1):
                    self.at += 1
                else:
                    found += self.read_escape()
                continue
            found += one
            self.at += 1
        return found

    def read_url(self) -> str:
        self.skip_blanks()
        found = ""
        while (one := self.peek()) and one != ")":
            if one in " \t\n":
                self.skip_blanks()
                if self.peek() and self.peek() != ")":
                    return self.skip_bad()
            elif one in "\"'(" or ord(one) in {*range(9), 0x0B, *range(0x0E, 0x20), 0x7F}:
                return self.skip_bad()
            elif one == "\\":
                if not self.is_escape():
                    return self.skip_bad()
                found += self.read_escape()
            else:
                found += one
                self.at += 1
        self.at += 1
        return found

    def skip_bad(self) -> str:
        while self.peek() and self.peek() != ")":
            if self.is_escape():
                self.read_escape()
            else:
                self.at += 1
        self.at += 1
        return ""

    def skip_blanks(self) -> None:
        while self.peek() and self.peek() in " \t\n":
            self.at += 1

    def skip_number(self) -> bool:
        start = self.at
        if self.peek() and self.peek() in "+-":
            self.at += 1
        digits = 0
        while self.peek().isdigit() and self.peek().isascii():
            self.at, digits = self.at + 1, digits + 1
        if self.peek() == "." and self.peek(1).isdigit() and self.peek(1).isascii():
            self.at, digits = self.at + 1, 1
            while self.peek().isdigit() and self.peek().isascii():
                self.at += 1
        if not digits:
            self.at = start
            return False
        sign = 1 if self.peek(1) and self.peek(1) in "+-" else 0
        if self.peek() and self.peek() in "eE" and self.peek(1 + sign).isdigit() and self.peek(1 + sign).isascii():
            self.at += 1 + sign
            while self.peek().isdigit() and self.peek().isascii():
                self.at += 1
        if self.starts_name():
            self.read_name()
        return True

    def list_addresses(self) -> Iterator[str]:
        within: list[bool] = []
        importing = False
        while one := self.peek():
            if self.skip_comment() or one in " \t\n":
                self.skip_blanks()
                continue
            was_importing, importing = importing, False
            if one in "\"'":
                found = self.read_string()
                if was_importing or (within and within[-1]):
                    yield found
            elif one == "@" and self.starts_name(1):
                self.at += 1
                importing = self.read_name().lower() == "import"
            elif self.skip_hash() or self.skip_number():
                continue
            elif self.starts_name():
                name = self.read_name().lower()
                if self.peek() == "(":
                    self.at += 1
                    if name == "url" and not re.match("[ \t\n]*[\"']", self.text[self.at :]):
                        yield self.read_url()
                    else:
                        within.append(name in ADDRESSED)
            else:
                self.read_other(within)

    def skip_comment(self) -> bool:
        if not self.text.startswith("/*", self.at):
            return False
        end = self.text.find("*/", self.at + 2)
        self.at = len(self.text) if end < 0 else end + 2
        return True

    def skip_hash(self) -> bool:
        if self.peek() != "#" or not (self.is_name(self.peek(1)) or self.is_escape(1)):
            return False
        self.at += 1
        self.read_name()
        return True

    def read_other(self, within: list[bool]) -> None:
        one = self.peek()
        self.at += 3 if self.text.startswith("-->", self.at) else 1
        if one == "(":
            within.append(False)
        elif one == ")" and within:
            within.pop()


def list_replaced(css: str) -> list[str]:
    found: list[str] = []
    replay_styles(css, lambda address: found.append(address) or "x")  # type: ignore[func-returns-value]
    return found


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=24).map("".join))
def test_both_readings_find_the_same_addresses(css: str) -> None:
    assert list_replaced(css) == list(Standard(css).list_addresses())


@settings(max_examples=200)
@given(st.lists(PIECES, max_size=24).map("".join))
def test_what_comes_out_has_no_other_address(css: str) -> None:
    out = replay_styles(css, lambda _: "data:,")
    assert set(Standard(out).list_addresses()) <= {"data:,"}
