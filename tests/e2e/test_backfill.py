"""The past of a source out of web archives: pywb's, and one that answers as the Wayback Machine does."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from crawler.rows import CaptureRow
from tests.crawls import page, serve_site
from tests.histories import check_archive, read_histories, read_segment
from tests.installation import Ofrecord, install
from tests.webarchives import Past, Wayback, serve_pywb, serve_wayback, story, write_warc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SITE = "https://www.gazette.example"
SOURCE = {
    "home": f"{SITE}/",
    "discover": [{"feed": f"{SITE}/rss.xml"}],
    "articles": {"include": [r"/20\d\d/\d\d/"]},
}


def url_of(number: int) -> str:
    return f"{SITE}/2020/{number % 12 + 1:02}/story-{number}"


def make_past(number: int) -> list[Past]:
    """Four captures of an article, two in a row of each of its two texts."""
    month, url = f"{number % 12 + 1:02}", url_of(number)
    first, second = story(f"{number}ville"), story(f"{number}ville", "The work was finished a year late.")
    return [
        Past(url, f"2020{month}02030405", first),
        Past(url, f"2020{month}03030405", first),
        Past(url, f"2021{month}02030405", second),
        Past(url, f"2022{month}02030405", second),
    ]


PASTS = [past for number in range(12) for past in make_past(number)]
OTHERS = [
    Past(f"{SITE}/about", "20200102030405", story("about")),
    Past("https://other.example/2020/01/story", "20200102030405", story("other")),
    Past(url_of(0), "20230102030405", b"gone", "404 Not Found"),
    Past(f"{SITE}/2020/01/photo", "20200102030405", b"\xff\xd8", headers=(("Content-Type", "image/jpeg"),)),
]
WANTED = sorted(
    past.stamp for past in PASTS if past.stamp[:4] == "2021" or past.stamp[:4] + past.stamp[6:8] == "202002"
)


@pytest.fixture(scope="module")
def pywb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("pywb")
    warc = folder / "past.warc.gz"
    write_warc(warc, [*PASTS, *OTHERS])
    with serve_pywb(folder, [warc]) as root:
        yield root


@pytest.fixture
def wayback() -> Iterator[Wayback]:
    with serve_wayback([*PASTS, *OTHERS]) as running:
        yield running


def installed(folder: Path, *archives: str, **settings: Any) -> Ofrecord:
    gentle: dict[str, Any] = {"backfill_network": "private", "backfill_delay_seconds": 0}
    return install(folder, SOURCE, web_archives=list(archives), **(gentle | settings))


def cdx_of(root: str) -> str:
    return f"cdx={root}/cdx replay={root}/"


def list_captures(folder: Path) -> list[CaptureRow]:
    segments = sorted(folder.glob("archive/segments/*/*/*.warc.gz"))
    return [row for path in segments for row in read_segment(path) if isinstance(row, CaptureRow)]


def list_stamps(folder: Path) -> list[str]:
    return sorted(f"{row.captured_at:%Y%m%d%H%M%S}" for row in list_captures(folder))


def test_pywb_brings_the_past_in_with_its_own_times(tmp_path: Path, pywb: str) -> None:
    ofrecord = installed(tmp_path, cdx_of(pywb))
    report = ofrecord("backfill", "gazette", "--json").json()
    [archive] = report["archives"]
    assert (archive["kept"], archive["texts"], archive["done"], archive["refused"]) == (24, 24, True, {})
    assert report["reason"] == "finished"
    assert list_stamps(tmp_path) == WANTED
    for row in list_captures(tmp_path):
        assert row.origin is not None
        assert (row.origin.kind, row.status, row.page_class) == ("backfilled", 200, "article")
        assert row.origin.where == f"{pywb}/{row.captured_at:%Y%m%d%H%M%S}id_/{row.url}"
        assert row.warc is not None
        assert row.warc.request is None
    histories = read_histories(tmp_path / "archive")
    assert {histories["gazette", url_of(number)] for number in range(12)} == {
        (("new", 1, "article"), ("revised", 2, "article"))
    }
    assert not check_archive(tmp_path / "archive").damaged
    ofrecord("verify", "--full", "--rederive")
    shown = ofrecord("history", url_of(0)).stdout
    assert "2020-01-02 03:04:05Z  new" in shown
    assert "2021-01-02 03:04:05Z  revised" in shown
    assert f"; backfilled from {pywb}/20210102030405id_/{url_of(0)}" in shown


def test_what_was_asked_for_is_not_asked_for_again(tmp_path: Path, pywb: str) -> None:
    ofrecord = installed(tmp_path, cdx_of(pywb))
    first = ofrecord("backfill", "gazette", "--json").json()
    assert ofrecord("backfill", "gazette", "--json").json()["requests"] < 4
    again = ofrecord("backfill", "gazette", "--again", "--json").json()
    assert again["archives"][0] | {"listed": 0} == {
        **first["archives"][0],
        "listed": 0,
        "had": 24,
        "kept": 0,
        "texts": 0,
        "oldest": None,
        "newest": None,
    }
    every = ofrecord("backfill", "gazette", "--every", "--json").json()["archives"][0]
    assert (every["had"], every["kept"]) == (24, 24)
    assert len(list_stamps(tmp_path)) == len({*list_stamps(tmp_path)}) == 48
    histories = read_histories(tmp_path / "archive")
    assert [verdict for verdict, *_ in histories["gazette", url_of(3)]] == ["new", "unchanged", "revised", "unchanged"]


def test_timemaps_bring_of_each_text_one_copy(tmp_path: Path, pywb: str) -> None:
    ofrecord = installed(tmp_path, f"timemap={pywb}/timemap/link/")
    urls = tmp_path / "urls.txt"
    urls.write_text("".join(f"{url_of(number)}\n" for number in range(3)) + f"{SITE}/2020/01/never\n")
    report = ofrecord("backfill", "gazette", "--urls", urls, "--json").json()
    [archive] = report["archives"]
    assert (archive["listed"], archive["done"], archive["error"]) == (13, True, None)
    histories = read_histories(tmp_path / "archive")
    for number in range(1, 3):
        verdicts = [verdict for verdict, *_ in histories["gazette", url_of(number)]]
        assert verdicts[0] == "new"
        assert verdicts.count("revised") == 1
    assert ofrecord("backfill", "gazette", "--urls", urls, "--json").json()["requests"] == 0
    # the articles that are had are asked for where no list is given
    more = ofrecord("backfill", "gazette", "--every", "--json").json()["archives"][0]
    assert (more["listed"], more["had"] + more["kept"]) == (13, 13)


def test_timemaps_are_asked_for_the_pages_of_a_list_in_their_normal_form(tmp_path: Path, wayback: Wayback) -> None:
    ofrecord = installed(tmp_path, wayback.timemaps)
    urls = tmp_path / "urls.txt"
    urls.write_text(f"# ours\n\n{url_of(1).replace('www', 'WWW')}?utm_source=list#top\n{url_of(1)}\n{url_of(2)}\n")
    [archive] = ofrecord("backfill", "gazette", "--urls", urls, "--json").json()["archives"]
    assert (archive["error"], archive["done"], archive["listed"]) == (None, True, 8)
    assert wayback.timemaps_asked == [url_of(1), url_of(2)]


def test_timemaps_are_asked_for_pages_below_some_urls_only(tmp_path: Path, wayback: Wayback) -> None:
    ofrecord = installed(tmp_path, f" {wayback.timemaps}", wayback.setting)
    ofrecord("backfill", "gazette", "--web-archive", wayback.setting)
    [archive, _] = ofrecord("backfill", "gazette", "--below", f"{SITE}/2020/03/", "--json").json()["archives"]
    assert (archive["listed"], wayback.timemaps_asked) == (4, [url_of(2)])


def test_the_wayback_machine_is_asked_page_by_page(tmp_path: Path, wayback: Wayback) -> None:
    ofrecord = installed(tmp_path, wayback.setting)
    report = ofrecord("backfill", "gazette", "--json").json()
    assert list_stamps(tmp_path) == WANTED == sorted(wayback.copies_asked)
    assert report["archives"][0]["done"]
    assert any("resumeKey" in target for target in wayback.asked)
    assert wayback.asked[0] == "/robots.txt"
    heads = {row.url: row for row in list_captures(tmp_path)}
    assert heads[url_of(0)].media_type == "text/html"


def test_newest_first_within_budget_and_the_next_run_goes_on(tmp_path: Path, wayback: Wayback) -> None:
    ofrecord = installed(tmp_path, wayback.setting)
    first = ofrecord("backfill", "gazette", "--max-pages", "7", "--json").json()
    assert (first["reason"], first["archives"][0]["kept"], first["archives"][0]["done"]) == ("limit", 7, False)
    assert list_stamps(tmp_path) == WANTED[-7:]
    second = ofrecord("backfill", "gazette", "--max-requests", "12", "--json").json()
    assert (second["reason"], second["requests"]) == ("limit", 12)
    while ofrecord("backfill", "gazette", "--max-requests", "25", "--json").json()["reason"] == "limit":
        pass
    assert list_stamps(tmp_path) == WANTED
    assert sorted(wayback.copies_asked) == WANTED  # none twice
    assert len({*list_stamps(tmp_path)}) == len(WANTED)


def test_a_range_of_time_and_a_part_of_the_site(tmp_path: Path, wayback: Wayback) -> None:
    ofrecord = installed(tmp_path, wayback.setting)
    ofrecord("backfill", "gazette", "--from", "2020-03-01", "--to", "2020-06-02T03:04:05Z")
    assert list_stamps(tmp_path) == [stamp for stamp in WANTED if "20200301" <= stamp < "20200602030405"]
    ofrecord("backfill", "gazette", "--below", f"{SITE}/2020/01/")
    assert {row.url for row in list_captures(tmp_path) if row.captured_at.year == 2021} == {url_of(0)}
    ofrecord("backfill", "gazette")
    assert list_stamps(tmp_path) == WANTED


@pytest.mark.slow
def test_killed_and_begun_again_nothing_is_lost_or_had_twice(tmp_path: Path, wayback: Wayback) -> None:
    ofrecord = installed(tmp_path, wayback.setting)
    wayback.delay_seconds = 0.15
    for number in (2, 9, 15):
        process = ofrecord.start("backfill", "gazette")
        end = time.monotonic() + 60
        while len(wayback.copies_asked) < number and time.monotonic() < end:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        time.sleep(1.0)  # the child, whose parent is dead, ends by itself
    wayback.delay_seconds = 0
    report = ofrecord("backfill", "gazette", "--json").json()
    assert report["archives"][0]["done"]
    assert list_stamps(tmp_path) == WANTED
    ofrecord("verify", "--full")


def test_stopped_it_ends_in_good_order(tmp_path: Path, wayback: Wayback) -> None:
    ofrecord = installed(tmp_path, wayback.setting)
    wayback.delay_seconds = 0.2
    process = ofrecord.start("backfill", "gazette")
    end = time.monotonic() + 60
    while len(wayback.copies_asked) < 4 and time.monotonic() < end:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "captures kept" in stdout
    assert len(list_stamps(tmp_path)) >= 3
    wayback.delay_seconds = 0
    ofrecord("backfill", "gazette")
    assert list_stamps(tmp_path) == WANTED


def test_what_is_busy_comes_with_the_next_run(tmp_path: Path, wayback: Wayback) -> None:
    ofrecord = installed(tmp_path, wayback.setting)
    wayback.busy[WANTED[5]] = 1
    report = ofrecord("backfill", "gazette", "--json").json()["archives"][0]
    assert (report["done"], report["refused"]) == (False, {"the archive answered 503": 1})
    report = ofrecord("backfill", "gazette", "--json").json()["archives"][0]
    assert (report["done"], report["kept"]) == (True, 1)
    assert list_stamps(tmp_path) == WANTED


def test_an_archive_that_is_unwell_is_left_alone_and_the_next_one_asked(
    tmp_path: Path, wayback: Wayback, pywb: str
) -> None:
    wayback.broken = True
    ofrecord = installed(tmp_path, wayback.setting, cdx_of(pywb))
    result = ofrecord("backfill", "gazette", "--json").json()
    assert "no list of copies" in result["archives"][0]["error"]
    assert result["archives"][1]["kept"] == 24
    wayback.broken = False
    wayback.busy.update({past.stamp: 99 for past in PASTS})
    wayback.busy_status = 500  # after each 503, who asks would wait twice as long
    alone = ofrecord("backfill", "gazette", "--every", "--web-archive", wayback.setting, "--json", code=3).json()
    assert "5 copies in a row" in alone["archives"][0]["error"]
    assert len(wayback.copies_asked) == 5


def test_an_index_that_is_overtaxed_is_asked_for_less(tmp_path: Path, wayback: Wayback) -> None:
    wayback.overtaxed_days = 100
    ofrecord = installed(tmp_path, wayback.setting)
    report = ofrecord("backfill", "gazette", "--from", "2020-01-01", "--to", "2020-12-31", "--json").json()
    assert report["archives"][0]["done"]
    assert list_stamps(tmp_path) == [stamp for stamp in WANTED if stamp.startswith("2020")]


def test_an_index_that_knows_no_times_is_believed_in_each_window_for_what_is_of_it(
    tmp_path: Path, wayback: Wayback
) -> None:
    wayback.timeless, wayback.lines = True, 1_000
    ofrecord = installed(tmp_path, wayback.setting)
    report = ofrecord("backfill", "gazette", "--json").json()["archives"][0]
    assert (report["done"], report["chosen"], report["kept"]) == (True, 24, 24)
    assert list_stamps(tmp_path) == WANTED == sorted(wayback.copies_asked)


def test_the_past_joins_what_a_crawl_has(tmp_path: Path) -> None:
    with serve_site() as site:
        site.publish(2)
        url = f"{site.root}/2026/0"
        pasts = [Past(url, "20260102030405", story("Old")), Past(url, "20260302030405", page("Page /2026/0"))]
        with serve_wayback(pasts) as wayback:
            gentle: dict[str, Any] = {"backfill_network": "private", "backfill_delay_seconds": 0}
            ofrecord = install(tmp_path, {**site.describe_source(), "web_archives": [wayback.setting]}, **gentle)
            ofrecord("crawl", "gazette")
            ofrecord("backfill", "gazette")
        histories = read_histories(tmp_path / "archive")
        assert [verdict for verdict, *_ in histories["gazette", url]] == ["new", "revised", "unchanged"]
        assert "2026-01-02 03:04:05Z  new" in ofrecord("history", url).stdout
        ofrecord("crawl", "gazette")
        for words in (("verify", "--full", "--rederive"), ("index", "--rebuild"), ("tables", "build"), ("status",)):
            ofrecord(*words, code=None if words == ("status",) else 0)
        assert "2026-01-02 03:04:05Z  new" in ofrecord("history", url).stdout
        assert not check_archive(tmp_path / "archive").damaged


def test_other_patterns_list_anew(tmp_path: Path, wayback: Wayback) -> None:
    ofrecord = installed(tmp_path, wayback.setting)
    path = tmp_path / "config" / "sources" / "gazette.yaml"
    whole = path.read_text("utf-8")
    path.write_text(whole.replace(r"/20\d\d/\d\d/", "/2020/01/"), "utf-8")
    ofrecord("backfill", "gazette")
    assert {row.url for row in list_captures(tmp_path)} == {url_of(0)}
    path.write_text(whole, "utf-8")
    ofrecord("backfill", "gazette")
    assert list_stamps(tmp_path) == WANTED


def test_a_copy_of_another_time_or_page_is_none(tmp_path: Path, wayback: Wayback) -> None:
    ofrecord = installed(tmp_path, wayback.setting)
    moved = wayback.pasts[0]
    index = wayback.answer_index
    # the index names a copy that replay answers with a redirect to another time
    wayback.answer_index = lambda query: index(query).replace(moved.stamp.encode(), moved.stamp.encode()[:-1] + b"7")  # type: ignore[method-assign]
    report = ofrecord("backfill", "gazette", "--json").json()["archives"][0]
    assert report["refused"] == {"the archive has no such copy": 1}
    assert moved.stamp not in list_stamps(tmp_path)


def test_robots_txt_of_the_archive_is_obeyed(tmp_path: Path, wayback: Wayback) -> None:
    wayback.robots = b"User-agent: *\nDisallow: /web/\n"
    ofrecord = installed(tmp_path, wayback.setting)
    report = ofrecord("backfill", "gazette", "--json").json()["archives"][0]
    assert (report["kept"], report["refused"]) == (0, {"robots.txt forbids it": 24})
    assert not wayback.copies_asked


def test_no_archive_on_a_private_address_unless_the_settings_say_so(tmp_path: Path, wayback: Wayback) -> None:
    ofrecord = installed(tmp_path, wayback.setting, backfill_network="public", backfill_delay_seconds=1)
    result = ofrecord("backfill", "gazette", "--json", code=3).json()
    assert "is not a public address" in result["archives"][0]["error"]
    assert "the setting `backfill_network: private`" in result["archives"][0]["error"]
    assert not wayback.asked


def test_no_secret_of_the_source_goes_to_an_archive(tmp_path: Path, wayback: Wayback) -> None:
    gentle: dict[str, Any] = {"backfill_network": "private", "backfill_delay_seconds": 0}
    secrets = {"headers": {"Authorization": "Bearer ${TOKEN}"}, "cookies": {"session": "${TOKEN}"}}
    source = {**SOURCE, **secrets, "web_archives": [wayback.setting]}
    ofrecord = install(tmp_path, source, environment={"TOKEN": "swordfish"}, **gentle)
    ofrecord("backfill", "gazette", "--max-pages", "1")
    assert not any("swordfish" in head for head in wayback.heads)
    assert len(wayback.copies_asked) == 1
    assert "swordfish" not in "".join(path.read_text("utf-8", "replace") for path in tmp_path.glob("state/**/*.json"))


def test_without_an_archive_it_says_what_to_set(tmp_path: Path) -> None:
    ofrecord = installed(tmp_path)
    assert "set web_archives" in ofrecord("backfill", "gazette", code=2).stderr
    wrong = ofrecord("backfill", "gazette", "--web-archive", "https://archive.example/", code=2)
    assert "cdx=URL replay=URL, or timemap=URL" in wrong.stderr
    assert (
        "not before --to"
        in ofrecord("backfill", "gazette", "--from", "2020-01-02", "--to", "2020-01-01", code=2).stderr
    )


def test_out_of_time_it_ends_at_a_limit(tmp_path: Path, wayback: Wayback) -> None:
    ofrecord = installed(tmp_path, wayback.setting, max_run_seconds=8)
    wayback.delay_seconds = 1.0
    report = ofrecord("backfill", "gazette", "--json").json()
    assert (report["reason"], report["archives"][0]["done"]) == ("limit", False)
    assert 0 < report["archives"][0]["kept"] < 24
