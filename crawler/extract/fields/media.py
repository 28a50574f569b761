"""Pictures and films of the article → fields: address, caption and credit, each apart."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from crawler.extract.fields.basics import MAX_ITEMS
from crawler.extract.fields.targets import resolve
from crawler.extract.page.metadata import Metadata, text_of, types_of
from crawler.extract.page.rules import select
from crawler.extract.page.signs import CAPTION

if TYPE_CHECKING:
    from config.rules import ExtractRules
    from crawler.extract.fields.statements import Fields
    from crawler.extract.page.parsing import Page
    from crawler.extract.page.tree import Element

_MAKERS = "fot\\.|фото|تصوير|عکس|צילום|फ\u093c?ोटो|사진|撮影|写真|摄影|攝影"
"""*Photo* in other letters, or shortened."""
_CREDIT = re.compile(
    r"\(([^()]{2,60})\)\s*$"
    r"|\b(?:photo|foto|image|picture|credit|crédit|copyright)s?\s*(?:by\s*)?[:：/]\s*([^|():：]{2,60})$"
    r"|(?:^|[.!?…»”\"|)]\s+)(?:photo|foto|image|picture|credit)s?\s+(?:by\s+)?((?-i:[A-ZÀ-Þ])[^|():]{1,60})$"
    r"|©\s*([^|()]{2,60})$"
    rf"|(?:^|[\s.。])(?:{_MAKERS})\s*[:：/・]?\s*([^|()]{{2,60}})$",
    re.IGNORECASE,
)
_CREDIT_CHARS = 200
"""It stands at the end, and is shorter than this."""
_CREDIT_LABEL = re.compile(
    r"^(?:(?:photo(?:graph)?|foto(?:graf)?|bild(?:quelle)?|image|picture|credit|crédit(?: photo)?|copyright|quelle"
    r"|source)s?"
    rf"\s*(?:by\b|:|/)\s*|(?:{_MAKERS})\s*[:：/・]?\s*|©\s*)+",
    re.IGNORECASE,
)
_CREDIT_NAME = re.compile(
    r"(?:^|[\s_-])(?:credits?|copyright|photog\w*|fotogra\w*|[^\W_]*quelle|urheber|cr[eé]ditos?|autoria|sources?)(?:$"
    r"|[\s_-])"
    r"|[a-z](?:Credit|Copyright|Photographer|Source)\b",
)
_CREDIT_PROPERTIES = frozenset({"copyrightholder", "creator", "author", "credittext", "copyrightnotice"})
_CREDIT_ATTRIBUTES = ("data-credit", "data-credits", "data-copyright", "data-photographer")
_CAPTION_ATTRIBUTES = ("data-caption", "data-description", "data-sub-html")
_ADDRESSES = ("src", "data-src", "data-original", "data-lazy-src", "data-lazy", "data-url")
_SETS = ("srcset", "data-srcset", "data-lazy-srcset")
_FULL = re.compile(r"\.(?:png|jpe?g|webp|gif|svg|avif)(?:\?|$)", re.IGNORECASE)
_SIZE = re.compile(r"[-_](?:\d{2,4}x\d{2,4}|\d{3,4}w?|scaled|large|medium|small|thumb)(?=\.\w{2,5}$)", re.IGNORECASE)
_ELSEWHERE = frozenset({"related", "comments"})
"""Marks of boxes whose pictures are not the article's."""
_LEVELS = 3
"""So far around a picture its caption is looked for, where no `figure` holds both."""
_BOX_CHARS = 1_000
_BOX_ELEMENTS = 40
_MAX_IMAGES = 2_000
_LOOKED_AT = 200
_CLASS_CHARS = 500
_VIDEO_HOSTS = (
    "youtube.",
    "youtube-nocookie.",
    "youtu.be",
    "vimeo.",
    "dailymotion.",
    "facebook.com/plugins/video",
    "jwplatform",
    "brightcove",
    "rumble.",
)


def read_media(fields: Fields, page: Page, rules: ExtractRules, found: Metadata, *, scope: Element, url: str) -> None:
    """Add `image`, `images` and `videos` to *fields*. *scope*: the element around headline and body."""
    figures = _figures(scope, url)
    stated = image_of(found.article.get("image")) or image_of(found.of_type("ImageObject"))
    named = found.first("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src")
    address = resolve(url, stated.get("url"))
    origin = "json-ld" if address else "meta"
    address = address or resolve(url, named)
    main: dict[str, Any] = {"url": address} if address else {}
    ruled = next(iter(select(page, rules.image)), None)
    ruled = ruled if ruled is None or ruled.tag == "img" else ruled.find("img")
    if ruled is not None and (target := resolve(url, ruled.get("src"))):
        main, origin = {"url": target}, "rule"
    caption = next((element.text() for element in select(page, rules.image_caption)), None)
    credit = next((element.text() for element in select(page, rules.image_credit)), None)
    shown = next((figure for figure in figures if _same_image(figure["url"], main.get("url", ""))), None)
    if shown is None and not main and figures:
        shown, origin = figures[0], "visible"
    if shown is not None:
        main = {**shown, **main}
    main["caption"] = caption or main.get("caption") or stated.get("caption")
    main["credit"] = credit or main.get("credit") or stated.get("credit") or find_credit(main["caption"] or "")
    main["alt"] = main.get("alt") or (found.first("og:image:alt", "twitter:image:alt") if origin == "meta" else None)
    fields.put("image", {name: value for name, value in main.items() if value} if main.get("url") else {}, origin)
    if named:
        _witness_image(fields, named, shown=shown is not None)
    fields.put("images", figures[:MAX_ITEMS], "visible")
    fields.put("videos", _videos(scope, found, url), "visible")


def _witness_image(fields: Fields, named: str, *, shown: bool) -> None:
    """Let the other places in which a picture is named speak for the one that was chosen, or against it."""
    if "image" not in fields:
        return
    if fields["image"].origin != "meta":
        fields.witness("image", agrees=_same_image(named, fields["image"].value["url"]))
    if shown and fields["image"].origin != "visible":
        fields.witness("image", agrees=True)


def find_credit(caption: str) -> str | None:
    """Return whom *caption* names as the picture's maker: what stands in brackets at its end, or after *Photo:*."""
    match = _CREDIT.search(caption[-_CREDIT_CHARS:])
    return next(filter(None, match.groups())).strip() if match else None


def image_of(value: object) -> dict[str, Any]:
    """Return `{"url", "caption", "credit"}`, as far as given, of a JSON-LD image."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        parts = {
            "url": value.get("url") or value.get("contentUrl"),
            "caption": text_of(value.get("caption")),
            "credit": text_of(
                value.get("creditText") or value.get("author") or value.get("creator") or value.get("copyrightHolder")
            ),
        }
        return {name: text for name, text in parts.items() if isinstance(text, str) and text}
    return {"url": value} if isinstance(value, str) and value else {}


def _figures(scope: Element, url: str) -> list[dict[str, str]]:
    """Return the pictures in *scope* that stand in a figure or have a caption; each address once."""
    figures: dict[str, dict[str, str]] = {}
    legends: dict[Element, tuple[str, str]] = {}
    for image in scope.below("img", "amp-img")[:_MAX_IMAGES]:
        figure, own = _place(image, scope)
        address = resolve(url, _find_address(image)) if own else None
        if address is None:
            continue
        caption, credit = _read_legend(image, figure, legends)
        if figure is None and not caption:
            continue
        entry = {
            "url": address,
            "alt": image.get("alt"),
            "caption": caption,
            "credit": credit or find_credit(caption) or "",
        }
        full = image.parent.get("href") if image.parent is not None and image.parent.tag == "a" else ""
        if _FULL.search(full) and (target := resolve(url, full)):
            entry["full_url"] = target
        figures.setdefault(entry["url"], {name: value for name, value in entry.items() if value})
    return list(figures.values())


def _place(image: Element, scope: Element) -> tuple[Element | None, bool]:
    """Return the figure around *image*, if there is one, and whether the picture is this article's own."""
    figure: Element | None = None
    around = image.parent
    while around is not None and around is not scope:
        if figure is None and around.tag == "figure":
            figure = around
        if around.dropped and around.dropped in _ELSEWHERE:
            return figure, False
        around = around.parent
    return figure or (scope if scope.tag == "figure" else None), True


def _find_address(image: Element) -> str:
    """Return where a picture lies: pages that load late state it in other attributes, or in a `source` beside it."""
    for name in _ADDRESSES:
        if (address := image.get(name)) and not address.startswith("data:"):
            return address
    around = image.parent
    beside = around.below("source") if around is not None and around.tag == "picture" else []
    for element in [image, *beside[:10]]:
        for name in _SETS:
            if listed := element.get(name)[:20_000].strip():
                return listed.rsplit(", ", 1)[-1].split(maxsplit=1)[0]
    return ""


def _read_legend(image: Element, figure: Element | None, known: dict[Element, tuple[str, str]]) -> tuple[str, str]:
    """Return caption and credit of *image*, empty where there are none. *known*: of the elements read so far."""
    caption = next((image.get(name) for name in _CAPTION_ATTRIBUTES if name in image.attributes), "")
    credit = next((image.get(name) for name in _CREDIT_ATTRIBUTES if name in image.attributes), "")
    if "<" in caption:
        caption = ""
    holders = [figure] if figure is not None else _list_holders(image)
    for holder in holders:
        if holder not in known:
            known[holder] = _read_holder(holder)
        if any(known[holder]):
            return known[holder][0] or caption, credit or known[holder][1]
    return " ".join(caption.split()), " ".join(credit.split())


def _list_holders(image: Element) -> list[Element]:
    """Return the small elements around *image* that hold no other picture; its parent in any case."""
    holders: list[Element] = []
    for around in image.ancestors():
        small = around.chars < _BOX_CHARS and around.end - around.order <= _BOX_ELEMENTS
        if len(holders) == _LEVELS or (holders and not (small and len(around.below("img")) == 1)):
            break
        holders.append(around)
    return holders


def _read_holder(holder: Element) -> tuple[str, str]:
    """Return caption and credit that stand in *holder*: by tag, class or property."""
    if not holder.chars:
        return "", ""
    caption: Element | None = None
    small: Element | None = None
    maker: Element | None = None
    for element in islice(holder.walk(), _LOOKED_AT):
        if not element.chars or element is holder:
            continue
        stated = element.get("itemprop").lower()
        if caption is None and (element.tag == "figcaption" or element.signs & CAPTION or stated == "caption"):
            caption = element
        elif element.tag == "small":
            small = small or element
        if maker is None and 1 < element.chars < _CREDIT_CHARS:
            named = stated in _CREDIT_PROPERTIES or _CREDIT_NAME.search(element.get("class")[:_CLASS_CHARS])
            maker = element if named else None
    if caption is None and holder.tag == "figure" and maker is None:
        caption, small = small, None
    maker = maker or (small if caption is not None else None)
    credit = maker.text() if maker is not None else ""
    text = caption.text() if caption is not None and caption is not maker else ""
    if credit and text != credit:
        text = text.removesuffix(credit).removeprefix(credit).strip(" |–—-")
    return text, _CREDIT_LABEL.sub("", credit.strip("() "))


def _same_image(one: str, other: str) -> bool:
    return bool(one) and _stem(one) == _stem(other)


def _stem(address: str) -> str:
    """Return the file's name without the size that is written into it."""
    name = address.split("?", 1)[0].rsplit("/", 1)[-1]
    return _SIZE.sub("", name[-200:])


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
            videos.append({name: whole for name, value in entry.items() if (whole := resolve(url, value))})
        elif any(host in element.get("src") for host in _VIDEO_HOSTS) and (target := resolve(url, element.get("src"))):
            videos.append({"embed_url": target})
    return [video for video in videos if video][:MAX_ITEMS]
