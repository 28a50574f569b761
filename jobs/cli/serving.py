"""The command serve: the reading room. A thin front of jobs.room."""

from __future__ import annotations

from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config.endpoints import parse_listen
from config.errors import ConfigError, ExitCode
from config.room import is_loopback
from jobs.archive.identity import read_info
from jobs.cli.options import Invocation, archive_options, reading_codes
from jobs.cli.progress import show_line
from jobs.cli.stopping import stop_on_signals
from jobs.context import find_state
from jobs.store import open_store

if TYPE_CHECKING:
    from config.settings import Settings

_NEEDED = ("jinja2", "nh3", "starlette", "uvicorn")


@click.command(epilog=reading_codes())
@click.option("--listen", metavar="ADDRESS:PORT", help="Where; else OFRECORD_ROOM_LISTEN, or 127.0.0.1:8460.")
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File with the secret that lets readers in; needed for more than this machine, or --trust-header.",
)
@click.option("--trust-header", metavar="NAME", help="Header in which your proxy says who a reader is.")
@click.option("--public-url", metavar="URL", help="Where readers find the room, as in https://room.example.")
@click.option("--refresh", metavar="SECONDS", help="Between two looks for new commits; default 60.")
@archive_options
def serve(
    invocation: Invocation,
    *,
    listen: str | None,
    token_file: Path | None,
    trust_header: str | None,
    public_url: str | None,
    refresh: str | None,
) -> int:
    """Serve the reading room: the archive as a site to read, search, compare and cite in, until stopped.

    It writes nothing to the archive. By itself it answers this machine alone; TLS is your proxy's business.
    """
    given: dict[str, Any] = {
        "room_listen": listen,
        "room_token_file": token_file,
        "room_trust_header": trust_header,
        "room_public_url": public_url,
        "room_refresh_seconds": refresh,
    }
    settings = invocation.settings.override(**{name: value for name, value in given.items() if value is not None})
    require_extra()
    address = require_guarded(settings)
    from jobs.room.access import AccessRules  # noqa: PLC0415 - only where all it needs is known to be installed
    from jobs.room.library import Library  # noqa: PLC0415
    from jobs.room.reading_store import OnlyReading  # noqa: PLC0415
    from jobs.room.rendering import load_templates  # noqa: PLC0415
    from jobs.room.server import listen as listen_at  # noqa: PLC0415
    from jobs.room.server import name_address  # noqa: PLC0415
    from jobs.room.server import serve as serve_room  # noqa: PLC0415
    from jobs.room.upkeep import Upkeep  # noqa: PLC0415

    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signals())
        sock = stack.enter_context(listen_at(address))
        rules = AccessRules.of(settings, sock.getsockname()[1])
        if not settings.archive:
            raise ConfigError("no archive named: give --archive PATH or s3://BUCKET/PREFIX, or set OFRECORD_ARCHIVE")
        store = open_store(settings.archive, settings)
        stack.callback(store.close)
        info = read_info(store)
        sources = invocation.load_sources()
        with show_line(wanted=not invocation.as_json) as line:
            tell = None if line is None else lambda step: line.show(lambda columns: f"reading {step}"[:columns])
            upkeep = stack.enter_context(Upkeep(settings, sources, tell=tell))
            load_templates()  # meanwhile
            begun = upkeep.wait(stop)
        if begun:
            state = find_state(settings, store, info.archive)
            library = Library(OnlyReading(store), info, settings, sources, state, upkeep.doubt)
            stack.callback(library.close)
            url = settings.room_public_url or f"http://{name_address(*sock.getsockname()[:2])}"
            invocation.print_result({"url": f"{url}/", "archive": store.url}, f"reading room of {store.url}: {url}/")
            serve_room(library, rules, sock, stop, upkeep.tell_standing)
    return ExitCode.INTERRUPTED if stop.interrupted else ExitCode.DONE


def require_extra() -> None:
    """Raise ConfigError unless all that only the room needs is installed."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError(f"serve needs {', '.join(missing)}: pip install 'ofrecord[room]'")


def require_guarded(settings: Settings) -> tuple[str, int]:
    """Return where to listen. Raises ConfigError where more than this machine could read without leave."""
    address = parse_listen(settings.room_listen)
    if address is None:
        raise ConfigError("room_listen: found off, expected an IP address and a port")
    guarded = [settings.room_token, settings.room_token_file, settings.room_trust_header] != [None, None, None]
    if not is_loopback(address[0]) and not guarded:
        raise ConfigError(
            f"room_listen: {address[0]} can be reached from other machines: give --token-file FILE with a secret, or"
            " --trust-header NAME if a proxy says who readers are; or listen at 127.0.0.1"
        )
    if settings.room_public_url is None and (settings.room_trust_header or not is_loopback(address[0])):
        raise ConfigError(
            "room_public_url: found none, expected where readers find the room, as in --public-url https://room.example"
        )
    return address
