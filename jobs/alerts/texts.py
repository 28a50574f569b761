"""Words of strangers in messages: page titles and addresses end up in mail and chats, where markup is obeyed. Pure."""

from __future__ import annotations

import re

from config.loading import mask_secrets

MAX_REASONS = 5
"""Of one source, in one message."""
_MAX_CHARS = 240
_READ_CHARS = 8_192
"""No more of a text is looked at."""
_QUERY = re.compile(r"(://[^\s?#]{0,2000})[?#]\S*")
_BARE = str.maketrans({"<": "‹", ">": "›", "@": "＠", "`": "'", "*": "∗", "|": "¦"})
"""Mentions of everybody, tags and Slack's links begin with these."""


def clean(text: str, max_chars: int = _MAX_CHARS) -> str:
    """Return *text* on one line, at most *max_chars* long, as nothing but words to whatever shows it.

    No control or direction characters, no tags or mentions, no link that one could click; no query, user or password
    of a URL. Mail and chats get what is left escaped besides, as each needs it.
    """
    shown = "".join(char if char.isprintable() else " " for char in text[:_READ_CHARS])
    shown = _QUERY.sub(r"\1?…", str(mask_secrets(shown))).translate(_BARE).replace("://", "[:]//")
    return cut(" ".join(shown.split()), max_chars)


def cut(text: str, max_chars: int) -> str:
    """Return *text*, or its beginning and an ellipsis."""
    return text if len(text) <= max_chars else text[: max_chars - 1].rstrip() + "…"
