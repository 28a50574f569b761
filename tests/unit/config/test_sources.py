from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.masks import mask_text
from config.rules import readable_url
from config.sources import DEFAULT_RECHECK, load_source, load_sources
from config.units import Schedule

SHIPPED = Path(__file__).parents[3] / "config" / "sources"
GOOD = r"""
name: Example Gazette
home: https://gazette.example/
language: en
schedule: every 30 minutes
discover:
  - feed: https://gazette.example/rss.xml
  - sitemap: https://gazette.example/news-sitemap.xml
articles:
  include: ['^https://gazette\.example/\d{4}/']
  exclude: ['/video/', '/live/']
recheck: [1 hour, 6 hours, 1 day, 7 days]
politeness: {delay_seconds: 5}
extract: {remove: [.newsletter-signup]}
""".lstrip()


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def errors_of(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_source(path)
    return str(caught.value).splitlines()


def test_the_newcomers_example(tmp_path: Path) -> None:
    source = load_source(write(tmp_path, "gazette.yaml", GOOD))
    assert source.id == "gazette"
    assert [(entry.kind, entry.url) for entry in source.discover] == [
        ("feed", "https://gazette.example/rss.xml"),
        ("sitemap", "https://gazette.example/news-sitemap.xml"),
    ]
    assert source.parsed_schedule == Schedule(interval_seconds=1_800)
    assert source.recheck == [3_600, 21_600, 86_400, 604_800]
    assert source.politeness.delay_seconds == 5
    assert source.extract.remove == [".newsletter-signup"]
    assert source.is_article("https://gazette.example/2026/budget")
    assert not source.is_article("https://gazette.example/2026/video/budget")
    assert not source.is_article("https://gazette.example/about")


def test_readme_shows_a_source_that_loads(tmp_path: Path) -> None:
    readme = (SHIPPED / "README.md").read_text(encoding="utf-8")
    example = readme.partition("```yaml\n")[2].partition("```")[0]
    source = load_source(write(tmp_path, "gazette.yaml", example))
    documented = {line.split("`")[1].partition(".")[0] for line in readme.splitlines() if line.startswith("| `")}
    assert documented == set(type(source).model_fields) - {"id"}
    for rule in type(source.extract).model_fields:
        assert f"`{rule}`" in readme


def test_defaults(tmp_path: Path) -> None:
    text = "name: G\nhome: http://g.example\ndiscover: [{section: 'http://g.example/'}]\narticles: {include: /a/}\n"
    source = load_source(write(tmp_path, "g.yaml", text))
    assert source.recheck == list(DEFAULT_RECHECK)
    assert (source.network, source.raw, source.retired, source.formerly) == ("public", "every", False, [])
    assert source.politeness.delay_seconds == 5
    assert source.parsed_schedule is None
    assert source.is_article("http://g.example/a/1")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("schedule:", "skedule:", ":4: skedule: found an unknown key, expected one of articles, "),
        ("schedule:", "skedule:", "; did you mean schedule?"),
        ("{delay_seconds: 5}", "{delay-seconds: 5}", "politeness.delay-seconds: found an unknown key"),
        ("{delay_seconds: 5}", "{delay-seconds: 5}", "did you mean delay_seconds?"),
        ("{delay_seconds: 5}", "{delay_seconds: slow}", "delay_seconds: found 'slow', expected a number"),
        ("{delay_seconds: 5}", "{delay_seconds: 0.5}", ":12: politeness.delay_seconds: found 0.5, expected at least 1"),
        ("{delay_seconds: 5}", "5", ":12: politeness: found 5, expected a mapping"),
        ("name: Example Gazette", "name: 1984", ":1: name: found 1984, expected text (put it in quotes)"),
        ("name: Example Gazette\n", "", "name: found nothing, expected a value: this key is needed"),
        (
            "https://gazette.example/\n",
            "gazette.example\n",
            ":2: home: found 'gazette.example', expected an absolute URL",
        ),
        ("language: en", "language: English", ":3: language: found 'English', expected a language code"),
        ("language: en", "timezone: Asia/Beiruth", "did you mean Asia/Beirut?"),
        ("language: en", "timezone: ../etc/passwd", "expected an IANA time zone"),
        (
            "every 30 minutes",
            "every 30 minits",
            ":4: schedule: found 'every 30 minits', expected a duration in seconds",
        ),
        ("feed:", "fead:", ":6: discover[1].fead: found an unknown key, expected one of feed, section, sitemap"),
        (
            "https://gazette.example/rss.xml",
            "/rss.xml",
            ":6: discover[1].feed: found '/rss.xml', expected an absolute URL",
        ),
        ("https://gazette.example/rss.xml", "https://me:pw@gazette.example/", "without a password"),
        ("  - sitemap:", "    sitemap:", ":6: discover[1]: found a mapping, expected exactly one of feed, sitemap or"),
        (r"\d{4}/", "(?=x)", "expected an RE2 expression; invalid perl operator: (?= at character 27"),
        (r"\d{4}/", "[z-a]", "invalid character class range: z-a at character 28"),
        ("'/live/'", "'(live'", ":10: articles.exclude[2]: found '(live', expected an RE2 expression; missing )"),
        ("'/live/'", "5", "articles.exclude[2]: found 5, expected text"),
        ("  include:", "  inklude:", "articles.include: found nothing"),
        ("6 hours", "6", ":11: recheck[2]: found 6, expected a duration with its unit"),
        ("6 hours", "6 ours", "recheck[2]: found '6 ours', expected a duration in seconds"),
        ("6 hours", "1 hour", "recheck: found a list, expected durations that grow, each once"),
        (
            "[.newsletter-signup]",
            "['div[class']",
            ":13: extract.remove[1]: found 'div[class', expected a CSS selector; `[`",
        ),
        ("remove:", "title: 'h1 {'}\n#", "expected a CSS selector; `{` has no place in one"),
        ("language: en", "network: privat", "network: found 'privat', expected public or private"),
        ("language: en", "raw: changed", "raw: found 'changed', expected every"),
        ("language: en", "retired: maybe", "retired: found 'maybe', expected true or false"),
        ("language: en", "id: other", ":3: id: found a key, expected none: the id is the file's name"),
        ("language: en", "headers: {User-Agent: me}", "set user_agent in the settings"),
        ("language: en", 'headers: {X-Key: "a\\r\\nb"}', "expected printable ASCII on one line as the value of X-Key"),
        ("language: en", "headers: {'X Key': a}", "expected header names as HTTP has them"),
        ("language: en", "headers: {X-Key: '${9}'}", "expected `${NAME}`"),
        ("language: en", "headers: {x-key: a, X-Key: b}", "each header once"),
        ("language: en", "cookies: {'a b': c}", "cookies: found another value, expected cookie names as HTTP"),
        ("language: en", "cookies: {a: 'b; c=d'}", "expected printable ASCII without `;`, and no blanks around it"),
        ("language: en", "cookies: {a: '${9}'}", "expected `${NAME}`"),
        (
            "language: en",
            "headers: {cookie: a=b}\ncookies: {c: d}",
            ":4: cookies: found another value, expected none beside",
        ),
        ("language: en", "sections: ['/news?page=1']", ":3: sections[1]: found '/news?page=1', expected a path or URL"),
        (
            "language: en",
            "sections: gazette.example/news",
            "expected a path that begins with /, a URL, or a section's name",
        ),
        (
            "language: en",
            "sections: ['ftp://gazette.example/']",
            "sections[1]: found 'ftp://gazette.example/', expected an",
        ),
        ("language: en", "languages: [en, English]", ":3: languages[2]: found 'English', expected a language code"),
        ("language: en", "language: en\nlanguages: [fr, de]", ":4: languages: found a list, expected en among them"),
        ("language: en", "login: {user: me}", ":3: login: found a mapping, expected none: no pay wall is circumvented"),
        ("language: en", "login: basic", "expected none: no pay wall is circumvented"),
        ("language: en", "assets: images", ":3: assets: found 'images', expected none, lead-image or page"),
        ("language: en", "formerly: [gazette]", "formerly: found a list, expected earlier ids"),
        ("language: en", "web_archives: [cdx]", ":3: web_archives[1]: found 'cdx', expected cdx=URL replay=URL, or"),
        ("language: en", "language: en\nlanguage: fr", ":4: language: found the key again"),
    ],
)
def test_error_names_file_line_key_found_and_expected(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in GOOD
    path = write(tmp_path, "gazette.yaml", GOOD.replace(old, new, 1))
    lines = errors_of(path)
    assert any(expected in line for line in lines), lines
    assert all(line.startswith(f"{path}:") for line in lines)


def test_header_values_are_never_shown(tmp_path: Path) -> None:
    path = write(tmp_path, "g.yaml", GOOD.replace("language: en", "headers: {X-Key: [hunter2]}"))
    assert "hunter2" not in "".join(errors_of(path))


@pytest.mark.parametrize("name", ["Gazette.yaml", "-a.yaml", "a_b.yaml", f"{'a' * 65}.yaml", "ä.yaml"])
def test_file_name_must_be_an_id(tmp_path: Path, name: str) -> None:
    assert "id: found" in errors_of(write(tmp_path, name, GOOD))[0]


def test_all_errors_of_all_files_come_at_once(tmp_path: Path) -> None:
    write(tmp_path, "one.yaml", GOOD.replace("schedule", "skedule").replace("language: en", "language: 5"))
    write(tmp_path, "two.yaml", "a: [")
    write(tmp_path, "three.yaml", GOOD)
    with pytest.raises(ConfigError) as caught:
        load_sources(tmp_path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert [Path(line.partition(":")[0]).name for line in lines] == ["one.yaml", "one.yaml", "two.yaml"]


@pytest.mark.parametrize("other", ["gazette.yml", "more/gazette.yaml"])
def test_one_id_in_two_files(tmp_path: Path, other: str) -> None:
    write(tmp_path, "gazette.yaml", GOOD)
    write(tmp_path, other, GOOD)
    with pytest.raises(ConfigError, match="found 'gazette' again") as caught:
        load_sources(tmp_path)
    assert str(tmp_path / "gazette.yaml") in str(caught.value)
    assert str(tmp_path / other) in str(caught.value)


def test_an_earlier_id_belongs_to_one_source(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", GOOD + "formerly: [b]\n")
    write(tmp_path, "b.yaml", GOOD)
    with pytest.raises(ConfigError, match=r"a.yaml:14: formerly\[1\]: found 'b', expected an id that no file claims"):
        load_sources(tmp_path)
    write(tmp_path, "b.yaml", GOOD.replace("name", "formerly: [c]\nname", 1))
    write(tmp_path, "a.yaml", GOOD + "formerly: [c]\n")
    with pytest.raises(ConfigError, match=r"a\.yaml has it"):
        load_sources(tmp_path)


def test_only_yaml_files_are_sources(tmp_path: Path) -> None:
    write(tmp_path, "gazette.yaml", GOOD)
    write(tmp_path, "more/deep/herald.yml", GOOD)
    write(tmp_path, "README.md", "not a source")
    write(tmp_path, ".gazette.yaml", "a: [")
    write(tmp_path, ".git/x.yaml", "a: [")
    assert sorted(load_sources(tmp_path)) == ["gazette", "herald"]
    with pytest.raises(ConfigError, match="found no such folder"):
        load_sources(tmp_path / "nowhere")


def test_less_than_a_second_only_in_your_own_network(tmp_path: Path) -> None:
    text = GOOD.replace("{delay_seconds: 5}", "{delay_seconds: 0}") + "network: private\n"
    assert load_source(write(tmp_path, "g.yaml", text)).politeness.delay_seconds == 0


def test_secrets_come_from_the_environment(tmp_path: Path) -> None:
    text = GOOD + "headers: {X-Key: 'a ${KEY_ONE} b', Cookie: consent=1, Accept-Language: en}\n"
    source = load_source(write(tmp_path, "g.yaml", text))
    assert source.secret_headers == {"x-key", "cookie"}
    assert source.environment_names == {"KEY_ONE"}
    assert source.resolve_headers({"KEY_ONE": "hunter2"})["X-Key"] == "a hunter2 b"
    with pytest.raises(ConfigError, match="found no KEY_ONE in the environment"):
        source.resolve_headers({})
    with pytest.raises(ConfigError, match="must be printable ASCII on one line") as caught:
        source.resolve_headers({"KEY_ONE": "hunter2\r\nHost: x"})
    assert "hunter2" not in str(caught.value)


def test_cookies_are_one_header_and_secret_whatever_they_are(tmp_path: Path) -> None:
    text = GOOD + "headers: {X-Edition: world}\ncookies: {consent: 'yes', pass: 'p-${PASS_TOKEN}'}\nlogin: none\n"
    source = load_source(write(tmp_path, "g.yaml", text))
    assert source.secret_headers == {"cookie"}
    assert source.environment_names == {"PASS_TOKEN"}
    assert source.resolve_headers({"PASS_TOKEN": "hunter2"}) == {
        "X-Edition": "world",
        "Cookie": "consent=yes; pass=p-hunter2",
    }
    assert "hunter2" not in mask_text("sent pass=p-hunter2")
    for value, message in {"": r"cookies\.pass: found no PASS_TOKEN", "a; b=c": r"cookies\.pass: .* no `;`"}.items():
        with pytest.raises(ConfigError, match=message) as caught:
            source.resolve_headers({"PASS_TOKEN": value})
        assert "b=c" not in str(caught.value)


def test_cookie_values_are_never_shown(tmp_path: Path) -> None:
    for wrong in ("[hunter2]", "'hunter2;'"):
        path = write(tmp_path, "g.yaml", GOOD.replace("language: en", f"cookies: {{pass: {wrong}}}"))
        assert "hunter2" not in "".join(errors_of(path))


PLACES = {
    "/politics": {"/politics", "/politics/", "/politics/1", "/politics/2026/a?b=c"},
    "/politics/": {"/politics", "/politics/", "/politics/1", "/politics/2026/a?b=c"},
    "https://gazette.example/politics/2026": {"/politics/2026/a?b=c"},
    "https://sport.gazette.example/": set(),
    "/opini%C3%B3n/": {"/opini%C3%B3n/1"},
    "/opinión": {"/opini%C3%B3n/1"},
}


@pytest.mark.parametrize(("section", "inside"), PLACES.items(), ids=PLACES)
def test_sections_that_an_address_tells(tmp_path: Path, section: str, inside: set[str]) -> None:
    text = GOOD.replace(r"['^https://gazette\.example/\d{4}/']", f"['/']\nsections: ['{section}']").replace(
        "  exclude", "# "
    )
    source = load_source(write(tmp_path, "g.yaml", text))
    paths = {*PLACES["/politics"], "/opini%C3%B3n/1", "/politicsandmore/1", "/sport/politics/1", "/"}
    assert {path for path in paths if source.is_article(f"https://gazette.example{path}")} == inside
    assert source.is_article("https://sport.gazette.example/1") == section.startswith("https://sport.")


def test_a_section_by_name_leaves_addresses_open(tmp_path: Path) -> None:
    source = load_source(write(tmp_path, "g.yaml", GOOD + "sections: [/politics/, Science and Health]\n"))
    assert source.is_article("https://gazette.example/2026/1")
    assert not source.is_article("https://gazette.example/about")


def test_readable_url_keeps_what_is_not_whole_utf8() -> None:
    assert readable_url("https://a.example/%C3%B3%2F%20/%FF/%D8") == "https://a.example/ó%2F%20/%FF/%D8"


def test_patterns_see_letters_escaped_and_readable(tmp_path: Path) -> None:
    for expression in ("/opinión/", "/opini%C3%B3n/"):
        text = GOOD.replace(r"^https://gazette\.example/\d{4}/", expression)
        source = load_source(write(tmp_path, "g.yaml", text))
        assert source.is_article("https://gazette.example/opini%C3%B3n/1")


ARTICLES = {
    "almayadeen-english": [
        "https://english.almayadeen.net/news/politics/blinken-claims-us--working-very-aggressively--to-send-aid-to",
        "https://english.almayadeen.net/articles/opinion/why-small-libraries-still-matter",
        "https://english.almayadeen.net/videos/newsfeed/watch--how-the-old-harbour-was-restored",
        "https://english.almayadeen.net/infographs/in-numbers--a-year-of-rain",
        "https://english.almayadeen.net/in-pictures/in-pictures--a-morning-at-the-harbour",
        "https://english.almayadeen.net/live-coverage/live--book-fair-in-the-harbour-hall",
    ],
    "almayadeen-arabic": [
        "https://www.almayadeen.net/news/culture/%D8%A7%D9%81%D8%AA%D8%AA%D8%A7%D8%AD-%D9%85%D9%83%D8%AA%D8%A8%D8%A9",
        "https://www.almayadeen.net/%D8%A3%D8%AE%D8%A8%D8%A7%D8%B1/%D8%AB%D9%82%D8%A7%D9%81%D8%A9/%D8%A7%D9%81",
        "https://www.almayadeen.net/video/%D8%A7%D9%81",
        "https://www.almayadeen.net/newscast/2023/11/7/%D8%A7%D9%81",
    ],
    "almayadeen-spanish": [
        "https://espanol.almayadeen.net/noticias/medio-ambiente/1773055/lluvias-moderadas-alivian-la-sequ%C3%ADa-en",
        "https://espanol.almayadeen.net/opini%C3%B3n/1773056/una-voz",
    ],
}
NO_ARTICLES = [
    "/",
    "/news",
    "/news/politics",
    "/news/politics/page/2",
    "/news/page/2",
    "/articles/opinion",
    "/videos/newsfeed",
    "/infographs",
    "/in-pictures?page=2",
    "/live",
    "/region/us--canada",
    "/breaking/1",
    "/breaking/1/2/x",
    "/tags/gaza",
    "/tags/1/2/x",
    "/search?q=/news/politics/x",
    "/authors/al-mayadeen-english",
    "/authors",
    "/about-us",
    "/gone-page",
    "/feed.rss",
    "/sitemaps/all.xml",
    "/%D8%A3%D8%AE%D8%A8%D8%A7%D8%B1/%D8%B3%D9%8A%D8%A7%D8%B3%D8%A9",
    "/opini%C3%B3n/escritores",
    "/noticias/medio-ambiente",
]


def test_shipped_sources_load() -> None:
    sources = load_sources(SHIPPED)
    assert sorted(sources) == sorted(ARTICLES)
    for source in sources.values():
        assert (source.timezone, source.politeness.delay_seconds) == ("Asia/Beirut", 2)
        kinds = [entry.kind for entry in source.discover]
        assert (kinds.count("feed"), kinds.count("sitemap")) == (1, 2)
        assert all(entry.url.startswith(source.home) for entry in source.discover)
        assert len({entry.url for entry in source.discover}) == len(source.discover)


def test_english_source_has_every_section_of_the_seed_page() -> None:
    source = load_sources(SHIPPED)["almayadeen-english"]
    paths = {entry.url.removeprefix(source.home) for entry in source.discover if entry.kind == "section"}
    news = ["politics", "economy", "sports", "arts-culture", "health", "miscellaneous", "technology", "environment"]
    regions = ["africa", "asia", "asia-pacific", "europe", "latin-america", "mena", "palestine", "us--canada"]
    assert {f"news/{part}" for part in news} <= paths
    assert {f"articles/{part}" for part in ("opinion", "analysis", "blog", "features")} <= paths
    assert {f"region/{part}" for part in regions} <= paths
    assert {"", "news", "articles", "videos", "infographs", "in-pictures", "live"} <= paths


@pytest.mark.parametrize("source_id", ARTICLES)
def test_shipped_patterns(source_id: str) -> None:
    sources = load_sources(SHIPPED)
    source = sources[source_id]
    for url in ARTICLES[source_id]:
        assert [key for key, other in sources.items() if other.is_article(url)] == [source_id], url
    for path in NO_ARTICLES:
        assert not source.is_article(source.home + path.removeprefix("/")), path
    assert not any(source.is_article(entry.url) for entry in source.discover)
