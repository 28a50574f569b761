"""The modules that a wheel may have compiled say the same as their sources: of every hostile document and brief."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.installation import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = (
    *("unit/test_directives", "unit/test_recording", "unit/test_encoding", "unit/test_urls", "unit/test_redirects"),
    *("unit/test_segment", "unit/test_warc", "unit/test_warc_frames", "unit/test_verify_records", "crash/test_segment"),
    *("contract/test_wire", "property/test_wire"),
)
BUILD = (
    "import setuptools, setup; setuptools.setup(name='compiled', packages=[], ext_modules=setup.compile_modules(),"
    " script_args=['build_ext', '--inplace', '--parallel', '2'])"
)


def run(folder: Path, *words: str) -> Iterator[str]:
    """Run Python in *folder*, whose packages come first, and yield what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=1_200,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    yield from done.stdout.splitlines()


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compiled")
    for name in ("config", "crawler", "jobs", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.py", folder)
    list(run(folder, "-c", BUILD))
    shutil.copy(ROOT / "pyproject.toml", folder)  # pytest's settings; a build would want all that it names
    return folder


@pytest.mark.soak
@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler here")
@pytest.mark.skipif(importlib.util.find_spec("setuptools") is None, reason="mypyc needs setuptools")
def test_compiled_modules_give_what_their_sources_give(compiled: Path) -> None:
    path, *lines = run(compiled, "-m", "tests.outcomes")
    assert Path(json.loads(path)["prescan"]).suffix == ".so"
    source, *expected = run(ROOT, "-m", "tests.outcomes")
    assert Path(json.loads(source)["prescan"]).suffix == ".py"

    assert len(expected) > 500
    assert lines == expected


@pytest.mark.soak
@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler here")
@pytest.mark.skipif(importlib.util.find_spec("setuptools") is None, reason="mypyc needs setuptools")
def test_compiled_modules_pass_the_tests_of_their_sources(compiled: Path) -> None:
    names = [f"tests/{name}.py" for name in TESTS]
    where = "import crawler.segment as it; print(it.__file__)"
    (file,) = run(compiled, "-c", where)
    assert (Path(file).parent.parent, Path(file).suffix) == (compiled, ".so")
    *_, last = run(compiled, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *names)
    assert re.fullmatch(r"\d{3,} passed.*", last), last


def test_no_compiled_module_lies_beside_the_sources() -> None:
    assert [path for package in ("config", "crawler", "jobs") for path in (ROOT / package).rglob("*.so")] == []
