"""A newcomer's errors: one clear line each, the right exit code, no traceback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.installation import Ofrecord

if TYPE_CHECKING:
    from pathlib import Path

    from tests.installation import Result
    from tests.seaweed import S3Server
    from tests.site.server import Site


def assert_one_line(result: Result, *words: str) -> None:
    lines = [line for line in result.stderr.splitlines() if line and not line.startswith("{")]
    assert len(lines) == 1, result
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in lines[0], result


def test_ctrl_c_while_python_still_loads_the_program(ofrecord: Ofrecord, tmp_path: Path) -> None:
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "sitecustomize.py").write_text(
        "import os, signal, sys, time\n"
        "class Slow:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'pydantic': os.kill(os.getpid(), signal.SIGINT); time.sleep(5)\n"
        "sys.meta_path.insert(0, Slow())\n"
    )
    slow = Ofrecord(ofrecord.config, ofrecord.home, {"PYTHONPATH": str(tmp_path / "slow")})
    assert slow("list", code=130).stderr == "ofrecord: interrupted\n"


def test_a_variable_that_nothing_reads_is_named(ofrecord: Ofrecord) -> None:
    odd = Ofrecord(ofrecord.config, ofrecord.home, {"OFRECORD_NONSENSE": "1", "OFRECORD_SEGMENTS": "2"})
    found = [event for event in odd("sources", "list").events() if event["event"] == "ignored_variable"]
    assert [event["variable"] for event in found] == ["OFRECORD_NONSENSE", "OFRECORD_SEGMENTS"]
    assert "did you mean OFRECORD_SEGMENT_" in found[1]["reason"]
    wrong = Ofrecord(ofrecord.config, ofrecord.home, {"OFRECORD_ARCHVE": "/tmp/x"})
    assert_one_line(wrong("list", code=2), "OFRECORD_ARCHVE", "did you mean OFRECORD_ARCHIVE?")


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


def test_commands_about_a_source_that_the_archive_does_not_have(ofrecord: Ofrecord) -> None:
    ofrecord("init")
    ofrecord("crawl", "almayadeen-spanish")
    for words in (("verify", "almayadeen-spanisch"), ("list", "--source", "almayadeen-spanisch")):
        assert_one_line(ofrecord(*words, code=2), "did you mean almayadeen-spanish?")


@pytest.mark.parametrize("kind", ["file", "below a file", "full"])
def test_an_archive_where_none_can_be(ofrecord: Ofrecord, tmp_path: Path, kind: str) -> None:
    place = tmp_path / "place"
    if kind == "full":
        place.mkdir()
        (place / "notes.txt").write_text("mine")
    else:
        place.write_text("a file")
    target = place / "news" if kind == "below a file" else place
    assert_one_line(ofrecord("init", "--archive", target, code=2), str(target))


@pytest.mark.parametrize("lines", ["", "# nothing\n\n", "https://gazette.example/1\nrubbish\n"])
def test_a_list_of_urls_that_is_none(ofrecord: Ofrecord, tmp_path: Path, lines: str) -> None:
    ofrecord("init")
    (tmp_path / "urls.txt").write_text(lines)
    assert_one_line(ofrecord("crawl", "almayadeen-english", "--urls", tmp_path / "urls.txt", code=2), "urls.txt", "URL")


def test_a_secret_that_is_not_set(ofrecord: Ofrecord, config_dir: Path) -> None:
    ofrecord("init")
    path = config_dir / "sources" / "almayadeen-english.yaml"
    path.write_text(path.read_text("utf-8") + "headers: {X-Key: '${NOT_SET_ANYWHERE}'}\n", "utf-8")
    assert_one_line(ofrecord("crawl", "almayadeen-english", code=2), "NOT_SET_ANYWHERE")


def test_a_bad_selector_stops_the_crawl_before_it_begins(ofrecord: Ofrecord, config_dir: Path, site: Site) -> None:
    ofrecord("init")
    path = config_dir / "sources" / "almayadeen-spanish.yaml"
    source = yaml.safe_load(path.read_text("utf-8"))
    source["extract"]["title"] = "a:hover(x)"
    path.write_text(yaml.safe_dump(source, allow_unicode=True), "utf-8")
    assert_one_line(ofrecord("crawl", "almayadeen-spanish", code=2), "extract.title", "a:hover(x)")
    assert not site.requests


def test_one_source_in_trouble_does_not_stop_the_others(ofrecord: Ofrecord, config_dir: Path) -> None:
    ofrecord("init")
    path = config_dir / "sources" / "almayadeen-arabic.yaml"
    path.write_text(path.read_text("utf-8") + "headers: {X-Key: '${NOT_SET_ANYWHERE}'}\n", "utf-8")
    result = ofrecord("crawl", "almayadeen-arabic", "almayadeen-spanish", "--json", code=2)
    assert [report["new"] for report in result.json()["runs"] if report["run"]] == [1]
    assert "almayadeen-arabic: " in result.stderr


def test_a_damaged_catalog_is_made_anew(ofrecord: Ofrecord, tmp_path: Path) -> None:
    ofrecord("init")
    ofrecord("crawl", "almayadeen-spanish")
    (path,) = (tmp_path / "state").glob("*/catalog.sqlite")
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    assert_one_line(ofrecord("list", code=1), "ofrecord index --rebuild")
    assert "1 commit " in ofrecord("index", "--rebuild").stdout
    assert len(ofrecord("list", "--json").rows()) == 1


def test_what_was_seen_and_is_no_more_is_damage(ofrecord: Ofrecord, archive_dir: Path, tmp_path: Path) -> None:
    """By this machine, by one who was told, and by the head that the crawl left in the archive."""
    ofrecord("init")
    ofrecord("crawl", "almayadeen-spanish")
    ofrecord("crawl", "almayadeen-spanish", "--recheck", "all")
    head = ofrecord("verify", "--json").json()["heads"]["almayadeen-spanish"]
    expected = f"almayadeen-spanish={head['seq']}:{head['digest']}"
    elsewhere = ("--state", tmp_path / "other-machine")
    assert not ofrecord("verify", "--expect", expected, *elsewhere, "--json").json()["damaged"]
    (archive_dir / "log" / "almayadeen-spanish" / "000000000002").unlink()
    assert "000000000002" in ofrecord("verify", *elsewhere, code=13).stdout
    shutil.rmtree(archive_dir / "heads")
    assert not ofrecord("verify", *elsewhere, "--json").json()["damaged"]  # nobody there has seen it
    assert "000000000002" in ofrecord("verify", code=13).stdout
    assert "000000000002" in ofrecord("verify", "--expect", expected, *elsewhere, code=13).stdout


def test_a_record_that_was_changed_is_not_shown(ofrecord: Ofrecord, archive_dir: Path) -> None:
    ofrecord("init")
    ofrecord("crawl", "almayadeen-spanish")
    url = ofrecord("list", "--json").rows()[0]["url"]
    assert ofrecord("show", url, "--capture", "1", "--format", "html").stdout.startswith("<!DOCTYPE html>")
    assert_one_line(
        ofrecord("show", url, "--capture", "2", "--format", "raw", code=2), "no capture 2: it has 1 capture"
    )
    place = ofrecord("history", url, "--json").rows()[0]["warc"]
    warc = archive_dir / place["key"]
    data = bytearray(warc.read_bytes())
    data[place["offset"] + place["length"] // 2] ^= 1
    warc.chmod(0o644)
    warc.write_bytes(data)
    assert_one_line(ofrecord("show", url, "--format", "html", code=13), str(place["offset"]), "verify")
    warc.unlink()
    assert_one_line(ofrecord("show", url, "--format", "html", code=13), "verify")


def test_a_reader_who_went_away_is_no_failure(ofrecord: Ofrecord) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command, variables = ofrecord.command("sources", "list", "--json"), ofrecord.variables()
        ended = subprocess.run(
            command, env=variables, stdout=writer, stderr=subprocess.PIPE, encoding="utf-8", timeout=60, check=False
        )
    finally:
        os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_what_a_person_may_have_meant(ofrecord: Ofrecord) -> None:
    ofrecord("init")
    ofrecord("crawl", "almayadeen-spanish")
    url = ofrecord("list", "--json").rows()[0]["url"]
    assert_one_line(ofrecord("history", url.replace("https:", "http:") + "/", code=2), f"did you mean {url}?")


def test_a_program_is_no_article(ofrecord: Ofrecord, tmp_path: Path) -> None:
    (tmp_path / "program.html").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(400) + b"<p>text of a library</p>" * 99)
    found = ofrecord("extract", tmp_path / "program.html").json()
    assert (found["kind"], found["text"]) == ("error", None)
    assert "no HTML" in found["error"]
