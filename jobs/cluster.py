"""Work as tasks of a Dask cluster: the only importer of distributed. What work that is, others say.

To the scheduler go the archive's place and settings of the store that are no secrets; each worker has this package and
credentials of its own, from its environment, files or role. Whoever reaches a scheduler runs code on its workers: it
belongs into a trusted network.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import structlog

from config.errors import ConfigError, StoreUnavailable
from config.settings import Settings
from jobs.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.store import ObjectStore

log = structlog.get_logger()

SHARED = (
    "s3_endpoint_url",
    "s3_region",
    "s3_path_style",
    "s3_retry_mode",
    "s3_attempts",
    "s3_sse",
    "s3_sse_key_id",
    "s3_checksum",
)
"""Settings that workers get from here; all others they have from their own environment."""
WAIT_SECONDS = 60.0
RETRIES = 3
"""How often a task is tried again, beyond what the scheduler does, where it fails or its workers die."""
_ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})")

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class StorePlace:
    """What a worker must know to open the same archive with the same program."""

    archive: str
    settings: dict[str, Any] = field(default_factory=dict)
    writer: str = ""
    """This program, and what else must be the same here and there."""

    @classmethod
    def of(cls, settings: Settings, writer: str = "") -> StorePlace:
        """Return the place of the archive that *settings* name. Raises ConfigError if workers cannot share it."""
        place = settings.archive or ""
        if place.lower().startswith("memory:"):
            raise ConfigError("archive: a store in this process's memory cannot be shared with a cluster")
        if "@" in urlsplit(settings.s3_endpoint_url or "").netloc:
            raise ConfigError("s3_endpoint_url: found a password in it, which would go to every worker; expected none")
        return cls(
            archive=place if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", place) else str(Path(place).expanduser().absolute()),
            settings={name: getattr(settings, name) for name in SHARED},
            writer=writer,
        )


def check_address(address: str) -> str:
    """Return *address* if it is a scheduler's. Raises ConfigError."""
    match = _ADDRESS.fullmatch(address)
    if match is None or not 0 < int(match[3]) < 65_536:
        raise ConfigError(f"--cluster: found {address!r}, expected the scheduler's address, as in tcp://10.0.0.5:8786")
    return address


@contextmanager
def open_cluster(address: str, settings: Settings, writer: str) -> Iterator[Cluster]:
    """Connect to the scheduler at *address* and wait for a worker; starts none. Raises ConfigError.

    *writer*: this program, as each worker must name itself too.
    """
    place = StorePlace.of(settings, writer)
    try:
        from distributed import Client  # noqa: PLC0415 - an extra, and half a second
    except ImportError as error:
        raise ConfigError("--cluster needs Dask: pip install 'ofrecord[cluster]'") from error
    try:
        client = Client(check_address(address), timeout=WAIT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise ConfigError(f"--cluster: no Dask scheduler answers at {address}: {error}") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=WAIT_SECONDS)
        except TimeoutError as error:
            raise ConfigError(f"--cluster: the scheduler at {address} has no worker") from error
        yield Cluster(client, place)


class Cluster:
    """A cluster's workers, and the archive that they work at."""

    def __init__(self, client: Any, place: StorePlace) -> None:  # noqa: ANN401 - distributed.Client
        self._client = client
        self._place = place

    def run(self, work: Callable[[StorePlace, _Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
        """Yield what *work* makes of each of *items*, as it comes; a few more are under way than there are threads.

        *work* is a function of a module. Raises what it raises; StoreUnavailable where workers die again and again.
        """
        from distributed import KilledWorker, as_completed  # noqa: PLC0415 - see open_cluster

        left = iter(items)
        under_way: dict[Any, tuple[_Item, int]] = {}
        done = as_completed(loop=self._client.loop)

        def submit(item: _Item, tries: int) -> None:
            future = self._client.submit(work, self._place, item, pure=False, retries=RETRIES)
            under_way[future] = (item, tries)
            done.add(future)

        for item in islice(left, 2 + 2 * sum(self._client.nthreads().values())):
            submit(item, 0)
        for future in done:
            item, tries = under_way.pop(future)
            try:
                result = future.result()
            except KilledWorker as error:
                if tries == RETRIES:
                    raise StoreUnavailable(f"workers die again and again at one task: {error}") from error
                log.warning("failed_worker", error=str(error))
                submit(item, tries + 1)
                continue
            yield result
            for further in islice(left, 1):
                submit(further, 0)


def work_at(place: StorePlace, mine: str, work: Callable[[ObjectStore], _Result]) -> _Result:
    """Do *work* with the store at *place*, in a worker that is *mine*. Raises ConfigError if another was meant."""
    if mine != place.writer:
        raise ConfigError(f"--cluster: a worker has {mine}, this program is {place.writer}: they must be the same")
    store = open_store(place.archive, Settings(**place.settings))
    try:
        return work(store)
    finally:
        store.close()
