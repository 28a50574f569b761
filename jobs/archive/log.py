"""A source's log in the store: reads commits in order, checks the chain, finds the end, appends there."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import ConfigError, DamageFound, FormatTooNew, LogMoved, ObjectExists, ObjectMissing
from jobs.archive.commit import (
    MAX_COMMIT_BYTES,
    MAX_NUMBER,
    REPLACING_KINDS,
    SEGMENT_KINDS,
    Commit,
    CommitLink,
    StoredCommit,
    commit_key,
    decode_commit,
    digest,
    encode_commit,
    is_same_draft,
    parse_commit_key,
)
from jobs.archive.packs import PACK_COMMITS, check_chained, parse_pack_key, read_pack
from jobs.archive.signing import parse_signatures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.archive.identity import ArchiveInfo
    from jobs.archive.signing import Signer
    from jobs.store import ObjectStore

log = structlog.get_logger()

MAX_SINCE = 64
"""Commits that a commit may repeat in `since`: FORMAT.md § 4."""


class Log:
    """The log of one source."""

    def __init__(self, store: ObjectStore, info: ArchiveInfo, source: str, signer: Signer | None = None) -> None:
        """*signer*: signs what is appended."""
        self._store = store
        self._info = info
        self._signer = signer
        self.source = source

    @property
    def archive(self) -> str:
        """The id of the archive."""
        return self._info.archive

    @property
    def origin(self) -> str:
        """What commit 1 chains to."""
        return self._info.digest

    def read(self, *, after: int = 0, head: str = "", packs: bool = True) -> Iterator[StoredCommit]:
        """Yield the commits after number *after*, whose object has digest *head*, checking each against the one before.

        *packs*: read a whole pack in place of its commits where there is one that agrees with them.
        Raises DamageFound at a gap, a break in the chain or a commit that is not one, and if *after* is not there.
        """
        previous = head if after else self._info.digest
        expected = after + 1
        while keys := self._list_next(expected, known=expected == after + 1 and after > 0):
            packed = self._read_pack(expected, previous) if packs and len(keys) == PACK_COMMITS else []
            for stored in packed or self._read_commits(keys, expected, previous):
                yield stored
                previous, expected = stored.digest, stored.commit.seq + 1

    def find_end(self) -> StoredCommit | None:
        """Return the last commit, or `None` where there is none. It is believed: only what it names is checked.

        Packs say where to begin looking, so this takes about three requests. Raises DamageFound, FormatTooNew.
        """
        prefix = f"log/{self.source}/"
        packs = [parse_pack_key(item.key) for item in self._store.list(prefix, after=f"{prefix}pack-")]
        for start in [*sorted((pack[2] for pack in packs if pack), reverse=True), 0]:
            last = max((seq for seq, _ in self._list_keys(start)), default=start)
            if last == 0:
                return None
            try:
                return self.get(last)
            except ObjectMissing:
                if last != start:
                    raise  # listed, and gone
        return None

    def is_longer_than(self, seq: int) -> bool:
        """Whether there is a commit after number *seq*. Takes one request."""
        return next(self._list_keys(seq), None) is not None

    def get(self, seq: int, previous: str | None = None) -> StoredCommit:
        """Return commit *seq*. Raises ObjectMissing; DamageFound if it is not this log's or not after *previous*."""
        key = commit_key(self.source, seq)
        stored = decode_commit(self._store.get(key, length=MAX_COMMIT_BYTES + 1), key)
        check_chained(stored, self.source, self._info.archive, seq, previous)
        return stored

    def append(
        self, draft: Commit, *, after: int, head: str, also: Signer | None = None, alone: bool = False
    ) -> tuple[StoredCommit, list[StoredCommit]]:
        """Chain *draft* to the end of the log and put it; *after* and *head* say where the end was last seen.

        The draft may name a new checkpoint, else that of the commit before is named on; `since` is filled in, and
        `last_head` of a `key` commit. *also*: signs it too. Returns the commit as stored, and all commits that others
        put in between. If one of those has the draft's id or its segment, it is our own earlier try: it is returned,
        and nothing is put. *alone*: right after commit *after* or not at all, for a draft that says where segments lie
        now. Raises ConfigError where the commit before it says that the log is signed by another key; LogMoved.
        """
        others: list[StoredCommit] = []
        previous = head if after else self._info.digest
        before = self._find_before(after, head)
        while True:
            if before is not None:
                require_heir(before, draft, self._signer, also)
            commit = replace(draft, seq=after + 1, previous=previous, **link_on(before, draft))
            if draft.kind == "key":
                last = {"seq": after, "sha256": previous} if after else None
                commit = replace(commit, detail={**draft.detail, "last_head": last})
            data = encode_commit(commit, self._signer, also)
            key = commit_key(self.source, commit.seq)
            try:
                self._store.create(key, data, sha256=digest(data))
            except ObjectExists:
                winner = self.get(commit.seq, previous)
                if is_same_draft(winner.commit, draft):
                    return winner, others
                if alone:
                    raise LogMoved(f"{key}: another commit is there already: look at the log again") from None
                others.append(winner)
                after, previous, before = commit.seq, winner.digest, winner
                if withdraws(winner.commit):
                    draft = replace(draft, checkpoint=None)  # made without knowing of it
                continue
            return decode_commit(data, key), others

    def _list_keys(self, after: int) -> Iterator[tuple[int, str]]:
        for item in self._store.list(f"log/{self.source}/", after=commit_key(self.source, after)):
            parsed = parse_commit_key(item.key)
            if parsed is not None:
                yield parsed[1], item.key

    def _list_next(self, expected: int, *, known: bool) -> list[tuple[int, str]]:
        """Return the keys from commit *expected* on, as many as a pack has.

        *known*: the commit before was seen, and so the listing begins there: a log that ends earlier is another one.
        """
        keys = list(islice(self._list_keys(expected - 1 - known), PACK_COMMITS + known))
        if known and [seq for seq, _ in keys[:1]] != [expected - 1]:
            raise self._lost(expected - 1)
        return keys[known:]

    def _lost(self, seq: int) -> DamageFound:
        return DamageFound(
            f"{self._store.url}/{commit_key(self.source, seq)}: was seen by this machine, and is gone or another:"
            " the log was cut, or the store was set back to an earlier state; ofrecord verify checks it,"
            " ofrecord index --rebuild begins anew from what is there"
        )

    def _read_commits(self, keys: list[tuple[int, str]], expected: int, previous: str) -> Iterator[StoredCommit]:
        for seq, key in keys:
            if seq != expected:
                raise DamageFound(f"{commit_key(self.source, expected)}: missing, but {key} is there")
            stored = self.get(expected, previous)
            yield stored
            previous, expected = stored.digest, expected + 1

    def _read_pack(self, first: int, previous: str) -> list[StoredCommit]:
        """Return the commits of a pack that begins with *first*, all proven; none where there is no such pack.

        Each has the next one's word for its bytes, and the last is the same as in the log.
        """
        if first % PACK_COMMITS != 1:
            return []
        try:
            packed = read_pack(self._store, self.source, self._info.archive, first, previous)
            if packed and self.get(packed[-1].commit.seq).digest != packed[-1].digest:
                raise DamageFound(f"{commit_key(self.source, packed[-1].commit.seq)}: another than in the pack")
        except (DamageFound, FormatTooNew, ObjectMissing) as error:
            log.warning("ignored_pack", source=self.source, first=first, error=str(error))
            return []
        return packed

    def _find_before(self, after: int, head: str) -> StoredCommit | None:
        """Return commit *after*: `since` goes on from what it says. `None` if it is damaged; its digest is known.

        Raises DamageFound if it is gone, or a sound commit other than the one with digest *head*: what we put behind it
        would end the chain for good.
        """
        if not after:
            return None
        try:
            before = self.get(after)
        except ObjectMissing as error:
            raise self._lost(after) from error
        except (DamageFound, FormatTooNew) as error:
            log.warning("failed_lookup", source=self.source, seq=after, error=str(error))
            return None
        if before.digest != head:
            raise self._lost(after)
        return before


def require_heir(before: StoredCommit, draft: Commit, *signers: Signer | None) -> None:
    """Raise ConfigError unless one of *signers* may sign what follows *before*: so the log itself orders a rotation.

    After a `key` commit that is the key it names, else one of those that signed *before*. A `key` commit may come after
    one of a rotation that nobody finished, if it says so (`instead`).
    """
    commit = before.commit
    named = str(commit.detail.get("key", "")) if commit.kind == "key" else ""
    if named and draft.kind == "key" and draft.detail.get("instead") == named:
        return
    try:
        heirs = {named} if named else {one.key_id for one in parse_signatures(before.signature)}
    except ValueError:
        return  # damaged, and verify says so
    given = [one.public.key_id for one in signers if one]
    if not heirs or heirs & set(given):
        return
    how = "was handed over to" if named else "is signed by"
    raise ConfigError(
        f"{commit_key(commit.source, commit.seq)}: this log {how} the key {min(heirs)[:16]}…, and this machine has "
        + (f"the key {given[0][:16]}…" if given else "no key")
        + ": set signing_key_file, or OFRECORD_SIGNING_KEY, to that key (or, if its rotation was not finished, finish"
        " it: ofrecord keys rotate); nothing was committed, what was fetched is kept"
    )


def link_on(before: StoredCommit | None, draft: Commit) -> dict[str, Any]:
    """Return `checkpoint` and `since` of the commit that *draft* becomes right after *before* (`None`: not known)."""
    if withdraws(draft):
        return {"checkpoint": None, "since": ()}
    if before is None:
        return {"checkpoint": draft.checkpoint, "since": ()}
    commit = before.commit
    least = commit.seq if withdraws(commit) else 1  # what was made without knowing of it is not to be believed
    named = [one for one in (commit.checkpoint, draft.checkpoint) if one and least <= covered(one) <= commit.seq]
    newest = max(named, key=covered, default=None)
    first = covered(newest) + 1
    since: tuple[CommitLink, ...] = ()
    if commit.seq >= first and not commit.requires:
        since = (*(one for one in commit.since if one.seq >= first), link_to(before))
    whole = [one.seq for one in since] == list(range(first, commit.seq + 1))
    return {"checkpoint": newest, "since": since if whole and len(since) <= MAX_SINCE else ()}


def withdraws(commit: Commit) -> bool:
    """Whether *commit* says that segments lie elsewhere, or otherwise, than checkpoints before it have them."""
    return commit.kind in REPLACING_KINDS and bool(commit.files or commit.replaces)


def link_to(stored: StoredCommit) -> CommitLink:
    """Return what later commits repeat of *stored*."""
    commit = stored.commit
    return CommitLink(commit.seq, stored.digest, commit.rows if commit.kind in SEGMENT_KINDS else None)


def covered(checkpoint: dict[str, Any] | None) -> int:
    """Return the number of the last commit that *checkpoint*, as a commit names it, covers; 0 for none."""
    seq = checkpoint.get("seq") if checkpoint else 0
    return seq if isinstance(seq, int) and not isinstance(seq, bool) and 0 < seq <= MAX_NUMBER else 0
