"""Which parts of a site and which languages a source wants: a part of its YAML, and what of it a URL alone decides."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from config.announcements import check_http_url
from config.rules import is_line, read_text_list, readable_url

if TYPE_CHECKING:
    from collections.abc import Sequence

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", re.ASCII)
"""A language code: BCP 47 by its form alone."""
_HOST_FIRST = re.compile(r"[\w-]+(\.[\w-]+)+(/|\Z)")


def check_language(value: str) -> str:
    """Return *value*. Raises ValueError if it is no language code."""
    if not LANGUAGE.fullmatch(value):
        raise ValueError("a language code, as in en, ar, pt-BR")
    return value


def check_section(value: str) -> str:
    """Return *value*. Raises ValueError if it is neither a path, a URL, nor a section's name."""
    if "://" in value:
        check_http_url(value)
    if _is_place(value):
        if re.search(r"[\s?#*]", value):
            raise ValueError("a path or URL without `?`, `#` and `*`: whatever lies below it is meant")
    elif not is_line(value) or _HOST_FIRST.match(value):
        raise ValueError("a path that begins with /, a URL, or a section's name as its pages have it")
    return value


SectionList = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=500), AfterValidator(check_section)]],
    BeforeValidator(read_text_list),
    Field(max_length=200),
]
LanguageList = Annotated[
    list[Annotated[str, AfterValidator(check_language)]], BeforeValidator(read_text_list), Field(max_length=50)
]


def find_place(sections: Sequence[str], url: str) -> bool | None:
    """Tell whether *url* (normalised) lies in one of *sections*; `None`: its page must tell, for names are among them.

    Without any, everything lies in them.
    """
    if not sections or any(_is_place(section) and _lies_below(section, url) for section in sections):
        return True
    return None if list_names(sections) else False


def list_names(sections: Sequence[str]) -> list[str]:
    """Return those of *sections* that are names, as pages have them."""
    return [section for section in sections if not _is_place(section)]


def _is_place(section: str) -> bool:
    return section.startswith("/") or "://" in section


def _lies_below(section: str, url: str) -> bool:
    """Whether *url* is *section* or lies below it. The scheme is no matter, a slash at the end of *section* neither."""
    wanted, found = urlsplit(readable_url(section)), urlsplit(readable_url(url))
    if wanted.netloc and wanted.netloc.lower() != found.netloc:
        return False
    path, below = found.path or "/", (wanted.path or "/").rstrip("/")
    return path == below or path.startswith(f"{below}/")
