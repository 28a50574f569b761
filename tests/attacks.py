"""A signed archive with one outside head, and seeded attacks on it of every kind that FORMAT.md § 9 names.

Each attack says which objects it left other than they were; a check must name one of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from config.settings import Settings
from jobs.archive.commit import commit_key, decode_commit, digest, encode_commit, parse_commit_key
from jobs.archive.handover import hand_over
from jobs.archive.identity import create_archive, list_sources, read_info
from jobs.archive.lease import acquire_lease
from jobs.archive.lease_records import LeaseRecord, lease_key, parse_lease_key
from jobs.archive.log import Log
from jobs.archive.signing import Signer, encode_document, split_document
from jobs.catalog import Catalog
from jobs.context import OpenArchive
from jobs.segments.seal import seal_segment
from jobs.segments.upload import upload_segment
from jobs.store.memory import MemoryStore
from jobs.tables import build_tables
from jobs.tables.manifest import PREFIX as MANIFEST
from tests.archives import NOON, Page, copy_store, put, write_segment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from random import Random

    from jobs.archive.identity import ArchiveInfo

PROVEN = ("ofrecord.json", "keys/", "log/", "segments/", "tables/", "checkpoint/", "heads/", "lease/")
"""What a check vouches for; all else says of itself that it proves nothing."""


@dataclass(frozen=True, slots=True)
class SignedArchive:
    """A sound archive, and what its owner has outside."""

    store: MemoryStore
    signer: Signer
    """Signs now."""
    old: Signer
    """Was rotated out."""
    trusted: str
    """Fingerprint that was noted outside."""
    head: Mapping[str, tuple[int, str]]
    """The outside head: source → number and digest of its last commit."""

    def copy(self) -> SignedArchive:
        """Return the same with a store of its own."""
        return replace(self, store=copy_store(self.store))


def lay_signed_archive(folder: Path, chance: Random | None = None) -> SignedArchive:
    """Return a new archive: two sources, a rotation in the middle, layers, two roll-ups, leases; all of it sound.

    *chance*: decides how many runs there are before and after each of these; else some eleven.
    """
    before, between, after = (chance.randint(1, 6) if chance else 5 for _ in range(3))
    store = MemoryStore()
    create_archive(store, single_writer=False, now=NOON)
    info = read_info(store)
    old, new = Signer.generate(), Signer.generate()
    desk = _Desk(store, info, folder)
    desk.crawl("gazette", before - 4 if before > 4 else 1)
    hand_over(store, info, old, None, now=NOON)
    desk.signer = old
    desk.crawl("gazette", between)
    desk.crawl("courier", 2)
    desk.build()
    hand_over(store, info, new, old, now=NOON + timedelta(days=1))
    desk.signer = new
    desk.crawl("gazette", after)
    desk.crawl("courier", 2)
    desk.build()
    ends = {}
    for source in list_sources(store):
        end = Log(store, info, source).find_end()
        assert end is not None
        ends[source] = (end.commit.seq, end.digest)
        acquire_lease(
            store, source, run=None, seconds=60, log_epoch=0, is_released=lambda _: False, signer=new
        ).release()
    return SignedArchive(store, new, old, old.public.key_id, ends)


@dataclass(slots=True)
class _Desk:
    """Writes segments, layers and tables, each in its time."""

    store: MemoryStore
    info: ArchiveInfo
    folder: Path
    signer: Signer | None = None
    runs: int = 0

    def crawl(self, source: str, runs: int) -> None:
        """Commit *runs* segments, an edit in each, with the layers that are due."""
        with self._open() as archive:
            for _ in range(runs):
                self.runs += 1
                now = NOON + timedelta(hours=self.runs)
                archive.prepare(source) if source in list_sources(self.store) else None
                pages = [Page("/budget", f"The tax will rise by {self.runs} per cent."), Page(f"/news-{self.runs}")]
                run = f"{source}-{now:%Y%m%dT%H%M%SZ}-{self.runs:016x}"
                closed = write_segment(self.folder, pages, archive=self.info.archive, now=now, run=run, source=source)
                after, head = archive.catalog.head(source)
                upload_segment(
                    self.store,
                    self.info,
                    seal_segment(closed, now=now),
                    after=after,
                    head=head,
                    sum_up=lambda: archive.sum_up(source),
                    signer=self.signer,
                )

    def build(self) -> None:
        """Roll the tables up."""
        with self._open() as archive:
            build_tables(archive)

    @contextmanager
    def _open(self) -> Iterator[OpenArchive]:
        state = self.folder / f"state-{self.runs}"
        state.mkdir(exist_ok=True)
        with Catalog.open(state / "catalog.sqlite") as catalog:
            yield OpenArchive(self.store, self.info, Settings(), state, catalog, self.signer)


@dataclass(slots=True)
class Attack:
    """What was done to an archive."""

    kind: str
    touched: set[str] = field(default_factory=set)
    """Keys of objects that are other than they were, gone or new."""


Attacker = Callable[[SignedArchive, "Random"], Attack]


def list_keys(store: MemoryStore, *prefixes: str) -> list[str]:
    """Return the keys below *prefixes*, sorted."""
    return [item.key for item in store.list("") if item.key.startswith(prefixes)]


def flip_bit(archive: SignedArchive, chance: Random) -> Attack:
    store, key = archive.store, chance.choice(list_keys(archive.store, *PROVEN))
    data = bytearray(store.get(key))
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    put(store, key, bytes(data))
    return Attack("bit flip", {key})


def cut(archive: SignedArchive, chance: Random) -> Attack:
    store, key = archive.store, chance.choice(list_keys(archive.store, *PROVEN))
    data = store.get(key)
    put(store, key, data[: chance.randrange(len(data))])
    return Attack("cut", {key})


def overwrite(archive: SignedArchive, chance: Random) -> Attack:
    store, key = archive.store, chance.choice(list_keys(archive.store, *PROVEN))
    strange = [b"", b"\n", b"<html>404</html>", b"{}\n-\n", chance.randbytes(len(store.get(key)))]
    put(store, key, chance.choice([one for one in strange if one != store.get(key)]))
    return Attack("stranger's overwrite", {key})


def swap(archive: SignedArchive, chance: Random) -> Attack:
    store = archive.store
    while True:
        one, other = chance.sample(list_keys(store, *PROVEN), 2)
        if store.get(one) != store.get(other):
            break
    first, second = store.get(one), store.get(other)
    put(store, one, second)
    put(store, other, first)
    return Attack("swap", {one, other})


def swap_neighbours(archive: SignedArchive, chance: Random) -> Attack:
    """Swap two objects of one kind: commits of one log, two segments, two layers."""
    store = archive.store
    folders = {key.rpartition("/")[0] for key in list_keys(store, "log/", "segments/", "checkpoint/", "lease/")}
    full = sorted(one for one in folders if len(list_keys(store, f"{one}/")) > 1)
    one, other = chance.sample(list_keys(store, f"{chance.choice(full)}/"), 2)
    first, second = store.get(one), store.get(other)
    put(store, one, second)
    put(store, other, first)
    return Attack("swap of neighbours", {one, other})


def take_away(archive: SignedArchive, chance: Random) -> Attack:
    """Remove an object that must be there: manifests may go, since tables are made anew, and files that none lists."""
    store = archive.store
    newest = max(list_keys(store, MANIFEST))
    may = list_keys(store, "ofrecord.json", "keys/", "log/", "segments/", "tables/")
    may = [key for key in may if not key.startswith(MANIFEST)]
    listed = {file["key"] for file in json.loads(store.get(newest).splitlines()[0])["files"]}
    key = chance.choice([one for one in may if not one.endswith(".parquet") or one in listed])
    store.delete(key)
    return Attack("removal", {key})


def replay(archive: SignedArchive, chance: Random) -> Attack:
    """Put an old commit, soundly signed, at the end of a log or in the place of another."""
    store = archive.store
    keys = [key for key in list_keys(store, "log/") if parse_commit_key(key)]
    old = chance.choice(keys)
    source = chance.choice(list_sources(store))
    own = [key for key in keys if key.startswith(f"log/{source}/")]
    place = chance.choice([one for one in [*own, commit_key(source, len(own) + 1)] if one != old])
    put(store, place, store.get(old))
    return Attack("replayed commit", {place})


def sign_anew(archive: SignedArchive, signer: Signer | None, chance: Random, kind: str) -> Attack:
    """Alter a commit and write it and all later ones anew, the chain whole, signed by *signer*."""
    store = archive.store
    source = chance.choice(list_sources(store))
    keys = [key for key in list_keys(store, f"log/{source}/") if parse_commit_key(key)]
    start = chance.randrange(len(keys))
    if kind.endswith("rotated-out key"):
        start = max(start, len(keys) - 3)  # its own time was before
    previous = ""
    touched = set()
    for number, key in enumerate(keys[start:]):
        commit = decode_commit(store.get(key), key).commit
        if number == 0:
            commit = replace(commit, counts={**commit.counts, "articles": commit.counts.get("articles", 0) + 1})
        else:
            commit = replace(commit, previous=previous, since=())
        data = encode_commit(commit, signer)
        put(store, key, data)
        previous = digest(data)
        touched.add(key)
    return Attack(kind, touched)


def sign_by_stranger(archive: SignedArchive, chance: Random) -> Attack:
    return sign_anew(archive, Signer.generate(), chance, "re-signed by a foreign key")


def sign_by_rotated_key(archive: SignedArchive, chance: Random) -> Attack:
    return sign_anew(archive, archive.old, chance, "re-signed by a rotated-out key")


def strip_signatures(archive: SignedArchive, chance: Random) -> Attack:
    """Write a log anew without signatures, and perhaps take the keys away, as if there had never been any."""
    attack = sign_anew(archive, None, chance, "signatures stripped")
    if chance.random() < 0.5:
        for key in list_keys(archive.store, "keys/"):
            archive.store.delete(key)
            attack.touched.add(key)
        attack.touched.add("keys/")
    return attack


def append_forged(archive: SignedArchive, chance: Random) -> Attack:
    """Put one more commit, chained to the last, signed by nobody, a stranger or the old key."""
    store = archive.store
    source = chance.choice(list_sources(store))
    last = max(key for key in list_keys(store, f"log/{source}/") if parse_commit_key(key))
    stored = decode_commit(store.get(last), last)
    forged = replace(
        stored.commit, seq=stored.commit.seq + 1, previous=stored.digest, id=f"{chance.getrandbits(128):032x}", since=()
    )
    key = commit_key(source, forged.seq)
    put(store, key, encode_commit(forged, chance.choice([None, Signer.generate(), archive.old])))
    return Attack("forged commit at the end", {key})


def drop_tail(archive: SignedArchive, chance: Random) -> Attack:
    """Take the last commits away, with their segments or without."""
    store = archive.store
    source = chance.choice(list_sources(store))
    keys = [key for key in list_keys(store, f"log/{source}/") if parse_commit_key(key)]
    gone = keys[-chance.randint(1, min(5, len(keys))) :]
    for key in gone:
        files = decode_commit(store.get(key), key).commit.files if chance.random() < 0.5 else ()
        for name in (key, *(file.key for file in files)):
            store.delete(name)
    return Attack("dropped tail", set(gone))


def forge_layer(archive: SignedArchive, chance: Random) -> Attack:
    """Put another layer in the place of a checkpoint: an earlier one, one with a line more, or of another source."""
    store = archive.store
    keys = list_keys(store, "checkpoint/")
    key = chance.choice(keys)
    others = [store.get(one) for one in keys if store.get(one) != store.get(key)]
    put(store, key, chance.choice([*others, store.get(key) + b"\x28\xb5\x2f\xfd\x00\x00\x01\x00\x00"]))
    return Attack("forged checkpoint", {key})


def forge_table(archive: SignedArchive, chance: Random) -> Attack:
    """Put a manifest that lists fewer files, chained, signed by nobody or a stranger; or swap two tables' files."""
    store = archive.store
    newest = max(list_keys(store, MANIFEST))
    data = store.get(newest)
    fields = json.loads(split_document(data, newest, "a manifest", len(data))[0])
    if chance.random() < 0.5:
        one, other = chance.sample([file["key"] for file in fields["files"]], 2)
        first, second = store.get(one), store.get(other)
        put(store, one, second)
        put(store, other, first)
        return Attack("forged tables", {one, other})
    forged = {**fields, "n": fields["n"] + 1, "previous": digest(data), "files": fields["files"][1:]}
    key = f"{MANIFEST}{forged['n']:012d}"
    signers = chance.choice([[], [Signer.generate()], [archive.old]])
    put(store, key, encode_document(json.dumps(forged).encode(), signers))
    return Attack("forged manifest", {key})


def forge_lease(archive: SignedArchive, chance: Random) -> Attack:
    """Put a lease that would keep a crawler waiting: nobody's, a stranger's, or a true one of another key."""
    store = archive.store
    source = chance.choice(list_sources(store))
    key = lease_key(source, chance.randint(1_000, 10_000), 0)
    record = LeaseRecord("nobody process 1 00", None, "held", 3_600.0)
    true = chance.choice([one for one in list_keys(store, "lease/") if parse_lease_key(one)])
    put(
        store,
        key,
        chance.choice(
            [
                record.encode(key),
                record.encode(key, Signer.generate()),
                store.get(true),
                b"{}",
                chance.randbytes(200),
            ]
        ),
    )
    return Attack("forged lease", {key})


def forge_key(archive: SignedArchive, chance: Random) -> Attack:
    """Put a key of one's own behind the archive's, or in the place of one."""
    store = archive.store
    keys = list_keys(store, "keys/")
    before = chance.choice(keys)
    data = store.get(before)
    fields: dict[str, Any] = json.loads(split_document(data, before, "a key", len(data))[0])
    stranger = Signer.generate()
    fields |= {"key": stranger.public.key_id, "public": stranger.public.pem}
    if before == keys[-1] and chance.random() < 0.5:
        fields |= {"n": fields["n"] + 1, "previous": digest(data)}
    key = f"keys/{fields['n']:06d}.json"
    put(store, key, encode_document(json.dumps(fields).encode(), [stranger]))
    return Attack("forged key", {key})


ATTACKS: tuple[Attacker, ...] = (
    flip_bit,
    cut,
    overwrite,
    swap,
    swap_neighbours,
    take_away,
    replay,
    sign_by_stranger,
    sign_by_rotated_key,
    strip_signatures,
    append_forged,
    drop_tail,
    forge_layer,
    forge_table,
    forge_lease,
    forge_key,
)
