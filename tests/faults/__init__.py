"""Faults to be planted in a sound archive, each with the keys of which one at least must be named for it.

Some are as a disk would make them. Those that are *covered* are as one would who writes sizes, digests and chain anew.
"""

from __future__ import annotations

from tests.faults.commits import edit_commit, flip_commit, flip_identity, lose_commit, swap_commits
from tests.faults.common import OTHER_DIGEST, WARC, Fault, damage, damaged_keys, flip, inflate, notices
from tests.faults.files import (
    GARBAGE,
    MEMBER_CHANGES,
    change_members,
    edit_block,
    edit_header,
    lose,
    move_members,
    replace_file,
    rot,
    zero_tail,
)
from tests.faults.places import (
    change_blocks,
    double_block,
    drop_block,
    lend_rows,
    miscount_rows,
    mislead_since,
    misplace_rows,
    move_rows,
    swap_blocks,
    tear_block,
)
from tests.faults.revisits import forge_text, misdate_revisit, mislead_revisit, spoil_pack
from tests.faults.rows import edit_extent, edit_row, shuffle_rows

__all__ = [
    "FAULTS",
    "NEEDS_PAGES",
    "OTHER_DIGEST",
    "WARC",
    "damage",
    "damaged_keys",
    "flip",
    "inflate",
    "notices",
]

FAULTS: dict[str, Fault] = {
    "a bit of a file": rot(lambda data, rng: flip(data, rng.randrange(len(data) * 8))),
    "a file cut": rot(lambda data, rng: data[: rng.randrange(len(data))]),
    "zeros at the end": rot(zero_tail),
    "more at the end": rot(lambda data, rng: data + rng.choice(GARBAGE)(rng)),
    "a file lost": lose,
    "another file": replace_file,
    **{f"{name} a member": change_members(change, covered=False) for name, change in MEMBER_CHANGES.items()},
    **{f"{name} a member, covered": change_members(change, covered=True) for name, change in MEMBER_CHANGES.items()},
    "members moved, covered": move_members,
    "a bit of a block, covered": edit_block,
    "a header of a record, covered": edit_header,
    "a row, covered": edit_row,
    "a pointer, covered": edit_extent,
    "a row lost, covered": shuffle_rows(twice=False),
    "a row twice, covered": shuffle_rows(twice=True),
    "a record of rows dropped, covered": change_blocks(drop_block),
    "a record of rows twice, covered": change_blocks(double_block),
    "records of rows swapped, covered": change_blocks(swap_blocks),
    "a row over two records, covered": change_blocks(tear_block),
    "rows before an exchange, covered": move_rows,
    "rows misplaced, covered": misplace_rows,
    "rows miscounted, covered": miscount_rows,
    "rows of another segment, covered": lend_rows,
    "a revisit misled, covered": mislead_revisit,
    "a revisit misdated, covered": misdate_revisit,
    "a commit": edit_commit,
    "a bit of a commit": flip_commit,
    "a commit lost": lose_commit,
    "commits swapped": swap_commits,
    "the identity": flip_identity,
    "earlier commits misquoted, covered": mislead_since,
    "a pack": spoil_pack,
}
NEEDS_PAGES: dict[str, Fault] = {"a text forged, covered": forge_text}
"""Found only by making the texts anew."""
