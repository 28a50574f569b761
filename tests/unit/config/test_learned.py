from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.learned import (
    LearnedFile,
    LearnedLabel,
    LearnedLine,
    LearnedSelector,
    learned_path,
    read_learned,
    update_learned,
    write_learned,
)
from config.rules import ExtractRules, LearnedRules
from config.sources import Source, find_source_file, load_source, load_sources
from crawler.derivation import derive

SOURCE = r"""
name: Example Gazette
home: https://gazette.example/
discover: [{feed: https://gazette.example/rss.xml}]
articles: {include: ['/\d{4}/']}
extract: {remove: [.promo]}
""".lstrip()
LEARNED = LearnedFile(
    version=3,
    learned=datetime(2026, 11, 26, 19, 0, tzinfo=UTC),
    archive="0" * 32,
    articles=40,
    captures=90,
    remove=[LearnedSelector(selector="div.kiosk", basis="changing", articles=12, lines=30)],
    links=[LearnedSelector(selector="div.body > ul", basis="changing", articles=2, lines=8)],
    lines=[LearnedLine(line='Follow us: it\'s "free"', articles=38), LearnedLine(line="1e5", articles=9)],
    labels=[LearnedLabel(label="اقرأ أيضاً:", articles=4)],
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "gazette.yaml").write_text(SOURCE, "utf-8")
    return tmp_path / "gazette.yaml"


def digest_of(source: Source) -> str:
    return derive(source.extract, timezone=None, language=None).digest


def test_what_is_written_is_read(path: Path) -> None:
    assert learned_path(path) == path.with_name("gazette.learned.yaml")
    assert read_learned(learned_path(path)) is None
    write_learned(learned_path(path), LEARNED)
    assert read_learned(learned_path(path)) == LEARNED
    assert sorted(one.name for one in path.parent.iterdir()) == ["gazette.learned.yaml", "gazette.yaml"]
    assert learned_path(path).read_text("utf-8").count("\n  - {") == 5  # a rule a line, for people who take one out


def test_learned_rules_are_in_the_source_and_its_derivation_until_the_file_goes(path: Path) -> None:
    before = load_source(path)
    write_learned(learned_path(path), LEARNED)
    source = load_sources(path.parent)["gazette"]
    assert source.extract.remove == [".promo"]
    assert source.extract.learned == LEARNED.rules
    assert load_source(path) == source
    assert digest_of(source) != digest_of(before)
    sent = Source.model_validate_json(source.model_dump_json(exclude_unset=True))  # to the crawl's child process
    assert sent.extract == source.extract
    learned_path(path).unlink()
    assert digest_of(load_source(path)) == digest_of(before)


def test_a_source_that_learned_nothing_keeps_its_derivation() -> None:
    assert "learned" not in derive(ExtractRules(), timezone=None, language=None).meaning["rules"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("version: 3", "version: 0", "gazette.learned.yaml:3: version: found 0, expected at least 1"),
        ("articles: 40", "artikel: 40", "artikel: found an unknown key"),
        ('"div.kiosk"', '"div.kiosk["', "remove[1].selector: found 'div.kiosk[', expected a CSS selector"),
        ('"changing"', '"guessed"', "expected recurring or changing"),
        ('line: "1e5"', 'line: " 1e5"', "lines[2].line: found ' 1e5', expected one line of a text"),
        ("lines: 30", "lines: 30, more: 1", "remove[1].more: found an unknown key, expected one of articles, basis"),
    ],
)
def test_a_mistake_in_the_file_is_named(path: Path, old: str, new: str, expected: str) -> None:
    write_learned(learned_path(path), LEARNED)
    text = learned_path(path).read_text("utf-8")
    assert old in text
    learned_path(path).write_text(text.replace(old, new), "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_sources(path.parent)
    assert expected in str(caught.value)


def test_learned_rules_without_a_source_are_named(path: Path) -> None:
    write_learned(path.with_name("herald.learned.yaml"), LEARNED)
    with pytest.raises(ConfigError, match=r"herald\.learned\.yaml:1: found no herald\.yaml beside it"):
        load_sources(path.parent)


def test_nobody_writes_learned_rules_into_the_sources_own_file(path: Path) -> None:
    path.write_text(SOURCE.replace("{remove", "{learned: {remove: [p]}, remove"), "utf-8")
    with pytest.raises(ConfigError, match=r"extract\.learned: found a key, expected none.*gazette\.learned\.yaml"):
        load_source(path)


def test_the_version_follows_the_rules() -> None:
    empty = LEARNED.model_copy(update={"remove": [], "links": [], "lines": [], "labels": [], "version": 1})
    assert empty.rules == LearnedRules()
    assert update_learned(None, empty) is None
    assert update_learned(None, LEARNED) == LEARNED
    later = LEARNED.model_copy(update={"version": 1, "articles": 50})
    assert update_learned(LEARNED, later) is None  # the same rules: texts must not be derived again for that
    fewer = later.model_copy(update={"lines": []})
    assert (update_learned(LEARNED, fewer) or LEARNED).version == 4
    assert (update_learned(LEARNED, empty) or LEARNED).version == 4


@pytest.mark.usefixtures("path")
def test_the_file_of_a_source_is_found_in_folders_too(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "herald.yml").write_text(SOURCE, "utf-8")
    assert find_source_file(tmp_path, "herald") == tmp_path / "more" / "herald.yml"
    assert learned_path(tmp_path / "more" / "herald.yml").name == "herald.learned.yaml"
    with pytest.raises(ConfigError, match=r"found no times\.yaml"):
        find_source_file(tmp_path, "times")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config DIR"):
        write_learned(tmp_path / "none" / "gazette.learned.yaml", LEARNED)
