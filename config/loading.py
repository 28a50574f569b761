"""Environment and settings.yaml in, `Settings` out: checked, and with where each value came from."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import structlog
from pydantic import ValidationError

from config.document import Document, DocumentError, describe_error, find_nearest, read_document
from config.errors import ConfigError
from config.settings import ENV_PREFIX, SECRETS, Settings

log = structlog.get_logger()

FILE_NAME = "settings.yaml"
_OTHER_VARIABLES = frozenset({"config_dir"})
"""Of our prefix, and read elsewhere."""
_SERVICE_VARIABLE = re.compile(
    r"(?:\A|_)(?:service_(?:host|port)(?:_\w+)?|port(?:_\d+_(?:tcp|udp|sctp)\w*)?)\Z", re.ASCII
)
"""What Kubernetes and Docker set for a service that is called as we are: OFRECORD_PORT_80_TCP_ADDR and the like."""
_MISSPELT = 0.85
"""From that likeness on, 0 to 1, an unknown variable is a mistake; below it only odd."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the value of a setting came from."""

    kind: Literal["environment", "file", "default"]
    variable: str | None = None
    """Of the environment."""
    path: Path | None = None
    """Of the file; with `line`, counted from 1."""
    line: int | None = None

    def __str__(self) -> str:
        return {"environment": f"environment {self.variable}", "file": f"{self.path}:{self.line}"}.get(
            self.kind, self.kind
        )


@dataclass(frozen=True, slots=True)
class Layers:
    """What settings are made of, the first before the second; what neither has is a default."""

    variables: dict[str, str]
    """Key in lower case → the environment variable that is set for it. Not every key is a setting."""
    document: Document
    """settings.yaml; a value of nothing counts as none."""

    @classmethod
    def read(cls, config_dir: Path | None = None) -> Layers:
        """Read both. *config_dir* as for `load_settings`. Raises ConfigError with a line for each thing wrong."""
        folder = Path(__file__).parent if config_dir is None else config_dir
        if not folder.is_dir():
            raise ConfigError(f"{folder}: found no such folder, expected one with {FILE_NAME}")
        path = folder / FILE_NAME
        variables = {
            name.upper().removeprefix(ENV_PREFIX).lower(): name
            for name, value in os.environ.items()
            if value and name.upper().startswith(ENV_PREFIX)
        }
        try:
            return cls(variables, read_document(path) if path.exists() else Document(path, {}))
        except DocumentError as error:
            raise ConfigError(str(error)) from error

    def find_origin(self, name: str) -> Origin:
        """Return where the value of the setting *name* came from."""
        if name in self.variables:
            return Origin("environment", variable=self.variables[name])
        if self.document.data.get(name) is not None:
            return Origin("file", path=self.document.path, line=self.document.lines[name,])
        return Origin("default")

    def build(self, *, whole_file: bool = False) -> tuple[Settings | None, list[str]]:
        """Return the settings, unless something is wrong, and a line for each thing that is.

        *whole_file*: take the file's values before the environment's, to see what is wrong with those, too.
        """
        problems = _find_misspelt(self.variables)
        document = self.document
        values = {key: value for key, value in document.data.items() if whole_file or key not in self.variables}
        if "@" in (urlsplit(str(values.get("proxy", ""))).netloc):
            text = f"found a password, expected none: set {ENV_PREFIX}PROXY instead"
            problems.append(document.problem(("proxy",), text))
        for name in sorted(SECRETS & {key for key, value in document.data.items() if value}):
            values.pop(name, None)
            text = f"found a secret, expected none: set {ENV_PREFIX}{name.upper()} instead"
            problems.append(document.problem((name,), text))
        try:
            settings = Settings(**{key: value for key, value in values.items() if value is not None})
        except ValidationError as error:
            for item in error.errors():
                name = str(item["loc"][0]) if item["loc"] else ""
                text = describe_error(item, Settings.model_fields, secret=name == "proxy" or name in SECRETS)
                if name in values:
                    problems.append(document.problem(item["loc"], text))
                else:
                    variable = self.variables.get(name, ENV_PREFIX + name.upper())
                    problems.append(f"environment: {variable}: {text}")
            return None, problems
        return (None if problems else settings), problems

    def find_unknown(self) -> dict[str, str]:
        """Return variable → why nothing reads it. Those that orchestrators set by themselves are not among them."""
        return {
            variable: _explain_unknown(key)
            for key, variable in sorted(self.variables.items())
            if key not in Settings.model_fields and key not in _OTHER_VARIABLES and not _SERVICE_VARIABLE.search(key)
        }


def load_settings(config_dir: Path | None = None) -> Settings:
    """Return the settings: environment before settings.yaml before defaults.

    *config_dir*: folder with settings.yaml (it may lack one); `None`: the one that comes with the program.
    Raises ConfigError with one line for each thing that is wrong.
    """
    layers = Layers.read(config_dir)
    settings, problems = layers.build()
    if settings is None:
        raise ConfigError("\n".join(problems))
    for variable, reason in layers.find_unknown().items():
        _warn_of_unknown(variable, reason)
    return settings


def check_settings(config_dir: Path | None = None) -> tuple[list[str], list[str]]:
    """Return what is wrong, a line each, and what is odd: also in values of the file that the environment replaces."""
    try:
        layers = Layers.read(config_dir)
    except ConfigError as error:
        return str(error).splitlines(), []
    problems = [*layers.build()[1], *layers.build(whole_file=True)[1]]
    odd = [
        f"environment: {variable}: {reason}"
        for variable, reason in layers.find_unknown().items()
        if not any(problem.startswith(f"environment: {variable}:") for problem in problems)
    ]
    return list(dict.fromkeys(problems)), odd


def mask_secrets(value: Any) -> Any:  # noqa: ANN401 - a setting of any type
    """Return the value of a setting as it may be shown: user and password of a URL masked."""
    if isinstance(value, list):
        return [mask_secrets(part) for part in value]
    return re.sub(r"://[^/?#\s]*@", "://***@", value) if isinstance(value, str) else value


@cache
def _warn_of_unknown(variable: str, reason: str) -> None:
    """Say once in this process that nothing reads *variable*."""
    log.warning("ignored_variable", variable=variable, reason=reason)


def _explain_unknown(key: str) -> str:
    near = find_nearest(key, [*Settings.model_fields, *_OTHER_VARIABLES])
    hint = f"did you mean {ENV_PREFIX}{near.upper()}?" if near else f"{FILE_NAME} lists all settings"
    return f"no setting has that name; {hint}"


def _find_misspelt(variables: dict[str, str]) -> list[str]:
    """Name variables that are nearly a setting. Others with our prefix are no error: Kubernetes sets some by itself."""
    problems = []
    for key, variable in sorted(variables.items()):
        if key in Settings.model_fields:
            continue
        near = find_nearest(key, Settings.model_fields, cutoff=_MISSPELT)
        if near:
            right = ENV_PREFIX + near.upper()
            problems.append(f"environment: {variable}: found an unknown setting; did you mean {right}?")
    return problems
