"""What feeds must be: JSON Feed 1.1 and RFC 4287, and such that feedparser reads them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import feedparser
from lxml import etree  # type: ignore[import-untyped]

ATOM = "{http://www.w3.org/2005/Atom}"


def check_json_feed(data: bytes) -> Any:
    """Hold *data* against https://jsonfeed.org/version/1.1: what must be there, and of which type."""
    feed = json.loads(data.decode())
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert isinstance(feed["title"], str)
    assert isinstance(feed["items"], list)
    for item in feed["items"]:
        assert isinstance(item["id"], str)
        assert item["id"]
        assert isinstance(item["content_html"], str)
        assert all(isinstance(item[name], str) for name in ("url", "title", "summary"))
        for name in ("date_published", "date_modified"):
            assert datetime.fromisoformat(item[name]).tzinfo is not None
        assert all(isinstance(tag, str) for tag in item["tags"])
        assert {name for name in item if name.startswith("_")} == {"_ofrecord"}
    assert len({item["id"] for item in feed["items"]}) == len(feed["items"])
    return feed


def check_atom(data: bytes) -> etree._Element:
    """Hold *data* against RFC 4287 § 4.1: what must stand once in a feed and in each entry."""
    root = etree.fromstring(data, etree.XMLParser(resolve_entities=False))
    assert root.tag == f"{ATOM}feed"
    for one in (root, *root.iter(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(one.findall(f"{ATOM}{name}")) == 1, name
            assert one.findtext(f"{ATOM}{name}")
        assert datetime.fromisoformat(one.findtext(f"{ATOM}updated", "")).tzinfo is not None
    assert root.findtext(f"{ATOM}author/{ATOM}name")
    for entry in root.iter(f"{ATOM}entry"):
        (href,) = [link.get("href", "") for link in entry.findall(f"{ATOM}link") if link.get("rel") == "alternate"]
        assert href.startswith(("http://", "https://"))
    read = feedparser.parse(data)
    assert not read.bozo, read.bozo_exception
    assert len(read.entries) == len(root.findall(f"{ATOM}entry"))
    return root
