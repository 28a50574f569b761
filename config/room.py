"""The settings of the reading room: where it listens, who may come in, how often it looks for news."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from config.endpoints import parse_listen
from config.quantities import Seconds  # noqa: TC001 - pydantic reads annotations

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}", re.ASCII)
_FORBIDDEN = {"authorization", "connection", "cookie", "host", "x-forwarded-for"}
"""Headers that anybody sends, or that say something else."""


def _read_networks(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Networks = Annotated[list[str], NoDecode, BeforeValidator(_read_networks), Field(max_length=100)]


class RoomSettings(BaseModel):
    """What holds for `ofrecord serve`."""

    room_listen: str = "127.0.0.1:8460"
    """`address:port`; port 0: any that is free."""
    room_token: SecretStr | None = None
    """The secret that lets readers in: as a bearer token, or typed into a form once. Only by way of the environment."""
    room_token_file: Path | None = None
    """File with that secret."""
    room_trust_header: str | None = None
    """Header in which a proxy says who a reader is; believed only from `room_trust_from`."""
    room_trust_from: Networks = ["127.0.0.1", "::1"]
    """Addresses or networks of proxies that are believed."""
    room_public_url: str | None = None
    """Where readers find the room, if it is not where it listens; no other `Host` is answered then."""
    room_refresh_seconds: Seconds = Field(60.0, ge=1, le=86_400, allow_inf_nan=False)
    """Time between two looks for new commits."""
    room_requests_per_minute: int = Field(1_200, ge=0, le=1_000_000)
    """Of one client, static files not counted; 0: any number."""

    @field_validator("room_listen")
    @classmethod
    def _check_room_listen(cls, value: str) -> str:
        expected = "an IP address and a port, as in 127.0.0.1:8460 or [::1]:8460"
        try:
            found = parse_listen(value)
        except ValueError as error:
            raise ValueError(expected) from error
        if found is None:
            raise ValueError(expected)
        return value

    @field_validator("room_trust_header")
    @classmethod
    def _check_trust_header(cls, value: str | None) -> str | None:
        if value is not None and (not _HEADER.fullmatch(value) or value.lower() in _FORBIDDEN):
            raise ValueError("the name of a header that only the proxy sets, as in X-Forwarded-User")
        return value

    @field_validator("room_trust_from")
    @classmethod
    def _check_trust_from(cls, value: list[str]) -> list[str]:
        for text in value:
            parse_network(text)
        return value

    @field_validator("room_public_url")
    @classmethod
    def _check_public_url(cls, value: str | None) -> str | None:
        return value if value is None else check_origin(value)

    @field_validator("room_token_file")
    @classmethod
    def _expand_token_file(cls, value: Path | None) -> Path | None:
        try:
            return value and value.expanduser()
        except RuntimeError as error:
            raise ValueError("a path without `~`: there is no home folder") from error


def parse_network(text: str) -> IPv4Network | IPv6Network:
    """Return the network of an address or a network in CIDR form. Raises ValueError."""
    try:
        return ip_network(text, strict=True)
    except ValueError as error:
        raise ValueError(f"addresses or networks, as in 10.0.0.7 or 10.0.0.0/8, not {text}") from error


def check_origin(url: str) -> str:
    """Return *url* in lower case and without a slash at its end if it is a bare origin. Raises ValueError."""
    expected = "a URL that begins with http:// or https:// and has a host and no path, as in https://room.example"
    parts = urlsplit(url)
    try:
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    plain = parts.path in {"", "/"} and not (parts.query or parts.fragment or "@" in parts.netloc)
    if not good or not plain or not re.fullmatch(r"[A-Za-z0-9.:\[\]_-]+", parts.netloc):
        raise ValueError(expected)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches *address*."""
    return ip_address(address).is_loopback
