"""`ofrecord extract --explain` as a person meets it: in a pipe, on a terminal, by the example of the guide."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest
import yaml

from tests.installation import Ofrecord

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "tests" / "site" / "versions" / "article-2025.html"
GUIDE = (ROOT / "config" / "sources" / "README.md").read_text("utf-8")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SOURCE = {"name": "Gazette", "home": "https://gazette.example/", "articles": {"include": ["."]}, "network": "private"}
COLUMNS = 100


@pytest.fixture
def command(tmp_path: Path) -> Ofrecord:
    """The command with one source, `gazette`, that has the rule of the guide; without an archive."""
    (tmp_path / "home").mkdir()
    (tmp_path / "config" / "sources").mkdir(parents=True)
    (tmp_path / "config" / "settings.yaml").write_text("workers: 1\n", "utf-8")
    rule = next(yaml.safe_load(line) for line in GUIDE.splitlines() if line.startswith("    extract: {remove: "))
    source = {**SOURCE, "discover": [{"feed": "https://gazette.example/rss"}], **rule}
    (tmp_path / "config" / "sources" / "gazette.yaml").write_text(yaml.safe_dump(source), "utf-8")
    return Ofrecord(tmp_path / "config", tmp_path / "home")


def run_on_a_terminal(command: Ofrecord, *words: str | Path, **environment: str) -> str:
    """Run the command with a terminal of `COLUMNS` as its standard output and return what it wrote there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    variables = {**command.variables(), "TERM": "xterm", **environment}
    process = subprocess.Popen(
        command.command(*words), env=variables, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL
    )
    os.close(theirs)
    pieces = []
    try:
        while piece := os.read(ours, 65_536):
            pieces.append(piece)
    except OSError:  # how Linux says that nobody has the other end any more
        pass
    finally:
        os.close(ours)
    assert process.wait(60) == 0
    return b"".join(pieces).decode().replace("\r\n", "\n")


def read_examples() -> list[tuple[str, list[str]]]:
    """Return each call of the guide with the lines that it shows."""
    blocks = re.findall(r"(?:^(?: {4}.*)?\n)+", GUIDE, re.MULTILINE)
    shown = [block for block in blocks if "$ ofrecord extract --explain" in block]
    calls = [call for block in shown for call in block.split("    $ ")[1:]]
    return [(call.split("\n")[0], [line[4:] for line in call.split("\n")[1:] if line.strip()]) for call in calls]


def test_the_example_of_the_guide_is_what_the_command_prints(command: Ofrecord) -> None:
    examples = read_examples()
    assert len(examples) == 2
    for call, lines in examples:
        words = [word.replace("article.html", str(PAGE)) for word in call.split()[1:]]
        printed = [" ".join(line.split()) for line in command(*words).stdout.splitlines()]
        printed[0] = "article.html"
        places = []
        for line in lines:
            if line.strip() != "…":
                wanted = " ".join(line.removesuffix("…").split())
                found = [place for place, one in enumerate(printed) if one.startswith(wanted)]
                assert found, f"{call}: no line begins with {wanted!r}\n" + "\n".join(printed)
                places.append(found[0])
        assert len(places) >= 3
        assert places == sorted(places)


def test_a_pipe_gets_plain_lines_and_json_if_asked(command: Ofrecord) -> None:
    plain = command("extract", "--explain", PAGE).stdout
    assert "\x1b" not in plain
    assert re.search(r"^\+ h1|^\+ div\.details-white-box h1 +title · Blinken", plain, re.MULTILINE)
    rows = command("extract", "--explain", "--json", "--source", "gazette", PAGE).rows()
    assert (rows[0]["file"], rows[0]["kind"], rows[0]["error"]) == (PAGE.name, "article", None)
    assert rows[0]["rules"] == [{"key": "extract.remove[1]", "selector": "blockquote.twitter-tweet", "matches": 1}]
    removed = [row for row in rows[1:] if row["reason"].startswith("rule extract.remove[1]: ")]
    assert [(row["selector"], row["kept"]) for row in removed] == [("blockquote.twitter-tweet", False)]


@pytest.mark.parametrize("call", [("sources", "validate"), ("extract", "--explain", "--source", "gazette", PAGE)])
def test_a_selector_that_is_none_is_named_with_its_file_and_place(
    command: Ofrecord, call: tuple[str | Path, ...]
) -> None:
    path = command.config / "sources" / "gazette.yaml"
    source = yaml.safe_load(path.read_text("utf-8")) | {"extract": {"remove": [".promo", "div..box"]}}
    path.write_text(yaml.safe_dump(source), "utf-8")
    message = command(*call, code=2).stderr
    assert f"{path}: extract.remove[2]: found 'div..box', expected a CSS selector" in message


def test_every_field_says_where_it_is_from_and_how_sure_it_is(command: Ofrecord, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    text = "<p>The council voted on Tuesday to keep the old library open, after four hours.</p>" * 3
    page.write_text(f"<h1>The library stays</h1><time>3 March 2026, 10:15</time>{text}", "utf-8")
    found = command("extract", page).json()
    stated = {key for key in ("published", "language", "authors") if found[key] is not None} | found["fields"].keys()
    assert found["provenance"].keys() == stated
    assert all(
        0 <= one["confidence"] <= 1 and one["from"] for one in found["provenance"].values() if "confidence" in one
    )
    published = found["provenance"]["published"]
    assert (published["from"], published["assumed_zone"]) == ("visible", "UTC")


def test_what_is_kept_is_what_is_extracted(command: Ofrecord) -> None:
    text = command("extract", "--source", "gazette", PAGE).json()["text"].split("\n")
    rows = command("extract", "--explain", "--json", "--source", "gazette", PAGE).rows()[1:]
    kept = [row["text"].rstrip("…") for row in rows if row["kept"] and row["reason"] != "title"]
    assert len(kept) == len(text)
    assert all(line.startswith(beginning) for line, beginning in zip(text, kept, strict=True))


def test_standard_input_and_folders_are_explained_too(command: Ofrecord, tmp_path: Path) -> None:
    html = PAGE.read_text("utf-8")
    part = command("extract", "--explain", "-", stdin=html).stdout
    whole = command("extract", "--explain", "--all", "-", stdin=html).stdout
    assert set(part.splitlines()[-20:]) < set(whole.splitlines())
    assert len(whole) > len(part)
    (tmp_path / "pages").mkdir()
    for name in ("a.html", "b.html"):
        (tmp_path / "pages" / name).write_text(f"<h1>{name}</h1>", "utf-8")
    printed = command("extract", "--explain", tmp_path / "pages").stdout
    assert re.findall(r"^\w\.html$", printed, re.MULTILINE) == ["a.html", "b.html"]


def test_a_terminal_gets_colour_and_lines_of_its_width_unless_told_otherwise(command: Ofrecord) -> None:
    printed = run_on_a_terminal(command, "extract", "--explain", PAGE)
    lines = printed.split("\n")
    assert any(line.startswith("\x1b[32m+ ") for line in lines)
    assert any(line.startswith("\x1b[31m- ") for line in lines)
    assert max(len(COLOUR.sub("", line)) for line in lines) == COLUMNS
    plain = run_on_a_terminal(command, "extract", "--explain", PAGE, NO_COLOR="1")
    assert "\x1b" not in plain
    assert plain == COLOUR.sub("", printed)


def test_a_hostile_page_is_explained_within_limits_and_writes_nothing_to_the_terminal(
    command: Ofrecord, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    path.write_text("<h1>Library</h1><p>\x1b]0;owned\x07\x1b[2J\u202e" + "The library is open to all. " * 9, "utf-8")
    assert "library" in run_on_a_terminal(command, "extract", "--explain", path)
    for words in (("--all",), ("--json",)):
        printed = run_on_a_terminal(command, "extract", "--explain", *words, path)
        assert all(line.isprintable() for line in COLOUR.sub("", printed).split("\n"))
    path.write_text("<div>" * 3_000_000, "utf-8")
    found = command("extract", "--explain", "--json", path).json()
    assert (found["kind"], found["error"]) == ("error", found["reason"])
    assert found["error"]


def test_all_is_for_explanations(command: Ofrecord) -> None:
    assert "--all is for --explain" in command("extract", "--all", PAGE, code=2).stderr
