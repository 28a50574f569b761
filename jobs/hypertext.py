"""Small pieces of HTML for pages that this program writes: every text escaped, nothing that steers a reader's eye."""

from __future__ import annotations

from html import escape

from config.rules import readable_url
from jobs.diff import make_safe


def say(text: object) -> str:
    """Return *text* as HTML, with what cannot be seen written out."""
    return escape(make_safe(str(text)))


def wrap(name: str, content: str, names: str = "", rest: str = "") -> str:
    """Return an element around *content*, which is HTML. *names*: its classes; *rest*: further attributes, as HTML."""
    of = f' class="{names}"' if names else ""
    return f"<{name}{of}{rest}>{content}</{name}>"


def link_to(url: str) -> str:
    """Return a link to *url*, its letters readable; its text alone where it is no address of the web."""
    if not url.startswith(("https://", "http://")):
        return say(url)
    return f'<a href="{escape(url)}" rel="noreferrer noopener">{say(readable_url(url))}</a>'
