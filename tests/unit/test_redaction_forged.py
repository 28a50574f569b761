"""In a signed archive nothing is deleted on the word of a commit that its key did not sign."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from config.errors import DamageFound
from jobs.archive.commit import commit_key
from jobs.archive.identity import read_info
from jobs.archive.signing import Signer
from jobs.deletion import finish_redactions
from jobs.redaction.conveniences import clear_conveniences
from jobs.redaction.redacting import RedactRequest, redact_articles
from jobs.redaction.waiting import read_redactions
from jobs.repair.archive import repair_archive
from jobs.store.memory import MemoryStore
from jobs.sync import sync_archive
from tests.archives import SOURCE
from tests.bundles import ARTICLE, build_edited, open_store_as_archive
from tests.signed import resign, rotate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SIGNER, FOREIGN, OTHER = Signer.generate(), Signer.generate(), Signer.generate()
REQUEST = RedactRequest(SOURCE, frozenset({ARTICLE.url}), "asked for", timedelta(0))


def build_forged(folder: Path, store: MemoryStore, signers: Sequence[Signer], *, by: Signer = SIGNER) -> list[str]:
    """Put a `redact` commit at the log's end that is signed by *signers*; return the keys that it lets go."""
    with open_store_as_archive(store, folder / "forger", signer=by) as archive:
        report = redact_articles(archive, REQUEST)
    resign(store, commit_key(SOURCE, report.commits[-1]), signers)
    return sorted(report.replaced)


@pytest.mark.parametrize("signers", [(), (FOREIGN,)])
def test_a_forged_redaction_deletes_nothing(tmp_path: Path, signers: tuple[Signer, ...]) -> None:
    store = build_edited(tmp_path / "spool", signer=SIGNER)
    keys = build_forged(tmp_path, store, signers)
    with open_store_as_archive(store, tmp_path / "state", signer=SIGNER) as archive:
        with pytest.raises(DamageFound, match=r"expected a signature by key 1.*nothing is deleted"):
            finish_redactions(archive, SOURCE)
        assert read_redactions(archive, SOURCE) == []
    assert all(store.stat(key) for key in keys)


def test_a_sound_redaction_is_obeyed(tmp_path: Path) -> None:
    store = build_edited(tmp_path / "spool", signer=SIGNER)
    keys = build_forged(tmp_path, store, (SIGNER,))
    with open_store_as_archive(store, tmp_path / "state", signer=SIGNER) as archive:
        assert len(read_redactions(archive, SOURCE)) == 1
        assert finish_redactions(archive, SOURCE).deleted == keys


@pytest.mark.parametrize("keys_gone", [False, True])
def test_a_copy_keeps_what_a_forged_redaction_lets_go(tmp_path: Path, *, keys_gone: bool) -> None:
    store, copy = build_edited(tmp_path / "spool", signer=SIGNER), MemoryStore()
    sync_archive(store, copy)
    keys = build_forged(tmp_path, store, ())
    if keys_gone:
        store.delete("keys/000001.json")
    for full in (False, True):
        report = sync_archive(store, copy, full=full)
        assert report.purged == []
        assert "expected a signature by key 1" in str(report.problems[0])
        assert all(copy.stat(key) for key in keys)
    assert read_info(copy).digest == read_info(store).digest


def test_a_copy_believes_its_own_keys_however_many_others_the_original_has(tmp_path: Path) -> None:
    store, copy = build_edited(tmp_path / "spool", signer=SIGNER), MemoryStore()
    sync_archive(store, copy)
    keys = build_forged(tmp_path, store, ())
    store.delete("keys/000001.json")
    rotate(store, FOREIGN)  # what was before a first key nobody had to sign
    rotate(store, OTHER, FOREIGN)
    for full in (False, True):
        report = sync_archive(store, copy, full=full)
        assert report.purged == []
        assert any("expected a signature by key 1" in str(problem) for problem in report.problems)
        assert all(copy.stat(key) for key in keys)


def test_a_copy_follows_a_redaction_by_a_newer_key(tmp_path: Path) -> None:
    store, copy = build_edited(tmp_path / "spool", signer=SIGNER), MemoryStore()
    sync_archive(store, copy)
    rotate(store, OTHER, SIGNER)
    keys = build_forged(tmp_path, store, (OTHER,), by=OTHER)
    report = sync_archive(store, copy)
    assert (report.purged, report.problems) == (keys, [])


def test_a_repair_puts_back_what_a_forged_redaction_lets_go(tmp_path: Path) -> None:
    store, copy = build_edited(tmp_path / "spool", signer=SIGNER), MemoryStore()
    sync_archive(store, copy)
    keys = build_forged(tmp_path, store, ())
    for key in keys:
        store.purge(key)
    report = repair_archive(store, copy, damaged=keys, signer=SIGNER, dry_run=True)
    assert sorted(one.key for one in report.mended) == keys
    assert "what it lets go is put back" in str(report.left[0])


@pytest.mark.parametrize("signers", [(), (SIGNER,)])
def test_no_object_that_a_commit_names_is_taken_for_a_twin(tmp_path: Path, signers: tuple[Signer, ...]) -> None:
    store, copy = build_edited(tmp_path / "spool", signer=SIGNER), MemoryStore()
    sync_archive(store, copy)
    keys = build_forged(tmp_path, store, (SIGNER,))
    key = commit_key(SOURCE, 4)
    line = json.loads(store.get(key).split(b"\n")[0])
    line["replaces"] = []
    resign(store, key, signers, line=json.dumps(line).encode())
    with open_store_as_archive(store, tmp_path / "state", signer=SIGNER) as archive:
        if signers:
            clear_conveniences(archive, SOURCE)
        else:
            with pytest.raises(DamageFound, match=r"nothing is deleted"):
                clear_conveniences(archive, SOURCE)
    report = sync_archive(store, copy)
    assert report.purged == []
    assert all(one.stat(key) for one in (store, copy) for key in keys)


def test_a_copy_follows_a_sound_redaction(tmp_path: Path) -> None:
    store, copy = build_edited(tmp_path / "spool", signer=SIGNER), MemoryStore()
    sync_archive(store, copy)
    keys = build_forged(tmp_path, store, (SIGNER,))
    report = sync_archive(store, copy)
    assert (report.purged, report.problems) == (keys, [])
