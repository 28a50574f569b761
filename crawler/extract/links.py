"""What stands in and around the body beside its words: pictures, films, embedded posts, links → fields."""

from __future__ import annotations

import re
from itertools import chain, islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from crawler.extract.dates import DateRules, parse_date
from crawler.extract.fields import MAX_ITEMS, MAX_URL_CHARS, Fields, find_credit, image_of
from crawler.extract.metadata import Metadata, text_of, types_of
from crawler.extract.rules import select
from crawler.extract.signs import CAPTION, split_names
from crawler.model import FieldValue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from config.rules import ExtractRules
    from crawler.extract.blocks import Block
    from crawler.extract.tree import Element, Page

_ATTRIBUTION = re.compile(r"^(?:—|–|-)\s*(?P<author>.{1,100}?)\s*\(@(?P<handle>\w{1,40})\)\s*(?P<date>.{0,40})$")
_PLATFORMS = {
    "twitter": "x",
    "x": "x",
    "instagram": "instagram",
    "tiktok": "tiktok",
    "facebook": "facebook",
    "telegram": "telegram",
    "bluesky": "bluesky",
}
_MEDIA_LINK = re.compile(r"pic\.(?:twitter|x)\.com/\w+")
_MAX_ANCHORS = 5_000
_VIDEO_HOSTS = (
    "youtube.",
    "youtu.be",
    "vimeo.",
    "dailymotion.",
    "facebook.com/plugins/video",
    "jwplatform",
    "brightcove",
    "rumble.",
)


def read_links(
    fields: Fields,
    page: Page,
    rules: ExtractRules,
    container: Element,
    *,
    blocks: list[Block],
    url: str,
    captured_at: datetime,
) -> None:
    """Add `subheads`, `inline_links`, `related_links` and `embeds` to *fields*."""
    _set(fields, "subheads", [block.text for block in blocks if block.is_heading], "visible")
    _set(fields, "inline_links", _inline_links(blocks, url), "visible")
    boxes = select(page, rules.related)
    origin = "rule" if boxes else "visible"
    boxes = boxes or [element for element in container.walk() if element.dropped == "related"]
    related: dict[str, dict[str, str]] = {}
    for link in islice(chain.from_iterable(_anchors(box, url) for box in boxes[:50]), _MAX_ANCHORS):
        if link["text"]:
            related.setdefault(link["url"], link)
    _set(fields, "related_links", list(related.values())[:MAX_ITEMS], origin)
    _set(fields, "embeds", _embeds(select(page, rules.embeds) or container.below("blockquote"), captured_at), "visible")


def read_media(fields: Fields, page: Page, rules: ExtractRules, found: Metadata, *, scope: Element, url: str) -> None:
    """Add `image`, `images` and `videos` to *fields*. *scope*: the element around headline and body."""
    figures = _figures(scope, url)
    stated = image_of(found.article.get("image")) or image_of(found.of_type("ImageObject"))
    origin = "json-ld" if stated.get("url") else "meta"
    address = stated.get("url") or found.first("og:image", "og:image:url", "twitter:image")
    main: dict[str, Any] = {"url": urljoin(url, address)} if address and _is_url(url, address) else {}
    ruled = next((element for element in select(page, rules.image)), None)
    ruled = ruled if ruled is None or ruled.tag == "img" else ruled.find("img")
    if ruled is not None and _is_url(url, ruled.get("src")):
        main, origin = {"url": urljoin(url, ruled.get("src"))}, "rule"
    caption = next((element.text() for element in select(page, rules.image_caption)), None)
    credit = next((element.text() for element in select(page, rules.image_credit)), None)
    shown = next((figure for figure in figures if _same_image(figure["url"], main.get("url", ""))), None)
    if shown is None and not main and figures:
        shown, origin = figures[0], "visible"
    if shown is not None:
        main = {**shown, **main}
    if credit:
        main["credit"] = credit
    if caption or stated.get("caption"):
        main["caption"] = caption or main.get("caption") or stated["caption"]
    if main.get("caption") and not main.get("credit"):
        main["credit"] = stated.get("credit") or find_credit(main["caption"])
    _set(fields, "image", {name: value for name, value in main.items() if value}, origin)
    _set(fields, "images", figures[:MAX_ITEMS], "visible")
    _set(fields, "videos", _videos(scope, found, url), "visible")


def _set(fields: Fields, name: str, value: object, origin: str) -> None:
    if value not in (None, "", [], {}):
        fields[name] = FieldValue(value, origin)


def _is_url(base: str, address: str) -> bool:
    if len(address) > MAX_URL_CHARS:
        return False
    try:
        return urlsplit(urljoin(base, address)).scheme in {"http", "https"}
    except ValueError:
        return False


def _anchors(element: Element, url: str) -> Iterator[dict[str, str]]:
    for child in [element, *element.below("a")]:
        href = child.get("href").strip() if child.tag == "a" else ""
        if href and not href.startswith("#") and _is_url(url, href):
            yield {"text": child.text(), "url": urljoin(url, href)}


def _inline_links(blocks: list[Block], url: str) -> list[dict[str, str]]:
    """Return the links of *blocks*. Several may stand in one element, whose links are then given for each of them."""
    known: dict[Element, list[dict[str, str]]] = {}
    found: list[dict[str, str]] = []
    for block in blocks:
        if block.element not in known:
            known[block.element] = _element_links(block.element, url)
        found += _with_label(block, known[block.element])
        if len(found) >= MAX_ITEMS:
            break
    return found[:MAX_ITEMS]


def _element_links(element: Element, url: str) -> list[dict[str, str]]:
    if any(around.tag == "blockquote" for around in [element, *element.ancestors()]):
        return []
    return list(islice((link for link in _anchors(element, url) if link["text"]), MAX_ITEMS))


def _with_label(block: Block, links: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return *links* of *block*; a label before the only link (*Read next: …*) stands beside it."""
    if len(links) == 1 and block.text.endswith(links[0]["text"]):
        label = block.text[: -len(links[0]["text"])].strip()
        if label.endswith((":", "：")) and len(label) < 40:
            return [{"label": label[:-1], **links[0]}]
    return links


def _embeds(elements: list[Element], captured_at: datetime) -> list[dict[str, str]]:
    found = []
    for element in elements:
        if element.tag != "blockquote":
            continue
        names = split_names(element.get("class"))
        platform = next((name for word, name in _PLATFORMS.items() if word in names), None)
        if platform is not None:
            found.append(_post(element, platform, captured_at))
            if len(found) >= MAX_ITEMS:
                break
    return found


def _post(element: Element, platform: str, captured_at: datetime) -> dict[str, str]:
    paragraphs = [child.text() for child in element.walk() if child.tag == "p"]
    whole = element.text()
    text = " ".join(paragraphs)
    post = {"platform": platform, "text": text or whole}
    match = _ATTRIBUTION.search(whole[len(text) :].strip())
    if match:
        post |= {"author": match["author"], "handle": match["handle"], "date_text": match["date"].strip()}
        day = parse_date(post["date_text"], DateRules(captured_at, zone=None))
        if day is not None:
            post["date"] = day.value
    links = [child.get("href") for child in element.walk() if child.tag == "a" and "/status/" in child.get("href")]
    address = next(iter(links), "") or element.get("cite") or element.get("data-instgrm-permalink")
    if address:
        post["url"] = address.split("?", 1)[0]
    if media := _MEDIA_LINK.search(text):
        post["media_link"] = media[0]
    return post


def _figures(scope: Element, url: str) -> list[dict[str, str]]:
    figures: dict[str, dict[str, str]] = {}
    captions: dict[Element, str | None] = {}
    for image in scope.below("img"):
        address = image.get("src")
        if address.startswith("data:") or not address:
            address = image.get("data-src") or image.get("data-original") or image.get("data-lazy-src")
        if not address or not _is_url(url, address):
            continue
        figure = next((around for around in image.ancestors() if around.tag == "figure"), None)
        holder = figure or image.parent
        if holder is not None and holder not in captions:
            captions[holder] = _caption_of(holder)
        caption = captions[holder] if holder is not None else None
        if caption is None and figure is None:
            continue
        entry = {
            "url": urljoin(url, address),
            "alt": image.get("alt"),
            "caption": caption or "",
            "credit": find_credit(caption or "") or "",
        }
        full = image.parent.get("href") if image.parent is not None and image.parent.tag == "a" else ""
        if re.search(r"\.(?:png|jpe?g|webp|gif|svg|avif)(?:\?|$)", full, re.IGNORECASE):
            entry["full_url"] = urljoin(url, full)
        figures.setdefault(entry["url"], {name: value for name, value in entry.items() if value})
    return list(figures.values())


def _caption_of(holder: Element) -> str | None:
    for element in holder.walk():
        if element is not holder and element.chars and (element.tag == "figcaption" or element.signs & CAPTION):
            return element.text()
    return None


def _same_image(one: str, other: str) -> bool:
    return bool(one) and one.split("?", 1)[0].rsplit("/", 1)[-1] == other.split("?", 1)[0].rsplit("/", 1)[-1]


def _videos(scope: Element, found: Metadata, url: str) -> list[dict[str, str]]:
    videos: list[dict[str, str]] = []
    stated = next((item for item in found.objects if "VideoObject" in types_of(item)), None)
    if stated is not None:
        parts = {
            "title": stated.get("name") or stated.get("headline"),
            "duration": stated.get("duration"),
            "media_url": stated.get("contentUrl"),
            "embed_url": stated.get("embedUrl"),
            "poster": stated.get("thumbnailUrl"),
        }
        videos.append({name: text for name, value in parts.items() if (text := text_of(value))})
    for element in scope.below("video", "iframe"):
        if element.tag == "video":
            sources = [element.get("src"), *(child.get("src") for child in element.below("source"))]
            entry = {"media_url": next((source for source in sources if source), ""), "poster": element.get("poster")}
            videos.append({name: urljoin(url, value) for name, value in entry.items() if value and _is_url(url, value)})
        elif any(host in element.get("src") for host in _VIDEO_HOSTS) and _is_url(url, element.get("src")):
            videos.append({"embed_url": urljoin(url, element.get("src"))})
    return [video for video in videos if video][:MAX_ITEMS]
