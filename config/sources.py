"""One YAML file → one `Source`: what to crawl, how often, how politely, what counts as an article.

Every error of every file comes in one ConfigError, a line each: file, line, key, what was found, what is expected.
"""

from __future__ import annotations

import re
import zoneinfo
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from config.announcements import DiscoverEntry, check_http_url
from config.document import Document, DocumentError, describe_error, read_document, suggest
from config.errors import ConfigError
from config.headers import check_cookies, check_headers, find_secret_headers, name_secrets, resolve_headers
from config.learned import SUFFIX, is_learned, learned_path, read_learned
from config.politeness import Politeness
from config.rules import ArticlePatterns, ExtractRules, StrictModel
from config.scope import LanguageList, SectionList, check_language, find_place
from config.units import Schedule, parse_duration, parse_schedule
from config.webarchives import WebArchives  # noqa: TC001 - pydantic reads annotations

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ID_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", re.ASCII)
MAX_FILES = 20_000
_SUFFIXES = (".yaml", ".yml")
_HOUR, _DAY = 3_600, 86_400
MIN_INTERVAL_SECONDS = 60
DEFAULT_RECHECK = (_HOUR, 6 * _HOUR, _DAY, 3 * _DAY, 7 * _DAY, 30 * _DAY, 90 * _DAY, 365 * _DAY)

_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.ASCII)


def _read_duration(value: object) -> object:
    if isinstance(value, str):
        seconds = parse_duration(value)
        if seconds != int(seconds) or seconds < 1:
            raise ValueError("whole seconds and at least 1")
        return int(seconds)
    raise ValueError("a duration with its unit, as in 1 hour")


def _read_login(value: object) -> object:
    if value != "none":
        raise ValueError("none: no pay wall is circumvented; what you may see by your own right goes by `cookies`")
    return value


class Source(StrictModel):
    """A publication, as one YAML file describes it."""

    id: str
    """The file's name without its ending."""
    name: str = Field(min_length=1, max_length=200)
    """As readers know it."""
    home: str
    """URL of the front page."""
    discover: list[DiscoverEntry] = Field(min_length=1, max_length=1_000)
    """Where new articles are announced."""
    articles: ArticlePatterns
    """Which of those links are articles."""
    sections: SectionList = Field(default_factory=list)
    """Parts of the site that are wanted: paths, URLs, or names as pages have them; none: all of it."""
    language: str | None = None
    """BCP 47, as in `en` or `pt-BR`: for pages that do not say."""
    languages: LanguageList = Field(default_factory=list)
    """Of the articles that are wanted; none: of all."""
    timezone: str | None = None
    """IANA name, as in `Asia/Beirut`: for pages whose times have no zone."""
    network: Literal["public", "private"] = "public"
    """`private` allows addresses that are not on the public internet, for sources in your own network."""
    schedule: str | None = None
    """`every 30 minutes`, `cron */15 * * * *` (UTC) or `cron 30 6 * * * Europe/Berlin`; without one the daemon leaves
    this source alone."""
    recheck: list[Annotated[int, BeforeValidator(_read_duration)]] = Field(
        default_factory=lambda: list(DEFAULT_RECHECK), max_length=100
    )
    """Seconds after the first capture at which an article is captured again; given as `1 hour`."""
    politeness: Politeness = Politeness()
    raw_only: bool | None = None
    """Whether pages are only recorded, and their text read by a later crawl; `None`: as the settings say."""
    unconditional_every: int | None = Field(default=None, ge=1, le=1_000_000)
    """Every so many looks at a URL are unconditional; `None`: as the settings say."""
    render: Literal["playwright"] | None = None
    """For pages that need JavaScript: `playwright` has a browser run their scripts before they are read."""
    render_hosts: list[str] = Field(default_factory=list, max_length=50)
    """Hosts beside the source's own, and all below them, that scripts of its pages may be loaded from and may ask."""
    raw: Literal["every"] = "every"
    """Every page is kept as served; the only choice yet."""
    headers: dict[str, str] = Field(default_factory=dict, repr=False, max_length=50)
    """Sent with each request; `${NAME}` in a value is a secret from the environment."""
    cookies: dict[str, str] = Field(default_factory=dict, repr=False, max_length=50)
    """Sent with each request, before those that the site sets; secrets as in `headers`."""
    assets: Literal["none", "lead-image", "page"] = "none"
    """What is recorded beside an article: nothing, its main picture, or whatever its page is shown with."""
    login: Annotated[Literal["none"], BeforeValidator(_read_login)] = "none"
    """Nobody is logged in anywhere: a page behind a wall is recorded as what is to be seen of it."""
    web_archives: WebArchives = Field(default_factory=list)
    """Web archives that `ofrecord backfill` asks for this source's past, in place of those of the settings:
    `cdx=URL replay=URL` or `timemap=URL`."""
    extract: ExtractRules = ExtractRules()
    retired: bool = False
    """No longer crawled; its history stays."""
    formerly: list[str] = Field(default_factory=list, max_length=100)
    """Earlier ids of this source, whose history is its own."""

    @field_validator("id")
    @classmethod
    def _check_id(cls, value: str) -> str:
        if not ID_PATTERN.fullmatch(value):
            raise ValueError("a file name of a-z, 0-9 and inner `-`, at most 64 characters")
        return value

    @field_validator("home")
    @classmethod
    def _check_home(cls, value: str) -> str:
        return check_http_url(value)

    @field_validator("language")
    @classmethod
    def _check_language(cls, value: str | None) -> str | None:
        return value and check_language(value)

    @field_validator("languages")
    @classmethod
    def _check_languages(cls, value: list[str], info: ValidationInfo) -> list[str]:
        usual = info.data.get("language")
        if value and usual is not None and usual.partition("-")[0] not in {one.partition("-")[0] for one in value}:
            raise ValueError(f"{usual} among them, which is what pages count as that do not say: see language")
        return value

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, value: str | None) -> str | None:
        if value is not None and value not in zoneinfo.available_timezones():
            raise ValueError(f"an IANA time zone, as in Asia/Beirut{suggest(value, zoneinfo.available_timezones())}")
        return value

    @field_validator("schedule")
    @classmethod
    def _check_schedule(cls, value: str | None, info: ValidationInfo) -> str | None:
        seconds = parse_schedule(value).interval_seconds if value is not None else None
        if seconds is not None and seconds < MIN_INTERVAL_SECONDS and info.data.get("network") == "public":
            raise ValueError("at least 1 minute between two runs (less only with network: private)")
        return value

    @field_validator("recheck")
    @classmethod
    def _check_recheck(cls, value: list[int]) -> list[int]:
        if value != sorted(set(value)):
            raise ValueError("durations that grow, each once")
        return value

    @field_serializer("recheck", when_used="json")
    def _write_recheck(self, value: list[int]) -> list[str]:
        return [f"{seconds} seconds" for seconds in value]

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, value: dict[str, str]) -> dict[str, str]:
        check_headers(value)
        return value

    @field_validator("cookies")
    @classmethod
    def _check_cookies(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        check_cookies(value)
        if value and "cookie" in map(str.lower, info.data.get("headers", {})):
            raise ValueError("none beside a Cookie in headers: put them all here")
        return value

    @field_validator("render_hosts")
    @classmethod
    def _check_render_hosts(cls, value: list[str]) -> list[str]:
        for host in value:
            if not _HOST.fullmatch(host):
                raise ValueError("host names in lower case, as in cdn.example")
        return value

    @field_validator("formerly")
    @classmethod
    def _check_formerly(cls, value: list[str], info: Any) -> list[str]:  # noqa: ANN401 - pydantic's ValidationInfo
        for earlier in value:
            if not ID_PATTERN.fullmatch(earlier) or earlier == info.data.get("id"):
                raise ValueError("earlier ids of a-z, 0-9 and inner `-`, other than this one")
        return value

    @model_validator(mode="after")
    def _check_delay(self) -> Source:
        if self.politeness.delay_seconds < 1 and self.network == "public":
            raise ValueError("at least 1 (less only with network: private)")
        return self

    @property
    def parsed_schedule(self) -> Schedule | None:
        """The schedule in numbers."""
        return None if self.schedule is None else parse_schedule(self.schedule)

    @property
    def secret_headers(self) -> frozenset[str]:
        """Names, in lower case, of the headers whose values are to be masked wherever they are written."""
        return find_secret_headers(self.headers, self.cookies)

    @property
    def environment_names(self) -> frozenset[str]:
        """Names of the environment variables that headers and cookies need."""
        return name_secrets([*self.headers.values(), *self.cookies.values()])

    def resolve_headers(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the headers, that of the cookies too, with the secrets of *environment* put in.

        Raises ConfigError, naming what is missing.
        """
        return resolve_headers(self.headers, self.cookies, environment, source=self.id)

    def is_raw_only(self, default: bool) -> bool:  # noqa: FBT001 - as the settings have it
        """Return whether pages are only recorded: what the source says, else *default*."""
        return default if self.raw_only is None else self.raw_only

    def is_article(self, url: str) -> bool:
        """Tell whether *url* (normalised) is, or as far as it says may be, an article that this source wants."""
        return self.articles.match(url) and find_place(self.sections, url) is not False


def load_source(path: Path) -> Source:
    """Return the source that the file *path* describes. Raises ConfigError with one line for each error."""
    source, _, problems = _read_source(path)
    if source is None:
        raise ConfigError("\n".join(problems))
    return source


def load_sources(folder: Path) -> dict[str, Source]:
    """Return the sources of all YAML files in *folder* and below, by id.

    Raises ConfigError with all errors of all files, a line each.
    """
    sources, _, problems = read_sources(folder)
    if problems:
        raise ConfigError("\n".join(problems))
    return sources


def read_sources(folder: Path) -> tuple[dict[str, Source], dict[str, Document], list[str]]:
    """Return the sources in *folder* that are sound and their documents, by id, and a line for each error of all files.

    Raises ConfigError if there is no such folder.
    """
    sources: dict[str, Source] = {}
    documents: dict[str, Document] = {}
    paths: dict[str, Path] = {}
    problems: list[str] = []
    files = _find_files(folder)
    owned = {learned_path(path) for path in files}
    for path in files:
        if is_learned(path):
            if path not in owned:
                problems.append(f"{path}:1: found no {path.name.removesuffix(SUFFIX)}.yaml beside it; delete it")
            continue
        earlier = paths.setdefault(path.stem, path)
        if earlier != path:
            problems.append(
                f"{path}:1: id: found '{path.stem}' again, expected another file name: {earlier} has that id"
            )
            continue
        source, document, found = _read_source(path)
        problems += found
        if source is not None and document is not None:
            sources[source.id], documents[source.id] = source, document
    return sources, documents, [*problems, *_find_clashes(sources, documents)]


def find_source_file(folder: Path, source_id: str) -> Path:
    """Return the file of the source of that id in *folder* or below. Raises ConfigError if there is none."""
    found = next((path for path in _find_files(folder) if path.stem == source_id and not is_learned(path)), None)
    if found is None:
        raise ConfigError(f"{folder}: found no {source_id}.yaml, expected the file of that source")
    return found


def _find_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ConfigError(f"{folder}: found no such folder, expected one with a YAML file for each source")
    paths = []
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in _SUFFIXES and not hidden and path.is_file():
            paths.append(path)
        if len(paths) > MAX_FILES:
            raise ConfigError(f"{folder}: found more than {MAX_FILES} YAML files, expected one for each source")
    return sorted(paths)


def _read_source(path: Path) -> tuple[Source | None, Document | None, list[str]]:
    try:
        document = read_document(path)
    except DocumentError as error:
        return None, None, error.problems
    if "id" in document.data:
        return None, None, [document.problem(("id",), "found a key, expected none: the id is the file's name")]
    data = {key: value for key, value in document.data.items() if value is not None}
    if isinstance(data.get("extract"), dict) and "learned" in data["extract"]:
        text = f"found a key, expected none: learned rules are in {learned_path(path).name}"
        return None, None, [document.problem(("extract", "learned"), text)]
    try:
        return _add_learned(Source(id=path.stem, **data), path), document, []
    except ConfigError as error:
        return None, None, str(error).splitlines()
    except ValidationError as error:
        problems = []
        for item in error.errors():
            location = tuple(part for part in item["loc"] if part != "[key]")
            if not location:  # the one check of the whole file: the delay against the network
                item["input"] = data["politeness"]["delay_seconds"]
                location = ("politeness", "delay_seconds")
            text = describe_error(item, _known_keys(location), secret=location[:1] in {("headers",), ("cookies",)})
            problems.append(document.problem(location, text))
        return None, None, problems


def _add_learned(source: Source, path: Path) -> Source:
    learned = read_learned(learned_path(path))
    if learned is None:
        return source
    rules = source.extract.model_copy(update={"learned": learned.rules})
    return source.model_copy(update={"extract": rules})


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that may stand beside the last one of *location*."""
    models: dict[object, type[BaseModel]] = {
        "discover": DiscoverEntry,
        "articles": ArticlePatterns,
        "politeness": Politeness,
        "extract": ExtractRules,
    }
    model = models.get(location[0], Source) if len(location) > 1 else Source
    return [key for key in model.model_fields if key not in {"id", "learned"}]


def _find_clashes(sources: dict[str, Source], documents: dict[str, Document]) -> list[str]:
    problems = []
    owners = {source_id: source_id for source_id in sources}
    for source_id, source in sorted(sources.items()):
        for index, earlier in enumerate(source.formerly):
            if earlier in owners:
                owner = documents[owners[earlier]].path
                text = f"found '{earlier}', expected an id that no file claims yet: {owner} has it"
                problems.append(documents[source_id].problem(("formerly", index), text))
            owners.setdefault(earlier, source_id)
    return problems
