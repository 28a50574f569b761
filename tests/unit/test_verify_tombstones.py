"""Tombstones are held against the log's redactions and the archive's keys, whoever put them where they stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from config.settings import Settings
from crawler.warc import read_member
from jobs.archive.handover import hand_over
from jobs.archive.identity import read_info
from jobs.archive.signing import Signer
from jobs.catalog import Catalog
from jobs.context import OpenArchive
from jobs.redaction import rewriting
from jobs.redaction.redacting import RedactRequest, redact_articles
from jobs.redaction.tombstones import Inscription, make_tombstone
from jobs.verify import verify_archive
from tests.archives import NOON, SOURCE, split_members
from tests.faults import damage
from tests.real_archives import build_revisited
from tests.signed import FIRST, FOREIGN, SECOND

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.store.memory import MemoryStore

Change = Callable[[Inscription], Inscription]


def redact(folder: Path, monkeypatch: pytest.MonkeyPatch, change: Change, signer: Signer = FIRST) -> MemoryStore:
    """Return a signed archive out of which something was taken, with tombstones that say what *change* makes of it."""
    store = build_revisited(folder / "spool").store
    info = read_info(store)
    hand_over(store, info, FIRST, None, now=NOON)
    if signer is SECOND:
        hand_over(store, info, SECOND, FIRST, now=NOON)
    monkeypatch.setattr(
        rewriting, "make_tombstone", lambda member, said, *, where: make_tombstone(member, change(said), where=where)
    )
    with Catalog.open(folder / "catalog.sqlite") as catalog:
        archive = OpenArchive(store, info, Settings(), folder, catalog, signer)
        archive.refresh()
        url = next(row["url"] for row in catalog.list_articles() if row["revisions"])
        redact_articles(archive, RedactRequest(SOURCE, frozenset({url}), "a court's order", timedelta(0)))
    return store


def test_those_of_the_key_that_signs_are_sound_and_stay_so_when_another_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = redact(tmp_path, monkeypatch, lambda said: said)
    hand_over(store, read_info(store), SECOND, FIRST, now=NOON)
    report = verify_archive(store, full=True, trusted=[FIRST.public.key_id])
    assert damage(report) == []
    assert any(b"signature: ed25519 " in one for one in list_blocks(store))


@pytest.mark.parametrize(
    ("change", "signer", "message"),
    [
        (lambda said: replace(said, signer=FOREIGN), FIRST, "a key that keys/ does not have"),
        (lambda said: replace(said, signer=FIRST), SECOND, "which was rotated out before commit"),
        (lambda said: replace(said, signer=Forger()), FIRST, "does not fit the lines above it"),
        (lambda said: replace(said, commit_id="0" * 32), FIRST, "none of the redactions in this log"),
    ],
    ids=["foreign", "rotated-out", "altered", "no-commit"],
)
def test_others_are_damage(
    change: Change, signer: Signer, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = redact(tmp_path, monkeypatch, change, signer)
    found = damage(verify_archive(store, full=True, trusted=[signer.public.key_id]))
    assert found
    assert all("a tombstone" in one and message in one for one in found)


class Forger(Signer):
    """Puts the signature over one text under another."""

    def __init__(self) -> None:
        self.public = FIRST.public

    def sign(self, line: bytes) -> object:  # type: ignore[override]
        return FIRST.sign(b"something else\n" + line)


def list_blocks(store: MemoryStore) -> list[bytes]:
    return [read_member(one).block for item in store.list("segments/") for one in split_members(store.get(item.key))]
