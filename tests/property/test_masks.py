"""A secret that the log was told of comes out in no line, whatever field it stands in."""

from __future__ import annotations

import io
import json
import logging
import string
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import structlog
from hypothesis import given
from hypothesis import strategies as st

from config import masks
from config.logs import configure_logging
from config.masks import hide

if TYPE_CHECKING:
    from collections.abc import Callable

ALPHABET = "".join(char for char in string.printable if char.isprintable() and char != "*")
SECRETS = st.text(ALPHABET, min_size=12, max_size=40)


class Shown:
    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Shown({self.text!r})"


def log_error(secret: str) -> None:
    try:
        try:
            raise KeyError(secret)
        except KeyError as error:
            raise RuntimeError(f"no {secret}", Shown(secret)) from error
    except RuntimeError:
        structlog.get_logger().exception("failed_run", password=secret)


def log_of_library(secret: str) -> None:
    theirs = logging.getLogger("botocore.auth")
    theirs.debug("sent %s with %r and %s", secret, {"Authorization": secret.encode()}, [Shown(secret)])
    theirs.warning("no number: %d", secret)
    theirs.warning(secret, extra={"headers": {secret: secret}, "other": [secret]})
    logging.getLogger(secret).warning("named so")
    try:
        raise ValueError(secret)
    except ValueError:
        theirs.exception("failed with %s", secret, stack_info=True)


def log_bound(secret: str) -> None:
    with structlog.contextvars.bound_contextvars(url=f"https://a.example/{secret}"):
        structlog.get_logger().bind(reason=secret).info("started_run", **{secret: 1})


def warn(secret: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn(f"{secret} is old", stacklevel=1)


def log_field(make: Callable[[str], Any]) -> Callable[[str], None]:
    return lambda secret: structlog.get_logger().info("captured_page", error=make(secret), url="https://a.example/")


WAYS: list[Callable[[str], None]] = [
    log_error,
    log_of_library,
    log_bound,
    warn,
    log_field(str),
    log_field(repr),
    log_field(json.dumps),
    log_field(quote),
    log_field(quote_plus),
    log_field(str.encode),
    log_field(Shown),
    log_field(Path),
    log_field(lambda secret: "a" * 4_090 + secret),
    log_field(lambda secret: [{"a": ({secret: [secret]},)}]),
    log_field(lambda secret: {(1, secret): {secret}}),
    log_field(lambda secret: f"https://a.example/{secret}/x?y={quote(secret)}"),
]


def words_of(value: Any) -> str:
    """Return all texts in what a JSON line says, keys included."""
    if isinstance(value, dict):
        return "\n".join(f"{key}\n{words_of(part)}" for key, part in value.items())
    return "\n".join(map(words_of, value)) if isinstance(value, list) else str(value)


@given(secret=SECRETS, way=st.sampled_from(WAYS), as_json=st.booleans(), file=st.booleans())
def test_a_planted_secret_never_comes_out(secret: str, way: Callable[[str], None], as_json: bool, file: bool) -> None:
    before = masks._hidden, masks._spellings, masks._probes
    masks._hidden, masks._spellings, masks._probes = frozenset(), (), ()
    try:
        hide(secret)
        stream = io.StringIO()
        # a file that takes nothing: its lines come out in the stream, as they would where the disk is full
        configure_logging(json=as_json, level="debug", stream=stream, file="/dev/full" if file else None)
        way(secret)
    finally:
        masks._hidden, masks._spellings, masks._probes = before
    text = stream.getvalue()
    assert masks.MASK in text
    assert secret not in text
    if as_json:
        assert not any(secret in words_of(json.loads(line)) for line in text.splitlines())
