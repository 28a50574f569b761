"""The commands config show and config check, by the command line as people use it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from config.settings import Settings
from jobs.cli.commands import group

if TYPE_CHECKING:
    from pathlib import Path

SOUND = """\
name: Gazette
home: https://gazette.example/
discover:
  - feed: https://gazette.example/rss.xml
articles: {include: ['^https://gazette']}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sources").mkdir()
    (tmp_path / "settings.yaml").write_text("archive: /srv/news\nmax_depth: 3\n", "utf-8")
    (tmp_path / "sources" / "gazette.yaml").write_text(SOUND, "utf-8")
    return tmp_path


def run(*words: str | Path) -> tuple[int, str]:
    from jobs.cli.commands import run as run_words

    with CliRunner().isolation() as (out, _, _):
        code = run_words([str(word) for word in words])
        return code, out.getvalue().decode()


def read_rows(*words: str | Path) -> dict[str, dict[str, Any]]:
    code, output = run(*words, "--json")
    assert code == 0
    rows = [json.loads(line) for line in output.splitlines()]
    return {row.get("setting") or f"source {row['source']}": row for row in rows}


def test_show_says_where_each_value_came_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFRECORD_MAX_DEPTH", "4")
    monkeypatch.setenv("OFRECORD_PROXY", "http://me:hunter2@proxy.example:3128")
    rows = read_rows("config", "show", "--config", folder)
    assert {name for name in rows if not name.startswith("source ")} == set(Settings.model_fields)
    file = str(folder / "settings.yaml")
    assert (rows["archive"]["value"], rows["archive"]["file"], rows["archive"]["line"]) == ("/srv/news", file, 1)
    assert (rows["max_depth"]["value"], rows["max_depth"]["variable"]) == (4, "OFRECORD_MAX_DEPTH")
    assert (rows["workers"]["from"], rows["workers"]["file"]) == ("default", None)
    assert rows["proxy"]["value"] == "http://***@proxy.example:3128"
    assert rows["source gazette"]["file"] == str(folder / "sources" / "gazette.yaml")
    _, text = run("config", "show", "--config", folder)
    assert "hunter2" not in text
    assert f"{file}:1" in text
    assert "environment OFRECORD_MAX_DEPTH" in text


def test_secrets_of_sources_are_named_and_not_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = "headers: {X-Key: '${GAZETTE_KEY}', X-Pass: '${GAZETTE_PASS}', Cookie: plain-cookie}\n"
    (folder / "sources" / "gazette.yaml").write_text(SOUND + headers, "utf-8")
    monkeypatch.setenv("GAZETTE_KEY", "hunter2")
    rows = read_rows("config", "show", "--config", folder)
    assert rows["source gazette"]["secrets"] == {"GAZETTE_KEY": True, "GAZETTE_PASS": False}
    for words in (("show",), ("show", "--json"), ("check",), ("check", "--json")):
        code, text = run("config", *words, "--config", folder)
        assert code == 0
        assert "hunter2" not in text
        assert "plain-cookie" not in text
        assert "GAZETTE_PASS" in text


def test_check_passes_what_is_sound(folder: Path) -> None:
    assert run("config", "check", "--config", folder) == (0, "valid: settings and 1 source\n")
    assert run("config", "check")[0] == 0


def test_check_names_all_mistakes_of_all_files_at_once(folder: Path) -> None:
    (folder / "settings.yaml").write_text("archivo: /srv\n", "utf-8")
    (folder / "sources" / "gazette.yaml").write_text(
        SOUND + "extract:\n  remove:\n    - p:foo(1)\n    - p:bar(1)\n", "utf-8"
    )
    (folder / "sources" / "herald.yaml").write_text(SOUND.replace("discover", "discver"), "utf-8")
    (folder / "sources" / "tribune.yaml").write_text("name: [\n", "utf-8")
    code, text = run("config", "check", "--config", folder)
    assert code == 2
    sources = folder / "sources"
    expected = [
        f"{folder / 'settings.yaml'}:1: archivo: found an unknown key",
        f"{sources / 'herald.yaml'}:3: discver: found an unknown key",
        f"{sources / 'tribune.yaml'}:2: not YAML",
        f"{sources / 'gazette.yaml'}:8: extract.remove[1]: found 'p:foo(1)', expected a CSS selector",
        f"{sources / 'gazette.yaml'}:9: extract.remove[2]: found 'p:bar(1)', expected a CSS selector",
    ]
    lines = text.splitlines()
    for beginning in expected:
        assert any(line.startswith(beginning) for line in lines), (beginning, text)
    assert "did you mean archive?" in text
    assert "did you mean discover?" in text
    assert lines[-1].endswith(" mistakes")
    code, text = run("config", "check", "--json", "--config", folder)
    report = json.loads(text)
    assert (code, report["valid"], report["problems"]) == (2, False, lines[:-1])


def test_check_of_a_learned_rule_names_its_file(folder: Path) -> None:
    learned = folder / "sources" / "gazette.learned.yaml"
    head = f"version: 1\nlearned: 2026-01-01T00:00:00Z\narchive: {'0' * 32}\narticles: 9\ncaptures: 9\n"
    rule = 'remove:\n  - {selector: "p:foo(1)", articles: 9, lines: 1, basis: recurring}\n'
    learned.write_text(head + rule, "utf-8")
    code, text = run("config", "check", "--config", folder)
    assert code == 2
    assert text.startswith(f"{learned}:7: remove[1].selector: found 'p:foo(1)'"), text


def test_check_says_that_there_are_no_sources(folder: Path) -> None:
    (folder / "sources" / "gazette.yaml").unlink()
    (folder / "sources").rmdir()
    code, text = run("config", "check", "--config", folder)
    assert code == 2
    assert "found no such folder" in text


def test_show_refuses_what_is_wrong(folder: Path) -> None:
    (folder / "settings.yaml").write_text("archivo: /srv\n", "utf-8")
    assert run("config", "show", "--config", folder)[0] == 2


def test_help_names_both() -> None:
    shown = CliRunner().invoke(group, ["config", "--help"]).output
    assert "show" in shown
    assert "check" in shown


def test_a_secret_that_is_missing_is_told_where_it_is_needed(folder: Path) -> None:
    source = folder / "sources" / "gazette.yaml"
    source.write_text(SOUND + "headers: {X-Key: '${GAZETTE_KEY}'}\ncookies: {pass: '${GAZETTE_PASS}'}\n", "utf-8")
    code, output = run("config", "check", "--config", folder)
    assert code == 0
    assert f"note: {source}:6: headers: found no GAZETTE_KEY in the environment" in output
    assert f"note: {source}:7: cookies: found no GAZETTE_PASS in the environment" in output
