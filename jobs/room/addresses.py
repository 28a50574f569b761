"""Where everything in the room is: paths for templates, twins and feeds. The only place that builds them."""

from __future__ import annotations

from urllib.parse import quote, urlencode

MORE = 50
"""Rows of a list on one page."""


def _with(path: str, **asked: object) -> str:
    pairs = [
        (name, str(one))
        for name, value in asked.items()
        for one in (value if isinstance(value, (list, tuple)) else [value])
        if one not in {None, "", False}
    ]
    pairs = [(name, "true" if value == "True" else value) for name, value in pairs]
    return f"{path}?{urlencode(pairs, safe='/:')}" if pairs else path


def front(**asked: object) -> str:
    """Return the front page's path: `source`, `what`, `kind`, `silent`, `since`, `until`, `after`."""
    return _with("/", **asked)


def search(**asked: object) -> str:
    """Return the path of a search; parameters as `views.search` has them."""
    return _with("/search", **asked)


def about() -> str:
    """Return the path of what a reader should know."""
    return "/about"


def sources() -> str:
    """Return the path of the list of sources."""
    return "/sources"


def source(name: str, part: str = "", **asked: object) -> str:
    """Return the path of a source, or of its `runs`, `commits`, `rechecks` or `ledger`."""
    return _with(f"/sources/{quote(name, safe='')}" + (f"/{part}" if part else ""), **asked)


def run(name: str, run_id: str) -> str:
    """Return the path of a run."""
    return source(name, f"runs/{quote(run_id, safe='')}")


def article(name: str, url: str, revision: int | None = None, digest: str | None = None) -> str:
    """Return the path of an article, of one of its texts by number or, for good, by digest (`sha256:…`)."""
    return source(name, "article", url=url, revision=revision, digest=digest)


def compare(name: str, url: str, before: int, after: int, view: str = "") -> str:
    """Return the path of two texts compared, by their numbers. *view*: inline, side."""
    return source(name, "compare", url=url, before=before, after=after, view=view)


def text(name: str, url: str, form: str, revision: int | None = None, digest: str | None = None) -> str:
    """Return the path of a clean text to save; which, as of `article`. *form*: txt, md, json."""
    return source(name, "text", url=url, revision=revision, digest=digest, form=form)


def capture(segment: str, n: int, part: str = "", **asked: object) -> str:
    """Return the path of a capture, or of its `page` (in a sandbox), `asset`, `record` or `wacz`."""
    return _with(f"/captures/{quote(segment, safe='')}/{n}" + (f"/{part}" if part else ""), **asked)


def watch(form: str, **asked: object) -> str:
    """Return the path of a feed. *form*: atom, json. *asked*: as of a search, or `source` and `url` of an article."""
    return _with(f"/watch.{form}", **asked)


def timegate(url: str) -> str:
    """Return the path of the TimeGate of *url*."""
    return f"/timegate/{quote(url, safe=_IN_URLS)}"


def timemap(url: str, form: str = "link") -> str:
    """Return the path of the TimeMap of *url*. *form*: link, json."""
    return f"/timemap/{form}/{quote(url, safe=_IN_URLS)}"


def memento(stamp: str, url: str) -> str:
    """Return the path of a Memento. *stamp*: fourteen digits."""
    return f"/memento/{stamp}/{quote(url, safe=_IN_URLS)}"


_IN_URLS = "/:?&=%+,;@!$'()*~"
