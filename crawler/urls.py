"""URLs as text: the normal form that names an article, the SURT key of an index line, links made absolute.

Never asks the network; refuses what no honest link would be.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import quote_from_bytes, unquote_to_bytes, urljoin

import idna

MAX_URL_CHARACTERS = 8_192

_PARTS = re.compile(r"(?i:(https?)):/*([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.ASCII | re.DOTALL)
_PLAIN_LINK = re.compile(
    r"https?://(?=[^/]{1,63}(?:/|$))(?:[a-z0-9]+(?:-+[a-z0-9]+)*\.)+[a-z]{2,}(?:[/][A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?",
    re.ASCII,
)
"""Absolute links that need no second look: nearly all of a sitemap's 50,000."""
_BEFORE_QUERY = re.compile(r"[^?#]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)
_TRIMMED = "".join(map(chr, range(0x21)))
_LINE_BREAKS = str.maketrans("", "", "\t\r\n")

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PATH_SAFE = _UNRESERVED | frozenset(b"!$&'()*+,;=:@/")
_QUERY_SAFE = _PATH_SAFE | frozenset(b"?")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})|[^A-Za-z0-9._~-]")

_TRACKING_PREFIXES = ("utm_", "mtm_", "pk_", "hsa_", "mc_", "at_custom", "wt_")
_TRACKING = frozenset(
    {"fbclid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "ysclid", "twclid", "ttclid"}
    | {"igshid", "igsh", "li_fat_id", "epik", "rdt_cid", "sc_cid", "srsltid", "s_cid", "ncid", "cmpid", "ref_src"}
    | {
        "ref_url",
        "mkt_tok",
        "vero_id",
        "oly_enc_id",
        "oly_anon_id",
        "_ga",
        "_gl",
        "_hsenc",
        "_hsmi",
        "__s",
        "__twitter_impression",
    }
)

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
    match = _PARTS.fullmatch(_clean(url))
    if match is None:
        raise ValueError(f"not an http or https URL: {url[:200]!r}")
    scheme, authority, path, query = match[1].lower(), match[2], match[3], match[4]
    if "@" in authority:
        raise ValueError(f"user name or password in the URL: {url[:200]!r}")
    host, port = _split_port(authority)
    port = f":{port}" if port and port != _DEFAULT_PORTS[scheme] else ""
    path = _remove_dots(_escape(path, _PATH_SAFE))
    query = _drop_tracking(_escape(query or "", _QUERY_SAFE))
    normal = f"{scheme}://{_normalise_host(host)}{port}{path}" + (f"?{query}" if query else "")
    if len(normal) > 3 * MAX_URL_CHARACTERS:
        raise ValueError("URL is too long once escaped")
    return normal


def resolve_link(base: str, href: str) -> str | None:
    """Return the absolute http(s) URL that *href* means on a page at *base*, without its fragment; else `None`.

    `None` too for links within the page, and for what `normalise_url` refuses. The URL is not normalised.
    """
    link = _clean(href)
    if not link or link.startswith("#") or len(link) > MAX_URL_CHARACTERS:
        return None
    if _PLAIN_LINK.fullmatch(link):
        return link
    if _SCHEME.match(link) and not link[:5].lower().startswith("http"):
        return None
    try:
        absolute = urljoin(base, link.partition("#")[0])
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
    return _BEFORE_QUERY.sub(lambda match: match[0].replace("\\", "/"), text, count=1)


def _split_port(authority: str) -> tuple[str, str]:
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        return authority, ""
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536):
        raise ValueError(f"port {port[:20]!r}; expected 1 to 65535")
    return host, port.lstrip("0")


def _normalise_host(host: str) -> str:
    if host.startswith("[") and host.endswith("]"):
        return f"[{ipaddress.IPv6Address(host[1:-1].partition('%')[0]).compressed}]"
    try:
        name = unquote_to_bytes(host).decode("utf-8") if "%" in host else host
        if not name.isascii():
            name = idna.encode(name, uts46=True).decode("ascii")
    except (UnicodeError, idna.IDNAError) as error:
        raise ValueError(f"host {host[:100]!r} is no host name") from error
    name = name.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"host {host[:100]!r} is no host name")
    if _NUMBER.fullmatch(labels[-1]):
        return str(ipaddress.IPv4Address(name))
    return name


def _escape(text: str, safe: frozenset[int]) -> str:
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("URL with half a character (a lone surrogate)") from error

    def escape_one(match: re.Match[bytes]) -> bytes:
        digits = match[1]
        if digits is not None:
            byte = int(digits, 16)
            return bytes([byte]) if byte in _UNRESERVED else b"%" + digits.upper()
        byte = match[0][0]
        return match[0] if byte in safe else b"%%%02X" % byte

    return _ESCAPE.sub(escape_one, raw).decode("ascii")


def _remove_dots(path: str) -> str:
    kept: list[str] = []
    segments = path.split("/")[1:] if path else []
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in {".", ".."}:
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
