"""RSS 0.9x, 1.0, 2.0, Atom 0.3 and 1.0 → links: any prefix, a wrong namespace or none, as publishers write them."""

from __future__ import annotations

from dataclasses import dataclass, field

from crawler.discover.finder import StopReadingError
from crawler.discover.markup import MAX_DEPTH, MAX_NAMES, MarkupReader

ROOTS = frozenset({"rss", "rdf", "feed"})
_ITEMS = frozenset({"item", "entry"})
_OWN = {
    "title": "title",
    "link": "link",
    "guid": "guid",
    "id": "id",
    "pubdate": "published",
    "published": "published",
    "issued": "issued",
    "created": "created",
    "updated": "updated",
    "modified": "updated",
}
"""Children of an item that count, by local name in lower case."""
_DUBLIN_CORE = {"title": "dc_title", "date": "issued", "issued": "issued", "created": "created", "modified": "updated"}
_ORIGINAL = {"origlink": "original"}
_FAMILIES = {
    "": _OWN,
    "http://www.w3.org/2005/Atom": _OWN,
    "http://purl.org/atom/ns#": _OWN,
    "http://purl.org/rss/1.0/": _OWN,
    "http://channel.netscape.com/rdf/simple/0.9/": _OWN,
    "http://my.netscape.com/rdf/simple/0.9/": _OWN,
    "http://backend.userland.com/rss2": _OWN,
    "http://purl.org/dc/elements/1.1/": _DUBLIN_CORE,
    "http://purl.org/dc/terms/": _DUBLIN_CORE,
    "http://rssnamespace.org/feedburner/ext/1.0": _ORIGINAL,
}
_CUSTOMARY = {
    "atom": _OWN,
    "atom10": _OWN,
    "a10": _OWN,
    "rss": _OWN,
    "dc": _DUBLIN_CORE,
    "dcterms": _DUBLIN_CORE,
    "feedburner": _ORIGINAL,
}
"""What prefixes mean that nobody declared."""
_ALTERNATE = frozenset({"", "alternate", "http://www.iana.org/assignments/relation/alternate"})
_PAGES = frozenset({"", "text/html", "application/xhtml+xml"})
_PLAIN_TYPES = frozenset({"text", "text/plain"})
_TITLES = frozenset({"title", "dc_title"})
_RANKS = {role: rank for rank, role in enumerate(("original", "link", "page", "alternate", "guid", "id", "about"))}
"""Where an item's link is taken from, best first."""


@dataclass(slots=True)
class FeedReader(MarkupReader):
    """Gives one link at the end of each `item` or `entry`; only the item's own children count."""

    kind: str = "feed"
    recognised: bool = False
    """Whether there was a root or an item of a feed."""
    item: int = 0
    """Depth of the item that is open, or 0."""
    collecting: str = ""
    """What the text is that is being gathered."""
    collecting_at: int = 0
    plain: bool = False
    """Whether that text is no HTML, by its own word."""
    values: dict[str, str] = field(default_factory=dict)
    hrefs: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Candidates for the link by rank: as written, and the base that holds there."""
    bases: list[tuple[int, str]] = field(default_factory=list)
    """Elements that are open and have an `xml:base`: depth and URL."""
    namespaces: dict[str, str] = field(default_factory=dict)
    root_prefix: str = ""
    roles: dict[str, str] = field(default_factory=dict)
    """Element name as written → its role; empty for all that does not matter."""

    def begin(self, name: str, attributes: list[str]) -> None:
        """Open an item, or note what is to be gathered of it."""
        self.depth = depth = self.depth + 1
        finder = self.finder
        finder.work -= 1 + len(attributes)  # a name and a value are two steps
        if depth > MAX_DEPTH or finder.work < 0:
            self.refuse()
        if attributes:
            self._note_attributes(attributes)
        role = self.roles.get(name)
        if role is None:
            role = self._learn(name)
        if not role or self.collecting:
            return
        if role == "item":
            if not self.item:
                self._open_item(attributes)
        elif depth == self.item + 1 and self.item:
            self._open_child(role, attributes)

    def end(self, _name: str) -> None:
        """Keep what was gathered; take the link of an item."""
        depth = self.depth
        if depth == self.collecting_at:
            if text := self.collected():
                self._keep(self.collecting, text)
            self.collecting = ""
            self.collecting_at = 0
        elif depth == self.item:
            self.item = 0
            self._take()
        if self.bases and self.bases[-1][0] == depth:
            self.bases.pop()
        self.depth = depth - 1

    def _note_attributes(self, attributes: list[str]) -> None:
        for at in range(0, len(attributes), 2):
            name = attributes[at]
            if name.startswith("xmlns:"):
                prefix, uri = name[6:], attributes[at + 1].strip()
                if self.namespaces.get(prefix) != uri and len(self.namespaces) < MAX_NAMES:
                    self.namespaces[prefix] = uri
                    self.roles.clear()
            elif name == "xml:base":
                base = self.finder.resolve(attributes[at + 1], self._base())
                if base is not None:
                    self.bases.append((self.depth, base))

    def _learn(self, name: str) -> str:
        if len(self.roles) >= MAX_NAMES:
            self.stop(f"damaged feed: more than {MAX_NAMES} different elements")
        prefix, _, local = name.rpartition(":")
        local = local.lower()
        if self.depth == 1:
            self.root_prefix = prefix
            self.recognised = local in ROOTS
        uri = self.namespaces.get(prefix)
        family = _CUSTOMARY.get(prefix) if uri is None else _FAMILIES.get(uri)
        if prefix in {"", self.root_prefix}:
            family = _OWN
        role = "" if family is None else family.get(local, "item" if family is _OWN and local in _ITEMS else "")
        self.roles[name] = role
        return role

    def _base(self) -> str:
        return self.bases[-1][1] if self.bases else self.finder.url

    def _open_item(self, attributes: list[str]) -> None:
        self.finder.spend(1)
        self.item = self.depth
        self.recognised = True
        self.values.clear()
        self.hrefs.clear()
        if attributes and (about := _find(attributes, "rdf:about")):
            self.hrefs["about"] = (about, self._base())

    def _open_child(self, role: str, attributes: list[str]) -> None:
        if role == "guid" and "link" in self.hrefs and self.hrefs["link"][0].startswith("http"):
            return
        self.plain = False
        if attributes:
            if role == "link" and (href := _find(attributes, "href")):
                self._keep_link(href, attributes)
                return
            if role == "guid" and _find(attributes, "isPermaLink").strip().lower() == "false":
                return
            self.plain = _find(attributes, "type").strip().lower() in _PLAIN_TYPES
        self.collecting = role
        self.collecting_at = self.depth
        self.collect()

    def _keep_link(self, href: str, attributes: list[str]) -> None:
        if _find(attributes, "rel").strip().lower() in _ALTERNATE:
            media_type = _find(attributes, "type").partition(";")[0].strip().lower()
            self.hrefs.setdefault("page" if media_type in _PAGES else "alternate", (href, self._base()))

    def _keep(self, role: str, text: str) -> None:
        if role not in _RANKS:
            self.values.setdefault(
                role, self.finder.clean_title(text, plain=self.plain) or "" if role in _TITLES else text
            )
        elif role not in {"guid", "id"} or text.lower().startswith(("http://", "https://")):
            self.hrefs.setdefault(role, (text, self._base()))

    def _take(self) -> None:
        target = None
        for rank in sorted(self.hrefs, key=_RANKS.__getitem__) if len(self.hrefs) > 1 else self.hrefs:
            target = self.finder.resolve_announced(*self.hrefs[rank])
            if target is not None:
                break
        if target is None:
            return
        get = self.values.get
        if not self.finder.take(
            target,
            title=get("title") or get("dc_title"),
            published=self.finder.read_time(get("published") or get("issued") or get("created")),
            modified=self.finder.read_time(get("updated")),
        ):
            raise StopReadingError


def _find(attributes: list[str], name: str) -> str:
    """Return the value of the attribute *name*, or an empty string."""
    for at in range(0, len(attributes), 2):
        if attributes[at] == name:
            return attributes[at + 1]
    return ""
