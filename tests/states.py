"""Where a machine keeps what it knows of an archive at one place, asked of the code that decides it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.settings import Settings
from jobs.archive.identity import read_info
from jobs.context import find_state
from jobs.store import open_store

if TYPE_CHECKING:
    from pathlib import Path


def state_of(place: str | Path, state_dir: Path, settings: Settings | None = None) -> Path:
    """Return the folder below *state_dir* for the archive at *place*. *settings*: how the machine reaches it."""
    settings = (settings or Settings()).model_copy(update={"state_dir": state_dir})
    store = open_store(str(place), settings)
    try:
        return find_state(settings, store, read_info(store).archive)
    finally:
        store.close()
