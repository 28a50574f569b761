"""Sites whose pages are empty until their scripts have run, and whether there is a browser here that can run them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ConfigError
from config.settings import Settings
from crawler.render.renderer import find_browser
from tests.crawls import Answer

if TYPE_CHECKING:
    from tests.crawls import Site

SHELL = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Gazette</title><link rel="stylesheet" href="/app.css"></head>
<body><noscript>This site needs JavaScript.</noscript><div id="root"></div><script src="/app.js"></script></body></html>
"""
SCRIPT = b"""
const show = (article) => {
  document.title = article.title;
  const date = document.createElement("meta");
  date.setAttribute("property", "article:published_time");
  date.content = article.published;
  document.head.append(date);
  const paragraphs = article.paragraphs.map((text) => `<p>${text}</p>`).join("");
  document.getElementById("root").innerHTML = `<article><h1>${article.title}</h1>${paragraphs}</article>`;
};
fetch(`/api${location.pathname}.json`, {headers: {"X-Gazette": "web"}})
  .then((answer) => answer.json())
  .then((article) => setTimeout(() => show(article), 1500));
"""
SETTINGS: dict[str, Any] = {"render_sandbox": os.geteuid() != 0}


def _explain_absence() -> str | None:
    try:
        find_browser(Settings())
    except ConfigError as error:
        return str(error)
    return None


_ABSENCE = _explain_absence()
needs_browser = pytest.mark.skipif(_ABSENCE is not None, reason=_ABSENCE or "")


def make_article(title: str, *, days: int = 12) -> dict[str, Any]:
    texts = [f"The council met on day {day} and agreed that the bridge will be built." for day in range(days)]
    return {"title": title, "published": "2026-11-20T08:00:00Z", "paragraphs": texts}


def publish_shells(site: Site, count: int) -> None:
    """Serve and announce *count* articles that are one and the same shell; what they say is data of their own."""
    site.publish(count)
    site.answers["/app.js"] = Answer(SCRIPT, media_type="text/javascript")
    for number in range(count):
        site.answers[f"/2026/{number}"] = Answer(SHELL, headers={"ETag": '"shell"'})
        say(site, number, make_article(f"Page {number}"))


def say(site: Site, number: int, article: dict[str, Any]) -> None:
    """Let article *number* of the site say something else."""
    data = json.dumps(article).encode()
    site.answers[f"/api/2026/{number}.json"] = Answer(data, media_type="application/json")
