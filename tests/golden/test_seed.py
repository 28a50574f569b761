"""The pages of the test site: clean text to the byte, class and fields, by the source's rules and without any."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from config.rules import ExtractRules
from config.sources import load_sources
from crawler.extract import check_rules, extract_article
from crawler.model import FieldValue, PageClass, Snapshot
from crawler.normalise import make_snapshot

ROOT = Path(__file__).parents[2]
SITE = ROOT / "tests" / "site"
AT = datetime(2026, 11, 22, tzinfo=UTC)
EXPECTED: dict[str, dict[str, Any]] = json.loads((SITE / "expected.json").read_text("utf-8"))
METADATA: dict[str, Any] = json.loads((SITE / "metadata.json").read_text("utf-8"))
SEED = METADATA["url"]
RULES = ["rules", "automatic"]
LISTINGS = sorted(
    f"https://{page.parent.relative_to(SITE / 'hosts')}"
    for page in (SITE / "hosts").rglob("index.html")
    if f"https://{page.parent.relative_to(SITE / 'hosts')}" not in EXPECTED
)


@cache
def rules_of(host: str) -> ExtractRules:
    sources = load_sources(ROOT / "config" / "sources").values()
    return next(source.extract for source in sources if f"//{host}/" in source.home)


@cache
def read(page: Path, url: str, rules: str) -> Snapshot:
    host = url.split("/")[2]
    article = extract_article(
        page.read_text("utf-8"),
        url=url,
        status=200,
        captured_at=AT,
        timezone="Asia/Beirut",
        language=None,
        rules=rules_of(host) if rules == "rules" else ExtractRules(),
    )
    return make_snapshot(article, "sha256:00")


def read_version(name: str, rules: str = "automatic") -> Snapshot:
    return read(SITE / "versions" / name, SEED, rules)


def read_url(url: str, rules: str = "automatic") -> Snapshot:
    page = SITE / "hosts" / url.removeprefix("https://") / "index.html"
    return read(page if page.exists() else SITE / "versions" / "article-2025.html", url, rules)


def expected_text(name: str) -> str:
    return (SITE / "expected" / name).read_text("utf-8")


@pytest.mark.parametrize("rules", RULES)
def test_two_designs_two_years_apart_give_one_text(rules: str) -> None:
    first, later = read_version("article-2023.html", rules), read_version("article-2025.html", rules)
    assert first.text == later.text == expected_text("clean.txt")
    assert first.text_digest == later.text_digest == f"sha256:{METADATA['clean']['sha256']}"


@pytest.mark.parametrize("rules", RULES)
def test_an_edit_gives_another_text_and_nothing_else(rules: str) -> None:
    edited = read_version("edited-2023.html", rules)
    assert edited.text == expected_text("edited.txt")
    assert edited.text_digest == f"sha256:{METADATA['edited']['sha256']}"


@pytest.mark.parametrize("rules", RULES)
def test_a_page_that_says_gone_is_no_version(rules: str) -> None:
    gone = read_version("gone.html", rules)
    assert gone.page_class is PageClass.SOFT_404
    assert "Page not found" in gone.class_reason
    assert gone.text == ""


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("url", EXPECTED)
def test_every_page_of_the_site_is_what_it_is(url: str, rules: str) -> None:
    wanted, snapshot = EXPECTED[url], read_url(url, rules)
    assert snapshot.page_class == {"opinion": "article"}.get(wanted["kind"], wanted["kind"])
    assert snapshot.class_reason
    if wanted["text_file"]:
        assert snapshot.text == expected_text(Path(wanted["text_file"]).name)
        assert hashlib.sha256(snapshot.text.encode()).hexdigest() == wanted["clean_sha256"]


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("url", LISTINGS)
def test_home_and_sections_are_listings(url: str, rules: str) -> None:
    snapshot = read_url(url, rules)
    assert (snapshot.page_class, snapshot.text) == (PageClass.LISTING, "")


@pytest.mark.parametrize("rules", RULES)
def test_pages_of_other_kinds_give_what_is_theirs(rules: str) -> None:
    english = "https://english.almayadeen.net"
    video = read_url(f"{english}/videos/newsfeed/watch--how-the-old-harbour-was-restored", rules)
    assert video.text.split("\n") == [
        "Watch: How the old harbour was restored",
        "A two-minute look at the works in the old harbour.",
        "A two-minute look at the works in the old harbour, from the first survey to the last stone.",
    ]
    films = {name: value for film in video.fields["videos"].value for name, value in film.items()}
    assert films["duration"] == "PT127S"
    assert films["media_url"] == "https://media.example.invalid/v/harbour.m3u8"
    assert films["embed_url"] == "https://www.youtube.com/embed/xxxxxxxxxxx"
    assert films["poster"] == f"{english}/img/v.jpg"

    infograph = read_url(f"{english}/infographs/in-numbers--a-year-of-rain", rules)
    assert infograph.text == "In numbers: a year of rain\nRainfall per month, as measured at the harbour station."
    assert infograph.fields["images"].value[0]["full_url"].endswith("/rain-full.png")

    gallery = read_url(f"{english}/in-pictures/in-pictures--a-morning-at-the-harbour", rules)
    captions = [image["caption"] for image in gallery.fields["images"].value]
    assert captions == [
        "Fishermen mend nets at dawn (AP)",
        "The first boats leave the harbour (AFP)",
        "Children watch from the pier (Reuters)",
    ]
    assert gallery.text.split("\n")[2:] == captions


@pytest.mark.parametrize("rules", RULES)
def test_a_live_blog_has_its_posts_as_units(rules: str) -> None:
    url = "https://english.almayadeen.net/live-coverage/live--book-fair-in-the-harbour-hall"
    before, after = read_url(url, rules), read_version("live-later.html", rules)
    assert before.page_class is after.page_class is PageClass.LIVE
    assert before.fields["partial"].value is True
    old = {post["id"]: post["text"] for post in before.fields["posts"].value}
    new = {post["id"]: post["text"] for post in after.fields["posts"].value}
    assert set(new) - set(old) == {"u1325"}
    assert [name for name in old if old[name] != new[name]] == ["u1240"]
    assert before.fields["posts"].value[-1]["time"] == "09:00"


FIELDS = {
    "url": "url",
    "canonical_url": "canonical_url",
    "language": "language",
    "dir": "dir",
    "summary": "lead",
    "source": "source",
    "source_text": "source_text",
    "published_text": "published_text",
    "section": "section",
    "tags": "tags",
    "inline_links": "inline_links",
    "embeds": "embeds",
    "related_links": "related_links",
    "subheads": "subheads",
    "reading_time_minutes": "reading_time_minutes",
    "reading_time_text": "reading_time_text",
    "byline_text": "byline",
    "title": "title",
}


def stripped(value: object) -> object:
    """Take the seed's notes on itself (`url_is_derived` and the like) out of its expectation."""
    if isinstance(value, list):
        return [stripped(item) for item in value]
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if not key.endswith(("_is_derived", "_is_invented", "_note"))}
    return value


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("wanted", FIELDS)
def test_each_field_is_as_the_seed_says(wanted: str, rules: str) -> None:
    snapshot = read_version("article-2025.html", rules)
    found = snapshot.lead if FIELDS[wanted] == "lead" else snapshot.fields[FIELDS[wanted]].value
    assert found == stripped(METADATA[wanted])


@pytest.mark.parametrize("rules", RULES)
def test_the_author_is_named_apart_from_the_byline(rules: str) -> None:
    for name in ("article-2023.html", "article-2025.html"):
        assert read_version(name, rules).fields["authors"].value == [METADATA["byline"]]


@pytest.mark.parametrize("rules", RULES)
def test_the_caption_is_whole_where_raw_quotes_cut_the_alt(rules: str) -> None:
    image = read_version("article-2025.html", rules).fields["image"].value
    wanted = METADATA["image"]
    assert (image["url"], image["caption"], image["credit"]) == (wanted["url"], wanted["caption"], wanted["credit"])
    assert image["alt"].strip() == wanted["alt_as_parsed"]


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("version", ["article-2023.html", "article-2025.html"])
def test_the_time_is_the_stated_one_and_all_statements_are_kept(version: str, rules: str) -> None:
    fields = read_version(version, rules).fields
    local, zone = METADATA["published_local"], METADATA["published_zone"]
    assert fields["published"] == FieldValue(f"{local}:00{zone['offset_if_assumed']}", "json-ld", None)
    moment = datetime.fromisoformat(fields["published"].value).astimezone(UTC)
    assert moment == datetime.fromisoformat(METADATA["published_utc_if_assumed"])
    zones = {(entry["from"], entry.get("assumed_zone")) for entry in fields["published_candidates"].value}
    assert zones >= {("json-ld", None), ("meta", zone["assumed"]), ("visible", zone["assumed"])}


def test_without_json_ld_the_zone_is_assumed_and_said_so() -> None:
    html = (SITE / "versions" / "article-2025.html").read_text("utf-8").replace("application/ld+json", "text/plain")
    article = extract_article(
        html,
        url=SEED,
        status=200,
        captured_at=AT,
        timezone="Asia/Beirut",
        language=None,
        rules=ExtractRules(),
    )
    assert article.fields["published"] == FieldValue("2023-11-06T16:21:00+02:00", "meta", "Asia/Beirut")
    assert make_snapshot(article, "sha256:00").text == expected_text("clean.txt")


def test_the_clean_text_has_the_measures_of_the_seed() -> None:
    text, wanted = read_version("article-2025.html").text, METADATA["clean"]
    measures = (len(text.encode()), len(text.split("\n")), len(text.split()))
    assert measures == (wanted["bytes"], wanted["lines"], wanted["words"])
    assert not text.endswith("\n")


def test_the_rules_of_every_source_are_css() -> None:
    for source in load_sources(ROOT / "config" / "sources").values():
        check_rules(source.extract)
