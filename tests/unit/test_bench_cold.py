"""The benchmark of cold storage: a simulated year of rechecks comes to half of its bytes at the most, or less."""

from __future__ import annotations

import pytest

from tests.benchmarks.cold import SITES, live_year, measure

GROUP_BYTES = 256 << 20


@pytest.mark.parametrize("site", SITES)
def test_rechecks_of_some_weeks_come_to_half(site: str) -> None:
    crawls = live_year(8, 20)
    assert sum(len(crawl.looks) for crawl in crawls) > 25
    assert measure(crawls, site, "identity", group_bytes=GROUP_BYTES).ratio <= 0.5


@pytest.mark.soak
@pytest.mark.parametrize("site", SITES)
def test_a_year_of_rechecks_comes_to_half(site: str) -> None:
    assert measure(live_year(250, 365), site, "identity", group_bytes=GROUP_BYTES).ratio <= 0.5
