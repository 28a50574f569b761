"""When a layer is due, of which level, and what it is made from: the catalog, and the layers below that it replaces.

A layer is put before the commit that names it. Whatever goes wrong here is logged: no commit waits for it.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from config.errors import ArchiveError, DamageFound, FormatTooNew, ObjectExists, ObjectMissing
from jobs.archive.commit import CommittedFile, owns_segment
from jobs.archive.log import covered
from jobs.archive.packs import PACK_COMMITS, put_pack
from jobs.checkpoint.layer import LayerHead, LayerReference, OtherFold, layer_key, parse_reference, write_layer
from jobs.checkpoint.lines import decode_line, encode_line
from jobs.checkpoint.reading import copy_facts, open_stack
from jobs.checkpoint.restoring import complete_commits
from jobs.checkpoint.thin import Answer, list_needed, list_records
from jobs.fold import FOLD
from jobs.segments.upload import require_same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jobs.archive.log import Log
    from jobs.catalog import Catalog
    from jobs.fold import Place
    from jobs.store import ObjectStore

log = structlog.get_logger()

LEVEL_COMMITS = (10, 100, 1_000)
"""A layer of level 1 is due after so many commits; of level 2 and 3, at the next multiple."""


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """A layer that is due."""

    level: int
    first: int
    seq: int
    below: tuple[LayerReference, ...]
    """What it lies on."""
    merged: tuple[LayerReference, ...]
    """What it holds anew, in order; the commits after those are in no layer yet."""
    touched_after: int
    """Its thin part holds the articles that later commits touched."""


def sum_up(catalog: Catalog, store: ObjectStore, source_log: Log) -> dict[str, Any]:
    """Put the layer and the pack that are due at the end of the log, as the catalog knows it.

    Returns the fields of the next commit that name them (`checkpoint`, `pack`), to be set in its draft before it is
    appended; none where nothing is due or could be done. Raises nothing of ours: without them the log is as sound.
    """
    source = source_log.source
    named: dict[str, Any] = {}
    try:
        seq = catalog.head(source)[0]
        if catalog.is_wanting(source):
            return named
        if seq < covered(catalog.checkpoint(source)) + LEVEL_COMMITS[0] and not catalog.distrusted_until(source):
            return named
        try:
            complete_commits(catalog, source_log)
            plan = plan_layer(_find_layers(catalog, store, source_log), seq)
            if plan is None:
                return named
            named["checkpoint"] = _put_layer(catalog, store, source_log, plan)
        except (DamageFound, ObjectMissing) as error:
            if not catalog.thin_until(source):
                raise
            log.warning("ignored_checkpoint", source=source, error=str(error))
            named["checkpoint"] = _put_anew(catalog, store, source_log)
            return named
        if plan.level == len(LEVEL_COMMITS) and (packed := seq // PACK_COMMITS * PACK_COMMITS):
            named["pack"] = put_pack(store, source, source_log.archive, packed)
    except (ArchiveError, OSError) as error:
        log.warning("failed_checkpoint", source=source, error=str(error))
    return named


def plan_layer(layers: Sequence[LayerReference], seq: int) -> LayerPlan | None:
    """Return the layer that is due on top of *layers* when the log ends at *seq*, or `None`."""
    ends = {level: max((one.seq for one in layers if one.level >= level), default=0) for level in (1, 2, 3)}
    if seq < ends[1] + LEVEL_COMMITS[0]:
        return None
    level = next(
        (one for one in (3, 2) if seq >= (ends[one] // LEVEL_COMMITS[one - 1] + 1) * LEVEL_COMMITS[one - 1]), 1
    )
    base = ends[level]
    return LayerPlan(
        level=level,
        first=base + 1,
        seq=seq,
        below=tuple(one for one in layers if one.seq <= base),
        merged=tuple(one for one in layers if one.seq > base),
        touched_after=find_touched_after(layers, level),
    )


def find_touched_after(layers: Sequence[LayerReference], level: int) -> int:
    """Return after which commit an article was touched, if the thin part of a layer on top of *layers* has it."""
    return max((one.seq for one in layers if one.level > level), default=0)


def list_superseded(store: ObjectStore, source_log: Log) -> list[str]:
    """Return the keys below `checkpoint/` of layers that no reader needs: for maintenance to remove.

    Those after the newest named one are left out: their writer may be about to name them.
    """
    end = source_log.find_end()
    if end is None or end.commit.checkpoint is None:
        return []
    try:
        stack = open_stack(store, source_log.archive, source_log.source, end.commit.checkpoint)
    except OtherFold:  # the next run makes it anew; until then whoever has that fold may read it
        return []
    stack.newest.close()
    needed = {one.key for one in stack.layers}
    last = stack.layers[-1].key
    prefix = f"checkpoint/{source_log.source}/"
    return [item.key for item in store.list(prefix) if item.key < last and item.key not in needed]


def _find_layers(catalog: Catalog, store: ObjectStore, source_log: Log) -> tuple[LayerReference, ...]:
    """Return the layers to build on: those of the newest checkpoint; none where they cannot be used."""
    source = source_log.source
    named = catalog.checkpoint(source)
    if named is None:
        return ()
    known = catalog.list_layers(source)
    if not known or known[-1] != named:
        try:
            stack = open_stack(store, source_log.archive, source, named)
            stack.newest.close()
            known = stack.to_json()
        except (DamageFound, FormatTooNew, ObjectMissing) as error:
            if catalog.thin_until(source):
                raise
            log.warning("ignored_checkpoint", source=source, error=str(error))
            return ()
    layers = tuple(parse_reference(one, source) for one in known)
    return () if layers[0].seq <= catalog.distrusted_until(source) else layers


def _put_layer(catalog: Catalog, store: ObjectStore, source_log: Log, plan: LayerPlan) -> dict[str, Any]:
    source = source_log.source
    head = LayerHead(
        requires=(),
        fold=FOLD,
        archive=source_log.archive,
        source=source,
        first=plan.first,
        seq=plan.seq,
        head=catalog.head(source)[1],
        level=plan.level,
        part="thin",
        below=plan.below,
        lines=0,
        inflated_bytes=0,
    )
    with tempfile.TemporaryDirectory(prefix="ofrecord-") as folder:
        path = Path(folder) / "layer"
        facts = _list_facts(catalog, store, source_log, plan)
        thin = map(encode_line, list_thin(catalog, source, plan.touched_after))
        reference, lines = write_layer(path, head, thin, facts)
        try:
            store.create(reference.key, path, sha256=reference.sha256)
        except ObjectExists:  # our own earlier try, or another writer's: then it is for that one to name
            require_same(store, CommittedFile(reference.key, reference.size_bytes, reference.sha256, 0))
    named = reference.to_json()
    catalog.keep_layers(source, [*(one.to_json() for one in plan.below), named])
    log.debug("wrote_layer", source=source, seq=plan.seq, level=plan.level, size_bytes=reference.size_bytes, **lines)
    return named


def _put_anew(catalog: Catalog, store: ObjectStore, source_log: Log) -> dict[str, Any]:
    """Put one layer of all commits, made from the log itself: what *catalog* has of it was built on a spoilt one.

    Dear, and done once: else nobody without all facts could ever sum this log up again.
    """
    source = source_log.source
    with (
        tempfile.TemporaryDirectory(prefix="ofrecord-") as folder,
        type(catalog).open(Path(folder) / "catalog.sqlite") as whole,
    ):
        whole.refresh(store, source_log)
        plan = plan_layer((), whole.head(source)[0])
        if plan is None:
            raise DamageFound(f"log/{source}: is shorter than it was")
        named = _put_layer(whole, store, source_log, plan)
    catalog.keep_layers(source, [named])
    return named


def _list_facts(catalog: Catalog, store: ObjectStore, source_log: Log, plan: LayerPlan) -> Iterator[bytes]:
    """Yield the facts of the commits that *plan* covers: as far as this catalog has them not, from layers below."""
    source = source_log.source
    told: set[str] = set()
    first = plan.first
    if first <= catalog.thin_until(source):
        for reference in plan.merged:
            for line in copy_facts(store, reference, source_log.archive, source):
                if line.startswith((b'{"type":"text"', b'{"type":"derivation"')):
                    found = decode_line(line, f"{reference.key}: facts") or {}
                    name = str(found.get("digest") or found.get("derivation"))
                    if name in told:
                        continue
                    told.add(name)
                yield line
            first = reference.seq + 1
    if first <= catalog.thin_until(source):
        raise DamageFound(f"{layer_key(source, plan.seq)}: the facts from commit {first} on are not at hand")
    for fact in catalog.export_facts(source, first, plan.seq):
        if fact["type"] in {"text", "derivation"} and (fact.get("digest") or fact.get("derivation")) in told:
            continue
        yield encode_line(fact)


def list_thin(catalog: Catalog, source: str, after: int) -> Iterator[dict[str, Any]]:
    """Yield what a crawl must know of the articles and other URLs that commits after number *after* touched."""
    segments: set[str] = set()

    def export(places: set[Place]) -> Iterator[dict[str, Any]]:
        own = {place for place in places if owns_segment(source, place[0])}
        segments.update(segment for segment, _ in own)
        return catalog.export_captures(sorted(own))

    adopted = catalog.list_adopted(source)

    def list_places(url: str) -> set[Place]:
        answers = [_to_answer(row) for row in catalog.list_answers(source, url=url)]
        # the pages of the revisions may have to be derived again
        firsts = {(one.segment, one.n) for one in catalog.list_revisions(source, url)}
        pages = {one.revisit_of for one in answers if one.place in firsts and one.revisit_of is not None}
        return list_needed(catalog.read_facts(source, url), list_records(answers) | pages, adopted=adopted)

    others: set[Place] = set()
    answers = map(_to_answer, catalog.list_answers(source, after=after))
    for _, of_one_url in groupby(answers, key=attrgetter("target_uri")):  # a feed is fetched at each run, for years
        others |= list_records(of_one_url)
    articles = (
        chain(catalog.export_article(source, url), export(list_places(url)))
        for url in catalog.list_touched(source, after)
    )
    yield from chain(chain.from_iterable(articles), export(others))
    yield from catalog.export_runs(source, sorted(others))  # which say what they found settled
    yield from catalog.export_segments(source, after, segments)
    yield from catalog.export_slots(source, after)
    yield from catalog.export_adoptions(source)


def _to_answer(row: Mapping[str, Any]) -> Answer:
    recorded = row["response_offset"] is not None
    revisit = row["revisit_segment"] is not None
    return Answer(
        place=(row["segment"], row["n"]),
        target_uri=row["target_uri"],
        captured_at=row["captured_at"],
        status=row["status"],
        recorded=recorded,
        whole=recorded and not revisit and row["truncated"] is None,
        revisit_of=(row["revisit_segment"], row["revisit_n"]) if revisit else None,
    )
