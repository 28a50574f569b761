"""Every setting of the program as one frozen object, checked; config.loading fills it. No secrets."""

from __future__ import annotations

import os
import re
import ssl
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from config.addresses import SecretAddress, check_addresses
from config.document import describe_error
from config.endpoints import parse_listen, parse_resolve
from config.errors import ConfigError
from config.evidence import EvidenceSettings
from config.masks import hide
from config.quantities import Seconds, Size  # noqa: TC001 - pydantic reads annotations
from config.rendering import RenderSettings
from config.room import RoomSettings
from config.webarchives import WebArchives  # noqa: TC001 - as above

if TYPE_CHECKING:
    from pydantic import ValidationInfo

ENV_PREFIX = "OFRECORD_"
SECRETS = frozenset({"alerts", "heartbeat_url", "heartbeat_fail_url", "room_token", "signing_key"})
"""Settings that a file must not have and that no message shows."""


def _read_list(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _read_listen(value: object) -> object:
    return "off" if value is False else value  # as YAML reads a bare off


def _read_kinds(value: object) -> object:
    return [] if isinstance(value, str) and value.strip().lower() == "none" else _read_list(value)


def _read_addresses(value: object) -> object:
    return value.split() if isinstance(value, str) else value


Addresses = Annotated[list[SecretAddress], NoDecode, BeforeValidator(_read_addresses), Field(max_length=50)]
"""In the environment with blanks between them: commas stand in them."""
TextForm = Literal["json", "md", "txt"]


def program_version() -> str:
    """Return this program's version, as installed."""
    try:
        return version("ofrecord")
    except PackageNotFoundError:
        return "0"


class Settings(RenderSettings, RoomSettings, EvidenceSettings, BaseSettings):
    """What holds for every source. Change single values with `model_copy(update=…)` or, checked, with `override()`."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, validate_default=True
    )

    archive: str | None = None
    """Where the archive is: a path, or `s3://bucket/prefix`."""
    state_dir: Path | None = None
    """Folder of the spool and the catalog; see `resolve_state_dir()`."""
    contact_url: str | None = None
    """Page or address that tells a publisher who is crawling; part of the default User-Agent."""
    user_agent: str = ""
    """The User-Agent header; by default name, version and `contact_url`."""

    segment_bytes: Size = Field(56 * 1024 * 1024, ge=1024, le=16 * 1024**3)
    """A segment is closed once its WARC file is that long."""
    segment_seconds: Seconds = Field(300.0, ge=1, le=86_400, allow_inf_nan=False)
    """A segment is closed once it is that old."""
    spool_max_bytes: Size = Field(2 * 1024**3, ge=4096, le=1024**5)
    """Fetching pauses while one source's segments on this disk are longer; it goes on below four fifths of that."""
    spool_min_free_bytes: Size = Field(256 * 1024**2, ge=0, le=1024**5)
    """Fetching pauses while the spool's disk has less room, or less than a twentieth of a small one; 0: never."""
    spool_wait_seconds: Seconds = Field(60.0, ge=0, le=86_400, allow_inf_nan=False)
    """A run ends once the disk has been full for that long and nothing on it waits to be uploaded."""
    workers: int = Field(0, ge=0, le=256)
    """Processes that parse pages; 0 is read as the number of cores, so that code sees at least 1."""
    page_seconds: Seconds = Field(20.0, gt=0, le=3_600, allow_inf_nan=False)
    """A worker that is still at one page after that long, by the clock, is killed."""
    page_cpu_seconds: Seconds = Field(2.0, ge=0.1, le=3_600, allow_inf_nan=False)
    """A worker that has taken so much CPU time for one page, or five times as much for a listing, is killed: a loaded
    machine makes no page dearer."""
    worker_memory_bytes: Size = Field(1024**3, ge=128 * 1024**2, le=64 * 1024**3)
    """Address space of one worker."""

    max_body_bytes: Size = Field(16 * 1024**2, ge=1024, le=1024**3)
    """A body is cut there, on the wire and once inflated."""
    max_header_bytes: Size = Field(64 * 1024, ge=1024, le=16 * 1024**2)
    """Headers of one response."""
    request_seconds: Seconds = Field(60.0, gt=0, le=3_600, allow_inf_nan=False)
    """A whole exchange."""
    connect_seconds: Seconds = Field(15.0, gt=0, le=600, allow_inf_nan=False)
    """Connecting, TLS included."""
    raw_only: bool = False
    """Whether article pages are only recorded, for sources that do not say: their text is read by a later crawl."""
    obey_noarchive: bool = True
    """Whether the body of a page that says `noarchive` to robots is left out."""
    unconditional_every: int = Field(3, ge=1, le=1_000_000)
    """Every so many looks at a URL its page is asked for as a whole, whatever its server says; 1: each time."""
    max_redirects: int = Field(5, ge=0, le=20)
    """Redirects that are followed from one URL."""
    max_crawl_delay_seconds: Seconds = Field(60.0, ge=0, le=3_600, allow_inf_nan=False)
    """A longer Crawl-delay in a robots.txt is cut to that; a source's own delay is not."""
    max_retry_after_seconds: Seconds = Field(600.0, ge=0, le=86_400, allow_inf_nan=False)
    """A longer Retry-After is cut to that."""
    resolve: Annotated[list[str], NoDecode, BeforeValidator(_read_list)] = Field(default_factory=list)
    """Connect elsewhere, in curl's form `host:port:address[:port]`."""
    ca_file: Path | None = None
    """PEM file of certificate authorities that are trusted beside the system's."""
    proxy: str | None = Field(None, repr=False)
    """HTTP proxy; a password only by way of the environment."""

    max_depth: int = Field(10, ge=1, le=1_000)
    """Further pages of a section that are followed; sitemaps within sitemap indexes."""
    max_listings: int = Field(1_000, ge=1, le=1_000_000)
    """Feeds, sitemaps and section pages that are fetched in one run; a source's own seeds are fetched in any case."""
    max_links: int = Field(100_000, ge=1, le=10_000_000)
    """Links that are taken from one document."""
    max_assets: int = Field(100, ge=1, le=1_000)
    """What is fetched to show one page with, of sources that ask for that: see a source's `assets`."""
    max_asset_bytes: Size = Field(8 * 1024**2, ge=1024, le=1024**3)
    """Of what is longer no body is kept."""
    asset_seconds: Seconds = Field(30 * 86_400.0, ge=0, le=366 * 86_400, allow_inf_nan=False)
    """What was recorded within that time is not fetched again."""
    max_failed: float = Field(0.5, ge=0, le=1, allow_inf_nan=False)
    """Share of article captures that may fail before the run counts as failed."""
    import_max_sites: int = Field(100, ge=0, le=10_000)
    """Sites without a source that one `import --any` may make sources for."""
    second_look_seconds: Seconds = Field(3_600.0, ge=0, le=30 * 86_400, allow_inf_nan=False)
    """An article that is suspected to be gone is looked at again after that long, before all others."""
    max_run_seconds: Seconds = Field(21_600.0, gt=0, le=30 * 86_400, allow_inf_nan=False)
    """A run ends in good order after that long."""
    grace_seconds: Seconds = Field(30.0, ge=0, le=3_600, allow_inf_nan=False)
    """After a stop signal: time to close, upload and commit."""
    lease_seconds: Seconds = Field(600.0, ge=30, le=3_600, allow_inf_nan=False)
    """A source whose crawler gives no sign of life stays its own that long; renewed when half of it has passed."""
    daemon_concurrent_runs: int = Field(4, ge=1, le=64)
    """Sources that the daemon crawls at a time."""
    jitter_seconds: Seconds = Field(10.0, ge=0, le=600, allow_inf_nan=False)
    """A run by schedule begins up to that long after its slot, another time for each source and slot; 0: at once."""
    run_memory_bytes: Size = Field(0, le=1024**4)
    """Memory that all processes of a daemon's run may hold; 0: 1 GiB, and half of that for each worker."""

    web_archives: Annotated[WebArchives, NoDecode, BeforeValidator(_read_list)] = Field(default_factory=list)
    """What `backfill` asks for the past of sources that name no archives: `cdx=URL replay=URL` or `timemap=URL`."""
    backfill_network: Literal["public", "private"] = "public"
    """`private` allows addresses that are not on the public internet, for web archives in your own network."""
    backfill_delay_seconds: Seconds = Field(2.0, ge=0, le=3_600, allow_inf_nan=False)
    """Between two requests to a web archive, at least 1 to a public one."""

    metrics_listen: Annotated[str, BeforeValidator(_read_listen)] = "127.0.0.1:9464"
    """Where the daemon answers /metrics, /healthz and /readyz: `address:port`, or `off`."""
    metrics_file: Path | None = None
    """Where `crawl` and `job` leave the figures of their runs, for node_exporter's textfile collector."""

    raw_objects: bool = False
    """Whether each good capture is also put as a file of its own, as served, below raw/."""
    clean_objects: Annotated[list[TextForm], NoDecode, BeforeValidator(_read_kinds)] = Field(default_factory=list)
    """As what each text is also put as a file of its own, below clean/."""

    log_file: Path | None = None
    """Log lines go to that file in place of standard error; all processes of a machine may share it."""
    log_file_bytes: Size = Field(64 * 1024**2, ge=64 * 1024, le=1024**4)
    """A log file that is longer is moved aside."""
    log_files: int = Field(5, ge=1, le=1_000)
    """Log files that are kept beside the present one."""

    feeds: bool = True
    """Whether a run that brought changes writes the change feeds below feeds/ anew."""
    feed_entries: int = Field(100, ge=1, le=1_000)
    """Changes in a feed, the newest; fewer where they would be longer than 1 MiB."""
    feed_base_url: str | None = None
    """Where the archive is to be read by everybody, if it is: feeds then say where they are."""

    health_silent_seconds: Seconds = Field(21_600.0, ge=0, le=366 * 86_400, allow_inf_nan=False)
    """A source is not called silent before nothing new came for that long, however unlikely that is."""
    health_certificate_seconds: Seconds = Field(14 * 86_400.0, ge=0, le=366 * 86_400, allow_inf_nan=False)
    """A certificate that ends so soon is told of; of one that is made for less than eight weeks, its last quarter."""
    health_spool_seconds: Seconds = Field(3_600.0, ge=0, le=366 * 86_400, allow_inf_nan=False)
    """Segments that wait on this disk for longer to be committed are told of."""

    alerts: Addresses = Field(default_factory=list)
    """Where alerts go, by apprise: mail, chat, webhook. Only by way of the environment, with blanks between them."""
    alerts_file: Path | None = None
    """File with more of these addresses, one a line: for secrets that are mounted as files."""
    alerts_from: Literal["degraded", "silent", "failing", "blocked"] = "degraded"
    """The least state of a source that is told."""
    alerts_settle_seconds: Seconds = Field(3_600.0, ge=0, le=7 * 86_400, allow_inf_nan=False)
    """A recovery is told once it has lasted that long; longer where a source goes back and forth."""
    heartbeat_url: SecretAddress | None = None
    """Asked for about once a minute while the daemon works. Only by way of the environment, as the next."""
    heartbeat_fail_url: SecretAddress | None = None
    """Asked for in its place where the daemon runs but health cannot be read or an alert not be delivered."""

    s3_endpoint_url: str | None = None
    """Of an S3 server that is not Amazon's."""
    s3_region: str | None = None
    """Region; by default what boto3 finds."""
    s3_path_style: bool = False
    """Put the bucket into the path, not into the host name."""
    s3_profile: str | None = None
    """Profile in the AWS configuration files."""
    s3_ca_file: Path | None = None
    """PEM file of certificate authorities for the S3 server."""
    s3_retry_mode: Literal["standard", "adaptive"] = "standard"
    """How requests are sent again; adaptive also slows down where a server says that it is busy."""
    s3_attempts: int = Field(4, ge=1, le=20)
    """How often a request is sent before it counts as failed."""
    s3_sse: Literal["AES256", "aws:kms", "aws:kms:dsse"] | None = None
    """Encryption that the server is asked for; by default what the bucket does."""
    s3_sse_key_id: str | None = Field(None, max_length=2048)
    """Key for `aws:kms` and `aws:kms:dsse`; by default the account's own."""
    s3_storage_class: str | None = Field(None, max_length=32)
    """Of the objects below segments/; all others are of the bucket's default."""
    s3_checksum: Literal["sha256", "crc64nvme"] = "sha256"
    """What the server checks an upload by."""

    @field_validator("user_agent")
    @classmethod
    def _complete_user_agent(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            contact = info.data.get("contact_url")
            return f"ofrecord/{program_version()}" + (f" (+{contact})" if contact else "")
        return _check_header_text(value)

    @field_validator("contact_url")
    @classmethod
    def _check_contact(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://", "mailto:")):
            raise ValueError("an address that begins with https://, http:// or mailto:")
        return value and _check_header_text(value)

    @field_validator("workers")
    @classmethod
    def _count_cores(cls, value: int) -> int:
        return value or max(1, len(os.sched_getaffinity(0)))

    @field_validator("run_memory_bytes")
    @classmethod
    def _count_memory(cls, value: int, info: ValidationInfo) -> int:
        most = 1024**3 + info.data.get("workers", 1) * 512 * 1024**2
        if 0 < value < 256 * 1024**2:
            raise ValueError("at least 256 MiB, or 0")
        return value or most

    @field_validator("proxy", "s3_endpoint_url", "feed_base_url")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        if value is not None:
            parts = urlsplit(value)
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
                raise ValueError("a URL that begins with http:// or https:// and has a host")
            if parts.password:
                hide(parts.password, unquote(parts.password))
        return value

    @field_validator("alerts")
    @classmethod
    def _check_alerts(cls, value: list[SecretAddress]) -> list[SecretAddress]:
        check_addresses(value)
        return value

    @field_validator("heartbeat_url", "heartbeat_fail_url")
    @classmethod
    def _check_heartbeat(cls, value: SecretAddress | None) -> SecretAddress | None:
        if value is not None:
            check_addresses([value])
            if value.scheme not in {"http", "https"}:
                raise ValueError("a URL that begins with http:// or https://")
        return value

    @field_validator("resolve")
    @classmethod
    def _check_resolve(cls, value: list[str]) -> list[str]:
        for entry in value:
            parse_resolve(entry)
        return value

    @field_validator("backfill_delay_seconds")
    @classmethod
    def _check_backfill_delay(cls, value: float, info: ValidationInfo) -> float:
        if value < 1 and info.data.get("backfill_network") == "public":
            raise ValueError("at least 1 (less only with backfill_network: private)")
        return value

    @field_validator("metrics_listen")
    @classmethod
    def _check_listen(cls, value: str) -> str:
        parse_listen(value)
        return value

    @field_validator("metrics_file")
    @classmethod
    def _check_metrics_file(cls, value: Path | None) -> Path | None:
        if value is not None and (value.suffix != ".prom" or value.name.startswith(".")):
            raise ValueError("a file whose name ends with .prom: node_exporter reads no other")
        return value

    @field_validator("state_dir", "alerts_file", "ca_file", "log_file", "metrics_file", "s3_ca_file")
    @classmethod
    def _expand_home(cls, value: Path | None) -> Path | None:
        try:
            return value and value.expanduser()
        except RuntimeError as error:
            raise ValueError("a path without `~`: there is no home folder") from error

    @field_validator("ca_file", "s3_ca_file")
    @classmethod
    def _check_authorities(cls, value: Path | None) -> Path | None:
        if value is not None:
            _check_certificates(value)
        return value

    @field_validator("s3_sse_key_id")
    @classmethod
    def _check_key_id(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        if not re.fullmatch(r"[!-~]+", value):
            raise ValueError("a key's id, alias or ARN without spaces")
        if info.data.get("s3_sse") not in {"aws:kms", "aws:kms:dsse"}:
            raise ValueError("none, or s3_sse: aws:kms or aws:kms:dsse beside it")
        return value

    @field_validator("s3_storage_class")
    @classmethod
    def _check_storage_class(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not re.fullmatch(r"[A-Z][A-Z0-9_-]*", value):
            raise ValueError("a storage class in capitals, such as STANDARD_IA or GLACIER_IR")
        if value in {"GLACIER", "DEEP_ARCHIVE"}:
            raise ValueError("a class whose objects can be read at once, such as GLACIER_IR: uploads are read back")
        return value

    def resolve_state_dir(self) -> Path:
        """Return the folder of spool and catalog. Raises ConfigError if it is not set and there is no home folder."""
        if self.state_dir is not None:
            return self.state_dir
        state_home = os.environ.get("XDG_STATE_HOME", "")
        if state_home.startswith("/"):
            return Path(state_home) / "ofrecord"
        try:
            home = Path.home()
        except RuntimeError:
            home = Path()
        if not home.is_absolute() or not home.is_dir():
            raise ConfigError(
                f"state_dir: found nothing, and there is no home folder; set state_dir or {ENV_PREFIX}STATE_DIR"
            )
        return home / ".local" / "state" / "ofrecord"

    def override(self, **values: Any) -> Settings:  # noqa: ANN401 - the values are checked here
        """Return these settings with *values* in place of some, checked. Raises ConfigError, naming the option."""
        try:
            return Settings(**{**self.model_dump(exclude_unset=True), **values})
        except ValidationError as error:
            problems = [
                f"{'.'.join(str(part) for part in item['loc'])}: {describe_error(item, Settings.model_fields)}"
                for item in error.errors()
            ]
            raise ConfigError("\n".join(problems)) from error


def _check_certificates(path: Path) -> None:
    expected = "a PEM file of certificate authorities"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        raise ValueError(f"{expected}; {path} holds none") from error
    except OSError as error:
        raise ValueError(f"{expected}; {path} cannot be read: {error.strerror}") from error
    if not context.cert_store_stats()["x509"]:
        raise ValueError(f"{expected}; {path} holds none")


def _check_header_text(value: str) -> str:
    if not re.fullmatch(r"[\x20-\x7e]{1,500}", value):
        raise ValueError("up to 500 printable ASCII characters on one line")
    return value
