"""What the documents promise is what the program does: commands, exit codes, options, targets, links, examples."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from config.errors import ExitCode
from config.settings import Settings
from config.sources import load_source
from jobs.cli.commands import group

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = sorted(
    path
    for folder in (".", "config", "crawler", "jobs", "deploy", "tests")
    for path in (ROOT / folder).glob("*.md" if folder == "." else "**/*.md")
)


def walk_commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    for word in command.list_commands(click.Context(command)):
        found = command.get_command(click.Context(command), word)
        assert found is not None
        yield from walk_commands(found, f"{name} {word}")


COMMANDS = dict(walk_commands(group, "ofrecord"))


def read_help(name: str) -> str:
    command = COMMANDS[name]
    return command.get_help(click.Context(command, info_name=name, terminal_width=100, max_content_width=100))


def list_blocks(text: str, language: str = "") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def read_codes(text: str) -> dict[int, str]:
    """Return the exit codes of a help text's last paragraph: `0 done · 13 damage found`."""
    paragraph = " ".join(text.strip().split("\n\n")[-1].split())
    label, _, codes = paragraph.partition(": ")
    assert label == "Exit codes", f"the help does not end with its exit codes but with {paragraph!r}"
    found = [re.fullmatch(r"(\d+) (.+)", part.strip(" .")) for part in codes.split("·")]
    assert all(found), f"not of the form `0 done · 1 failed`: {codes}"
    return {int(match[1]): match[2] for match in found if match}


def test_there_are_commands() -> None:
    assert {"ofrecord crawl", "ofrecord init", "ofrecord verify", "ofrecord sources validate"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_help_that_ends_with_its_exit_codes(name: str) -> None:
    text = read_help(name)
    assert "\\" not in text, f"{name}: the help shows what is meant for the program that lays it out"
    codes = read_codes(text)
    assert set(codes) <= {int(code) for code in ExitCode}
    assert {ExitCode.DONE, ExitCode.USAGE} <= set(codes)
    assert list(codes) == sorted(codes)
    first = (COMMANDS[name].help or "").strip().split("\n\n")[0]
    assert first.endswith("."), f"{name}: the help begins with a whole sentence"


@pytest.mark.parametrize("name", COMMANDS)
def test_command_stands_in_the_readme(name: str) -> None:
    assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", README), f"README.md does not name `{name}`"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is_for(name: str) -> None:
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.help, f"{name} {parameter.opts[-1]} has no help"


def test_readme_names_no_command_that_is_not_there() -> None:
    words = {name.split()[1] for name in COMMANDS}
    named = set(re.findall(r"(?:^\s*\$ |`)ofrecord ([a-z][a-z-]*)", README, re.MULTILINE))
    assert named <= words


def test_readme_shows_only_options_that_exist() -> None:
    known = {option for command in (*COMMANDS.values(), group) for p in command.params for option in p.opts}
    known |= {"--help", "--version"}
    for line in re.findall(r"(?:^\s*\$ |`)(ofrecord [^`\n]*)", README, re.MULTILINE):
        for option in re.findall(r"(?<!\S)(--[a-z][a-z0-9-]*)", line):
            assert option in known, f"README.md: {line}: no command has {option}"


def test_readme_lists_the_exit_codes() -> None:
    rows = dict(re.findall(r"^\| *`?(\d+)`? *\| *(.+?) *\|$", README, re.MULTILINE))
    assert {int(code) for code in rows} == {int(code) for code in ExitCode}


def test_source_shown_in_the_readme_is_valid(tmp_path: Path) -> None:
    shown = [block for block in list_blocks(README, "ya?ml") if "discover:" in block]
    assert shown, "README.md shows no source"
    for block in shown:
        path = tmp_path / "example-gazette.yaml"
        path.write_text(block, "utf-8")
        assert load_source(path).id == "example-gazette"


def test_settings_file_and_settings_name_the_same_keys() -> None:
    listed = yaml.safe_load((ROOT / "config" / "settings.yaml").read_text("utf-8"))
    assert set(listed) == set(Settings.model_fields)


def test_every_target_is_explained_and_every_target_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    explained = set(re.findall(r"^([a-z-]+):.*?## \S", makefile, re.MULTILINE))
    assert explained == set(phony[1].split())
    for document in DOCUMENTS:
        named = re.findall(r"(?:^\s*\$ |`)make ((?:[a-z-]+ ?)+)", document.read_text("utf-8"), re.MULTILINE)
        assert {word for words in named for word in words.split()} <= explained, document


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text("utf-8")):
        if "://" not in target and not target.startswith(("#", "mailto:")):
            assert (document.parent / target.partition("#")[0]).exists(), f"{document}: {target}"


def test_constraints_pin_every_dependency_and_name_no_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    for file in ("constraints.txt", "tests/pywb.txt", "tests/deploy.txt", "tests/wacz.txt"):
        lines = [line for line in (ROOT / file).read_text("utf-8").splitlines() if line and line[0] != "#"]
        assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line) for line in lines), file
        if file == "constraints.txt":
            pins = {canonicalize_name(line.partition("==")[0]): line.partition("==")[2] for line in lines}
            for requirement in map(Requirement, wanted):
                version = pins[canonicalize_name(requirement.name)]
                assert requirement.specifier.contains(version), f"{requirement} against {version}"


def test_changelog_has_this_version_or_unreleased_changes() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    headings = re.findall(r"^## \[?([^\]\s]+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings
    assert headings[0] in {version, "Unreleased"}
