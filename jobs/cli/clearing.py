"""What `redact` does beside its commits: clears conveniences and this machine, and tells what is out of reach."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from config.units import count
from jobs.diff import make_safe
from jobs.redaction.conveniences import ClearReport, clear_conveniences
from jobs.redaction.local import LocalReport, clear_local

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.context import OpenArchive

OUT_OF_REACH = (
    "copies: ofrecord sync brings them this redaction, and purges there what it let go",
    "other machines: clear their own state when they next look at this archive",
    "backups, exports, bundles and pages that were handed out: see to them yourself (FORMAT.md § 12)",
)


@dataclass(slots=True)
class Cleared:
    """What became of the places beside segments."""

    conveniences: list[ClearReport] = field(default_factory=list)
    local: list[LocalReport] = field(default_factory=list)

    @property
    def kept(self) -> dict[str, str]:
        """Key → why the store still has it."""
        return {key: why for one in self.conveniences for key, why in one.kept.items()}

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {
            "conveniences": [one.to_json() for one in self.conveniences],
            "local": [one.to_json() for one in self.local],
            "out_of_reach": list(OUT_OF_REACH),
        }

    def describe(self) -> Iterator[str]:
        """Yield a line for each thing that a person should know."""
        for one in self.conveniences:
            if one.purged or one.written:
                what = f"  {one.source}: purged {count(len(one.purged), 'object')} beside segments"
                yield what + (f", wrote {', '.join(one.written)} anew" if one.written else "")
        for local in self.local:
            if local.rewritten:
                yield f"  {local.source}: {count(len(local.rewritten), 'waiting segment')} written anew on this machine"
            yield from (f"  {make_safe(path)}: {make_safe(why)}" for path, why in sorted(local.left.items()))
        yield from (f"  not purged: {key}: {make_safe(why)}" for key, why in sorted(self.kept.items()))
        if self.conveniences:
            yield from (f"  {line}" for line in OUT_OF_REACH)


def clear_places(archive: OpenArchive, sources: Iterable[str]) -> Cleared:
    """Clear all places beside segments of what was redacted of *sources*. Raises DamageFound, StoreError, OSError.

    Safe to repeat; to be done after redactions, and again when they are finished: others may have written meanwhile.
    """
    cleared = Cleared()
    for source in sources:
        cleared.conveniences.append(clear_conveniences(archive, source))
        cleared.local.append(clear_local(archive, source))
    # Here and not above: pyarrow takes a third of a second.
    from jobs.tables.withdrawing import withdraw_tables  # noqa: PLC0415 - see above

    cleared.conveniences.append(withdraw_tables(archive))
    return cleared
