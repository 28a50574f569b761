"""Which objects a part of an archive has, and how deep a check goes: pure functions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from config.errors import ConfigError
from jobs.archive.commit import Commit, digest
from jobs.cli.archive import make_plan
from jobs.cli.progress import describe_step
from jobs.verify import Depth, Plan, Step, parse_part
from tests.archives import NOON

DIGESTS = [digest(str(number).encode()) for number in range(1_000)]


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_parts_are_all_and_have_nothing_twice(of: int) -> None:
    parts = [parse_part(f"{number}/{of}") for number in range(1, of + 1)]
    assert [sum(part.has(one) for part in parts) for one in DIGESTS] == [1] * len(DIGESTS)
    sizes = [sum(part.has(one) for one in DIGESTS) for part in parts]
    assert max(sizes) < 2.5 * len(DIGESTS) / of + 1
    assert [part.share for part in parts] == pytest.approx([1 / of] * of)
    assert parse_part(f"{of}/{of}") == parts[-1], "the same each time"


def test_share_is_by_chance_and_its_seed_brings_it_back() -> None:
    one, other = parse_part("5%"), parse_part("5%")
    chosen = [digest for digest in DIGESTS if one.has(digest)]
    assert 20 < len(chosen) < 90
    assert chosen != [digest for digest in DIGESTS if other.has(digest)]
    again = parse_part(one.text)
    assert chosen == [digest for digest in DIGESTS if again.has(digest)]
    assert all(parse_part("100%").has(digest) for digest in DIGESTS)
    assert isinstance(one.has("\udcff is no digest"), bool), "of any text that a commit may hold"


@pytest.mark.parametrize("text", ["", "0/3", "4/3", "1/0", "0%", "101%", "5", "-1/3", "1/3/5", "5%:", "5%:X Y", "nan%"])
def test_no_part(text: str) -> None:
    with pytest.raises(ConfigError, match="expected n/t"):
        parse_part(text)


def test_plan_by_options() -> None:
    assert make_plan().depth is Depth.STANDARD
    assert make_plan(quick=True).depth is Depth.QUICK
    assert make_plan(full=True).full
    assert make_plan(rederive=True).full
    assert make_plan(workers=3).workers == 3
    part = make_plan(part="1/3")
    assert (part.depth, part.full) == (Depth.READ, False)
    since = make_plan(since="2 days").since
    assert since is not None
    assert timedelta(days=2) <= datetime.now(UTC) - since < timedelta(days=2, minutes=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quick": True, "full": True}, "--quick reads nothing back, and --read-data does"),
        ({"quick": True, "part": "1/2"}, "--read-data-subset does"),
        ({"full": True, "part": "1/2"}, "give one of them"),
        ({"since": "when?"}, "--since"),
        ({"part": "half"}, "expected n/t"),
    ],
)
def test_options_that_contradict(options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_plan(**options)  # type: ignore[arg-type]  # the options of a parametrised test


def test_since_looks_at_later_commits_alone() -> None:
    plan = Plan(depth=Depth.READ, since=NOON)
    commits = [Commit("gazette", "segment", NOON + timedelta(seconds=after), "0" * 32) for after in (-1, 0, 1)]
    assert [plan.looks_at(one) for one in commits] == [False, True, True]
    assert [plan.reads(one, DIGESTS[0]) for one in commits] == [False, True, True]
    assert not Plan().reads(commits[2], DIGESTS[0])


def test_time_left_by_what_was_read_now() -> None:
    step = Step("gazette", "x", 1, 9, 60_000_000, 90_000_000, damages=0, bytes_total=150_000_000)
    assert describe_step(step, seconds=60).endswith("1.0 MB/s · 1 min left · no damage")
    resumed = Step("gazette", "x", 1, 9, 60_000_000, 90_000_000, 0, 10_860_000_000, bytes_resumed=59_000_000)
    assert describe_step(resumed, seconds=1).endswith("1.0 MB/s · 3 h 00 min left · no damage")
    nothing = Step("gazette", "x", 1, 9, 5, 90_000_000, 0, 100, bytes_resumed=5)
    assert describe_step(nothing, seconds=1).endswith("0.0 MB/s · no damage")
