"""Whether this machine may write to an archive: it signs with the key that signs there now, or nobody signs.

Asked before anything is fetched, for one request where the local state remembers the keys.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from config.errors import ConfigError
from jobs.archive.keys import PREFIX, keys_key, require_ring

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.archive.identity import ArchiveInfo
    from jobs.archive.signing import Signer
    from jobs.store import ObjectStore

_NOTE_BYTES = 4096
_HOW = "set signing_key_file, or OFRECORD_SIGNING_KEY"


def require_signer(store: ObjectStore, info: ArchiveInfo, signer: Signer | None, note: Path) -> None:
    """Raise ConfigError unless *signer* is the key that signs this archive now, or it has none and there is none.

    *note*: a file in the local state that remembers the newest key. Raises DamageFound where keys/ is not sound, and
    StoreError.
    """
    known, key_id = _read_note(note, info)
    if next(iter(store.list(PREFIX, after=keys_key(known) if known else "")), None) is not None:
        newest = require_ring(store, info).newest
        key_id = newest.key_id if newest else ""
        if newest is not None:
            with suppress(OSError):  # then it is asked again
                note.write_text(json.dumps({"archive": info.archive, "n": newest.n, "key": key_id}), encoding="utf-8")
    if signer is None and key_id:
        raise ConfigError(
            f"{store.url}: this archive is signed by the key {key_id[:16]}…, and this machine has none: {_HOW} to it;"
            " nothing was done"
        )
    if signer is not None and not key_id:
        raise ConfigError(
            f"{store.url}: this archive has no key, but this machine would sign with {signer.public.key_id[:16]}…:"
            " register it with ofrecord keys new --out FILE, or take signing_key_file out of the settings"
        )
    if signer is not None and signer.public.key_id != key_id:
        raise ConfigError(
            f"{store.url}: this archive is signed by the key {key_id[:16]}…, and this machine has"
            f" {signer.public.key_id[:16]}…, which was rotated out or is another's: {_HOW} to the one that signs now"
        )


def _read_note(note: Path, info: ArchiveInfo) -> tuple[int, str]:
    """Return number and fingerprint of the newest key that was seen; 0 and "" where nothing is known."""
    try:
        with note.open("rb") as file:
            found = json.loads(file.read(_NOTE_BYTES))
        if found["archive"] == info.archive and isinstance(found["n"], int) and found["n"] > 0:
            return found["n"], str(found["key"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return 0, ""
