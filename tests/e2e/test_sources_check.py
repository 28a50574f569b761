"""`sources check`: nothing to say of a site that is as it was; what to mend, as a diff, of one that was rebuilt."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ExitCode
from config.sources import load_source
from tests.newcomers import announcements as write
from tests.newcomers import trials
from tests.newcomers.desk import RSS, Answer, Desk, Newcomer
from tests.newcomers.server import Served, serve

if TYPE_CHECKING:
    from pathlib import Path

    from tests.installation import Ofrecord

pytestmark = pytest.mark.slow
_ADDRESS = 83
_DATES = re.compile(r'"date(?:Published|Modified)": ?"[^"]*",? ?|<time[^>]*>[^<]*</time>|<meta[^>]*_time"[^>]*>')


def build(root: str, *, folder: str = "story", feed: str = "/rss.xml", dated: bool = True) -> Newcomer:
    desk = Desk("Tolmere Echo", root, "en", "schema", 40, 5, lambda story: f"/{folder}/{story.slug}-{story.key}")
    desk.frame.menu = [(f"/{key}/", text) for key, text in desk.frame.tongue.sections.items()]
    desk.frame.head = f'<link rel="alternate" type="application/rss+xml" href="{feed}">'
    desk.put_house()
    desk.put_articles()
    if not dated:
        for url in desk.site.articles:
            desk.put(url, _DATES.sub("", desk.site.pages[url].body.decode()).encode())
    desk.put("/", desk.frame.listing("Tolmere Echo", desk.entries[:12]))
    for key, text in desk.frame.tongue.sections.items():
        desk.put(f"/{key}/", desk.frame.listing(text, desk.of_section(key)))
    desk.put(feed, write.write_rss("Tolmere Echo", root, desk.entries[:25]), RSS)
    return desk.finish({"feed": feed}, include=[rf"^{root}/{folder}/"])


def rebuild(served: Served, **how: Any) -> None:
    served.site.pages.clear()
    served.site.pages.update(build(served.site.home.rstrip("/"), **how).pages)


def look(ofrecord: Ofrecord, code: int) -> dict[str, Any]:
    data: dict[str, Any] = ofrecord("sources", "check", trials.ID, "--json", code=code).json()
    return data


def test_a_site_that_changes(tmp_path: Path) -> None:
    with serve(build, _ADDRESS) as served:
        ofrecord = trials.prepare(tmp_path, resolve=served.resolve)
        trials.add(ofrecord, served.site.home)
        path = ofrecord.config / "sources" / f"{trials.ID}.yaml"
        before = path.read_bytes()

        first = look(ofrecord, ExitCode.DONE)
        assert (first["last_check"], first["needs_hand"], first["diff"]) == (None, False, None)
        trials.crawl(ofrecord, served)
        again = look(ofrecord, ExitCode.DONE)
        assert again["last_check"] == first["looked_at"]
        assert not [one for one in again["findings"] if one["hand"]]

        rebuild(served, folder="news", feed="/feeds/all.xml")
        changed = look(ofrecord, ExitCode.UNWELL)
        kinds = {one["kind"] for one in changed["findings"] if one["hand"]}
        assert {"dead_feed", "patterns_miss"} <= kinds
        assert "at the last check it had 25 articles" in str(changed["findings"])
        assert f"+  - feed: {served.site.home}feeds/all.xml" in changed["diff"]
        assert path.read_bytes() == before  # it is suggested, not done

        diff = ofrecord("sources", "check", trials.ID, "--diff", code=ExitCode.UNWELL).stdout
        subprocess.run(["patch", str(path)], input=diff.encode(), check=True, capture_output=True)
        comments = [line for line in before.splitlines() if line.lstrip().startswith(b"#")]
        assert set(comments) <= set(path.read_bytes().splitlines())
        source = load_source(path)
        assert source.is_article(f"{served.site.home}news/something-new-happened-in-town-2000001")
        mended = look(ofrecord, ExitCode.DONE)
        assert not [one for one in mended["findings"] if one["kind"].startswith("dead")]


def test_fields_that_are_lost_and_a_section_that_moved(tmp_path: Path) -> None:
    with serve(build, _ADDRESS) as served:
        ofrecord = trials.prepare(tmp_path, resolve=served.resolve)
        home = served.site.home
        key = next(iter({url.split("/")[3] for url in served.site.pages if url.count("/") == 4 and url.endswith("/")}))
        trials.describe(
            ofrecord,
            {
                "name": "Tolmere Echo",
                "home": home,
                "discover": [{"feed": f"{home}rss.xml"}, {"section": f"{home}{key}/"}],
                "articles": {"include": [r"/story/[^/?]+-\d+$"]},
            },
        )
        look(ofrecord, ExitCode.DONE)
        rebuild(served, dated=False)
        moved = served.site.pages.pop(f"{home}{key}/")
        served.site.pages[f"{home}desk/{key}/"] = moved
        served.site.pages[f"{home}{key}/"] = Answer(status=301, headers=(("Location", f"/desk/{key}/"),))
        found = {one["kind"]: one for one in look(ofrecord, ExitCode.UNWELL)["findings"]}
        assert found["field_lost"]["hand"]
        assert "have a time of publication" in found["field_lost"]["text"]
        assert not found["moved_section"]["hand"]
        assert found["moved_section"]["edit"]


def test_a_site_that_is_down(tmp_path: Path) -> None:
    with serve(build, _ADDRESS) as served:
        ofrecord = trials.prepare(tmp_path, resolve=served.resolve)
        trials.add(ofrecord, served.site.home)
        first = look(ofrecord, ExitCode.DONE)
        served.site.pages.clear()
        served.site.otherwise = lambda _: Answer(b"down", 503)
        look(ofrecord, ExitCode.UNWELL)
        data = look(ofrecord, ExitCode.UNWELL)
        assert data["last_check"] == first["looked_at"]  # what was there then is not forgotten
        assert any("503" in one["text"] or "robots.txt" in one["text"] for one in data["findings"])
        assert data["diff"] is None
