"""Compiles what reads and records pages into the wheel, if COMPILE_OFRECORD=1 asks for it; else see pyproject.toml.

Never into a checkout or an editable install: Python would run a compiled module in place of the source beside it,
however that was edited since.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from setuptools import Extension, setup

_MYPYC = "mypy[mypyc]==2.4.1"
_FLAGS = ("--config-file=", "--ignore-missing-imports")
"""The dependencies are not there where a wheel is built, and `make check` has looked at the types."""
_RECORDING = (
    *("crawler/directives.py", "crawler/urls.py", "crawler/encoding.py", "crawler/recording.py"),
    *("crawler/exchanges.py", "crawler/segment.py", "crawler/spool.py", "crawler/wire.py", "crawler/warc/writer.py"),
)
"""None of them has a dataclass that pydantic checks: it cannot read the annotations of a compiled one."""
_READING = ("crawler/nesting.py", "crawler/normalise.py", "crawler/prescan.py")
_PACKAGE = "crawler/extract"


def compile_modules() -> list[Extension]:
    """Return the modules where a page's time goes, as extensions. Needs mypyc and a C compiler.

    A library for what records pages and one for what reads them: the crawl's process has no use for the second.
    """
    from mypyc.build import mypycify  # noqa: PLC0415 - it is there for those alone who compile

    inner = [path.as_posix() for path in Path(_PACKAGE).rglob("*.py") if path.name != "__init__.py"]
    options = {"opt_level": "3", "debug_level": "0"}
    return [
        *mypycify([*_FLAGS, *_RECORDING], group_name="ofrecord_recording", **options),
        *mypycify([*_FLAGS, *_READING, *sorted(inner)], group_name="ofrecord", **options),
    ]


if __name__ == "__main__":
    wanted = os.environ.get("COMPILE_OFRECORD") == "1" and "editable_wheel" not in sys.argv
    extensions = compile_modules() if wanted and "bdist_wheel" in sys.argv else []
    setup(ext_modules=extensions, setup_requires=[_MYPYC] if wanted else [])
