"""Posts of social networks that stand in the body → data: platform, address, text, who and when."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.extract.fields.basics import MAX_ITEMS
from crawler.extract.fields.targets import resolve
from crawler.extract.page.rules import select
from crawler.extract.page.signs import split_names
from crawler.extract.times.dates import DateRules, parse_date

if TYPE_CHECKING:
    from config.rules import ExtractRules
    from crawler.extract.fields.statements import Fields
    from crawler.extract.page.parsing import Page
    from crawler.extract.page.tree import Element

_NAMES = {
    "twitter": "x",
    "x": "x",
    "instagram": "instagram",
    "tiktok": "tiktok",
    "facebook": "facebook",
    "fb": "facebook",
    "telegram": "telegram",
    "bluesky": "bluesky",
    "mastodon": "mastodon",
    "truthsocial": "truth-social",
    "reddit": "reddit",
    "threads": "threads",
}
"""Parts of class names → platform."""
_HOSTS = {
    "twitter.com": "x",
    "x.com": "x",
    "instagram.com": "instagram",
    "tiktok.com": "tiktok",
    "facebook.com": "facebook",
    "fb.watch": "facebook",
    "t.me": "telegram",
    "telegram.me": "telegram",
    "bsky.app": "bluesky",
    "truthsocial.com": "truth-social",
    "reddit.com": "reddit",
    "redditmedia.com": "reddit",
    "threads.net": "threads",
    "threads.com": "threads",
    "youtube.com": "youtube",
    "youtube-nocookie.com": "youtube",
    "youtu.be": "youtube",
    "vk.com": "vk",
}
_POST_PATHS = re.compile(
    r"/status(?:es)?/|/p/|/reel/|/videos?/|/posts?/|/photos?[/.]|/comments/|/permalink|story_fbid=|/plugins/(?:post|video)|/watch"
    r"|/@[^/]+/(?:video/|post/)?\d"
)
"""In the addresses of single posts, which distinguishes them from profiles, tags and buttons."""
_FRAMED = re.compile(r"/embed|/Tweet\.html")
_TWEET_ID = re.compile(r"[?&]id=(\d{5,30})")
_FEDERATED = re.compile(r"/@[\w.-]{1,60}(?:@[\w.-]{1,60})?/\d{5,30}/embed/?$")
_ATTRIBUTION = re.compile(
    r"^(?:—|–|-)\s*(?P<author>.{1,100}?)\s*\(@(?P<handle>[\w.-]{1,60})\)\s*(?P<date>.{0,40})$"
    r"|\b(?:A post shared by|Un post condiviso da|Ein Beitrag geteilt von|Une publication partagée par"
    r"|Una publicación compartida (?:por|de))\s(?P<poster>.{1,100}?)\s*\(@(?P<name>[\w.-]{1,60})\)"
)
_SIGNED = re.compile(
    r"(?:^|\s)[—–]\s*(?P<author>[^—–()]{1,100}?)\s*\(@(?P<handle>[\w.-]{1,60})\)\s*(?P<date>[^()]{0,40})$"
)
"""The same at the end of the post's own paragraph."""
_MEDIA_LINK = re.compile(r"pic\.(?:twitter|x)\.com/\w+")
_AMP = {
    "amp-twitter": ("x", "data-tweetid", "https://twitter.com/i/status/"),
    "amp-instagram": ("instagram", "data-shortcode", "https://www.instagram.com/p/"),
    "amp-tiktok": ("tiktok", "data-src", ""),
    "amp-facebook": ("facebook", "data-href", ""),
    "amp-youtube": ("youtube", "data-videoid", "https://www.youtube.com/watch?v="),
}
"""Tag → platform, the attribute with a post's number or address, and what stands before a number."""
_TAGS = ("blockquote", "iframe", "div", *_AMP)
_STATING = ("data-instgrm-permalink", "data-telegram-post", "data-href", "data-bluesky-uri", "data-tweet-id", "cite")
_STATING_KEYS = frozenset(_STATING)
_PREFIXES = {"data-telegram-post": "https://t.me/", "data-tweet-id": "https://twitter.com/i/status/"}
_SOURCES = ("src", "data-src", "data-lazy-src")
_CODE = re.compile(r"[\w/-]{4,100}")
_POST_CHARS = 5_000
_POST_ELEMENTS = 300
_POST_LINKS = 50


def read_embeds(
    fields: Fields, page: Page, rules: ExtractRules, container: Element, *, url: str, reading: DateRules
) -> None:
    """Add `embeds`, each post once, in document order, to *fields*. *reading*: how the dates of posts are read."""
    ruled = select(page, rules.embeds)
    posts: dict[str, dict[str, str]] = {}
    linked = _LinkedPosts(url)
    end = 0
    for element in ruled or container.below(*_TAGS):
        if element.order < end or (element.tag == "div" and _STATING_KEYS.isdisjoint(element.attributes)):
            continue
        post = _read_element(element, url, reading, linked)
        if post is not None:
            end = element.end
            posts.setdefault(post.get("url") or post["text"], post)
            if len(posts) >= MAX_ITEMS:
                break
    fields.put("embeds", list(posts.values()), "rule" if ruled else "visible")


class _LinkedPosts:
    """Finds the posts that elements of a page link to; what was looked at is known: quotes may stand in each other."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._is_platform = _platform_of(url) is not None
        self._known: dict[tuple[Element, Element], str | None] = {}

    def find_last(self, element: Element) -> str | None:
        """Return the address of the last of the first links in *element* that lead to single posts."""
        links = element.below("a")[:_POST_LINKS]
        if not links:
            return None
        run = (links[0], links[-1])
        if run not in self._known:
            found = (post for link in reversed(links) if (post := self._find_post(link.get("href"))))
            self._known[run] = next(found, None)
        return self._known[run]

    def _find_post(self, address: str) -> str | None:
        if not self._is_platform and ":" not in address and "//" not in address and address.isprintable():
            return None  # it leads to a page of this site
        target = resolve(self._url, address)
        return target.split("?", 1)[0] if target and _POST_PATHS.search(target) and _platform_of(target) else None


def _read_element(element: Element, url: str, reading: DateRules, linked: _LinkedPosts) -> dict[str, str] | None:
    if element.tag in _AMP:
        stated, name, prefix = _AMP[element.tag]
        target = resolve(url, prefix + element.get(name)) if element.get(name) else None
        return {"platform": stated, "url": target} if target else None
    if element.tag == "iframe":
        return _read_frame(element, url)
    if element.end - element.order > _POST_ELEMENTS or element.chars > _POST_CHARS:
        return None
    address = _find_address(element, url, linked)
    names = split_names(element.get("class"))
    platform = next((_NAMES[name] for name in names if name in _NAMES), None) or _platform_of(address)
    if platform is None or (address is None and (element.tag != "blockquote" or platform == "facebook")):
        return None
    return _read_post(element, platform, address, reading)


def _read_frame(element: Element, url: str) -> dict[str, str] | None:
    address = next((found for name in _SOURCES if (found := resolve(url, element.get(name)))), None)
    platform = _platform_of(address)
    if address is None:
        return None
    path = address.split("?", 1)[0]
    if platform is None:
        whole = path.removesuffix("/").removesuffix("/embed")
        return {"platform": "mastodon", "url": whole} if _FEDERATED.search(path) else None
    if platform == "x" and (number := _TWEET_ID.search(address)):
        return {"platform": "x", "url": f"https://twitter.com/i/status/{number[1]}"}
    if platform == "facebook":
        return {"platform": platform, "url": address} if _POST_PATHS.search(path) else None
    single = _FRAMED.search(path) or _POST_PATHS.search(path) or platform == "telegram"
    return {"platform": platform, "url": path} if single else None


def _platform_of(address: str | None) -> str | None:
    if not address:
        return None
    try:
        host = (urlsplit(address).hostname or "").lower()
    except ValueError:
        return None
    parts = host.split(".")
    return next((_HOSTS[name] for at in range(len(parts) - 1) if (name := ".".join(parts[at:])) in _HOSTS), None)


def _find_address(element: Element, url: str, linked: _LinkedPosts) -> str | None:
    """Return the address of the post in *element*: the one that it states, or the last link to a single post."""
    for name in _STATING:
        stated = element.get(name)
        if not stated:
            continue
        if name in _PREFIXES and _CODE.fullmatch(stated):
            return _PREFIXES[name] + stated
        address = resolve(url, stated)
        if address and _platform_of(address) and _POST_PATHS.search(address):
            return address if "story_fbid=" in address or "/watch" in address else address.split("?", 1)[0]
    return linked.find_last(element)


def _read_post(element: Element, platform: str, address: str | None, reading: DateRules) -> dict[str, str]:
    whole = element.text()
    text = " ".join([child.text() for child in element.below("p")])
    match = _ATTRIBUTION.search(whole.removeprefix(text).strip())
    if match is None and (match := _SIGNED.search(text or whole)):
        text = (text or whole)[: match.start()]
    post = {"platform": platform, "text": text or whole}
    if match:
        named = match.groupdict()
        post |= {"author": named["author"] or named["poster"], "handle": named["handle"] or named["name"]}
        if named["date"]:
            post["date_text"] = named["date"].strip()
            if (day := parse_date(post["date_text"], reading)) is not None:
                post["date"] = day.value
    if address:
        post["url"] = address
    if media := _MEDIA_LINK.search(text):
        post["media_link"] = media[0]
    return {name: value for name, value in post.items() if value}
