"""HTML of pages that this program writes: every text escaped, nothing that steers a reader's eye, nothing loaded."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template

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


@cache
def read_own(package: str, name: str) -> str:
    """Return a template or style sheet that lies in one of our packages."""
    return files(package).joinpath(name).read_text("utf-8")


def write_policy(styles: str) -> str:
    """Return a policy that lets a page load nothing, run nothing, and have no styles but those of the sources named."""
    return f"default-src 'none'; style-src {styles}; base-uri 'none'; form-action 'none'"


def render_document(
    template: str, parts: dict[str, str], *, title: str, style: str, policy: str = "", dark: bool = True
) -> str:
    """Return a whole page: *template* is what its body holds, *parts* what goes into that. All but *style* is HTML.

    It may have no style but *style*, unless a *policy* is given. *dark*: whether it may be shown so.
    """
    digest = b64encode(sha256(style.encode()).digest()).decode()
    allowed = policy or write_policy(f"'sha256-{digest}'")
    metas = [
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{allowed}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        *(['<meta name="color-scheme" content="light dark">'] if dark else []),
    ]
    head = "\n".join([*metas, wrap("title", title), wrap("style", style)])
    body = Template(template).substitute(parts)
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}</body>\n</html>'
