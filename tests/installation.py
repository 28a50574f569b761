"""An installation of one's own, as a person would make it: a folder with settings and sources, and the real command.

The demo and the end-to-end tests run `ofrecord` through this as a child process. It never imports jobs or crawler.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.seaweed import S3Server
    from tests.site.server import Site

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "config" / "sources"
OFRECORD = Path(sys.executable).with_name("ofrecord")
_PASSED_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "PYTHONDEVMODE", "PYTHONWARNINGS", "COVERAGE_PROCESS_START")


def write_config(folder: Path, site: Site, *, archive: str | Path, state: Path, **settings: Any) -> Path:
    """Fill *folder* with the real sources and with settings that lead to *site*; return it.

    The copies differ from the real sources in two lines: no politeness delay, which only private networks may ask for.
    *settings*: more keys of settings.yaml.
    """
    (folder / "sources").mkdir(parents=True)
    for path in sorted(SOURCES.glob("almayadeen-*.yaml")):
        source = yaml.safe_load(path.read_text("utf-8"))
        source["network"] = "private"
        source["politeness"] = {**source.get("politeness", {}), "delay_seconds": 0}
        (folder / "sources" / path.name).write_text(
            yaml.safe_dump(source, allow_unicode=True, sort_keys=False), "utf-8"
        )
    shutil.copy(site.ca_file, folder / "ca.pem")
    values = {
        "archive": str(archive),
        "state_dir": str(state),
        "ca_file": str(folder / "ca.pem"),
        "resolve": site.resolve,
        "contact_url": "https://ofrecord.example/about",
        "metrics_listen": "off",
        **settings,
    }
    (folder / "settings.yaml").write_text(yaml.safe_dump(values, sort_keys=False), "utf-8")
    return folder


def install(
    folder: Path, source: Mapping[str, Any], *, environment: Mapping[str, str] | None = None, **settings: Any
) -> Ofrecord:
    """Return the command with one private source, `gazette`, an archive and a home of its own, all below *folder*.

    *source*: keys of its YAML file beside those that every source of a test has. *environment*: secrets of a store.
    *settings*: keys of settings.yaml.
    """
    (folder / "config" / "sources").mkdir(parents=True)
    (folder / "home").mkdir()
    values = {"archive": str(folder / "archive"), "state_dir": str(folder / "state"), "workers": 1}
    values |= {"metrics_listen": "off", **settings}
    common = {"name": "Gazette", "articles": {"include": ["."]}, "network": "private"}
    whole = {**common, "politeness": {"delay_seconds": 0, "concurrent_requests": 4}, **source}
    (folder / "config" / "settings.yaml").write_text(yaml.safe_dump(values, sort_keys=False), "utf-8")
    (folder / "config" / "sources" / "gazette.yaml").write_text(yaml.safe_dump(whole, sort_keys=False), "utf-8")
    ofrecord = Ofrecord(folder / "config", folder / "home", environment or {})
    ofrecord("init")
    return ofrecord


def install_on_s3(
    folder: Path, source: Mapping[str, Any], server: S3Server, archive: str, *, endpoint_url: str, **settings: Any
) -> Ofrecord:
    """Return what `install` does, with *archive* on *server*, reached through *endpoint_url*: a proxy's, say."""
    return install(
        folder,
        source,
        environment=server.environment(),
        archive=archive,
        s3_endpoint_url=endpoint_url,
        s3_path_style=True,
        **settings,
    )


class Result(subprocess.CompletedProcess[str]):
    """What one run of the command came to."""

    def json(self) -> Any:
        """Return the last line of stdout, read as JSON."""
        return json.loads(self.stdout.splitlines()[-1])

    def rows(self) -> list[Any]:
        """Return every line of stdout, read as JSON."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    def events(self) -> list[dict[str, Any]]:
        """Return the log events on stderr."""
        return [json.loads(line) for line in self.stderr.splitlines() if line.startswith("{")]

    def __str__(self) -> str:
        return f"$ {shlex.join(self.args)}\n{self.stdout}\n{self.stderr}\n→ {self.returncode}"


@dataclass(frozen=True)
class Ofrecord:
    """The installed command with one configuration, a home of its own, and a scrubbed environment."""

    config: Path
    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    """Beside what every process gets: secrets of a store, settings under test."""
    timeout_seconds: float = 120

    def __call__(self, *words: str | Path, code: int | None = 0, stdin: str | None = None) -> Result:
        """Run `ofrecord` with *words*; fail unless it ends with *code* (`None`: whatever it is)."""
        process = subprocess.run(
            self.command(*words),
            env=self.variables(),
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=self.timeout_seconds,
            check=False,
        )
        result = Result(process.args, process.returncode, process.stdout, process.stderr)
        if code is not None and result.returncode != code:
            raise AssertionError(f"expected exit code {code}\n{result}")
        return result

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        """Start `ofrecord` with *words* in a session of its own, for tests that stop or kill it."""
        return subprocess.Popen(
            self.command(*words),
            env=self.variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def command(self, *words: str | Path) -> list[str]:
        """Return the whole command line."""
        return [str(OFRECORD), *map(str, words)]

    def variables(self) -> dict[str, str]:
        """Return the environment that the command gets."""
        passed = {name: os.environ[name] for name in _PASSED_ENVIRONMENT if name in os.environ}
        return {**passed, "HOME": str(self.home), "OFRECORD_CONFIG_DIR": str(self.config), **self.environment}
