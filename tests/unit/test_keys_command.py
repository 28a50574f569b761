"""The commands `keys …`, `heads …` and what `verify` and `crawl` say of a signed archive, as people type them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from jobs.archive.identity import create_archive, read_info
from jobs.archive.keys import require_ring
from jobs.archive.signing import Signer
from jobs.cli.commands import run as run_words
from jobs.store.local import LocalStore
from tests.archives import append_commit
from tests.authorities import run_hook

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
SOURCE = """\
name: Gazette
home: https://gazette.example/
discover:
  - feed: https://gazette.example/rss.xml
articles: {include: ['^https://gazette']}
"""


def run(*words: str | Path) -> tuple[int, str, str]:
    with CliRunner().isolation() as (out, err, _):
        code = run_words([str(word) for word in words])
        return code, out.getvalue().decode(), err.getvalue().decode() if err else ""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an archive of one log and a configuration of one source."""
    (tmp_path / "archive").mkdir()
    store = LocalStore(tmp_path / "archive")
    create_archive(store, single_writer=False, now=NOW)
    append_commit(store, kind="ledger")
    (tmp_path / "config" / "sources").mkdir(parents=True)
    (tmp_path / "config" / "sources" / "gazette.yaml").write_text(SOURCE, "utf-8")
    monkeypatch.setenv("OFRECORD_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("OFRECORD_ARCHIVE", str(tmp_path / "archive"))
    monkeypatch.setenv("OFRECORD_STATE_DIR", str(tmp_path / "state"))
    return tmp_path


def list_objects(place: Path) -> set[str]:
    return {item.key for item in LocalStore(place / "archive").list("")}


def test_a_key_is_made_for_its_owner_alone_and_registered(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output, said = run("keys", "new", "--out", place / "one.pem", "--json")
    told = json.loads(output)
    assert (code, told["made"], told["n"]) == (0, True, 1)
    assert (place / "one.pem").stat().st_mode & 0o777 == 0o600
    assert "outside of the archive's store" in said
    pem = (place / "one.pem").read_bytes()
    assert b"PRIVATE" in pem
    assert pem.splitlines()[1].decode() not in output + said
    assert list_objects(place) >= {"keys/000001.json", "log/gazette/000000000002"}
    code, output, _ = run("keys", "new", "--out", place / "one.pem", "--json")
    assert (code, json.loads(output)["made"], json.loads(output)["n"]) == (0, False, 1)
    assert (place / "one.pem").read_bytes() == pem
    code, output, _ = run("keys", "list")
    assert output.startswith(f"1  {told['key']}  ")
    assert "from commit gazette 2 on, and of later logs all" in output
    code, output, _ = run("verify", "--trusted-key", told["key"])
    assert code == 0, output
    assert "signatures of commits: 1 signed, 1 earlier" in output
    monkeypatch.setenv("OFRECORD_TRUSTED_KEYS", "0" * 64)
    code, output, _ = run("verify")
    assert (code, "signed by nobody you trust" in output) == (13, True)


def test_a_key_without_an_archive_and_files_that_are_there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("keys", "new", "--out", place / "two.pem", "--no-register")[0] == 0
    assert "keys/000001.json" not in list_objects(place)
    code, _, said = run("keys", "new", "--out", place / "two.pem", "--no-register")
    assert (code, "never overwritten" in said) == (2, True)
    (place / "letter").write_text("Dear Ann,", "utf-8")
    code, _, said = run("keys", "new", "--out", place / "letter")
    assert (code, "letter: found no private key in PEM" in said) == (2, True)
    assert (place / "letter").read_text("utf-8") == "Dear Ann,"
    code, _, said = run("keys", "new", "--out", place / "nowhere" / "key")
    assert (code, "no such folder" in said) == (2, True)
    monkeypatch.delenv("OFRECORD_ARCHIVE")
    assert run("keys", "new", "--out", place / "three.pem")[0] == 0
    code, _, said = run("keys", "list")
    assert (code, "no archive named" in said) == (2, True)


def test_a_rotation_by_the_key_in_the_settings(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("keys", "new", "--out", place / "one.pem")
    code, output, _ = run("keys", "new", "--out", place / "two.pem")
    assert (code, "is signed by another key: ofrecord keys rotate --new" in output) == (0, True)
    code, _, said = run("keys", "rotate", "--new", place / "two.pem")
    assert (code, "found none, expected key 1" in said) == (2, True)
    monkeypatch.setenv("OFRECORD_SIGNING_KEY_FILE", str(place / "one.pem"))
    code, output, _ = run("keys", "rotate", "--new", place / "two.pem")
    assert (code, output.startswith("key 2, ")) == (0, True)
    store = LocalStore(place / "archive")
    newest = require_ring(store, read_info(store)).newest
    assert newest is not None
    assert newest.key_id == Signer.read((place / "two.pem").read_bytes(), "").public.key_id
    code, output, _ = run("keys", "list")
    assert output.count("signed by the one before") == 1
    assert output.count("on, until key 2\n") == 1
    assert output.count("and of later logs all") == 1
    monkeypatch.setenv("OFRECORD_SIGNING_KEY_FILE", str(place / "two.pem"))
    code, output, _ = run("keys", "rotate", "--new", place / "two.pem")
    assert (code, " already\n" in output) == (0, True)
    assert run("verify", "--trusted-key", newest.key_id)[0] == 0
    code, _, said = run("verify", "--trusted-key", "abc")
    assert (code, "--trusted-key: found 'abc', expected 64" in said) == (2, True)


@pytest.mark.parametrize("words", [("crawl", "gazette"), ("job",), ("tables", "build"), ("heads", "write")])
def test_a_writer_without_the_key_is_refused_and_puts_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    run("keys", "new", "--out", place / "one.pem")
    before = list_objects(place)
    code, output, said = run(*words)
    assert (code, "this machine has none: set signing_key_file" in output + said) == (2, True)
    run("keys", "new", "--out", place / "other.pem", "--no-register")
    monkeypatch.setenv("OFRECORD_SIGNING_KEY_FILE", str(place / "other.pem"))
    code, output, said = run(*words)
    assert (code, "rotated out or is another's" in output + said) == (2, True)
    assert list_objects(place) == before


def test_heads_are_written_listed_and_sent(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "second").mkdir()
    with run_hook() as hook:
        monkeypatch.setenv("OFRECORD_HEADS_TO", f"{place / 'second'} {hook.url}")
        code, output, _ = run("heads", "write")
        assert code == 0
        assert "the ends of 1 log" in output
        assert "secret-token" not in output
        assert "secret-token" not in str(run("config", "show"))
        hook.status = 500
        append_commit(LocalStore(place / "archive"), kind="ledger")
        code, output, said = run("heads", "write", "--json")
        assert (code, json.loads(output)["n"]) == (6, 2)
        assert "answered with status 500; tried again next time" in said
        hook.status = 200
        code, output, _ = run("heads", "write")
        assert (code, "no log has grown since" in output) == (0, True)
        assert len(hook.bodies) == 2
    code, output, _ = run("verify", "--heads", place / "second")
    assert (code, "outside head 2 of" in output, "only a head kept outside" in output) == (0, True, False)
    append_commit(LocalStore(place / "archive"), kind="ledger")
    code, output, _ = run("verify", "--heads", place / "second")
    assert (code, "covers commits 3 to 3 yet" in output, "only a head kept outside" in output) == (0, True, True)
    code, output, _ = run("heads", "list")
    assert [line.split()[0] for line in output.splitlines()] == ["2", "1"]
    assert "1 log, unsigned" in output
    (place / "archive" / "log" / "gazette" / "000000000002").unlink()
    monkeypatch.delenv("OFRECORD_HEADS_TO")
    code, output, _ = run("verify", "--heads", place / "second")
    assert code == 13
    assert "000000000002: missing, but head 2 of" in output
