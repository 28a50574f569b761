"""No bit of a bundle can be altered, and nothing cut off, without it being found or meaning nothing at all."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.archive.signing import Signer
from jobs.evidence import verify_bundle
from jobs.evidence.changes import apply_change, encode_change
from jobs.evidence.manifest import ChangeTold
from tests.bundles import build_edited, build_otherwise, compact_archive, make_bundle, read_parts, repack

SIGNER = Signer.generate()
CHANGE = ChangeTold(before=1, after=2)


@cache
def make_once(*, moved: bool = False) -> bytes:
    """Return the bytes of a bundle. *moved*: of an archive that was compacted, and is proven by the commit of that."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        if not moved:
            return make_bundle(build_edited(folder / "spool", signer=SIGNER), folder).path.read_bytes()
        store = build_otherwise(folder, signer=SIGNER)
        compact_archive(store, folder, signer=SIGNER)
        return make_bundle(store, folder).path.read_bytes()


def is_found(data: bytes) -> bool:
    """Whether a bundle with these bytes is refused."""
    with TemporaryDirectory() as name:
        path = Path(name) / "bundle.wacz"
        path.write_bytes(data)
        return not verify_bundle(path, trusted=[SIGNER.public.key_id]).sound


def read_as_others(data: bytes) -> dict[str, bytes] | None:
    """Return what Python's own zipfile makes of it; `None`: it refuses."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {entry.filename: archive.read(entry) for entry in archive.infolist()}
    except Exception:  # noqa: BLE001 - whatever it says of garbage
        return None


def check_flip(at: int, bit: int, *, moved: bool = False) -> None:
    data = make_once(moved=moved)
    wrong = bytearray(data)
    wrong[at % len(data)] ^= 1 << bit
    if not is_found(bytes(wrong)):  # then it is of no meaning, such as the version of who wrote the zip file
        assert read_as_others(bytes(wrong)) == read_as_others(data), f"bit {bit} of byte {at % len(data)}"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(at=st.integers(0, 1 << 24), bit=st.integers(0, 7), moved=st.booleans())
def test_a_flipped_bit_is_found_or_means_nothing(at: int, bit: int, *, moved: bool) -> None:
    check_flip(at, bit, moved=moved)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(at=st.integers(0, 1 << 24), bit=st.integers(0, 7), name=st.sampled_from(["evidence/rows-", "archive/records"]))
def test_a_flipped_bit_of_what_was_compacted_changes_nothing_that_is_proven(at: int, bit: int, name: str) -> None:
    """As a forger does who makes the digests of the WACZ anew: what stays sound holds the same, however squeezed."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.wacz"
        path.write_bytes(make_once(moved=True))
        parts = read_parts(path)
        chosen = min(one for one in parts if one.startswith(name))
        wrong = bytearray(parts[chosen])
        wrong[at % len(wrong)] ^= 1 << bit
        forged = repack(path, {chosen: bytes(wrong)}, Path(folder) / "forged.wacz")
        if verify_bundle(forged, trusted=[SIGNER.public.key_id]).sound:
            assert gzip.decompress(bytes(wrong)) == gzip.decompress(parts[chosen])


@settings(max_examples=20, deadline=None)
@given(share=st.floats(0, 0.9999))
def test_a_cut_bundle_is_refused(share: float) -> None:
    data = make_once()
    assert is_found(data[: int(len(data) * share)])


@settings(max_examples=20, deadline=None)
@given(one=st.integers(0, 1 << 24), other=st.integers(0, 1 << 24), size=st.integers(16, 400))
def test_stretches_that_changed_places_are_found(one: int, other: int, size: int) -> None:
    data = make_once()
    first, second = sorted((one % (len(data) - size), other % (len(data) - size)))
    if second - first >= size:
        moved = data[:first] + data[second : second + size] + data[first + size : second] + data[first : first + size]
        moved += data[second + size :]
        assert len(moved) == len(data)
        if moved != data and not is_found(moved):
            assert read_as_others(moved) == read_as_others(data)


@given(before=st.text(max_size=60), after=st.text(max_size=60))
def test_a_change_holds_both_texts(before: str, after: str) -> None:
    assert apply_change(encode_change(before, after, CHANGE), CHANGE) == (before, after)


@given(data=st.binary(max_size=400))
def test_garbage_is_refused(data: bytes) -> None:
    assert is_found(data)


@pytest.mark.soak
def test_every_byte_of_a_bundle_counts() -> None:
    for moved in (False, True):
        for at in range(len(make_once(moved=moved))):
            check_flip(at, int.from_bytes(os.urandom(1), "big") % 8, moved=moved)
