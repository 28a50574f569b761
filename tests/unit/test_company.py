"""What goes on beside the daemon: which of it the settings ask for, and how long a source may go without a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.settings import Settings
from jobs.catalog import Catalog
from jobs.cli.company import find_longest_gap, open_company
from jobs.context import CATALOG_FILE
from jobs.heads.keeper import HeadKeeper
from tests.daemons import NOON, make_source

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3_600.0


@pytest.mark.parametrize(
    ("schedule", "least", "most"),
    [
        ("every 30 minutes", 0.5, 0.5),
        ("every 12 hours", 12, 12),
        ("cron 0 6 * * *", 24, 24),
        ("cron */10 8-18 * * *", 13 + 1 / 6, 13 + 1 / 6),
        ("cron 0 6 * * mon", 168, 168),
        ("cron 0 6 * * mon-fri", 72, 72),
        ("cron 30 2 1 1 *", 8_760, 4 * 8_784),
        ("cron * * * * *", 1 / 60, 1 / 60),
    ],
)
def test_the_longest_gap_of_a_schedule(schedule: str, least: float, most: float) -> None:
    assert least - 0.01 <= find_longest_gap(make_source(schedule)) / HOUR <= most + 0.01


def test_a_daemon_without_a_port_addresses_and_heads_is_alone(tmp_path: Path) -> None:
    with open_company(Settings(metrics_listen="off", heads_seconds=0), tmp_path) as company:
        company.take_in([make_source("every 30 minutes")])
        assert (company.observers, company.pulse) == ([], None)


def test_heads_are_kept_beside_the_daemon_by_default(tmp_path: Path) -> None:
    with open_company(Settings(metrics_listen="off"), tmp_path) as company:
        assert [type(one) for one in company.observers] == [HeadKeeper]


def test_figures_follow_what_is_crawled(tmp_path: Path) -> None:
    with (
        Catalog.open(tmp_path / CATALOG_FILE),
        open_company(Settings(metrics_listen="127.0.0.1:0", heads_seconds=0), tmp_path) as company,
    ):
        assert company.figures is not None
        assert company.observers == [company.figures]
        assert company.pulse is not None
        company.take_in([make_source("every 30 minutes"), make_source("cron 0 6 * * *", "herald")])
        company.figures.tick(NOON)
        registry = company.figures.registry
        assert registry.get_sample_value("ofrecord_schedule_interval_seconds", {"source": "herald"}) == 24 * HOUR
        assert registry.get_sample_value("ofrecord_health_state", {"source": "gazette", "state": "ok"}) is not None
        assert company.figures.standing.sources == 2
