"""Keys of an archive: who may sign what, what verify says of it, and how one key takes the place of another."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from config.errors import ConfigError
from jobs.archive.commit import commit_key, decode_commit
from jobs.archive.handover import hand_over
from jobs.archive.identity import create_archive, read_info
from jobs.archive.keys import Standing, keys_key, require_ring
from jobs.archive.signing import Signer, parse_signatures, split_document
from jobs.archive.writing import require_signer
from jobs.store.memory import MemoryStore
from jobs.verify import verify_archive
from tests.archives import NOON, append_commit, build_archive, commit_keys, copy_store, put, rechain
from tests.faults import damage, notices
from tests.signed import FIRST, FOREIGN, SECOND, build_signed, read_end, resign, rotate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.store import StoredObject


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    return build_signed(tmp_path_factory.mktemp("spool"))


@pytest.fixture
def store(made: MemoryStore) -> MemoryStore:
    return copy_store(made)


def trust(*signers: Signer) -> list[str]:
    return [one.public.key_id for one in signers]


# --- sound archives


def test_a_signed_archive_is_clean_and_says_who_signed(store: MemoryStore) -> None:
    report = verify_archive(store, full=True, trusted=trust(SECOND))
    assert damage(report) == []
    assert not report.unsigned
    assert report.signatures.anchored
    assert [one.key for one in report.signatures.keys] == trust(FIRST, SECOND)
    assert report.signatures.counts == {Standing.EARLIER: 1, Standing.SIGNED: 5}
    assert "1 commit from before the first key" in notices(report)
    assert "late: of lease epoch" not in notices(report)


def test_without_a_trusted_key_it_is_not_anchored(store: MemoryStore) -> None:
    report = verify_archive(store, full=False)
    assert damage(report) == []
    assert not report.signatures.anchored
    assert "not anchored: a key that lies in the archive which it protects proves nothing" in notices(report)
    assert report.to_json()["signatures"]["anchored"] is False


@pytest.mark.parametrize("signer", [FIRST, SECOND])
def test_keys_lead_from_or_to_the_trusted_one(store: MemoryStore, signer: Signer) -> None:
    report = verify_archive(store, full=False, trusted=trust(signer))
    assert damage(report) == []
    assert report.signatures.anchored


def test_a_log_by_nobody_trusted_is_damaged(store: MemoryStore, tmp_path: Path) -> None:
    report = verify_archive(store, full=False, trusted=trust(FOREIGN))
    assert "this log is signed by nobody you trust" in damage(report)[0]
    report = verify_archive(build_archive(tmp_path), full=False, trusted=trust(FIRST))
    assert "found no sound key" in damage(report)[0]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_checks_a_commit_of_an_archive(store: MemoryStore, tmp_path: Path) -> None:
    line, signatures = split_document(store.get(commit_key("gazette", 5)), "", "a commit", 10**7)
    stated = json.loads(store.get(keys_key(2)).splitlines()[0])
    (tmp_path / "line").write_bytes(line + b"\n")
    (tmp_path / "pem").write_text(stated["public"])
    (tmp_path / "sig").write_bytes(base64.b64decode(parse_signatures(signatures)[0].base64))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "pem", "-rawin", "-in", "line", "-sigfile", "sig"]
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 0
    (tmp_path / "line").write_bytes(line.replace(b'"seq":5', b'"seq":6') + b"\n")
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode != 0


# --- attacks


def test_by_a_rotated_out_key(store: MemoryStore) -> None:
    resign(store, commit_key("gazette", 5), [FIRST])
    one, two = (one[:16] for one in trust(FIRST, SECOND))
    (found,) = damage(verify_archive(store, full=False))
    assert found == (
        f"log/gazette/000000000005: signature: signed by key 1 ({one}…), which was rotated out before that,"
        f" expected a signature by key 2 ({two}…)"
    )


def test_by_a_foreign_key_none_or_an_unknown_algorithm(store: MemoryStore) -> None:
    key = commit_key("herald", 1)
    whole = store.get(key)
    resign(store, key, [FOREIGN])
    assert (
        "a key that keys/ does not have, expected a signature by key 2" in damage(verify_archive(store, full=False))[0]
    )
    resign(store, key)
    assert "signature: unsigned, expected a signature by key 2" in damage(verify_archive(store, full=False))[0]
    line = whole.splitlines()[0]
    put(store, key, line + f"\nfalcon-512 {trust(SECOND)[0]} AAAA\n".encode())
    assert "signed by an algorithm that is not known here (falcon-512)" in damage(verify_archive(store, full=False))[0]
    put(store, key, whole[:-1] + f", falcon-512 {trust(SECOND)[0]} AAAA\n".encode())
    assert damage(verify_archive(store, full=False)) == []


def test_a_signature_that_does_not_fit(store: MemoryStore) -> None:
    key = commit_key("herald", 1)
    line = store.get(key).splitlines()[0].replace(b'"trigger"', b'"trigger" ').replace(b'{"source"', b'{ "source"')
    put(store, key, line + b"\n" + store.get(key).splitlines()[1] + b"\n")
    assert "herald/000000000001: signature: the signature by key 2" in damage(verify_archive(store, full=False))[0]


def test_all_signatures_stripped_and_the_chain_made_anew(store: MemoryStore) -> None:
    rechain(store)
    found = "\n".join(damage(verify_archive(store, full=False)))
    for seq in (3, 4, 5):
        assert f"log/gazette/{seq:012d}: signature: unsigned" in found
    assert "log/herald/000000000001: signature: unsigned" in found


def test_keys_taken_away(store: MemoryStore) -> None:
    store.delete(keys_key(1))
    found = "\n".join(damage(verify_archive(store, full=False)))
    assert "keys/000001.json: missing, but keys/000002.json is there" in found
    store.delete(keys_key(2))
    report = verify_archive(store, full=False)
    assert report.unsigned
    found = "\n".join(damage(report))
    assert "log/gazette/000000000003: signature: signed by" in found
    assert "log/gazette/000000000002: hands the log over to the key" in found
    assert "keys/ was taken away or altered" in found


def test_keys_and_signatures_taken_away_are_found_by_the_trusted_key_alone(store: MemoryStore) -> None:
    for n in (1, 2):
        store.delete(keys_key(n))
    rechain(store, {2: {"kind": "pack", "detail": {}}, 4: {"kind": "pack", "detail": {}}})
    assert damage(verify_archive(store, full=False)) == []
    assert "signed by nobody you trust" in damage(verify_archive(store, full=False, trusted=trust(SECOND)))[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 3}, "holds key 3"),
        ({"archive": "0" * 32}, "is of archive"),
        ({"previous": "sha256:" + "0" * 64}, "the chain breaks"),
        ({"key": "0" * 64}, "but that has the fingerprint"),
        ({"public": "-----BEGIN NOTHING-----"}, "public: not a public key in PEM"),
        ({"heads": {}}, "says that gazette ends at commit 0, the one before it at 1"),
        ({"heads": {"gazette": {"seq": "1", "sha256": ""}}}, "not a key: heads.gazette.seq"),
        ({"heads": {"../x": {"seq": 1, "sha256": "sha256:" + "0" * 64}}}, "is no source"),
        ({"format": "2.0"}, "install a newer ofrecord"),
        ({"created": "yesterday"}, "expected a time with Z"),
    ],
)
def test_the_chain_of_keys_is_checked(store: MemoryStore, change: dict[str, object], message: str) -> None:
    stated = json.loads(store.get(keys_key(2)).splitlines()[0])
    resign(store, keys_key(2), [SECOND, FIRST], line=json.dumps({**stated, **change}).encode())
    found = damage(verify_archive(store, full=False))
    assert found[0].startswith("keys/000002.json: ")
    assert message in found[0]


def test_a_key_must_be_signed_by_the_one_before_and_by_itself(store: MemoryStore) -> None:
    resign(store, keys_key(2), [SECOND])
    assert "keys/000002.json: is not signed by key 1" in damage(verify_archive(store, full=False))[0]
    resign(store, keys_key(2), [FIRST])
    assert "keys/000002.json: is not signed by itself" in damage(verify_archive(store, full=False))[0]


def test_a_log_that_is_not_as_its_keys_saw_it(store: MemoryStore) -> None:
    stated = json.loads(store.get(keys_key(2)).splitlines()[0])
    stated["heads"]["gazette"]["sha256"] = "sha256:" + "0" * 64
    resign(store, keys_key(2), [SECOND, FIRST], line=json.dumps(stated).encode())
    found = "\n".join(damage(verify_archive(store, full=False)))
    assert "log/gazette/000000000003: found sha256:" in found
    assert "the log was written anew" in found


def test_a_whole_log_taken_away_is_named_by_the_keys(store: MemoryStore) -> None:
    for item in list(store.list("log/gazette/")) + list(store.list("segments/gazette/")):
        store.delete(item.key)
    found = "\n".join(damage(verify_archive(store, full=False)))
    assert "log/gazette/000000000003: missing, though keys/000002.json names it" in found


# --- rotations


def test_a_machine_with_the_old_key_or_none_is_stopped_by_the_log(store: MemoryStore) -> None:
    for signer, has in ((FIRST, "and this machine has the key"), (None, "and this machine has no key")):
        with pytest.raises(ConfigError, match=f"log/gazette/000000000005: this log is signed by .*{has}"):
            append_commit(store, signer=signer)
    assert len(commit_keys(store)) == 6


class _Interrupted(MemoryStore):
    """The objects of another store, whose writer dies before it puts *key*."""

    def __init__(self, store: MemoryStore, key: str) -> None:
        super().__init__()
        self._objects, self._key = store._objects, key

    def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
        if key == self._key:
            raise KeyboardInterrupt
        return super().create(key, data, sha256=sha256)


def test_a_rotation_that_died_is_finished_by_the_next_try() -> None:
    store = MemoryStore()
    create_archive(store, single_writer=False, now=NOON)
    for source in ("one", "two"):
        append_commit(store, source=source, kind="ledger")
    rotate(store, FIRST)
    for key in (commit_key("two", 3), keys_key(2)):
        with pytest.raises(KeyboardInterrupt):
            rotate(_Interrupted(store, key), SECOND, FIRST)
        assert "rotation was not finished" in "\n".join(damage(verify_archive(store, full=False)))
        with pytest.raises(ConfigError, match="was handed over to the key"):
            append_commit(store, source="one", signer=FIRST, kind="ledger")
    rotate(store, SECOND, FIRST)
    assert damage(verify_archive(store, full=False, trusted=trust(SECOND))) == []
    assert [key[-1] for key in commit_keys(store)] == ["1", "2", "3", "1", "2", "3"]
    rotate(store, SECOND, FIRST)
    assert len(require_ring(store, read_info(store)).keys) == 2


def test_of_two_rotations_at_once_one_stops_before_it_touched_a_log() -> None:
    store = MemoryStore()
    info = create_archive(store, single_writer=False, now=NOON)
    for source in ("one", "two"):
        append_commit(store, source=source, kind="ledger")
    rotate(store, FIRST)
    end = read_end(store, append_commit(store, source="one", signer=FIRST, kind="ledger"))
    detail = {"key": trust(FOREIGN)[0], "n": 2}
    append_commit(store, source="one", signer=FIRST, kind="key", detail=detail)
    assert end.commit.seq == 3
    before = len(commit_keys(store))
    with pytest.raises(ConfigError, match="by a rotation that is under way or was not finished"):
        rotate(store, SECOND, FIRST)
    assert len(commit_keys(store)) == before
    rotate(store, SECOND, FIRST, instead=True)
    append_commit(store, source="one", signer=SECOND, kind="ledger")
    report = verify_archive(store, full=False, trusted=trust(SECOND))
    assert [one for one in damage(report) if "did not sign it" not in one] == []
    assert "which commit 5 revokes" in notices(report)
    assert info.archive


def test_only_the_key_that_signs_now_may_rotate_and_only_to_a_fresh_one(store: MemoryStore) -> None:
    for new, old, message in (
        (FOREIGN, FIRST, "expected key 2"),
        (FOREIGN, None, "found none, expected key 2"),
        (FIRST, SECOND, "was rotated out; make another"),
    ):
        with pytest.raises(ConfigError, match=message):
            rotate(store, new, old)
    empty = MemoryStore()
    info = create_archive(empty, single_writer=False, now=NOON)
    with pytest.raises(ConfigError, match="has no key yet"):
        hand_over(empty, info, SECOND, FIRST, now=NOON)
    assert hand_over(empty, info, SECOND, None, now=NOON).n == 1


# --- who may write


def test_a_writer_is_refused_before_it_begins(store: MemoryStore, tmp_path: Path) -> None:
    info, note = read_info(store), tmp_path / "key.json"
    for signer, message in ((None, "this machine has none"), (FIRST, "which was rotated out or is another's")):
        with pytest.raises(ConfigError, match=message):
            require_signer(store, info, signer, note)
    require_signer(store, info, SECOND, note)
    plain = MemoryStore()
    info = create_archive(plain, single_writer=False, now=NOON)
    require_signer(plain, info, None, tmp_path / "other")
    with pytest.raises(ConfigError, match="this archive has no key, but this machine would sign"):
        require_signer(plain, info, FIRST, tmp_path / "other")


class _Asked(MemoryStore):
    """The objects of another store, with what was asked of it."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__()
        self._objects = store._objects
        self.asked: list[str] = []

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        self.asked.append(prefix)
        return super().list(prefix, after=after)

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        self.asked.append(key)
        return super().get(key, offset=offset, length=length)


def test_a_known_key_costs_one_request(store: MemoryStore, tmp_path: Path) -> None:
    info, note = read_info(store), tmp_path / "key.json"
    require_signer(store, info, SECOND, note)
    counting = _Asked(store)
    require_signer(counting, info, SECOND, note)
    assert counting.asked == ["keys/"]
    rotate(store, Signer.generate(), SECOND)
    with pytest.raises(ConfigError, match="rotated out"):
        require_signer(counting, info, SECOND, note)


def test_a_commit_of_a_handover_says_what_came_before(store: MemoryStore) -> None:
    key = commit_key("gazette", 4)
    commit = decode_commit(store.get(key), key).commit
    assert commit.detail["key"] == trust(SECOND)[0]
    assert commit.detail["last_head"] == {"seq": 3, "sha256": commit.previous}
