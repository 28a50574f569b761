"""A draft comes back as it was meant, whatever a publisher put into it, and never takes another file's place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from config.drafts import Draft, DraftSeed, Remarked, check_draft, encode_draft, write_draft
from config.errors import ConfigError
from config.sources import Source, load_source

if TYPE_CHECKING:
    from pathlib import Path

DRAFT = Draft(
    id="gazette",
    name="Gazette",
    home="https://gazette.example/",
    discover=(
        DraftSeed("feed", "https://gazette.example/feed?a=b&c=%20d", "30 articles"),
        DraftSeed("section", "https://gazette.example/أخبار"),
    ),
    include=(Remarked(r"^https://gazette\.example/\d{4}/it's", "of 30 articles"), Remarked("/новости/")),
    exclude=(Remarked("/tag/"),),
    language=Remarked("no", "30 of 30 pages"),
    timezone=Remarked("Asia/Beirut", "offset +02:00"),
    schedule=Remarked("cron */15 * * * *", "40 articles a day"),
    delay_seconds=2.5,
    delay_remark="robots.txt asks for it",
    head=("Written by `ofrecord sources add`",),
)
HOSTILE = [
    "a\npoliteness: {delay_seconds: 0}",
    "a # b: 'c' \"d\"",
    "- &a *a !!python/object:os.system {x}",
    "12:30",
    "true",
    "[]",
    "\u202egnp.exe \u2028 \x85 \ufeff",
    "%YAML 1.1",
    "---",
    "😀 Zeitung \U000e0001",
]


def test_a_draft_is_read_back_as_it_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "gazette.yaml"
    write_draft(path, DRAFT)
    source = load_source(path)
    assert source == check_draft(DRAFT)
    assert (source.name, source.language, source.timezone) == ("Gazette", "no", "Asia/Beirut")
    assert [(seed.kind, seed.url) for seed in source.discover] == [(seed.kind, seed.url) for seed in DRAFT.discover]
    assert source.articles.include == [one.value for one in DRAFT.include]
    assert source.politeness.delay_seconds == 2.5
    assert source.network == "public"
    assert load_source_text(tmp_path, replace(DRAFT, network="private", delay_seconds=0)).network == "private"


def load_source_text(folder: Path, draft: Draft) -> Source:
    path = folder / "other.yaml"
    write_draft(path, replace(draft, id="other"))
    return load_source(path)


def test_a_draft_reads_well() -> None:
    assert (
        encode_draft(DRAFT)
        == """\
# Written by `ofrecord sources add`
name: Gazette
home: https://gazette.example/
language: "no"                          # 30 of 30 pages
timezone: Asia/Beirut                   # offset +02:00
schedule: "cron */15 * * * *"           # 40 articles a day

discover:
  # 30 articles
  - feed: https://gazette.example/feed?a=b&c=%20d
  - section: https://gazette.example/أخبار

articles:
  include:
    # of 30 articles
    - '^https://gazette\\.example/\\d{4}/it''s'
    - '/новости/'
  exclude:
    - '/tag/'

politeness: {delay_seconds: 2.5}        # robots.txt asks for it
"""
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_a_publisher_says_becomes_yaml(text: str) -> None:
    remark = Remarked("every hour", text)
    draft = replace(DRAFT, schedule=remark, delay_remark=text, head=(text, text * 100))
    draft = replace(draft, discover=(DraftSeed("feed", "https://gazette.example/feed", text),))
    source = check_draft(draft)
    assert (source.schedule, source.politeness.delay_seconds, len(source.discover)) == ("every hour", 2.5, 1)
    assert all(char.isprintable() or char == "\n" for char in encode_draft(draft))
    try:
        named = check_draft(replace(DRAFT, name=text))
    except ConfigError:  # refused is as good
        return
    assert named.name == text


@pytest.mark.parametrize(
    "url", ["https://gazette.example/a: b", "https://gazette.example/#x #y", "https://gazette.example/\u202e"]
)
def test_no_url_becomes_another(url: str) -> None:
    try:
        source = check_draft(replace(DRAFT, discover=(DraftSeed("feed", url),)))
    except ConfigError:
        return
    assert source.discover[0].url == url


def test_what_is_no_source_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"articles\.include"):
        write_draft(tmp_path / "gazette.yaml", replace(DRAFT, include=(Remarked("("),)))
    assert list(tmp_path.iterdir()) == []


def test_no_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "gazette.yaml"
    path.write_text("mine", "utf-8")
    with pytest.raises(ConfigError, match=r"is there already; give another name with --id"):
        write_draft(path, DRAFT)
    assert path.read_text("utf-8") == "mine"
    link = tmp_path / "link.yaml"
    link.symlink_to(tmp_path / "nowhere.yaml")
    with pytest.raises(ConfigError, match="is there already"):
        write_draft(link, DRAFT)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["gazette.yaml", "link.yaml"]


def test_a_folder_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "sources").write_text("a file", "utf-8")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_draft(tmp_path / "sources" / "gazette.yaml", DRAFT)


@pytest.mark.parametrize("text", ["\N{SMILING FACE WITH HALO}\N{ZERO WIDTH JOINER}x", "\u202e\U000e0001\x9b"])
def test_what_cannot_be_seen_beside_what_lies_beyond_16_bits_comes_back(text: str) -> None:
    draft = replace(DRAFT, name=text, include=(Remarked(text),), discover=(DraftSeed("feed", f"{DRAFT.home}{text}"),))
    source = check_draft(draft)
    assert (source.name, source.articles.include) == (text, [text])
    assert all(char.isprintable() or char == "\n" for char in encode_draft(draft))
