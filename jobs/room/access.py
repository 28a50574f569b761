"""Who may come in: what a request says of itself → whether it is answered. Pure; guard.py acts on it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from config.endpoints import parse_listen
from config.room import is_loopback, parse_network
from jobs.room.allowance import name_client
from jobs.room.tokens import Token

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from starlette.requests import Request

    from config.settings import Settings

_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class AccessRules:
    """What the settings say of access."""

    hosts: frozenset[str]
    """What a `Host` header may be: else a page of others could have its own name lead to this machine."""
    base: str | None
    """The room's address for readers; `None`: where it was asked."""
    token: Token | None = None
    trust_header: str | None = None
    trusted: tuple[IPv4Network | IPv6Network, ...] = ()
    requests_per_minute: int = 0

    @classmethod
    def of(cls, settings: Settings, port: int) -> AccessRules:
        """Return the rules for a room that listens at *port*. Raises ConfigError if the token cannot be read."""
        address = parse_listen(settings.room_listen)
        hosts = set() if settings.room_public_url is None else _list_hosts(settings.room_public_url)
        if address is not None and is_loopback(address[0]):
            own = f"[{address[0]}]" if ":" in address[0] else address[0]
            for name in {*_LOOPBACK_NAMES, own}:
                hosts |= _list_hosts(f"http://{name}:{port}")
        return cls(
            hosts=frozenset(hosts),
            base=settings.room_public_url,
            token=Token.of(settings),
            trust_header=settings.room_trust_header,
            trusted=tuple(parse_network(text) for text in settings.room_trust_from),
            requests_per_minute=settings.room_requests_per_minute,
        )

    @property
    def cookie_name(self) -> str:
        """Of the login's cookie: a browser takes one with this prefix from the host itself alone, and over TLS."""
        return "__Host-ofrecord" if self.is_secure else "ofrecord"

    @property
    def is_secure(self) -> bool:
        """Whether readers come over TLS."""
        return self.base is not None and self.base.startswith("https:")

    def knows_host(self, request: Request) -> bool:
        """Whether the request is for this room."""
        hosts = request.headers.getlist("host")
        return len(hosts) == 1 and hosts[0].lower() in self.hosts

    @staticmethod
    def is_loaded_elsewhere(request: Request) -> bool:
        """Whether a page of another site loads this as a part of its own, to learn by how long it takes what there is.

        A link from there is followed; who sends no such headers is no browser, or an old one.
        """
        site = request.headers.get("sec-fetch-site", "none")
        mode, target = (request.headers.get(f"sec-fetch-{name}") for name in ("mode", "dest"))
        return site not in {"none", "same-origin"} and (mode, target) != ("navigate", "document")

    def find_base(self, request: Request) -> str:
        """Return the room's address as the reader sees it."""
        return self.base or f"http://{request.headers['host'].lower()}"

    def find_client(self, request: Request) -> str:
        """Return by what a reader's requests are counted: who a proxy says it is, or the address it comes from."""
        if not self._comes_from_proxy(request):
            return name_client(_peer(request))
        if (reader := self._find_reader(request)) is not None:
            return f"reader {reader[:100]}"
        # the last of the last line, which some proxies add anew: the others anybody may write
        last = "".join(request.headers.getlist("x-forwarded-for")[-1:]).rpartition(",")[2].strip()
        return name_client(last or _peer(request))

    def lets_in(self, request: Request, now: float) -> bool:
        """Whether the request may see the archive. *now*: seconds since 1970."""
        if self.token is None and self.trust_header is None:
            return True
        if self._find_reader(request) is not None:
            return True
        if self.token is None:
            return False
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.token.is_shown_by(given.strip())
        return self.token.accepts_cookie(request.cookies.get(self.cookie_name, ""), now)

    def _find_reader(self, request: Request) -> str | None:
        """Return who the proxy says the reader is; `None` if no proxy that is believed says so, once."""
        if self.trust_header is None or not self._comes_from_proxy(request):
            return None
        given = request.headers.getlist(self.trust_header)
        return given[0].strip() or None if len(given) == 1 else None

    def _comes_from_proxy(self, request: Request) -> bool:
        if self.base is None:
            return False
        try:
            address = ip_address(_peer(request))
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self.trusted)


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""


def _list_hosts(url: str) -> set[str]:
    """Return how a browser may name the host of *url*: without a port that goes without saying, too."""
    parts = urlsplit(url)
    usual = _PORTS[parts.scheme]
    name = parts.netloc.removesuffix(f":{parts.port}") if parts.port else parts.netloc
    return {f"{name}:{parts.port or usual}"} | ({name} if (parts.port or usual) == usual else set())
