"""The evaluation kit: real pages with their gold texts, and scorers that run an extractor as a command over them.

The pages are their publishers', so the kit lies outside of the repository: `make bench-extract EVAL=DIR`.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
NEWS = ("fundus", "chaos", "big5")
SETS = (*NEWS, "readability", "trafilatura")
ALL_SETS = (*SETS, "htmldate")
_FILES = ("score.py", "stability.py", "dev.tar.zst")
_F1 = re.compile(r"^F1 (\d\.\d+) .*\((\w+)\)$", re.MULTILINE)
_SECONDS = 900


class NotMeasuredError(Exception):
    """A figure could not be had; the message says why and what to do."""


def find_kit(given: str | None, checkout: Path = ROOT) -> Path:
    """Return the folder of the kit: *given*, else one beside *checkout* or one level below that, told by what it holds.

    Raises NotMeasuredError if there is none.
    """
    if given:
        folder = Path(given).resolve()
        if not _is_kit(folder):
            missing = ", ".join(name for name in _FILES if not (folder / name).is_file())
            raise NotMeasuredError(f"{folder}: no evaluation kit, {missing} not found")
        return folder
    found = next((folder for folder in _list_near(checkout) if _is_kit(folder)), None)
    if found is None:
        wanted = f"a folder with {', '.join(_FILES)}"
        raise NotMeasuredError(
            f"no evaluation kit beside {checkout}: give {wanted}, as in make bench-extract EVAL=../eval"
        )
    return found


@dataclass(frozen=True, slots=True)
class Kit:
    """A kit whose data are unpacked."""

    folder: Path
    data: Path

    @property
    def peer(self) -> str:
        """The adapter that everything is compared with: trafilatura with its metadata."""
        return str(self.folder / "adapters" / "trafilatura_adapter.py")

    def score(self, gold: str, command: str, *options: str) -> dict[str, Any]:
        """Return what score.py finds for *command* on a set. Raises NotMeasuredError."""
        return parse_score(*self._run("score.py", command, "--gold", gold, *options))

    def judge_stability(self, command: str, *options: str) -> dict[str, Any]:
        """Return what stability.py finds for *command*. Raises NotMeasuredError."""
        return parse_stability(self._run("stability.py", command, *options)[0])

    def load(self, module: str) -> Any:
        """Return one of the kit's modules."""
        if str(self.folder) not in sys.path:
            sys.path.append(str(self.folder))
        return import_module(module)

    def _run(self, script: str, command: str, *options: str) -> tuple[dict[str, Any], str]:
        """Return what *script* wrote as JSON and what it printed."""
        answer = self.data.parent / f"{script}-{abs(hash((command, *options)))}.json"
        words = [sys.executable, str(self.folder / script), "--cmd", command, "--data", str(self.data)]
        try:
            done = subprocess.run(
                [*words, "--json", str(answer), *options],
                cwd=ROOT,
                capture_output=True,
                encoding="utf-8",
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise NotMeasuredError(f"{script} took more than {_SECONDS} s") from error
        if done.returncode or not answer.is_file():
            said = (done.stderr or done.stdout)[-2_000:].strip()
            raise NotMeasuredError(f"{script} {shlex.join(options)} ended with {done.returncode}: {said}")
        return json.loads(answer.read_text("utf-8")), done.stdout


def open_kit(folder: Path, scratch: Path, *, each: int = 1) -> Kit:
    """Return the kit with its data below *scratch*; *each*: only every so manieth page of each set."""
    kit = Kit(folder, scratch / "data")
    data = Path(kit.load("score").open_data(str(folder / "dev.tar.zst"), str(scratch / "whole")))
    missing = [name for name in ALL_SETS if not (data / name / "gold.jsonl").is_file()]
    if missing:
        raise NotMeasuredError(f"{folder}: dev.tar.zst has no set {', '.join(missing)}")
    for name in ALL_SETS:
        _sample(data / name, kit.data / name, each)
    return kit


def parse_score(result: dict[str, Any], printed: str) -> dict[str, Any]:
    """Return *result* with `f1`, of the metric that score.py names as the set's own. Raises NotMeasuredError."""
    found = _F1.search(printed)
    if found is None or found[2] not in result:
        raise NotMeasuredError(f"score.py gave no F1: {printed[-500:]}")
    if result["bad_lines"] or result["missing"]:
        raise NotMeasuredError(
            f"the command left out {result['missing']} pages and wrote {result['bad_lines']} bad lines"
        )
    return {**result, "f1": float(result[found[2]]["f1"])}


def parse_stability(result: dict[str, Any]) -> dict[str, Any]:
    """Return shares from 0 to 1 of what stability.py counted: of its totals, of `recrawl` and of pay wall stubs."""
    counts = {
        **result["total"],
        "recrawl": result["stable"]["recrawl"],
        "truncated": result["truncated"].get("paywall"),
    }
    shares = {}
    for name, pair in counts.items():
        if not pair or not pair[1]:
            raise NotMeasuredError(f"stability.py counted nothing for {name}")
        shares[name] = pair[0] / pair[1]
    return shares


def make_command(*words: str) -> str:
    """Return a command of this Python as the scorers take it."""
    return shlex.join([sys.executable, *words])


def list_pages(data: Path, name: str) -> list[Path]:
    """Return the files of the pages of a set, by the name of the file."""
    rows = (data / name / "gold.jsonl").read_text("utf-8").splitlines()
    return sorted(data / name / "html" / json.loads(row)["file"] for row in rows)


def read_urls(data: Path, name: str) -> dict[str, str | None]:
    """Return file name → URL, where the set knows it."""
    path = data / name / "urls.json"
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}


def _is_kit(folder: Path) -> bool:
    try:
        return all((folder / name).is_file() for name in _FILES)
    except OSError:
        return False


def _list_near(checkout: Path) -> Iterator[Path]:
    """Yield the folders beside *checkout*, then those in them, without *checkout* itself."""
    beside = [folder for folder in _list_folders(checkout.parent) if folder != checkout]
    yield from beside
    for folder in beside:
        yield from _list_folders(folder)


def _list_folders(folder: Path) -> list[Path]:
    try:
        return sorted(one for one in folder.iterdir() if one.is_dir())
    except OSError:  # not ours to read
        return []


def _sample(whole: Path, folder: Path, each: int) -> None:
    folder.mkdir(parents=True)
    rows = (whole / "gold.jsonl").read_text("utf-8").splitlines(keepends=True)
    (folder / "gold.jsonl").write_text("".join(rows[::each]), "utf-8")
    for name in ("html", "urls.json"):
        if (whole / name).exists():
            (folder / name).symlink_to(whole / name)
