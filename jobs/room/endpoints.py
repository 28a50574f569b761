"""What the room offers: pages with their twins for programs, and documents. One table for routes and OpenAPI."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobs.room.desk import Desk


class Asked(BaseModel):
    """What a request asks for, of its path and query. Lists are repeated parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Told(BaseModel):
    """What a page tells. Its fields are the twin's, so they are for good: add, do not rename."""

    model_config = ConfigDict(frozen=True)

    @property
    def headers(self) -> dict[str, str]:
        """What page and twin say in headers beside those that every answer has; a view's own model may say more."""
        return {}


A = TypeVar("A", bound=Asked)
T = TypeVar("T", bound=Told)


class NotThere(Exception):
    """What was asked for is not in this archive: 404. Says what, and where to look instead."""


class BadRequest(Exception):
    """The request makes no sense: 400. Says what was found and what is expected."""


class TookTooLong(Exception):
    """The request asked too much of catalog or index: 503."""


@dataclass(frozen=True, slots=True)
class Page(Generic[A, T]):
    """A page for people; its twin for programs has the path with `.json` after it, that of `/` is `/index.json`."""

    name: str
    """Of its template, `<name>.html`, and of its operation."""
    path: str
    asked: type[A]
    told: type[T]
    view: Callable[[Desk, A], T]
    """Raises NotThere, BadRequest."""
    summary: str

    @property
    def twin(self) -> str:
        """The path of the JSON twin."""
        return "/index.json" if self.path == "/" else f"{self.path}.json"


@dataclass(frozen=True, slots=True)
class Document:
    """An answer that is no page of ours."""

    body: bytes
    media_type: str
    headers: dict[str, str] = field(default_factory=dict)
    """Beside those that every answer has; one that has the same name is in place of that."""
    filename: str | None = None
    """To save it by; `None`: it is to be shown."""
    status: int = 200


@dataclass(frozen=True, slots=True)
class Download(Generic[A]):
    """Something that is got as it is: a feed, a record, a Memento."""

    name: str
    path: str
    asked: type[A]
    view: Callable[[Desk, A], Document]
    """Raises NotThere, BadRequest."""
    media_types: tuple[str, ...]
    summary: str
    rest: bool = False
    """Whether the last parameter of the path is all that follows, as sent: a URL with its own query."""


Endpoint = Page[A, T] | Download[A]
