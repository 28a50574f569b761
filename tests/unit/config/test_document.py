from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.document import MAX_FILE_BYTES, DocumentError, find_nearest, format_key, read_document, show

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path, raw: bytes) -> dict[str, object]:
    path = folder / "file.yaml"
    path.write_bytes(raw)
    return read_document(path).data


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a: no", "no"),
        (b"a: 12:30:00", "12:30:00"),
        (b"a: 2023-11-06", "2023-11-06"),
        (b"a: '5'", "5"),
        (b"a: 5", 5),
        (b"a: -0.5", -0.5),
        (b"a: true", True),
        (b"a: 'true'", "true"),
        (b"a: ~", None),
        (b"a:", None),
        (b"a: 0x10", "0x10"),
        (b"a: " + b"9" * 5_000, "9" * 5_000),
        (b"\xef\xbb\xbfa: \xc3\xa9", "é"),
    ],
)
def test_scalars_mean_what_people_expect(tmp_path: Path, raw: bytes, expected: object) -> None:
    value = read(tmp_path, raw)["a"]
    assert value == expected
    assert type(value) is type(expected)


def test_empty_file_is_an_empty_mapping(tmp_path: Path) -> None:
    assert read(tmp_path, b"# nothing yet\n") == {}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a: &x [1]\nb: *x\n", ":2: found an alias"),
        (b"a: !!python/object/apply:os.system [ls]\n", ":1: found the tag"),
        (b"a: !!str 5\n", ":1: found the tag"),
        (b"a: 1\n---\nb: 2\n", ":2: found a second document"),
        (b"a: " + b"[" * 100_000, ":1: found more than 16 levels"),
        (b"- x\n" * 60_000, "found more than 50000 values"),
        (b"a: {b: 1, b: 2}\n", ":1: a.b: found the key again"),
        (b"a:\n  b: 1\n  c: 1\n  b: 2\n", ":4: a.b: found the key again, expected it once (it stands in line 2 too)"),
        (b"[a, b]: 1\n", ":1: found a list as a key"),
        (b"a: 1\nb: \xff\n", ":2: not UTF-8"),
        (b"a: 1\n b: 2\n", ":2: not YAML"),
        (b"a: 'open\n", "not YAML"),
        (b"a: \x00\n", "not YAML"),
        (b"x" * (MAX_FILE_BYTES + 1), f"larger than {MAX_FILE_BYTES} bytes"),
    ],
)
def test_refused_with_file_and_line(tmp_path: Path, raw: bytes, expected: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read(tmp_path, raw)
    assert len(caught.value.problems) == 1
    assert expected in caught.value.problems[0]
    assert caught.value.problems[0].startswith(str(tmp_path / "file.yaml"))
    assert len(caught.value.problems[0]) < 500


def test_folder_instead_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read"):
        read_document(tmp_path)


def test_problem_points_at_the_nearest_known_line(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("a: 1\nb:\n  - c: 2\n", encoding="utf-8")
    document = read_document(path)
    assert document.problem(("b", 0, "c"), "x") == f"{path}:3: b[1].c: x"
    assert document.problem(("b", 0, "missing"), "x") == f"{path}:3: b[1].missing: x"
    assert document.problem(("gone",), "x") == f"{path}:1: gone: x"


def test_words_for_messages() -> None:
    assert format_key(("discover", 1, "feed")) == "discover[2].feed"
    assert find_nearest("skedule", ["schedule", "recheck"]) == "schedule"
    assert find_nearest("Delay-Seconds", ["delay_seconds"]) == "delay_seconds"
    assert find_nearest("xyzzy", ["schedule"]) is None
    assert show("a\nb\x1b[31m" + "c" * 100).isprintable()
    assert len(show("c" * 1_000)) < 70
