"""URLs as text: the normal form that names an article, the SURT key of an index line, links made absolute.

Never asks the network; refuses what no honest link would be.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from urllib.parse import quote_from_bytes, unquote_to_bytes

import idna

MAX_URL_CHARACTERS = 8_192
_MAX_HOST_CHARACTERS = 2_500
"""Escaped, the longest name of 253 bytes takes less."""

_PARTS = re.compile(r"(?i:(https?)):/*([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.ASCII | re.DOTALL)
_REFERENCE = re.compile(r"([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL)
_PLAIN_HOST = r"https?://(?=[^/]{1,63}(?:/|$))(?:[a-z0-9]+(?:-+[a-z0-9]+)*\.)+[a-z]{2,}"
_PLAIN_REST = (
    r"(?:/(?!(?:\.|%2[eE]){1,2}(?:[/?]|$))[A-Za-z0-9._~!$&'()*+,;=:@%-]*)+(?:\?[A-Za-z0-9._~!$&()*+,;=:@%/?-]*)?"
)
_PLAIN_LINK = re.compile(_PLAIN_HOST + _PLAIN_REST, re.ASCII)
"""Absolute links that need no second look: nearly all of a sitemap's 50,000."""
_PLAIN_PATH = re.compile(r"(?!//)" + _PLAIN_REST, re.ASCII)
"""Links from the root of their site that need none: nearly all of a page's."""
_PLAIN_NORMAL = re.compile(_PLAIN_HOST + r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~!$&'()*+,;=:@-]*)+", re.ASCII)
"""URLs that are their own normal form at first sight."""
_BEFORE_QUERY = re.compile(r"\A[^?#]+")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):", re.ASCII)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_ENCODED_DOT = re.compile(r"%2e", re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)
_TRIMMED = "".join(map(chr, range(0x21)))
_BLANK = re.compile(r"[\x00-\x20]")
_LINE_BREAKS = str.maketrans("", "", "\t\r\n")

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_UNSAFE_IN_PATH = re.compile(rb"((?:%[0-9A-Fa-f]{2})+)|%|[^A-Za-z0-9._~!$&'()*+,;=:@/%-]+")
_UNSAFE_IN_QUERY = re.compile(rb"((?:%[0-9A-Fa-f]{2})+)|%|[^A-Za-z0-9._~!$&'()*+,;=:@/?%-]+")

_TRACKING_PREFIXES = ("utm_", "mtm_", "hsa_", "at_custom", "wt_", "wt.mc_")
_TRACKING_NAMES = """
    fbclid gclid gclsrc dclid gbraid wbraid gad_source gad_campaignid msclkid yclid ysclid twclid ttclid igshid igsh
    li_fat_id epik rdt_cid sc_cid irclickid zanpid srsltid _openstat
    mc_cid mc_eid mc_tc mkt_tok vero_id oly_enc_id oly_anon_id _hsenc _hsmi __hstc __hssc __hsfp hsctatracking
    __s _kx dm_i nr_email_referer sfmc_id elqtrackid elqtrack trk_contact trk_msg trk_module trk_sid
    _ga _gl s_cid ncid cmpid ref_src ref_url xtor at_medium at_campaign at_bbc_team at_link_type at_format at_ptr_name
    pk_campaign pk_kwd pk_keyword pk_source pk_medium pk_content pk_cid piwik_campaign piwik_kwd piwik_keyword
    ns_mchannel ns_source ns_campaign ns_linkname ns_fee ocid smid smtyp mbid wprov
    fb_action_ids fb_action_types fb_ref fb_source mibextid __tn__ __twitter_impression _branch_match_id
    soc_src soc_trk guccounter guce_referrer guce_referrer_sig
"""
"""Click numbers, newsletters, counters, sharing. None may choose what is shown: that would make two articles one."""
_TRACKING = frozenset(_TRACKING_NAMES.split())

_SURT_SAFE = "!\"$&'()*+,-./:;<=>?@[\\]^_`{|}~"
_SURT_WWW = re.compile(rb"www\d*\.")
_SURT_SESSIONS = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"^(.*)(?:jsessionid=[0-9a-z]{32})(?:&(.*))?$",
        r"^(.*)(?:phpsessid=[0-9a-z]{32})(?:&(.*))?$",
        r"^(.*)(?:sid=[0-9a-z]{32})(?:&(.*))?$",
        r"^(.*)(?:aspsessionid[a-z]{8}=[a-z]{24})(?:&(.*))?$",
        r"^(.*)(?:cfid=[^&]+&cftoken=[^&]+)(?:&(.*))?$",
    )
)


def normalise_url(url: str) -> str:
    """Return the normal form of *url*, which names an article. The normal form of a normal form is itself.

    Scheme and host in lower case (IDNA), no default port, no fragment, no dot segments, escapes as upper-case UTF-8 and
    only where needed, no tracking parameters. Order of parameters, case of the path and a slash at its end stay.
    Raises ValueError for what is no http(s) URL with a host, has a user name, or is longer than 8,192 characters.
    """
    if len(url) > MAX_URL_CHARACTERS:
        raise ValueError(f"URL of {len(url)} characters; at most {MAX_URL_CHARACTERS} are taken")
    if _PLAIN_NORMAL.fullmatch(url):
        return url
    match = _PARTS.fullmatch(_clean(url))
    if match is None:
        raise ValueError(f"not an http or https URL: {url[:200]!r}")
    scheme, authority, path, query = match[1].lower(), match[2], match[3], match[4]
    authority = _normalise_authority(authority, scheme)
    path = _remove_dots(_escape(path or "/", _UNSAFE_IN_PATH))
    query = _drop_tracking(_escape(query or "", _UNSAFE_IN_QUERY))
    normal = f"{scheme}://{authority}{path}" + (f"?{query}" if query else "")
    if len(normal) > 3 * MAX_URL_CHARACTERS:
        raise ValueError("URL is too long once escaped")
    return normal


def find_normal(url: str) -> str | None:
    """Return the normal form of *url*; `None` where `normalise_url` refuses it."""
    try:
        return normalise_url(url)
    except ValueError:
        return None


def resolve_link(base: str, href: str) -> str | None:
    """Return the absolute http(s) URL that a browser would ask for at *href* on a page at *base*; else `None`.

    Scheme, host and port are in normal form, dot segments resolved, blanks escaped, the fragment gone; else path and
    query stay as they are written. `None` too for links within the page, and for what `normalise_url` refuses.
    """
    if len(href) <= MAX_URL_CHARACTERS and _PLAIN_LINK.fullmatch(href):
        return href
    if _PLAIN_PATH.fullmatch(href) and (home := _split_base(base)) is not None:
        absolute = f"{home[0]}://{home[1]}{href}"
        return absolute if len(absolute) <= MAX_URL_CHARACTERS else None
    link = _clean(href)
    if not link or link.startswith("#") or len(link) > MAX_URL_CHARACTERS:
        return None
    try:
        absolute = _BLANK.sub(lambda match: f"%{ord(match[0]):02X}", _resolve(base, link))
        normalise_url(absolute)
    except ValueError:
        return None
    return absolute


def surt(url: str) -> str:
    """Return the SURT key of *url* for a CDXJ line: `com,example)/path?query`, as Internet Archive's tools make it.

    Raises ValueError for what is no http(s) URL.
    """
    match = _PARTS.fullmatch(_clean(url))
    if match is None:
        raise ValueError(f"not an http or https URL: {url[:200]!r}")
    scheme, authority, path, query = match[1].lower(), match[2].rpartition("@")[2], match[3], match[4]
    host, port = _split_port(authority)
    raw_host = _normalise_host(host).encode("ascii")
    raw_host = raw_host[len(www[0]) :] if (www := _SURT_WWW.match(raw_host)) else raw_host
    key = ",".join(reversed(raw_host.decode("ascii").split(".")))
    key += f":{port}" if port and port != _DEFAULT_PORTS[scheme] else ""
    key += ")" + _surt_path(path)
    reordered = _surt_query(query) if query else ""
    return key + (f"?{reordered}" if reordered else "")


def _clean(url: str) -> str:
    r"""Take white space and line breaks off as browsers do, and read `\` before the query as `/`."""
    text = url.strip(_TRIMMED).translate(_LINE_BREAKS)
    if "\\" in text:
        text = _BEFORE_QUERY.sub(lambda match: match[0].replace("\\", "/"), text, count=1)
    return text


def _resolve(base: str, link: str) -> str:
    """Return *link* made absolute, in the steps of the URL standard. Raises ValueError."""
    named = _SCHEME.match(link)
    if named and named[1].lower() not in _DEFAULT_PORTS:
        raise ValueError(f"not an http or https URL: {link[:200]!r}")
    rest = link[named.end() :] if named else link
    home = _split_base(base)
    scheme = named[1].lower() if named else home[0] if home else ""
    if (named and (home is None or scheme != home[0])) or rest.startswith("//"):
        return _serialise(f"{scheme}:{rest}")
    if home is None:
        raise ValueError(f"no base for the link {link[:200]!r}")
    match = _REFERENCE.fullmatch(rest)
    path, query = (match[1], match[2]) if match else (rest, None)
    if not path:
        path, query = home[2], home[3] if query is None else query
    elif not path.startswith("/"):
        path = home[2][: home[2].rindex("/") + 1] + path
    return f"{scheme}://{home[1]}{_remove_dots(path)}" + ("" if query is None else f"?{query}")


@lru_cache(maxsize=64)
def _split_base(base: str) -> tuple[str, str, str, str | None] | None:
    """Return scheme, authority, path and query of *base*, or `None` if it is no http(s) URL."""
    try:
        match = _PARTS.fullmatch(_serialise(_clean(base)))
    except ValueError:
        return None
    return (match[1], match[2], match[3], match[4]) if match else None


def _serialise(url: str) -> str:
    match = _PARTS.fullmatch(url)
    if match is None:
        raise ValueError(f"not an http or https URL: {url[:200]!r}")
    scheme, query = match[1].lower(), match[4]
    path = _remove_dots(match[3] or "/")
    return f"{scheme}://{_normalise_authority(match[2], scheme)}{path}" + ("" if query is None else f"?{query}")


def _normalise_authority(authority: str, scheme: str) -> str:
    if "@" in authority:
        raise ValueError("user name or password in the URL")
    host, port = _split_port(authority)
    return _normalise_host(host) + (f":{port}" if port and port != _DEFAULT_PORTS[scheme] else "")


def _split_port(authority: str) -> tuple[str, str]:
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        return authority, ""
    number = port.lstrip("0")
    if port and not (number.isascii() and number.isdigit() and int(number[:6]) < 65_536):
        raise ValueError(f"port {port[:20]!r}; expected 1 to 65535")
    return host, number


@lru_cache(maxsize=1_024)
def _normalise_host(host: str) -> str:
    if len(host) > _MAX_HOST_CHARACTERS:
        raise ValueError(f"host of {len(host)} characters is no host name")
    if host.startswith("[") and host.endswith("]"):
        return f"[{_normalise_ipv6(host[1:-1])}]"
    try:
        name = unquote_to_bytes(host).decode("utf-8") if "%" in host else host
        if not name.isascii():
            mapped = idna.uts46_remap(name, std3_rules=False, transitional=False)
            name = ".".join(map(_encode_label, mapped.split(".")))
    except (UnicodeError, idna.IDNAError) as error:
        raise ValueError(f"host {host[:100]!r} is no host name") from error
    name = name.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"host {host[:100]!r} is no host name")
    if _NUMBER.fullmatch(labels[-1]):
        if not host.isascii() or "%" in host:
            raise ValueError(f"host {host[:100]!r} is an address in disguise")
        return str(ipaddress.IPv4Address(name))
    return name


def _normalise_ipv6(text: str) -> str:
    """Return the address as the URL standard writes it. Raises ValueError, for a zone too."""
    if "%" in text:
        raise ValueError(f"address {text[:100]!r} has a zone, which means nothing outside one machine")
    address = ipaddress.IPv6Address(text)
    if address.ipv4_mapped is not None:  # later Pythons write the last part as `127.0.0.1`
        number = int(address.ipv4_mapped)
        return f"::ffff:{number >> 16:x}:{number & 0xFFFF:x}"
    return address.compressed


def _encode_label(label: str) -> str:
    """Return one label of a host name in ASCII, by IDNA 2008; symbols, which it leaves out, as browsers have them."""
    if label.isascii():
        return label
    try:
        return idna.alabel(label).decode("ascii")
    except idna.InvalidCodepoint:
        return f"xn--{label.encode('punycode').decode('ascii')}"


def _escape(text: str, unsafe: re.Pattern[bytes]) -> str:
    try:
        return unsafe.sub(_escape_run, text.encode("utf-8")).decode("ascii")
    except UnicodeEncodeError as error:
        raise ValueError("URL with half a character (a lone surrogate)") from error


def _escape_run(match: re.Match[bytes]) -> bytes:
    """Return bytes escaped, and escapes in their normal form: upper case, and none for what needs none."""
    escapes = match[1]
    if escapes is None:
        return b"%" + match[0].hex("%").upper().encode("ascii")
    raw = bytes.fromhex(escapes.decode("ascii").replace("%", ""))
    if _UNRESERVED.isdisjoint(raw):
        return escapes.upper()
    return b"".join(bytes([byte]) if byte in _UNRESERVED else b"%%%02X" % byte for byte in raw)


def _remove_dots(path: str) -> str:
    """Resolve `.` and `..` in *path*, which begins with a slash; `%2e` is a dot here, as it is to browsers."""
    if "/." not in path and "/%2" not in path:
        return path
    kept: list[str] = []
    last = ""
    for segment in path.split("/")[1:]:
        last = _ENCODED_DOT.sub(".", segment) if "%" in segment else segment
        if last == "..":
            if kept:
                kept.pop()
        elif last != ".":
            kept.append(segment)
    if last in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _drop_tracking(query: str) -> str:
    kept = []
    for pair in query.split("&"):
        name = pair.partition("=")[0].lower()
        if name not in _TRACKING and not name.startswith(_TRACKING_PREFIXES):
            kept.append(pair)
    return "&".join(kept)


def _surt_path(path: str) -> str:
    raw = _unescape_repeatedly(path) or b"/"
    kept: list[bytes] = []
    for segment in raw.split(b"/")[1:]:
        if segment == b"..":
            kept = kept[:-1] if kept else [segment]
        elif segment != b".":
            kept.append(segment)
    whole = b"/" + b"".join(segment + b"/" for segment in kept[:-1] if segment) + (kept[-1] if kept else b"")
    text = quote_from_bytes(whole, safe=_SURT_SAFE).lower()
    return text[:-1] if len(text) > 1 and text.endswith("/") else text


def _surt_query(query: str) -> str:
    text = quote_from_bytes(_unescape_repeatedly(query), safe=_SURT_SAFE)
    for pattern in _SURT_SESSIONS:
        match = pattern.match(text)
        if match:
            text = match[1] + (match[2] or "")
    pairs = sorted(tuple(pair.split("=", 1)) for pair in text.lower().split("&"))
    return "&".join("=".join(pair) for pair in pairs)


def _unescape_repeatedly(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    while (plain := unquote_to_bytes(raw)) != raw:
        raw = plain
    return raw
