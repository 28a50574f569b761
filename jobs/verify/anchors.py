"""What proof there is from outside: heads in second places against the logs as they are, and stamps on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import ArchiveError, ConfigError, ObjectMissing, StoreError
from config.evidence import is_web
from config.units import count
from jobs.archive.commit import MAX_COMMIT_BYTES, commit_key, digest
from jobs.archive.heads import head_key
from jobs.archive.identity import read_info
from jobs.archive.keys import read_ring
from jobs.archive.stamps import read_roots
from jobs.verify.documents import check_manifests, check_own_heads, find_head_faults, note_stamp
from jobs.verify.outside import read_outside, read_same
from jobs.verify.report import UNCOVERED, Notes, ReportedHead
from jobs.verify.trace import Identity
from jobs.verify.unreadable import note_unreadable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from config.settings import Settings
    from jobs.archive.heads import ArchiveHead
    from jobs.archive.keys import KeyRing
    from jobs.store import ObjectStore
    from jobs.verify.documents import Roots
    from jobs.verify.outside import OutsideHead
    from jobs.verify.report import VerifyReport


def check_anchors(
    store: ObjectStore,
    report: VerifyReport,
    settings: Settings,
    *,
    places: Sequence[str] = (),
    sources: Collection[str] | None = None,
) -> None:
    """Hold the archive against its own heads and those kept in *places* and in the second places of *settings*.

    Of *places* each must have a head; a second place that cannot be read is told. *sources*: only of these. To be
    called when the logs were walked. Raises ConfigError, StoreError where the archive fails as a whole.
    """
    try:
        info = read_info(store)
    except ArchiveError:
        return  # damage that was told
    identity = Identity(info.archive, info.digest)
    ring, _ = read_ring(store, identity.archive, identity.info_digest)
    roots = read_roots(settings.stamp_ca_file) if settings.stamp_ca_file else None
    own = check_own_heads(store, identity, ring, report, roots)
    check_manifests(store, ring, report)
    if own is not None:
        check_ends(store, report, own, head_key(own.n), sources)
    outside = [_require(place, read_outside(place, settings, info.archive)) for place in places]
    outside += _read_second_places(
        [one for one in settings.heads_to if one not in places], settings, info.archive, report
    )
    for one in outside:
        _check_outside(store, report, ring, one, roots=roots, archive=info.archive, sources=sources)
    _sum_up(report, outside, sources)


def check_ends(
    store: ObjectStore, report: VerifyReport, head: ArchiveHead, where: str, sources: Collection[str] | None
) -> None:
    """Add damage for each log that does not have the commit that *head*, found at *where*, names as its end."""
    for source, end in sorted(head.ends.items()):
        if sources is not None and source not in sources:
            continue
        key = commit_key(source, end.seq)
        notes = Notes(report, key)
        try:
            found = digest(store.get(key, length=MAX_COMMIT_BYTES + 1))
        except ObjectMissing:
            notes.damage(f"missing, but {head} ({where}) names it: the end of the log was taken away")
            continue
        except StoreError as error:
            note_unreadable(store, notes, error)
            continue
        if found != end.sha256:
            notes.damage(f"found {found}, but {head} ({where}) names {end.sha256}: the log was written anew")


def _require(place: str, found: OutsideHead | None) -> OutsideHead:
    if found is None:
        raise ConfigError(f"--heads: {place}: no head of this archive is there")
    return found


def _read_second_places(
    places: Sequence[str], settings: Settings, archive: str, report: VerifyReport
) -> list[OutsideHead]:
    """Return the heads of those second *places* that can be read; an address cannot."""
    found = []
    for place in places:
        if is_web(place):
            continue
        try:
            one = read_outside(place, settings, archive)
        except (ArchiveError, OSError) as error:
            Notes(report, "heads/").notice(f"the second place {place} cannot be read: {error}")
            continue
        if one is None:
            Notes(report, "heads/").notice(f"the second place {place} has no head of this archive yet")
        else:
            found.append(one)
    return found


def _check_outside(
    store: ObjectStore,
    report: VerifyReport,
    ring: KeyRing,
    one: OutsideHead,
    *,
    roots: Roots | None,
    archive: str,
    sources: Collection[str] | None,
) -> None:
    head, notes = one.head, Notes(report, one.where)
    report.anchors.outside.append(ReportedHead(one.where, head.n, head.created, head.document.digest))
    faults = list(find_head_faults(head, ring, archive))
    for fault in faults:
        notes.damage(fault)
    if any(fault.startswith("is of archive") for fault in faults):
        return
    same = read_same(store, head.n)
    if same is None:
        Notes(report, head_key(head.n)).damage(f"missing, but {one.where} has it")
    elif same != head.data:
        Notes(report, head_key(head.n)).damage(f"is another than the one at {one.where}")
    check_ends(store, report, head, one.where, sources)
    if one.stamp is not None:
        note_stamp(head, one.stamp, report, notes, roots)


def _sum_up(report: VerifyReport, outside: Sequence[OutsideHead], sources: Collection[str] | None) -> None:
    """Say what no outside head covers yet, and by when what is covered existed."""
    notes, anchors = Notes(report, "heads/"), report.anchors
    covered: dict[str, int] = {}
    for one in outside:
        for source, end in one.head.ends.items():
            covered[source] = max(covered.get(source, 0), end.seq)
    for source, last_seen in report.heads.items():
        if outside and last_seen.seq > covered.get(source, 0) and (sources is None or source in sources):
            anchors.uncovered[source] = (covered.get(source, 0) + 1, last_seen.seq)
    if outside and not anchors.uncovered:
        report.findings[:] = [one for one in report.findings if one.message != UNCOVERED]
    for source, (first, last) in anchors.uncovered.items():
        notes.notice(f"{source}: no outside head covers commits {first} to {last} yet: they could be taken away unseen")
    if (stamped := anchors.stamped) is not None:
        by = f"{stamped.at:%Y-%m-%dT%H:%M:%SZ}, by the stamp at {stamped.where}"
        notes.notice(f"all that head {stamped.n} names existed by {by}")
    if anchors.unchecked_stamps:
        notes.notice(f"{count(anchors.unchecked_stamps, 'stamp')} not checked to its root: set stamp_ca_file")
