"""Hands an archive over to a key: the first one, or the next. Each log first, by a commit; then `keys/<n>.json`.

In that order, since a log orders what is put into it: a machine that still commits with the old key finds the `key`
commit before it and stops, and the ends that the key object names are exact. Every step may be repeated after a crash.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import structlog

from config.errors import ConfigError, StoreUnavailable
from jobs.archive.commit import Commit, commit_key, writer_name
from jobs.archive.ends import LogEnd
from jobs.archive.identity import list_sources
from jobs.archive.keys import append_key, keys_key, require_ring
from jobs.archive.log import Log

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.archive.commit import StoredCommit
    from jobs.archive.identity import ArchiveInfo
    from jobs.archive.keys import ArchiveKey, KeyRing
    from jobs.archive.signing import Signer
    from jobs.store import ObjectStore

log = structlog.get_logger()

_ROUNDS = 20


def hand_over(
    store: ObjectStore, info: ArchiveInfo, new: Signer, old: Signer | None, *, now: datetime, instead: bool = False
) -> ArchiveKey:
    """Make *new* the key of the archive, in place of *old* (`None`: it has none yet); return it as it stands there.

    *instead*: take it also where another rotation was begun and not finished. Safe to repeat, and to begin again after
    a crash. Raises ConfigError where *old* is not the key that signs now or another rotation is under way; DamageFound
    where a log or keys/ are not sound; StoreError.
    """
    ring = require_ring(store, info)
    if ring.newest is not None and ring.newest.key_id == new.public.key_id:
        return ring.newest
    require_turn(ring, new, old)
    heads: dict[str, LogEnd] = {}
    for _ in range(_ROUNDS):
        # sorted: of two that rotate at once one is the first at the first log, and the other has touched none
        waiting = [source for source in sorted(list_sources(store)) if source not in heads]
        if not waiting:
            break
        for source in waiting:
            end = _hand_over_log(Log(store, info, source, new), ring, new, old, now=now, instead=instead)
            heads[source] = end
    signers = (new, old) if old else (new,)
    key = append_key(store, info, ring, signers, {name: end for name, end in heads.items() if end.seq}, now=now)
    if key is None:
        raise StoreUnavailable(
            f"{store.url}/{keys_key(len(ring.keys) + 1)}: another rotation put it; ofrecord keys list"
        )
    log.info("registered_key", key=key.key_id, n=key.n, sources=len(heads))
    return key


def require_turn(ring: KeyRing, new: Signer, old: Signer | None) -> None:
    """Raise ConfigError unless *old* is the key that signs now and *new* one that never did."""
    newest = ring.newest
    if any(key.key_id == new.public.key_id for key in ring.keys):
        raise ConfigError(
            f"the key {new.public.key_id[:16]}… was rotated out; make another: ofrecord keys new --out FILE"
        )
    if newest is None:
        if old is not None:
            raise ConfigError("this archive has no key yet: register the first one with ofrecord keys new --out FILE")
    elif old is None or old.public.key_id != newest.key_id:
        found = f"found the key {old.public.key_id[:16]}…" if old else "found none"
        raise ConfigError(
            f"signing_key_file: {found}, expected {newest}, which signs this archive now and must sign its own rotation"
        )


def _hand_over_log(
    log_: Log, ring: KeyRing, new: Signer, old: Signer | None, *, now: datetime, instead: bool
) -> LogEnd:
    """Put the `key` commit of one log, unless it is there; return the commit before it (0: there is none)."""
    end = log_.find_end()
    if end is None:
        return LogEnd(0, "")
    done = _find_handover(log_, end, new)
    if done is None:
        detail: dict[str, object] = {"key": new.public.key_id, "n": len(ring.keys) + 1}
        other = _find_unfinished(end, ring)
        if other is not None:
            if not instead:
                raise ConfigError(
                    f"{commit_key(log_.source, end.commit.seq)}: hands this log over to the key {other[:16]}…, by a"
                    " rotation that is under way or was not finished: finish it with that key, or, if nobody is at it"
                    " any more, give --instead"
                )
            detail["instead"] = other
        draft = Commit(
            source=log_.source,
            kind="key",
            committed=now.replace(microsecond=0),
            archive=log_.archive,
            id=secrets.token_hex(16),
            writer=writer_name(),
            detail=detail,
        )
        done = log_.append(draft, after=end.commit.seq, head=end.digest, also=old)[0]
    last = done.commit.detail["last_head"] or {"seq": 0, "sha256": ""}
    return LogEnd(last["seq"], last["sha256"])


def _find_handover(log_: Log, end: StoredCommit, new: Signer) -> StoredCommit | None:
    """Return the commit by which an earlier try of ours handed the log over, if it is there: *new* has signed since."""
    commit = end
    while new.public.key_id in commit.signature:
        if commit.commit.kind == "key" and commit.commit.detail.get("key") == new.public.key_id:
            return commit
        if commit.commit.seq <= 1:
            return None
        commit = log_.get(commit.commit.seq - 1)
    return None


def _find_unfinished(end: StoredCommit, ring: KeyRing) -> str | None:
    """Return the key that the log was handed over to last, if it is none of the archive's."""
    named = str(end.commit.detail.get("key", "")) if end.commit.kind == "key" else ""
    return named if named and all(key.key_id != named for key in ring.keys) else None
