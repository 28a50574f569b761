"""What a bundle proves and what it does not → sentences for people: the same in the report and on the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.units import count
from crawler.rows import format_time
from jobs.archive.keys import Standing

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.evidence.chain import ChainFacts
    from jobs.evidence.manifest import Manifest
    from jobs.evidence.rows import CaptureFact, Held


@dataclass(frozen=True, slots=True)
class Statements:
    """What may be said of a bundle in which nothing is damaged."""

    proven: tuple[str, ...]
    unproven: tuple[str, ...]


_SERVED = (
    "That the publisher served this: whoever runs an archive could feed it anything. The times of captures, the"
    " addresses of servers and their certificates are what the archive wrote down."
)
_JUDGED = (
    "Numbers of texts and words such as “changed” are how the archive judged by all its captures. A text is what its"
    " rules read of the page; the page itself is in the records."
)

_PAGE = (
    "That evidence/report.html, and the titles in the list of pages, say the same: nothing compares them. Of a bundle"
    " from a stranger believe what verify-bundle says."
)


_MOVED = {
    "replace": "in another form, and says that every record and row stayed as it was",
    "redact": "to take something out of them, and says that all else stayed as it was",
}
"""Kind of a commit that moves segments → how."""


def make_statements(manifest: Manifest, chain: ChainFacts, held: Held) -> Statements:
    """Return what the facts of a sound bundle come to."""
    vouched, is_vouched = _tell_signatures(chain)
    dated, is_dated = _tell_time(chain, held)
    proven = [_tell_unaltered(manifest, chain, held, anchored=is_vouched or is_dated)]
    proven += [_tell_texts(manifest, held), *_tell_headers(held)]
    proven += [sentence for sentence, is_proof in ((vouched, is_vouched), (dated, is_dated)) if is_proof]
    unproven = [sentence for sentence, is_proof in ((vouched, is_vouched), (dated, is_dated)) if not is_proof]
    unproven += _tell_moved(chain, held)
    unproven += [_SERVED, _tell_rest(manifest, held), *_tell_alike(manifest), _JUDGED, _PAGE]
    origins = sorted({one.origin for one in held.captures.values() if one.origin})
    if origins:
        told = "; ".join(one[:300] for one in origins[:3])
        unproven.append(f"That captures from elsewhere ({told}) were made then: that is the word of who made them.")
    return Statements(tuple(proven), tuple(unproven))


def _tell_unaltered(manifest: Manifest, chain: ChainFacts, held: Held, *, anchored: bool) -> str:
    captures, segments = count(len(held.captures), "capture"), count(len(manifest.segments), "segment")
    told = (
        f"the rows of {captures} in {segments} have the digests that their commits name, each page the one that its row"
        " names, and each commit names the one before it."
    )
    if anchored:
        moved = ", or moved as is said below" if held.has_moved else ""
        return f"Nothing was altered since it was committed{moved}: {told}"
    end = chain.commits[chain.runs[-1].last]
    return (
        f"The bundle agrees with itself: {told} So nothing was altered since commit {end.seq} was written, for"
        f" whoever knows from elsewhere that its digest is {end.digest}."
    )


def _tell_moved(chain: ChainFacts, held: Held) -> list[str]:
    """Tell of captures that the commit which brought them proves no more: another one says what they are since."""
    moved: dict[int, list[CaptureFact]] = {}
    for one in held.captures.values():
        if one.has_moved:
            moved.setdefault(one.seq, []).append(one)
    told = []
    for seq, facts in sorted(moved.items()):
        commit, first = chain.commits[seq], min(one.brought_by for one in facts)
        told.append(
            f"That {count(len(facts), 'capture')} were the same before {_say(commit.committed)}: commit {seq} put their"
            f" segments elsewhere then, {_MOVED[commit.kind]}. They are proven from it on; that they are as commit"
            f" {first}, or a later one, had brought them is its word."
        )
    return told


def _tell_rest(manifest: Manifest, held: Held) -> str:
    told = "That this is all there was: an archive sees an article only when it looks."
    more = max(manifest.others, held.unlisted)
    return f"{told} This one holds {count(more, 'further capture')} of it." if more else told


def _tell_alike(manifest: Manifest) -> list[str]:
    """Tell of captures whose own text is another than the one that is shown under its number."""
    other = [one for one in manifest.captures if manifest.is_alike(one)]
    if not other:
        return []
    told = ", ".join(f"{_say(one.captured_at)} (text {one.number})" for one in other[:5])
    more = " and others" if len(other) > 5 else ""
    showed = f"That {count(len(other), 'capture')} showed the text of its number"
    return [f"{showed}: {told}{more} had another one, or none, which the archive judged to be alike."]


def _tell_texts(manifest: Manifest, held: Held) -> str:
    texts, when = count(len(manifest.texts), "text"), "that were read when it was captured"
    told = "that the rows tell as read then" if held.has_moved else when
    return f"The {texts} of the article, and what changed between them, are those {told}."


def _tell_headers(held: Held) -> list[str]:
    recorded = [one for one in held.captures.values() if one.warc is not None]
    whole = sum(one.headers_proven for one in recorded)
    if held.whole:
        return ["Whole segments are in the bundle, as committed: every record in them, requests too."]
    if recorded and whole == len(recorded):
        return [
            "The HTTP status and headers of every answer are proven too; requests and TLS data beside them are not."
        ]
    told = f"Of {whole} of {count(len(recorded), 'answer')} the HTTP status and headers are proven"
    return [f"{told}; of the others, whose rows are of an older version, the pages alone."] if recorded else []


def _tell_signatures(chain: ChainFacts) -> tuple[str, bool]:
    signers = list(dict.fromkeys(key for one in chain.commits.values() for key in one.signers))
    commits = count(len(chain.commits), "commit")
    if not chain.signed or not signers:
        early = sum(one.standing is Standing.EARLIER for one in chain.commits.values())
        what = "the archive is not signed"
        if early and chain.keys:
            what = f"these commits are not signed ({early} of {commits} are from before the archive's first key)"
        return (
            f"Who vouches for it: {what}, so anybody could have made the whole bundle.",
            False,
        )
    names = " and ".join(signers)
    if chain.anchored is None:
        return (
            (
                f"Who vouches for it: its {commits} are signed by {names}, a key that came with the bundle (not"
                " anchored). Compare that fingerprint with one that you had from elsewhere, or give --trusted-key."
            ),
            False,
        )
    return f"Its {commits} are signed by {names}, and stand by the key that you trust, {chain.anchored}.", True


def _tell_time(chain: ChainFacts, held: Held) -> tuple[str, bool]:
    heads = [chain.find_head(one.seq) for one in held.captures.values()]
    stamps = [head.stamp for head in heads if head and head.stamp]
    times = [one.at for one in stamps if one.at is not None]
    if times and len(stamps) == len(heads) and all(one.checked for one in stamps):
        return (
            f"It existed by {_say(max(times))}: an authority whose root you gave stamped its head then.",
            True,
        )
    if stamps:
        when = f" ({_say(max(times))})" if times else ", which was not read (pip install 'ofrecord[stamp]')"
        told = f"Since when it exists: there is an outside time stamp{when}, but who made it was not checked"
        return f"{told}: give --ca FILE with the roots of the authority.", False
    committed = [chain.commits[one.seq].committed for one in held.captures.values() if one.seq in chain.commits]
    last = f" It says {_say(max(committed))} itself." if committed else ""
    return f"Since when it exists: no outside time stamp was found.{last}", False


def _say(when: datetime) -> str:
    return format_time(when.replace(microsecond=0))
