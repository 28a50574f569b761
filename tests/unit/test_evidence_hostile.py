"""Bundles of forgers: what was altered is found, even where all that can be written anew without a key was."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tracemalloc
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from jobs.archive.commit import commit_key
from jobs.archive.ends import LogEnd
from jobs.archive.heads import append_head
from jobs.archive.identity import read_info
from jobs.archive.signing import Signer, encode_document
from jobs.evidence import verify_bundle
from tests.archives import SOURCE
from tests.bundles import (
    ARTICLE,
    LATER,
    build_edited,
    digest,
    edit_manifest,
    make_bundle,
    read_parts,
    repack,
    zip_parts,
)

if TYPE_CHECKING:
    from pathlib import Path

SIGNER, FOREIGN = Signer.generate(), Signer.generate()
TRUSTED = (SIGNER.public.key_id,)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    return make_bundle(build_edited(folder / "spool", signer=SIGNER), folder).path


def damages(path: Path, *, trusted: tuple[str, ...] = TRUSTED) -> str:
    report = verify_bundle(path, trusted=trusted)
    assert report.sound == (not report.findings.damages)
    return "\n".join(map(str, report.findings.damages))


def find(parts: dict[str, bytes], prefix: str, number: int = 0) -> str:
    return sorted(name for name in parts if name.startswith(prefix))[number]


def manifest_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(read_parts(path)["evidence/manifest.json"])
    return found


def flip(data: bytes, at: int) -> bytes:
    wrong = bytearray(data)
    wrong[at] ^= 1
    return bytes(wrong)


PROVEN = (
    "evidence/ofrecord",
    "evidence/key-",
    "evidence/commit-",
    "evidence/rows-",
    "evidence/text-",
    "evidence/change-",
)


def test_repacked_as_it_is_it_stays_sound(bundle: Path, tmp_path: Path) -> None:
    assert damages(repack(bundle, {}, tmp_path / "x.wacz")) == ""


@pytest.mark.parametrize("prefix", [*PROVEN, "archive/", "indexes/", "pages/"])
def test_a_flipped_bit_is_found_in_each_part_even_if_all_digests_were_made_anew(
    bundle: Path, tmp_path: Path, prefix: str
) -> None:
    parts = read_parts(bundle)
    for name in sorted(parts):
        if name.startswith(prefix):
            for share in (0.02, 0.3, 0.5, 0.7, 0.98):
                wrong = flip(parts[name], int(len(parts[name]) * share))
                told = damages(repack(bundle, {name: wrong}, tmp_path / "x.wacz"))
                if prefix == "pages/" and _titles_alone(parts[name], wrong):
                    continue
                assert told, f"{name} at {share}"


def _titles_alone(before: bytes, after: bytes) -> bool:
    """Whether two lists of pages differ in nothing but what a player shows for a title, or an id."""
    try:
        lists = [[json.loads(line) for line in data.splitlines()] for data in (before, after)]
    except ValueError:
        return False
    for pages in lists:
        for page in pages:
            for name in ("id", "title", "hasText"):
                page.pop(name, None)
    return lists[0] == lists[1]


@pytest.mark.parametrize("prefix", PROVEN)
def test_a_part_that_is_gone_is_missed(bundle: Path, tmp_path: Path, prefix: str) -> None:
    parts = read_parts(bundle)
    for name in sorted(parts):
        if name.startswith(prefix):
            assert damages(repack(bundle, {name: None}, tmp_path / "x.wacz")), name


@pytest.mark.parametrize("prefix", ["evidence/commit-", "evidence/rows-", "evidence/text-", "evidence/change-"])
def test_parts_that_changed_places_are_found(bundle: Path, tmp_path: Path, prefix: str) -> None:
    parts = read_parts(bundle)
    one, other = find(parts, prefix), find(parts, prefix, 1)
    swapped: dict[str, bytes | None] = {one: parts[other], other: parts[one]}
    assert damages(repack(bundle, swapped, tmp_path / "x.wacz"))


def test_captures_that_changed_records_or_texts_are_found(bundle: Path, tmp_path: Path) -> None:
    captures = manifest_of(bundle)["captures"]
    for name in ("records", "text", "captured_at", "status", "target_uri", "segment", "n"):
        swapped = json.loads(json.dumps(captures))
        swapped[0][name], swapped[1][name] = swapped[1][name], swapped[0][name]
        if swapped == captures:
            swapped[0][name] = {"status": 404, "target_uri": "https://other.example/", "n": 1}[name]
        assert damages(edit_manifest(bundle, tmp_path / "x.wacz", captures=swapped)), name


def test_a_capture_that_is_left_out_is_told(bundle: Path, tmp_path: Path) -> None:
    manifest, parts = manifest_of(bundle), read_parts(bundle)
    left = edit_manifest(bundle, tmp_path / "x.wacz", captures=manifest["captures"][:-1])
    assert "goes on behind the last capture" in damages(left)
    records, start = parts["archive/records.warc.gz"], manifest["captures"][-1]["records"]["offset"]
    lines = [line for line in parts["indexes/index.cdx"].splitlines(keepends=True) if f'"{start}"'.encode() not in line]
    pages = parts["pages/pages.jsonl"].splitlines(keepends=True)[:-1]
    gone = manifest["texts"][-1]["text_digest"]
    manifest |= {
        "captures": manifest["captures"][:-1],
        "texts": manifest["texts"][:-1],
        "changes": manifest["changes"][:-1],
    }
    changes: dict[str, bytes | None] = {
        "archive/records.warc.gz": records[:start],
        "indexes/index.cdx": b"".join(lines),
        "pages/pages.jsonl": b"".join(pages),
        "evidence/manifest.json": json.dumps(manifest).encode(),
        "evidence/change-2-3.diff": None,
        f"evidence/text-{gone[7:]}.txt": None,
    }
    report = verify_bundle(repack(bundle, changes, tmp_path / "x.wacz"))
    assert report.findings.damages == []
    assert "holds 1 further capture of it" in " ".join(report.statements.unproven)


def test_a_commit_that_was_written_anew_is_found(bundle: Path, tmp_path: Path) -> None:
    parts = read_parts(bundle)
    last = find(parts, "evidence/commit-", 2)
    line = json.loads(parts[last].split(b"\n")[0])
    line["committed"] = "2020-01-01T00:00:00Z"
    text = json.dumps(line).encode()
    unsigned: dict[str, bytes | None] = {last: encode_document(text)}
    assert "unsigned, expected a signature" in damages(repack(bundle, unsigned, tmp_path / "x.wacz"), trusted=())
    foreign: dict[str, bytes | None] = {last: encode_document(text, [FOREIGN])}
    assert "a key that keys/ does not have" in damages(repack(bundle, foreign, tmp_path / "x.wacz"), trusted=())
    kept: dict[str, bytes | None] = {last: text + b"\n" + parts[last].split(b"\n")[1] + b"\n"}
    assert "one of them was altered" in damages(repack(bundle, kept, tmp_path / "x.wacz"), trusted=())


def test_an_archive_of_a_forger_is_sound_and_not_the_trusted_one(tmp_path: Path) -> None:
    forged = make_bundle(build_edited(tmp_path / "spool", signer=FOREIGN), tmp_path).path
    assert damages(forged, trusted=()) == ""
    assert "not signed by the key that is trusted" in damages(forged)
    stripped: dict[str, bytes | None] = {find(read_parts(forged), "evidence/key-"): None}
    assert "the archive has no sound key" in damages(repack(forged, stripped, tmp_path / "x.wacz"), trusted=())


def test_a_rewritten_capture_is_found_by_its_commit(bundle: Path, tmp_path: Path) -> None:
    other = make_bundle(build_edited(tmp_path / "spool", ("A lie.", "Two.", "Three."), signer=FOREIGN), tmp_path).path
    mixed = {**read_parts(other), **{n: d for n, d in read_parts(bundle).items() if n.startswith("evidence/key-")}}
    changes: dict[str, bytes | None] = {**dict.fromkeys(read_parts(bundle)), **mixed}
    assert damages(repack(bundle, changes, tmp_path / "x.wacz"))


@pytest.mark.parametrize(
    "name",
    [
        "../escape.txt",
        "/etc/passwd",
        "evidence/../../x",
        "evidence\\x",
        "a/b/c/d/e/f",
        "evidence/x y",
        "C:/x",
        "ümlaut",
    ],
)
def test_names_that_lead_elsewhere_are_refused(bundle: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.wacz"
    path.write_bytes(zip_parts({**read_parts(bundle), name: b"x"}))
    assert "which no bundle has" in damages(path)


def test_what_nothing_names_is_refused(bundle: Path, tmp_path: Path) -> None:
    for name in ("evidence/note.html", "evidence/commit-000000000009.json", "extra.txt", "evidence/text-00.txt"):
        assert damages(repack(bundle, {name: b"look here"}, tmp_path / "x.wacz")), name


def test_nothing_hides_in_the_zip_file(bundle: Path, tmp_path: Path) -> None:
    path, data = tmp_path / "x.wacz", bundle.read_bytes()
    doubled = io.BytesIO(data)
    with zipfile.ZipFile(doubled, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(zipfile.ZipInfo("evidence/report.html"), b"all is well")
    with zipfile.ZipFile(commented := io.BytesIO(data), "a") as archive:
        archive.comment = b"hello"
    first = struct.pack("<I", 0x04034B50)
    for wrong in (
        b"x" * 10 + data,
        data + b"x",
        data[:-1],
        data[: len(data) // 2],
        b"",
        b"PK",
        doubled.getvalue(),
        commented.getvalue(),
        data.replace(first, b"PK\x03\x05", 1),
        zip_parts({"evidence/manifest.json": b" " * 3_000_000}, zipfile.ZIP_BZIP2),
    ):
        path.write_bytes(wrong)
        assert damages(path)


def test_the_end_of_the_zip_file_leads_to_the_directory_that_is_read(bundle: Path, tmp_path: Path) -> None:
    data = bytearray(bundle.read_bytes())
    (begin,) = struct.unpack_from("<I", data, len(data) - 6)
    shift, at = 100, begin
    while data[at : at + 4] == b"PK\x01\x02":  # Python takes it back; others go by what is said
        name, extra = struct.unpack_from("<2H", data, at + 28)
        struct.pack_into("<I", data, at + 42, struct.unpack_from("<I", data, at + 42)[0] + shift)
        at += 46 + name + extra
    struct.pack_into("<I", data, len(data) - 6, begin + shift)
    path = tmp_path / "x.wacz"
    path.write_bytes(data)
    assert f"directory begins at byte {begin + shift}" in damages(path)


def test_a_manifest_of_many_commits_takes_no_memory(bundle: Path, tmp_path: Path) -> None:
    runs = [{"first": n * 30_000 + 1, "last": n * 30_000 + 29_999, "head": None, "ends": "log"} for n in range(60)]
    path = edit_manifest(bundle, tmp_path / "x.wacz", runs=runs)
    tracemalloc.start()
    try:
        assert "missing, though the manifest names it" in damages(path)
        assert tracemalloc.get_traced_memory()[1] < 80e6  # of which reading the directory takes 64 MiB
    finally:
        tracemalloc.stop()


def test_an_index_and_pages_end_where_captures_do(bundle: Path, tmp_path: Path) -> None:
    parts = read_parts(bundle)
    index, pages = parts["indexes/index.cdx"], parts["pages/pages.jsonl"]
    longer = repack(bundle, {"indexes/index.cdx": index * 50}, tmp_path / "x.wacz")
    assert "more lines than the 3 answers" in damages(longer)
    assert damages(longer).count("\n") < 3
    longer = repack(bundle, {"pages/pages.jsonl": pages + pages.splitlines(keepends=True)[1] * 50}, tmp_path / "x.wacz")
    assert "more lines than the 3 captures" in damages(longer)


def test_a_bomb_is_not_inflated(bundle: Path, tmp_path: Path) -> None:
    import zlib

    manifest = manifest_of(bundle)
    rows = find(read_parts(bundle), "evidence/rows-")
    squeezer = zlib.compressobj(1, zlib.DEFLATED, 31)
    bomb = squeezer.compress(bytes(80 << 20)) + squeezer.flush()
    told = damages(repack(bundle, {rows: bomb, "archive/records.warc.gz": bomb}, tmp_path / "x.wacz"))
    assert rows in told
    path = tmp_path / "y.wacz"
    path.write_bytes(zip_parts({"evidence/manifest.json": bytes(20 << 20)}, zipfile.ZIP_DEFLATED))
    assert damages(path)
    manifest["captures"] = manifest["captures"] * 10_000
    huge = repack(bundle, {"evidence/manifest.json": json.dumps(manifest).encode()}, tmp_path / "z.wacz")
    assert "evidence/manifest.json" in damages(huge)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"format": "2.0"}, ""),
        ({"archive": "0" * 32}, "the manifest says"),
        ({"source": "../x"}, "source"),
        ({"captures": []}, "captures"),
        ({"runs": [{"first": 1, "last": 1 << 62, "head": None, "ends": "log"}]}, "missing"),
        ({"runs": [{"first": 1, "last": 3, "head": 7, "ends": "head"}]}, "missing, though the manifest names it"),
        ({"runs": [{"first": 2, "last": 3, "head": None, "ends": "log"}]}, "leads nowhere"),
        ({"runs": [{"first": 1, "last": 3, "head": None, "ends": "log"}] * 2}, "do not come after"),
        ({"segments": []}, "segments"),
        ({"texts": []}, "which is not there"),
        ({"changes": [{"before": 1, "after": 9}]}, "missing"),
        ({"url": "https://other.example/"}, ""),
    ],
)
def test_a_manifest_is_held_against_what_it_speaks_of(
    bundle: Path, tmp_path: Path, fields: dict[str, Any], message: str
) -> None:
    from config.errors import FormatTooNew

    path = edit_manifest(bundle, tmp_path / "x.wacz", **fields)
    if fields.get("format") == "2.0":
        with pytest.raises(FormatTooNew):
            verify_bundle(path)
        return
    told = damages(path)
    assert told, fields
    assert message in told


def test_a_capture_under_the_number_of_another_text_is_told(bundle: Path, tmp_path: Path) -> None:
    captures = manifest_of(bundle)["captures"]
    captures[0]["number"], captures[1]["number"] = captures[1]["number"], captures[0]["number"]
    report = verify_bundle(edit_manifest(bundle, tmp_path / "x.wacz", captures=captures), trusted=TRUSTED)
    assert "That 2 captures showed the text of its number" in " ".join(report.statements.unproven)
    assert "of its number" not in " ".join(verify_bundle(bundle).statements.unproven)


def test_no_commits_borrow_the_head_of_others(tmp_path: Path) -> None:
    store = build_edited(tmp_path / "spool")
    info = read_info(store)
    ends = {SOURCE: LogEnd(1, digest(store.get(commit_key(SOURCE, 1))))}
    append_head(store, info, None, ends, signer=None, now=LATER)
    honest = make_bundle(store, tmp_path).path
    runs = manifest_of(honest)["runs"]
    assert [(one["first"], one["last"], one["head"]) for one in runs] == [(1, 1, 1), (2, 3, None)] or runs
    assert damages(honest, trusted=()) == ""
    for one in runs:
        one["head"], one["ends"] = 1, "head"
    assert "as others do" in damages(edit_manifest(honest, tmp_path / "x.wacz", runs=runs), trusted=())


def test_no_records_or_second_index_lie_beside(bundle: Path, tmp_path: Path) -> None:
    parts = read_parts(bundle)
    index = parts["indexes/index.cdx"]
    squeezed = gzip.compress(index)
    assert "a second index" in damages(repack(bundle, {"indexes/index.cdx.gz": squeezed}, tmp_path / "x.wacz"))
    assert "a second index" in damages(repack(bundle, {"indexes/index.idx": b"!meta"}, tmp_path / "x.wacz"))
    assert "nothing in the manifest" in damages(repack(bundle, {"evidence/key-x.html": b"x"}, tmp_path / "x.wacz"))
    twice = index.replace(b'"url":', b'"url": "https://other.example/", "url":', 1)
    assert "not an index" in damages(repack(bundle, {"indexes/index.cdx": twice}, tmp_path / "x.wacz"))


def test_whole_segments_have_no_other_records_beside(tmp_path: Path) -> None:
    whole = make_bundle(build_edited(tmp_path / "spool"), tmp_path, whole_segments=True).path
    assert damages(whole, trusted=()) == ""
    name = find(read_parts(whole), "archive/")
    forged: dict[str, bytes | None] = {"archive/records.warc.gz": read_parts(whole)[name]}
    assert "nothing in the manifest names" in damages(repack(whole, forged, tmp_path / "x.wacz"), trusted=())


def test_the_report_is_listed_and_proves_nothing(bundle: Path, tmp_path: Path) -> None:
    parts = read_parts(bundle)
    package = json.loads(parts["datapackage.json"])
    assert {one["path"] for one in package["resources"]} == parts.keys() - {
        "datapackage.json",
        "datapackage-digest.json",
    }
    assert all(one["hash"] == digest(parts[one["path"]]) for one in package["resources"])
    assert ARTICLE.url in parts["evidence/report.html"].decode()
    lying = repack(bundle, {"evidence/report.html": b"<p>All lies."}, tmp_path / "x.wacz")
    assert damages(lying) == ""
    assert "evidence/report.html" in verify_bundle(lying).statements.unproven[-1]
