"""A newcomer's errors: one clear line each, the right exit code, no traceback."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.installation import Ofrecord

if TYPE_CHECKING:
    from pathlib import Path

    from tests.installation import Result
    from tests.seaweed import S3Server


def assert_one_line(result: Result, *words: str) -> None:
    lines = [line for line in result.stderr.splitlines() if line and not line.startswith("{")]
    assert len(lines) == 1, result
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in lines[0], result


def test_unknown_source(ofrecord: Ofrecord) -> None:
    assert_one_line(
        ofrecord("crawl", "almayaden-english", code=2), "almayaden-english", "did you mean almayadeen-english?"
    )


def test_no_source_named(ofrecord: Ofrecord) -> None:
    assert_one_line(ofrecord("crawl", code=2), "no source named", "--all")


@pytest.mark.parametrize("words", [("crawl", "almayadeen-english"), ("job",), ("list",), ("verify",), ("index",)])
def test_no_archive_there(ofrecord: Ofrecord, tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "empty").mkdir()
    assert_one_line(ofrecord(*words, "--archive", tmp_path / "empty", code=10), "no archive here", "ofrecord init")
    assert_one_line(ofrecord(*words, "--archive", tmp_path / "none", code=10), "none")


def test_archive_not_named(ofrecord: Ofrecord, config_dir: Path) -> None:
    settings = config_dir / "settings.yaml"
    lines = settings.read_text("utf-8").splitlines(keepends=True)
    settings.write_text("".join(line for line in lines if not line.startswith("archive:")), "utf-8")
    assert_one_line(ofrecord("list", code=2), "--archive", "OFRECORD_ARCHIVE")


def test_unknown_url(ofrecord: Ofrecord) -> None:
    ofrecord("init")
    assert_one_line(ofrecord("show", "https://gazette.example/nothing", code=2), "no capture")
    assert_one_line(ofrecord("history", "gazette", code=2), "not a URL")


def test_a_typo_in_yaml(ofrecord: Ofrecord, config_dir: Path) -> None:
    path = config_dir / "sources" / "almayadeen-english.yaml"
    path.write_text(path.read_text("utf-8").replace("discover:", "discovr:"), "utf-8")
    result = ofrecord("sources", "validate", code=2)
    assert "Traceback" not in result.stderr
    line = next(line for line in result.stderr.splitlines() if "discovr" in line)
    number = next(i for i, text in enumerate(path.read_text("utf-8").splitlines(), 1) if text.startswith("discovr"))
    assert f"almayadeen-english.yaml:{number}" in line
    assert "did you mean discover" in line


def test_a_typo_in_settings(ofrecord: Ofrecord, config_dir: Path) -> None:
    path = config_dir / "settings.yaml"
    path.write_text(path.read_text("utf-8") + "wrokers: 3\n", "utf-8")
    assert_one_line(ofrecord("list", code=2), "settings.yaml", "wrokers", "did you mean workers")


def test_a_bad_selector_in_the_rules(ofrecord: Ofrecord, config_dir: Path) -> None:
    path = config_dir / "sources" / "almayadeen-spanish.yaml"
    path.write_text(path.read_text("utf-8").replace("extract:", "extract:\n  lead: 'p:::nope'", 1), "utf-8")
    result = ofrecord("sources", "validate", code=2)
    assert "Traceback" not in result.stderr
    assert "almayadeen-spanish" in result.stderr
    assert "lead" in result.stderr


def test_the_site_is_down(ofrecord: Ofrecord, config_dir: Path) -> None:
    ofrecord("init")
    settings = config_dir / "settings.yaml"
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    lines = [line for line in settings.read_text().splitlines() if ":127.0.0.1:" not in line and "resolve" not in line]
    settings.write_text("\n".join([*lines, f"resolve: ['english.almayadeen.net:443:127.0.0.1:{port}']"]) + "\n")
    result = ofrecord("crawl", "almayadeen-english", code=3)
    assert "Traceback" not in result.stderr
    assert "discovery failed" in result.stderr
    assert not ofrecord("verify", "--full", "--json").json()["damaged"]


def test_extract_of_nothing(ofrecord: Ofrecord, tmp_path: Path) -> None:
    assert "does not exist" in ofrecord("extract", tmp_path / "none.html", code=2).stderr
    (tmp_path / "empty").mkdir()
    assert_one_line(ofrecord("extract", tmp_path / "empty", code=2), "found no", ".html")


@pytest.mark.s3
def test_s3_errors(ofrecord: Ofrecord, s3_server: S3Server) -> None:
    place = "s3://no-such-bucket-here/news"
    endpoint = {"OFRECORD_S3_ENDPOINT_URL": s3_server.endpoint_url, "OFRECORD_S3_PATH_STYLE": "true"}
    bare = Ofrecord(ofrecord.config, ofrecord.home, {**endpoint, "AWS_EC2_METADATA_DISABLED": "true"})
    assert_one_line(bare("list", "--archive", place, code=12), "credentials")
    wrong = {"AWS_ACCESS_KEY_ID": s3_server.access_key, "AWS_SECRET_ACCESS_KEY": "wrong-secret-that-must-not-show"}
    refused = Ofrecord(ofrecord.config, ofrecord.home, {**endpoint, **wrong})("list", "--archive", place, code=12)
    assert_one_line(refused, s3_server.endpoint_url)
    assert "wrong-secret" not in refused.stderr
    right = {"AWS_ACCESS_KEY_ID": s3_server.access_key, "AWS_SECRET_ACCESS_KEY": s3_server.secret_key}
    assert_one_line(
        Ofrecord(ofrecord.config, ofrecord.home, {**endpoint, **right})("list", "--archive", place, code=12),
        "no-such-bucket-here",
    )
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    nobody = {**endpoint, **right, "OFRECORD_S3_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    assert_one_line(Ofrecord(ofrecord.config, ofrecord.home, nobody)("list", "--archive", place, code=12), f"{port}")
