"""An object that the store cannot hand out is a finding; a store that hands out nothing ends the check."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from config.errors import ObjectMissing, StoreError
from jobs.archive.identity import INFO_KEY

if TYPE_CHECKING:
    from jobs.store import ObjectStore
    from jobs.verify.report import Notes

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def note_unreadable(store: ObjectStore, notes: Notes, error: StoreError | OSError, what: str = "read") -> None:
    """Take down *error* as damage of the object that *notes* are about.

    Raises *error* again if it is our own disk that is full, and if the store fails as a whole.
    """
    if isinstance(error, OSError) and error.errno in _FULL:
        raise error
    try:
        store.get(INFO_KEY, length=1)
    except ObjectMissing:
        pass
    except StoreError:
        raise error from None
    notes.damage(str(error) if isinstance(error, ObjectMissing) else f"cannot be {what}: {error}")
