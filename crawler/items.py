"""What travels through the Scrapy layer: responses with their exchange, the pipelines' item, the parts of the run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from config.errors import FetchError
from crawler.leash import Leash
from crawler.model import Purpose
from crawler.progress import CrawlProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from config.settings import Settings
    from config.sources import Source
    from crawler.assets import AssetList
    from crawler.compare import LastVersion, LastVersions
    from crawler.frontier import Frontier
    from crawler.model import CrawlPlan, Exchange
    from crawler.network import FetchOptions
    from crawler.outcome import PageContext, PageOutcome
    from crawler.render.renderer import Renderer
    from crawler.rows import Certificate, LinkRow
    from crawler.segment import SegmentStream
    from crawler.validators import Validators
    from crawler.workers.pool import WorkerPool

DELETED = frozenset({404, 410, 451})
_MAX_SETTLED_CHARS = 256 * 1024
_MAX_CERTIFICATES = 100


class ExchangeResponse(Response):
    """A Scrapy response that carries the exchange it was made from."""

    attributes: tuple[str, ...] = (*Response.attributes, "exchange")

    def __init__(self, *args: Any, exchange: Exchange, **kwargs: Any) -> None:  # noqa: ANN401 - Scrapy's own arguments
        super().__init__(*args, **kwargs)
        self.exchange = exchange


class AttemptFailed(FetchError):
    """An attempt that got no answer; `exchange` says what is known of it."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange.error or "no answer")
        self.exchange = exchange


class RunStopped(IgnoreRequest):
    """The run is being stopped: this request was not sent, or its answer was not waited for. It is left to do."""


class RequestForbidden(IgnoreRequest):
    """robots.txt forbids a request, or could not be read; the message says which. The request was not sent."""

    def __init__(self, reason: str, *, explicitly: bool) -> None:
        super().__init__(reason)
        self.explicitly = explicitly
        """Whether a rule forbids it."""


class Fetching(Protocol):
    """What download handler and middlewares need of those whom they fetch for: a run, or a visit."""

    source: Source
    settings: Settings
    options: FetchOptions
    leash: Leash
    """Whether requests may begin."""
    stopping: bool
    on_stop: list[Callable[[], None]]
    """Called once when it begins to stop."""
    headers: Mapping[str, str]
    """The source's own request headers, secrets put in; sent to its own origins only."""
    renderer: Renderer | None
    """Renders pages that need JavaScript, where the source asks for it."""

    def fail(self, error: BaseException) -> None:
        """End for *error*, which is raised in the end."""

    def note_certificate(self, host: str, certificate: Certificate) -> None:
        """Note by what *host* proved itself last."""


@dataclass(slots=True)
class PageItem:
    """One exchange on its way through the pipelines."""

    exchange: Exchange
    url: str
    """Normalised."""
    last: LastVersion | None = None
    """What was known of an article before this run. Set by ExtractPipeline."""
    outcome: PageOutcome | None = None
    """Set by ExtractPipeline."""
    recalled: bool = False
    """Whether the page is as it was last, and was not read. Set by ExtractPipeline."""
    worker_seconds: float | None = None
    """How long a worker was at the page; `None`: none was asked. Set by ExtractPipeline."""
    hint: str | None = None
    """Set by ComparePipeline."""
    validators: Validators | None = None
    """Of the answer before, if they were looked up."""
    conditional: bool = False
    """Whether it was asked for with these."""
    page: str = ""
    """Of an asset, the page that it belongs to; normalised."""
    depth: int = 0
    """Of an asset, so many style sheets lie between."""

    @property
    def confirmed(self) -> bool:
        """Whether the answer says that the page is what the archive holds."""
        return self.conditional and self.validators is not None and self.validators.confirmed_by(self.exchange)

    def __repr__(self) -> str:
        """Name the page without its body: Scrapy prints items."""
        return f"PageItem({self.exchange.purpose}, {self.exchange.status}, {self.url!r})"


@dataclass(slots=True)
class Tally:
    """The facts of a run that its RunRow sums up."""

    captures: int = 0
    """Exchanges and attempts, of every purpose."""
    articles: int = 0
    """Captures of article pages; hops of redirects are not counted."""
    snapshots: int = 0
    links: int = 0
    """Links found and not fetched."""
    errors: int = 0
    """Captures without an answer, and those cut short."""
    failed: int = 0
    """Of `articles`: no answer, an error status that is no evidence of deletion, or a page that could not be read."""
    assets: int = 0
    """Of `captures`."""
    bytes: int = 0
    """Of bodies, as on the wire."""
    not_modified: int = 0
    """Of `captures`, those answered with 304 as asked."""
    bytes_saved: int = 0
    """Of the bodies that those would have had."""
    discovery: list[dict[str, Any]] = field(default_factory=list)
    """One entry a seed, see FORMAT.md § 5."""
    certificates: dict[str, Certificate] = field(default_factory=dict)
    """Host → what it proved itself by, of the first hundred."""
    hints: Counter[str | None] = field(default_factory=Counter)
    """Of articles."""
    listed: int = 0
    """Lines taken from the list of pages that the run was given."""
    arrived: int = 0
    """Answers of article pages, hops and failures among them, that the spider has seen."""
    recorded: int = 0
    """Of `arrived`, those that workers are through with."""
    listings: int = 0
    """Feeds, sitemaps and sections that are to be read."""
    listings_read: int = 0
    """Of `listings`, whatever came of them."""
    seeded: bool = False
    """Whether all seeds are among `listings`."""
    _settled_chars: int = 0

    def count_page(self, item: PageItem, *, stopped: bool = False) -> None:
        """Add the capture that *item* stands for. *stopped*: who would read pages was stopped by the run's end."""
        exchange, outcome = item.exchange, item.outcome
        self.captures += 1
        self.bytes += len(exchange.body)
        self.errors += exchange.error is not None or exchange.truncated is not None
        self.snapshots += outcome is not None and outcome.snapshot is not None
        self.recorded += exchange.purpose is Purpose.ARTICLE
        self.assets += exchange.purpose is Purpose.ASSET
        if item.validators is not None and item.confirmed:
            self.not_modified += 1
            self.bytes_saved += item.validators.size_bytes
        if exchange.purpose is not Purpose.ARTICLE or (outcome is not None and outcome.redirect):
            return
        self.articles += 1
        self.hints[item.hint] += 1
        answered = exchange.status is not None and (exchange.status < 400 or exchange.status in DELETED)
        answered |= exchange.forbidden and item.hint != "bad"  # evidence of an article that was there
        self.failed += not answered or bool(outcome and outcome.extraction_error and not stopped)

    def count_loss(self, item: PageItem) -> None:
        """Count an exchange that a fault of ours kept out of the segment."""
        article = item.exchange.purpose is Purpose.ARTICLE
        self.errors += 1
        self.articles += article
        self.recorded += article
        self.failed += article

    def note_discovery(self, seed: int | None, links: int, error: str | None) -> None:
        """Add the outcome of a listing to its seed's; an error stands where no document of the seed gave a link."""
        if seed is None:
            return
        self.listings_read += 1
        entry = self.discovery[seed]
        entry["links"] += links
        entry["error"] = None if entry["links"] else (entry["error"] or error)

    def note_settled(self, seed: int | None, rules: str, url: str | None = None) -> None:
        """Note that a listing has nothing that is to be fetched: the one at *url*, or one that is as it was.

        *rules*: digest of what decided that.
        """
        if seed is None:
            return
        settled = self.discovery[seed].setdefault("settled", {"rules": rules, "urls": []})
        if url is not None and self._settled_chars + len(url) <= _MAX_SETTLED_CHARS:
            self._settled_chars += len(url)
            settled["urls"].append(url)

    def note_certificate(self, host: str, certificate: Certificate) -> None:
        """Note by what *host* proved itself last."""
        if host in self.certificates or len(self.certificates) < _MAX_CERTIFICATES:
            self.certificates[host] = certificate

    def counts(self) -> dict[str, int]:
        """Return the counts as a RunRow has them."""
        names = ("captures", "articles", "snapshots", "links", "errors", "failed", "bytes")
        more = ("not_modified", "bytes_saved", *(["assets"] if self.assets else []))
        return {name: getattr(self, name) for name in (*names, *more)}


@dataclass(slots=True, eq=False)
class Run:
    """The live parts of one run. Handed to the spider as an argument, since Scrapy copies its settings."""

    plan: CrawlPlan
    source: Source
    settings: Settings
    last_versions: LastVersions
    pool: WorkerPool
    segments: SegmentStream
    context: PageContext
    options: FetchOptions
    started: datetime
    frontier: Frontier
    """What was seen, and what waits."""
    listing_rules: str = ""
    """Digest of what decides which pages of a listing are wanted."""
    distrusted: set[str] = field(default_factory=set)
    """Hosts whose validators were found to lie."""
    renderer: Renderer | None = None
    """Of a source whose pages need JavaScript."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The source's own request headers, secrets put in; sent to its own origins only."""
    assets: AssetList | None = None
    """What pages are shown with and is to be fetched; `None`: none is wanted."""
    leash: Leash = field(default_factory=Leash)
    """Whether requests may begin."""
    tally: Tally = field(default_factory=Tally)
    waiting: dict[str, LinkRow] = field(default_factory=dict)
    """Pages that are being fetched, by normalised URL: what is written down if that comes to nothing."""
    reason: str = "finished"
    """How the run ended, in the words of RunRow."""
    fatal: BaseException | None = None
    """What ended the run early: a full disk, a fault of our own."""
    stopping: bool = False
    on_stop: list[Callable[[], None]] = field(default_factory=list)
    """Called once by `stop()`: abort requests in flight, close the spider."""

    @property
    def judges_scope(self) -> bool:
        """Whether pages may turn out to be none that the source wants; what is given by hand is wanted in any case."""
        return self.plan.urls_file is None and bool(self.source.sections or self.source.languages)

    def progress(self) -> CrawlProgress:
        """Return how far the run is."""
        tally = self.tally
        return CrawlProgress(
            pages=tally.articles,
            new=tally.hints["new"],
            revised=tally.hints["revised"],
            failed=tally.failed,
            size_bytes=tally.bytes,
            listed=tally.listed,
            waiting=len(self.frontier) + len(self.waiting) + tally.arrived - tally.recorded,
            discovering=not tally.seeded or tally.listings_read < tally.listings,
        )

    def note_certificate(self, host: str, certificate: Certificate) -> None:
        """Note by what *host* proved itself last; other people's hosts are no affair of the source."""
        if self.assets is None or host not in self.assets.hosts:
            self.tally.note_certificate(host, certificate)

    def stop(self, reason: str) -> None:
        """End the run early; *reason* is `stopped`, `limit` or `lease`. Safe to call again."""
        if self.stopping:
            return
        self.stopping = True
        self.reason = reason
        for call in self.on_stop:
            call()

    def fail(self, error: BaseException) -> None:
        """End the run for *error*, which `process.crawl` will raise."""
        if self.fatal is None:
            self.fatal = error
        self.stop("stopped")
