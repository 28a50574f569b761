"""A copy of a signed archive takes over no commit and no key that the archive's own keys do not vouch for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.errors import StoreUnavailable
from jobs.archive.commit import commit_key, decode_commit
from jobs.store.memory import MemoryStore
from jobs.sync import sync_archive
from jobs.verify import verify_archive
from jobs.verify.report import Severity
from tests.archives import put
from tests.copies import Failing, read_all
from tests.signed import FIRST, FOREIGN, SECOND, add_segment, build_signed, resign, rotate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from jobs.archive.signing import Signer
    from jobs.sync.report import SyncReport

LAST = commit_key("herald", 2)


@pytest.fixture
def origin(tmp_path: Path) -> MemoryStore:
    return build_signed(tmp_path)


@pytest.fixture
def copy(origin: MemoryStore) -> MemoryStore:
    made = MemoryStore()
    assert not sync_archive(origin, made).damaged
    return made


def append(origin: MemoryStore, folder: Path, signers: Sequence[Signer]) -> None:
    last = max(item.key for item in origin.list("log/herald/"))
    assert last < LAST
    before = decode_commit(origin.get(last), last)
    add_segment(origin, folder, "herald", 6, after=before, signer=SECOND)
    resign(origin, LAST, signers)


def tell(report: SyncReport) -> str:
    return "; ".join(f"{one.key}: {one.message}" for one in report.problems)


@pytest.mark.parametrize(
    ("signers", "expected"),
    [
        ((), "unsigned, expected a signature by key 2"),
        ((FOREIGN,), "a key that keys/ does not have, expected a signature by key 2"),
        ((FIRST,), "which was rotated out before that, expected a signature by key 2"),
    ],
)
def test_a_commit_that_is_not_signed_as_it_must_be_is_not_taken_over(
    origin: MemoryStore, copy: MemoryStore, tmp_path: Path, signers: Sequence[Signer], expected: str
) -> None:
    append(origin, tmp_path, signers)
    for full in (False, True):
        assert expected in tell(sync_archive(origin, copy, full=full))
        assert LAST not in [item.key for item in copy.list("log/")]
    assert damages(copy) == []


def damages(store: MemoryStore) -> list[str]:
    return [str(one) for one in verify_archive(store, full=True).findings if one.severity is Severity.DAMAGE]


def test_one_that_is_goes_over_and_so_does_the_key_that_came_meanwhile(
    origin: MemoryStore, copy: MemoryStore, tmp_path: Path
) -> None:
    append(origin, tmp_path, (SECOND,))
    rotate(origin, FOREIGN, SECOND)
    report = sync_archive(origin, copy)
    assert (report.problems, damages(copy)) == ([], [])
    assert copy.stat("keys/000003.json")


def test_keys_that_chain_on_from_none_are_not_taken_over(origin: MemoryStore, copy: MemoryStore) -> None:
    put(origin, "keys/000003.json", b"{}\n-\n")
    assert "keys/000003.json: " in tell(sync_archive(origin, copy))
    assert "keys/000003.json" not in [item.key for item in copy.list("keys/")]


def test_a_first_copy_is_made_of_what_is_sound(origin: MemoryStore, tmp_path: Path) -> None:
    append(origin, tmp_path, (FOREIGN,))
    made = MemoryStore()
    report = sync_archive(origin, made)
    assert [one.key for one in report.problems] == [LAST]
    assert damages(made) == []


@pytest.mark.parametrize("puts", range(13))
def test_ended_at_any_put_it_goes_on(origin: MemoryStore, puts: int) -> None:
    made = Failing()
    made.last = puts
    with pytest.raises(StoreUnavailable):
        sync_archive(origin, made)
    made.last = 1_000_000
    assert not sync_archive(origin, made).damaged
    assert damages(made) == []
    assert read_all(made) == read_all(origin)
