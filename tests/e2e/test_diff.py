"""What `ofrecord diff` shows of an archive, in each of its forms, by the real command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.site.pages import SEED_URL
from tests.terminals import measure_cells

if TYPE_CHECKING:
    from tests.installation import Ofrecord
    from tests.site.server import Site

ENGLISH = "almayadeen-english"
LIVE_URL = "https://english.almayadeen.net/live-coverage/live--book-fair-in-the-harbour-hall"


def test_a_diff_in_each_form(ofrecord: Ofrecord, site: Site) -> None:
    ofrecord("init")
    ofrecord("crawl", ENGLISH)
    site.phase, site.live = "edited", 2
    ofrecord("crawl", ENGLISH, "--recheck", "all")

    side = ofrecord("diff", SEED_URL, "--side").stdout.split("\n")
    assert any("│" in line and line.startswith("- ") for line in side)
    assert max(measure_cells(line) for line in side[2:]) <= 120
    page = ofrecord("diff", SEED_URL, "--format", "html").stdout
    snapshot = ofrecord("show", SEED_URL, "--format", "json").json()
    assert page.startswith("<!DOCTYPE html>\n")
    assert page.endswith("</html>\n")
    assert snapshot["text_digest"] in page
    assert "<del>" in page
    assert "<ins>" in page
    both = [ofrecord("diff", SEED_URL, *form).stdout for form in (["--json"], ["--format", "json"])]
    assert both[0] == both[1]
    refused = ofrecord("diff", SEED_URL, "--side", "--format", "html", code=2)
    assert "--side" in refused.stderr

    live = ofrecord("diff", LIVE_URL, "--json").json()
    told = {change: [post["id"] for post in posts] for change, posts in live["posts"].items()}
    assert told == {"added": ["u1325"], "changed": ["u1240"], "removed": []}
    kinds = {edit["kind"] for edit in live["edits"]}
    assert {"live_append", "post_changed", "number"} <= kinds
    assert not kinds & {"paragraph_added", "paragraph_removed"}
    shown = ofrecord("diff", LIVE_URL).stdout
    assert "posts: 1 added · 1 changed" in shown
    assert "+ 13:25 · The fair will stay open until 22:00, organizers say." in shown
    assert ofrecord("show", LIVE_URL, "--format", "json").json()["fields"]["partial"]["value"] is True
    assert (
        ofrecord("history", LIVE_URL).stdout.count("in part: older posts are held back")
        == sum(capture["partial"] for capture in ofrecord("history", LIVE_URL, "--json").rows())
        > 0
    )
