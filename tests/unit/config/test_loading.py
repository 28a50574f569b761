"""Where each value of the settings came from, and everything that is wrong at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.loading import FILE_NAME, Layers, check_settings, load_settings, mask_secrets
from config.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, text: str) -> Path:
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    return folder


GIVEN: dict[str, tuple[str, str]] = {
    "archive": ("/srv/one", "/srv/two"),
    "state_dir": ("/srv/state-one", "/srv/state-two"),
    "segment_bytes": ("1 MiB", "2 MiB"),
    "segment_seconds": ("7 minutes", "8 minutes"),
    "workers": ("3", "4"),
    "max_failed": ("0.25", "0.75"),
    "obey_noarchive": ("false", "true"),
    "resolve": ("[a.example:443:127.0.0.1]", "b.example:443:127.0.0.1"),
    "clean_objects": ("[md]", "json,txt"),
    "s3_retry_mode": ("adaptive", "standard"),
}


@pytest.mark.parametrize("name", GIVEN)
def test_each_kind_of_setting_comes_from_environment_then_file_then_default(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_file, in_environment = GIVEN[name]
    default = getattr(load_settings(write(tmp_path, "")), name)
    from_file = getattr(load_settings(write(tmp_path, f"# first\n{name}: {in_file}\n")), name)
    assert str(Layers.read(tmp_path).find_origin(name)) == f"{tmp_path / FILE_NAME}:2"
    monkeypatch.setenv(f"OFRECORD_{name.upper()}", in_environment)
    from_environment = getattr(load_settings(tmp_path), name)
    assert str(Layers.read(tmp_path).find_origin(name)) == f"environment OFRECORD_{name.upper()}"
    assert from_file != default
    assert from_environment != from_file
    assert from_environment == getattr(load_settings(write(tmp_path, "")), name)


def test_what_is_empty_or_null_is_a_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFRECORD_MAX_DEPTH", "")
    layers = Layers.read(write(tmp_path, "workers: null\n"))
    assert {str(layers.find_origin(name)) for name in Settings.model_fields} == {"default"}


def test_values_of_the_file_are_checked_though_the_environment_replaces_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "max_depth: deep\nmax_link: 5\n")
    monkeypatch.setenv("OFRECORD_MAX_DEPTH", "7")
    monkeypatch.setenv("OFRECORD_WORKERS", "many")
    monkeypatch.setenv("OFRECORD_ARCHIVO", "/srv")
    monkeypatch.setenv("OFRECORD_COLOUR", "red")
    problems, notes = check_settings(tmp_path)
    place = tmp_path / FILE_NAME
    assert sorted(problem.split(", expected")[0] for problem in problems) == sorted(
        [
            "environment: OFRECORD_ARCHIVO: found an unknown setting; did you mean OFRECORD_ARCHIVE?",
            "environment: OFRECORD_WORKERS: found 'many'",
            f"{place}:1: max_depth: found 'deep'",
            f"{place}:2: max_link: found an unknown key",
        ]
    )
    assert notes == [
        "environment: OFRECORD_COLOUR: no setting has that name; settings.yaml lists all settings",
    ]


def test_a_file_that_is_no_yaml_is_a_problem_too(tmp_path: Path) -> None:
    (problem,), _ = check_settings(write(tmp_path, "workers: [1\n"))
    assert problem.startswith(f"{tmp_path / FILE_NAME}:2: not YAML")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("http://me:secret@proxy.example:3128", "http://***@proxy.example:3128"),
        ("http://token@proxy.example", "http://***@proxy.example"),
        ("http://a:b@c@proxy.example/x", "http://***@proxy.example/x"),
        ("https://gazette.example/a@b", "https://gazette.example/a@b"),
        ("mailto:desk@gazette.example", "mailto:desk@gazette.example"),
        (["https://a:b@c.example"], ["https://***@c.example"]),
        (3, 3),
        (None, None),
    ],
)
def test_secrets_are_masked(value: object, shown: object) -> None:
    assert mask_secrets(value) == shown
