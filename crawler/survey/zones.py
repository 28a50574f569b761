"""What a survey heard of offsets, domains and languages → the time zone that a publication most likely writes in."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from crawler.survey.proposed import Reasoned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_MAIN = {
    "AR": "America/Argentina/Buenos_Aires", "AU": "Australia/Sydney", "BR": "America/Sao_Paulo",
    "CA": "America/Toronto", "CD": "Africa/Kinshasa", "CL": "America/Santiago", "CN": "Asia/Shanghai",
    "CY": "Asia/Nicosia", "DE": "Europe/Berlin", "EC": "America/Guayaquil", "ES": "Europe/Madrid",
    "ID": "Asia/Jakarta", "KZ": "Asia/Almaty", "MN": "Asia/Ulaanbaatar", "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur", "NZ": "Pacific/Auckland", "PG": "Pacific/Port_Moresby", "PS": "Asia/Gaza",
    "PT": "Europe/Lisbon", "RU": "Europe/Moscow", "UA": "Europe/Kyiv", "US": "America/New_York",
    "UZ": "Asia/Tashkent", "VN": "Asia/Ho_Chi_Minh",
}  # fmt: skip
"""Where a country has several zones: that of most people, which is tried first."""
_WIDE = frozenset({"AU", "BR", "CA", "ID", "MX", "RU", "US", "CD", "KZ"})
"""Whose zones are too far apart for a guess that no offset bears out."""
_COUNTRY_OF_LANGUAGE = {
    "bg": "BG", "cs": "CZ", "da": "DK", "de": "DE", "el": "GR", "et": "EE", "fa": "IR", "fi": "FI", "he": "IL",
    "hu": "HU", "hy": "AM", "is": "IS", "it": "IT", "ja": "JP", "ka": "GE", "ko": "KR", "lt": "LT", "lv": "LV",
    "nb": "NO", "nl": "NL", "nn": "NO", "no": "NO", "pl": "PL", "ro": "RO", "sk": "SK", "sl": "SI", "sq": "AL",
    "sr": "RS", "sv": "SE", "th": "TH", "tr": "TR", "uk": "UA", "vi": "VN", "hi": "IN", "fr": "FR", "hr": "HR",
    "mk": "MK", "bn": "BD", "ur": "PK", "zh": "CN",
}  # fmt: skip
"""Where nearly all who write a language live by one clock, or most of its papers do."""
_SPREAD = frozenset({"bn", "fr", "hi", "hr", "ur", "zh"})
"""Languages that say too little by themselves: an offset must bear the country out."""
_DOMAINS = {"uk": "GB"}
_ANYBODYS_NAMES = "io co tv me ai fm am cc to ly gg sh ws nu la is vc ag im pw"
_ANYBODYS = frozenset(_ANYBODYS_NAMES.split())
"""Domains of countries that everybody takes."""
_MOST = 0.8


def guess_zone(home: str, languages: Sequence[str], times: Iterable[datetime]) -> Reasoned | None:
    """Return the likeliest zone and why; `None` where nothing speaks for any.

    *languages*: BCP 47, the commonest first. *times*: as pages state them, with the offset that they state; UTC says
    nothing, since many write it wherever they are.
    """
    stated = [time for time in times if time.utcoffset()]
    for country, why, sure in _list_countries(home, languages):
        zones = _zones_of(country)
        fitting = [zone for zone in zones if _agrees(zone, stated)]
        if stated and fitting:
            return Reasoned(fitting[0], f"a guess: {why}, and pages state {_describe_offsets(stated)}")
        if not stated and zones and sure and country not in _WIDE:
            return Reasoned(zones[0], f"a guess: {why}; no page states another offset than UTC")
    return None


def _list_countries(home: str, languages: Sequence[str]) -> Iterator[tuple[str, str, bool]]:
    top = (urlsplit(home).hostname or "").rpartition(".")[2].lower()
    if len(top) == 2 and top not in _ANYBODYS:
        yield _DOMAINS.get(top, top.upper()), f"the domain ends with .{top}", True
    for language in languages[:3]:
        main, *rest = language.split("-")
        region = next((part for part in rest if len(part) == 2 and part.isalpha()), None)
        if region:
            yield region.upper(), f"pages are in {language}", True
    for language in languages[:3]:
        main = language.partition("-")[0].lower()
        if main in _COUNTRY_OF_LANGUAGE:
            yield _COUNTRY_OF_LANGUAGE[main], f"pages are in {language}", main not in _SPREAD


@lru_cache(maxsize=1)
def _read_table() -> dict[str, tuple[str, ...]]:
    """Return the zones of each country, from the table that comes with the zones themselves."""
    found: dict[str, list[str]] = {}
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text("utf-8")
    for line in table.splitlines():
        if not line.startswith("#") and len(columns := line.split("\t")) >= 3:
            found.setdefault(columns[0], []).append(columns[2])
    return {
        country: tuple(sorted(zones, key=lambda zone: zone != _MAIN.get(country))) for country, zones in found.items()
    }


def _zones_of(country: str) -> tuple[str, ...]:
    return _read_table().get(country, ())


def _agrees(zone: str, stated: Sequence[datetime]) -> bool:
    clock = ZoneInfo(zone)
    return sum(time.astimezone(clock).utcoffset() == time.utcoffset() for time in stated) >= _MOST * len(stated)


def _describe_offsets(stated: Sequence[datetime]) -> str:
    offsets = Counter(time.strftime("%z") for time in stated)
    return " and ".join(f"{offset[:3]}:{offset[3:5]}" for offset, _ in offsets.most_common(2))
