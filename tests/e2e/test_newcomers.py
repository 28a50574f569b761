"""From a home page to a running source: `sources add --yes` and `crawl` find the articles of very different sites.

That each site is fair is shown first: a source that somebody writes by hand who knows it finds all its articles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.newcomers import trials
from tests.newcomers.registry import SITES, find_site, number_of
from tests.newcomers.scoring import MOST_REQUESTS
from tests.newcomers.server import Served, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


VARIED = [f"varied_{number}" for number in range(60)]
SAMPLE = {*list(SITES)[::3], *VARIED[:2]}
LOOKED_AT = [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.soak) for name in [*SITES, *VARIED]]
BY_HAND = [*list(SITES)[::6], *(pytest.param(name, marks=pytest.mark.soak) for name in [*SITES, *VARIED])]


@pytest.fixture
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    with serve(find_site(request.param), number_of(request.param)) as served:
        yield served


@pytest.mark.parametrize("served", BY_HAND, indirect=True)
def test_who_knows_the_site_finds_its_articles(served: Served, tmp_path: Path) -> None:
    ofrecord = trials.prepare(tmp_path, resolve=served.resolve)
    trials.describe(ofrecord, served.site.source)
    score = trials.crawl(ofrecord, served)
    assert (score.found, score.wrong) == (score.articles, ())


@pytest.mark.parametrize("served", LOOKED_AT, indirect=True)
def test_sources_add_finds_its_articles(served: Served, tmp_path: Path) -> None:
    ofrecord = trials.prepare(tmp_path, resolve=served.resolve)
    added = trials.add(ofrecord, served.site.home, "--json")
    asked = len(served.requests)
    assert added.json()["requests"] == asked <= MOST_REQUESTS
    ofrecord("sources", "validate")
    score = trials.crawl(ofrecord, served, requests=asked)
    written = (ofrecord.config / "sources" / f"{trials.ID}.yaml").read_text("utf-8")
    assert not score.find_faults(), f"{score.find_faults()}\n{written}"
    assert yaml.safe_load(written)["home"] == served.site.home or served.site.pages[served.site.home].status == 302
