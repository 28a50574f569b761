"""A clean text to save: as it is hashed, as Markdown, or with all that is known of it as JSON."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from crawler.rows import format_time
from jobs.diff import make_safe
from jobs.edits import read_state
from jobs.room.choosing import TextAsked, choose_text, find_article
from jobs.room.endpoints import Document, Download, NotThere
from jobs.room.views.article import cite_url, name_source
from jobs.withdrawal import Withdrawals

if TYPE_CHECKING:
    from jobs.room.choosing import ChosenArticle, ChosenText
    from jobs.room.desk import Desk

_TYPES = {"txt": "text/plain; charset=utf-8", "md": "text/markdown; charset=utf-8", "json": "application/json"}
_INLINE = re.compile(r"[\\`*_{}\[\]<>#|~&]")
"""What begins anything of Markdown's within a line."""
_BEGIN = re.compile(r"(\d{1,9})([.)])|([+=-])", re.ASCII)
"""What does at its beginning."""


class SavedAsked(TextAsked):
    """Which text, and in which form."""

    form: Literal["txt", "md", "json"] = "txt"


def view_text(desk: Desk, asked: SavedAsked) -> Document:
    """Return a text. Raises BadRequest, NotThere."""
    article = find_article(desk, asked.source, asked.url)
    chosen = choose_text(desk, article, asked)
    if chosen is None:
        withdrawn = Withdrawals(desk.catalog, desk.store).find_latest(article.captures)
        why = "captured, but never with a text" if withdrawn is None else f"no text is left of it: {withdrawn}"
        raise NotThere(f"{article.url}: {why}")
    body = {"txt": _write_plain, "md": _write_markdown, "json": _write_json}[asked.form](desk, article, chosen)
    digest = chosen.snapshot["text_digest"].partition(":")[2]
    return Document(
        body=body,
        media_type=_TYPES[asked.form],
        headers={"Repr-Digest": f"sha-256=:{b64encode(sha256(body).digest()).decode()}:"},
        filename=f"{article.source}-{chosen.captured_at:%Y%m%dT%H%M%SZ}-{digest[:12]}.{asked.form}",
    )


def escape_markdown(line: str) -> str:
    """Return *line* such that Markdown shows it as it is, with what cannot be seen written out."""
    escaped = _INLINE.sub(lambda found: f"\\{found[0]}", make_safe(line))
    begin = _BEGIN.match(escaped)
    if begin is None:
        return escaped
    return f"{begin[1] or ''}\\{begin[2] or begin[3]}{escaped[begin.end() :]}"


def _write_plain(_: Desk, __: ChosenArticle, chosen: ChosenText) -> bytes:
    """Return the very bytes that the text's digest is of."""
    return str(chosen.snapshot["text"]).encode()


def _write_markdown(desk: Desk, article: ChosenArticle, chosen: ChosenText) -> bytes:
    state = read_state(chosen.snapshot)
    lines = [f"# {escape_markdown(state.title)}"] if state.title else []
    lines += [f"**{escape_markdown(state.lead)}**"] if state.lead else []
    lines += [escape_markdown(line) for line in state.lines]
    digest = chosen.snapshot["text_digest"]
    facts = [
        f"{name_source(desk, article.source)}: {article.url}",
        f"Captured {chosen.captured_at:%Y-%m-%d %H:%M:%S} UTC, archived as {cite_url(desk, article, digest)}",
        f"Text {digest}",
    ]
    lines += ["---", *map(escape_markdown, facts)]
    return ("\n\n".join(lines) + "\n").encode()


def _write_json(desk: Desk, article: ChosenArticle, chosen: ChosenText) -> bytes:
    found: dict[str, Any] = {
        "source": article.source,
        "url": article.url,
        "revision": chosen.revision,
        "captured_at": format_time(chosen.captured_at),
        "segment": chosen.capture.segment,
        "n": chosen.capture.n,
        "permanent_url": cite_url(desk, article, chosen.snapshot["text_digest"]),
    }
    return json.dumps(found | chosen.snapshot, ensure_ascii=False, indent=1).encode()


ENDPOINTS = (
    Download(
        "text",
        "/sources/{source}/text",
        SavedAsked,
        view_text,
        tuple(_TYPES.values()),
        "A clean text: txt, the bytes that its digest is of; md; json, with its fields",
    ),
)
