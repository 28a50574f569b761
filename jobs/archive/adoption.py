"""Which derivations an `adopt` commit lets decide from then on: FORMAT.md § 4 and § 7. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from config.errors import DamageFound
from jobs.archive.commit import FORMAT_REQUIRING, commit_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.archive.commit import Commit

ADOPT = "adopt"
"""The kind, and the word in `requires` of a commit that lets derivations decide."""
MAX_ADOPTS = 64
_DERIVATION = re.compile("sha256:[0-9a-f]{64}")


def read_adopts(commit: Commit) -> tuple[str, ...]:
    """Return the derivations that *commit* lets decide, the newest last; most commits name none.

    Raises DamageFound where they are no derivations, or readers that know nothing of this would pass over them.
    """
    if commit.kind != ADOPT or "adopts" not in commit.detail:
        return ()
    where, found = commit_key(commit.source, commit.seq), commit.detail["adopts"]
    whole = isinstance(found, list) and 0 < len(found) <= MAX_ADOPTS
    if not whole or not all(isinstance(one, str) and _DERIVATION.fullmatch(one) for one in found):
        raise DamageFound(f"{where}: detail.adopts: found {str(found)[:200]!a}, expected 1 to {MAX_ADOPTS} derivations")
    if ADOPT not in commit.requires:
        raise DamageFound(f"{where}: adopts derivations, but does not require {ADOPT!r}")
    return tuple(found)


def draft_decision(draft: Commit, meanings: dict[str, Any]) -> Commit:
    """Return *draft* as the commit that lets the derivations of *meanings* decide, the newest last."""
    adopts: Sequence[str] = list(meanings)
    return replace(
        draft,
        kind=ADOPT,
        format=FORMAT_REQUIRING,
        requires=(ADOPT,),
        derivations=dict(meanings),
        detail=draft.detail | {"adopts": adopts},
    )
