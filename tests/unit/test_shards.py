"""Which sources fall to which task of an array job."""

from __future__ import annotations

import pytest

from config.errors import ConfigError
from jobs.shards import Shard, find_shard, parse_shard

SOURCES = [f"source-{number}" for number in range(500)]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64])
def test_each_source_falls_to_one_shard(count: int) -> None:
    shards = [Shard(index, count) for index in range(count)]
    assert all(sum(shard.has(source) for shard in shards) == 1 for source in SOURCES)
    sizes = [sum(shard.has(source) for source in SOURCES) for shard in shards]
    assert max(sizes) < 2 * len(SOURCES) / count + 10


def test_the_choice_is_the_same_for_ever() -> None:
    found = [next(index for index in range(4) if Shard(index, 4).has(source)) for source in SOURCES[:12]]
    assert found == [3, 0, 3, 0, 0, 3, 3, 3, 3, 2, 2, 1]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"CLOUD_RUN_TASK_INDEX": "2", "CLOUD_RUN_TASK_COUNT": "5"}, "2/5"),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "0", "AWS_BATCH_JOB_ARRAY_SIZE": "3"}, "0/3"),
        ({"SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "1"}, "3/4"),
        (
            {
                "SLURM_ARRAY_TASK_ID": "7",
                "SLURM_ARRAY_TASK_COUNT": "4",
                "SLURM_ARRAY_TASK_MIN": "1",
                "SLURM_ARRAY_TASK_STEP": "2",
            },
            "3/4",
        ),
        (
            {"JOB_COMPLETION_INDEX": "9", "CLOUD_RUN_TASK_INDEX": "1", "CLOUD_RUN_TASK_COUNT": "2"},
            "1/2",
        ),
    ],
)
def test_an_orchestrators_variables_are_read(environment: dict[str, str], expected: str) -> None:
    assert str(find_shard(environment)) == expected


def test_kubernetes_does_not_say_how_many() -> None:
    with pytest.raises(ConfigError, match=r"JOB_COMPLETION_INDEX: found 2, but nothing says of how many.*--shards N"):
        find_shard({"JOB_COMPLETION_INDEX": "2"})
    assert str(find_shard({"JOB_COMPLETION_INDEX": "2"}, count=3)) == "2/3"


def test_no_variable_no_shard() -> None:
    assert find_shard({"PATH": "/bin", "JOB_COMPLETION_INDEX": ""}) is None
    with pytest.raises(ConfigError, match="no variable says which"):
        find_shard({}, count=4)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"CLOUD_RUN_TASK_INDEX": "5", "CLOUD_RUN_TASK_COUNT": "5"}, "expected an index from 0 to 4"),
        ({"CLOUD_RUN_TASK_INDEX": "x", "CLOUD_RUN_TASK_COUNT": "5"}, "found 'x', expected a whole number"),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "0", "AWS_BATCH_JOB_ARRAY_SIZE": "0"}, "expected 1 to"),
        ({"SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MIN": "1"}, "expected an index"),
    ],
)
def test_what_cannot_be_is_said(environment: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        find_shard(environment)


def test_a_shard_by_hand() -> None:
    assert str(parse_shard("0/4")) == "0/4"
    for text in ("4/4", "1", "a/b", "-1/3", "0/0", "1/2/3", "٣/4"):
        with pytest.raises(ConfigError, match="--shard"):
            parse_shard(text)
