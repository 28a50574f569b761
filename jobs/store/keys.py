"""What a key may look like, and the order of listings. Pure functions on strings; nothing here touches a store."""

from __future__ import annotations

import heapq
import re
from typing import TYPE_CHECKING

from config.errors import StoreRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.store import StoredObject

MAX_KEY_BYTES = 1024
"""S3's own limit, a prefix included."""
MAX_NAME_BYTES = 255
"""What file systems allow between two slashes."""
TEMPORARY = ".tmp"
"""Folder at the root of a LocalStore for files that are being written; never part of a key."""
REWRITTEN = "feeds/"
"""Below it alone objects may be replaced: FORMAT.md § 2."""

_IMMUTABLE = ("heads/", "keys/", "log/", "segments/")

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def fault_of_key(key: str) -> str | None:
    """Return in words why *key* is no key, or `None` if it is one."""
    try:
        size_bytes = len(key.encode())
    except UnicodeEncodeError:
        return "is not Unicode text"
    if size_bytes > MAX_KEY_BYTES:
        return f"has {size_bytes} bytes, at most {MAX_KEY_BYTES} are allowed"
    if _CONTROL.search(key):
        return "has a control character"
    names = key.split("/")
    if any(name in {"", ".", ".."} for name in names):
        return "has an empty part, . or .."
    if any(len(name.encode()) > MAX_NAME_BYTES for name in names):
        return f"has a part of more than {MAX_NAME_BYTES} bytes"
    if names[0] == TEMPORARY:
        return f"begins with {TEMPORARY}, which is kept for files being written"
    return None


def check_key(key: str) -> None:
    """Raise StoreRefused if *key* is none: keys also come from archives that strangers wrote."""
    fault = fault_of_key(key)
    if fault is not None:
        raise StoreRefused(f"{key[:200]!a} cannot be a key of an archive: it {fault}")


def check_rewritten(key: str) -> None:
    """Raise StoreRefused unless *key* is of an object that may be replaced."""
    check_key(key)
    if not key.startswith(REWRITTEN):
        raise StoreRefused(f"{key[:200]!a} must not be written anew: only objects below {REWRITTEN} may be replaced")


def is_immutable(key: str) -> bool:
    """Whether the object *key* is never removed but by a redaction: such are put with a retention, if one is set.

    Checkpoints, tables and leases are written once, too, but old ones may go: FORMAT.md § 2.
    """
    return key == "ofrecord.json" or key.startswith(_IMMUTABLE)


def refuse_lock(url: str) -> StoreRefused:
    """Return the error of a store that is no bucket and is asked to keep objects from removal."""
    return StoreRefused(
        f"{url}: object_lock is set, but only a bucket with Object Lock keeps objects from removal; "
        "set object_lock to none or keep the archive in such a bucket"
    )


def check_folder(prefix: str) -> None:
    """Raise StoreRefused unless *prefix* is "" or a folder's keys' common beginning, with its slash."""
    if prefix and (not prefix.endswith("/") or fault_of_key(prefix[:-1]) is not None):
        raise StoreRefused(f"{prefix[:200]!a} is no folder of an archive; expected a path that ends with a slash")


def check_digest(sha256: str) -> str:
    """Return the hex digits of a labelled digest. Raises StoreRefused if it is none."""
    if not _DIGEST.fullmatch(sha256):
        raise StoreRefused(f"found the digest {sha256[:80]!a}, expected sha256: and 64 lower-case hex digits")
    return sha256.removeprefix("sha256:")


def check_range(offset: int, length: int | None) -> None:
    """Raise StoreRefused for a range that begins or ends before the object does."""
    if offset < 0 or (length is not None and length < 0):
        raise StoreRefused(f"found the range {offset}+{length}, expected an offset and a length of 0 or more")


def start_after(prefix: str, after: str) -> str:
    """Return a key to ask a store to list after, so that it leaves out no key greater than *after*; "" for none.

    Some stores list folder by folder, so that `a/1` comes before `a-b/1`, though `-` sorts before `/`; after `a-b/1`
    they leave out `a/1`, and after `a` the whole folder. So *after* is cut where a name has a character below `/`, and
    one character earlier. What comes back too early is for the caller to drop.
    """
    if not after.startswith(prefix) or after == prefix:
        return ""
    end = len(after)
    for position in range(len(prefix), len(after)):
        if after[position] < "/" and position > 0 and after[position - 1] != "/":
            end = position
            break
    if after[end - 1] != "/":
        end -= 1
    return after[:end] if end > len(prefix) else ""


def in_byte_order(found: Iterable[StoredObject], *, prefix: str, by_folder: bool) -> Iterator[StoredObject]:
    """Yield *found* by key in byte order. Raises StoreRefused if that cannot be done.

    *by_folder*: the store may list folder by folder; then at most one folder next below *prefix* is held back, until
    nothing that sorts before it can follow. (Code points sort as their UTF-8 bytes do.)
    """
    held: list[tuple[str, int, StoredObject]] = []
    last = ""
    for number, one in enumerate(found):
        heapq.heappush(held, (one.key, number, one))
        while held and (not by_folder or _is_settled(held[0][0], prefix, newest=one.key)):
            ready = heapq.heappop(held)[2]
            last = _require_order(last, ready)
            yield ready
    while held:
        ready = heapq.heappop(held)[2]
        last = _require_order(last, ready)
        yield ready


def _is_settled(key: str, prefix: str, *, newest: str) -> bool:
    """Whether nothing that sorts before *key* can follow *newest* in a listing by folder."""
    slash = key.find("/", len(prefix))
    while slash >= 0:
        if newest.startswith(key[:slash]) and newest[slash : slash + 1] <= "/":
            return False
        slash = key.find("/", slash + 1)
    return True


def _require_order(last: str, one: StoredObject) -> str:
    if one.key <= last:
        raise StoreRefused(f"the store lists {one.key[:200]!a} out of order or twice; use a store with sorted listings")
    return one.key
