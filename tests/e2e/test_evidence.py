"""An article's evidence by the real commands: crawled, edited, signed, cited, checked, tampered with; the recipe of
FORMAT.md run as it stands there, where nothing of ours is; the report as a reader sees it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from html import unescape
from typing import TYPE_CHECKING

import pytest

from tests.browsers import needs_browser
from tests.bundles import edit_manifest, read_parts, repack
from tests.crawls import Answer, Site, page
from tests.installation import OFRECORD, ROOT, Ofrecord, install
from tests.readers import find_errors, needs_validator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

TOOLS = ("sh", "sha256sum", "openssl", "jq", "zcat", "gzip", "cut", "head", "tail", "tr", "sed", "grep", "mktemp", "rm")
"""What FORMAT.md § 13 asks for; zcat is a script that wants gzip."""
WACZ = ROOT / ".venv" / "wacz" / "bin" / "wacz"
"""See tests/wacz.txt."""
needs_tools = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason="not all of FORMAT.md's tools are installed (jq?)"
)
EDIT = (b"day 3 and agreed", b"day 4 and refused &lt;script&gt;alert(1)&lt;/script&gt;")
TITLE = "The bridge & <b>its</b> cost"


@pytest.fixture(scope="module")
def cited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ofrecord, Path, str, str]]:
    """The command, a bundle of a signed archive, the article's URL and the key's fingerprint."""
    folder = tmp_path_factory.mktemp("cited")
    site = Site()
    try:
        url = f"{site.root}/bridge"
        items = "".join(f"<item><title>x</title><link>{one}</link></item>" for one in (url, f"{site.root}/other"))
        feed = f'<rss version="2.0"><channel><title>x</title>{items}</channel></rss>'
        site.answers["/feed"] = Answer(feed.encode(), media_type="application/rss+xml")
        site.answers["/bridge"] = Answer(
            page(TITLE.replace("&", "&amp;").replace("<", "&lt;")), headers={"ETag": '"1"'}
        )
        site.answers["/other"] = Answer(page("Another matter"))
        source = {"discover": [{"feed": f"{site.root}/feed"}], "home": f"{site.root}/", "language": "en"}
        ofrecord = install(folder, source, signing_key_file=str(folder / "key.pem"))
        key = ofrecord("keys", "new", "--out", folder / "key.pem", "--json").json()
        ofrecord("crawl", "gazette")
        ofrecord("crawl", "gazette", "--recheck", "all")  # 304
        site.answers["/bridge"] = Answer(site.answers["/bridge"].body.replace(*EDIT), headers={"ETag": '"2"'})
        ofrecord("crawl", "gazette", "--recheck", "all")
        ofrecord("cite", url, "--to", folder / "bundle.wacz")
        yield ofrecord, folder / "bundle.wacz", url, str(key["key"])
    finally:
        site.stopping.set()
        site.server.shutdown()
        site.server.server_close()


def check_by_hand(bundle: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Unpack *bundle* and run the recipe of FORMAT.md with its tools alone."""
    section = (ROOT / "jobs" / "FORMAT.md").read_text("utf-8").partition("## 13.")[2]
    recipe = re.search(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert recipe
    assert len(recipe[1].splitlines()) == 10
    tools, unpacked = folder / "tools", folder / "unpacked"
    tools.mkdir(exist_ok=True)
    for tool in TOOLS:
        if not (tools / tool).exists():
            (tools / tool).symlink_to(shutil.which(tool) or "")
    shutil.rmtree(unpacked, ignore_errors=True)
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(unpacked)
    return run_by_hand(recipe[1], folder)


def run_by_hand(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run *script* in the bundle that was unpacked in *folder*, with the recipe's tools alone."""
    return subprocess.run(
        [folder / "tools" / "sh", "-c", script],
        cwd=folder / "unpacked",
        env={"PATH": str(folder / "tools"), "TMPDIR": str(folder)},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_a_bundle_is_sound_and_says_what_it_proves(cited: tuple[Ofrecord, Path, str, str]) -> None:
    _, bundle, url, key = cited
    command = [str(OFRECORD), "verify-bundle", str(bundle), "--trusted-key", key, "--json"]
    nowhere = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    found = subprocess.run(command, capture_output=True, encoding="utf-8", env=nowhere, check=False, timeout=60)
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    assert (told["sound"], told["url"], told["anchored"], told["signed"]) == (True, url, key, True)
    assert [one["text"] for one in told["captures"]] == [1, 1, 2]
    assert [one["status"] for one in told["captures"]] == [200, 304, 200]
    assert all(one["headers_proven"] and one["payload_proven"] for one in told["captures"])
    assert told["proven"][0].startswith("Nothing was altered since it was committed")


def test_people_are_told_and_strangers_keys_are_not_taken(cited: tuple[Ofrecord, Path, str, str]) -> None:
    ofrecord, bundle, url, _ = cited
    found = ofrecord("verify-bundle", bundle)
    assert "not anchored" in found.stdout
    assert found.stdout.startswith(f"{url}\n3 captures, 2 texts")
    refused = ofrecord("verify-bundle", bundle, "--trusted-key", "0" * 64, code=13)
    assert "not signed by the key that is trusted" in refused.stdout
    assert "it proves nothing" in refused.stderr
    ofrecord("verify-bundle", bundle, "--trusted-key", "x", code=2)


@needs_tools
def test_the_recipe_finds_it_sound_and_finds_what_was_altered(
    cited: tuple[Ofrecord, Path, str, str], tmp_path: Path
) -> None:
    _, bundle, _, key = cited
    sound = check_by_hand(bundle, tmp_path)
    assert (sound.returncode, sound.stderr) == (0, "")
    assert sound.stdout == f"key {key}\nsound\n"
    parts = read_parts(bundle)
    for name in sorted(parts):
        if name.startswith(
            ("evidence/report", "evidence/change", "evidence/manifest", "datapackage", "pages/", "indexes/")
        ):
            continue
        wrong = bytearray(parts[name])
        wrong[len(wrong) // 2] ^= 1
        found = check_by_hand(repack(bundle, {name: bytes(wrong)}, tmp_path / "wrong.wacz"), tmp_path)
        assert found.returncode != 0, name
        assert "ALTERED" in found.stdout + found.stderr, name
        assert "sound" not in found.stdout, name
    captures = json.loads(parts["evidence/manifest.json"])["captures"]
    captures[0]["text"], captures[2]["text"] = captures[2]["text"], captures[0]["text"]
    swapped = check_by_hand(edit_manifest(bundle, tmp_path / "wrong.wacz", captures=captures), tmp_path)
    assert swapped.returncode != 0


def test_the_bundle_is_replaced_as_a_whole_or_not(cited: tuple[Ofrecord, Path, str, str], tmp_path: Path) -> None:
    ofrecord, _, url, _ = cited
    target = tmp_path / "b.wacz"
    target.write_bytes(b"as it was")
    ofrecord("cite", f"{url}/nothing", "--to", target, code=2)
    ofrecord("cite", url, "--at", "2020-01-01", "--to", target, code=2)
    assert target.read_bytes() == b"as it was"
    told = ofrecord("cite", url, "--at", "0 s", "--to", target, "--json").json()
    assert told["sound"]
    assert zipfile.is_zipfile(target)
    assert "Archived" in told["citations"]["bibtex"]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["b.wacz"]


def test_others_read_the_bundle(cited: tuple[Ofrecord, Path, str, str], tmp_path: Path) -> None:
    from warcio.archiveiterator import ArchiveIterator

    _, bundle, url, _ = cited
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path)
    with (tmp_path / "archive" / "records.warc.gz").open("rb") as file:
        records = [(one.rec_type, one.rec_headers.get_header("WARC-Target-URI")) for one in ArchiveIterator(file)]
    assert [kind for kind, _ in records] == [
        "warcinfo",
        "response",
        "request",
        "revisit",
        "request",
        "response",
        "request",
    ]
    assert {uri for _, uri in records[1:]} == {url}
    pages = [json.loads(line) for line in (tmp_path / "pages" / "pages.jsonl").read_text("utf-8").splitlines()]
    assert [one["url"] for one in pages[1:]] == [url] * 3


@pytest.fixture(scope="module")
def moved(cited: tuple[Ofrecord, Path, str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Bundles of that archive once it was compacted, once what lies beside was redacted then, and brought back."""
    ofrecord, _, url, _ = cited
    folder = tmp_path_factory.mktemp("moved")
    copy, found = folder / "archive", {}
    shutil.copytree(ofrecord.home.parent / "archive", copy)
    there = ("--archive", copy, "--state", folder / "state")

    def cite(name: str) -> None:
        found[name] = folder / f"{name}.wacz"
        ofrecord("cite", url, "--to", found[name], *there)

    for _ in range(2):
        ofrecord("compact", "gazette", "--before", "0 seconds", "--grace", "0 seconds", *there)
    assert [one.suffix for one in copy.glob("segments/*/*/*")] == [".zst"]
    cite("compacted")
    ofrecord("redact", url.replace("/bridge", "/other"), "--reason", "asked for", "--grace", "0 seconds", *there)
    cite("beside")
    ofrecord("compact", "gazette", "--restore", *there)
    cite("restored")
    return found


@needs_tools
@pytest.mark.parametrize("name", ["compacted", "beside", "restored"])
def test_what_was_compacted_is_proven_to_strangers(
    cited: tuple[Ofrecord, Path, str, str], moved: dict[str, Path], tmp_path: Path, name: str
) -> None:
    ofrecord, before, _, key = cited
    told = ofrecord("verify-bundle", moved[name], "--trusted-key", key, "--json").json()
    assert (told["sound"], told["anchored"], len(told["captures"])) == (True, key, 3)
    assert all(one["headers_proven"] and one["payload_proven"] for one in told["captures"])
    proofs = {(one["brought_by"], one["commit"]["seq"]) for one in told["captures"]}
    assert all(seq == brought for brought, seq in proofs) == (name == "compacted")
    first, parts = read_parts(before), read_parts(moved[name])
    is_first = {
        one["segment"] for one in json.loads(parts["evidence/manifest.json"])["segments"] if not one["moved_by"]
    }
    rows = {one for one in parts if one.startswith("evidence/rows-")}
    assert {one for one in rows if parts[one] == first[one]} == {f"evidence/rows-{one}.warc.gz" for one in is_first}
    assert len(is_first) == 3 if name == "compacted" else len(is_first) < 3
    assert any("put their segments elsewhere" in one for one in told["not_proven"]) == (name != "compacted")
    sound = check_by_hand(moved[name], tmp_path)
    assert (sound.returncode, sound.stderr, sound.stdout) == (0, "", f"key {key}\nsound\n")
    told_commands = re.findall(r"<pre>(.*?)</pre>", parts["evidence/report.html"].decode(), re.DOTALL)[1]
    commands = unescape(told_commands).splitlines()[1:3]  # of the rows, then of the commit that has their digest
    found, stated = (run_by_hand(one, tmp_path).stdout.split()[0].removeprefix("sha256:") for one in commands)
    assert found == stated
    for part in [min(rows), "archive/records.warc.gz"] if name == "beside" else []:
        wrong = bytearray(parts[part])
        wrong[len(wrong) // 2] ^= 1
        forged = repack(moved[name], {part: bytes(wrong)}, tmp_path / "wrong.wacz")
        done = check_by_hand(forged, tmp_path)
        assert done.returncode != 0, part
        assert "ALTERED" in done.stdout + done.stderr, part
        assert "sound" not in done.stdout, part
        ofrecord("verify-bundle", forged, code=13)


@pytest.mark.skipif(not WACZ.exists(), reason="wacz is not installed: `make test` does, in a venv of its own")
def test_what_was_compacted_is_a_valid_wacz(moved: dict[str, Path]) -> None:
    command = [str(WACZ), "validate", "-f", str(moved["beside"])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_validator
def test_others_read_what_was_compacted(moved: dict[str, Path], tmp_path: Path) -> None:
    from warcio.archiveiterator import ArchiveIterator

    for name, path in moved.items():
        with zipfile.ZipFile(path) as archive:
            archive.extractall(tmp_path / name)
        with (tmp_path / name / "archive" / "records.warc.gz").open("rb") as file:
            kinds = [(one.rec_type, one.content_stream().read())[0] for one in ArchiveIterator(file)]
        assert kinds == ["warcinfo", "response", "request", "revisit", "request", "response", "request"]
    report = read_parts(moved["beside"])["evidence/report.html"].decode()
    assert find_errors({"report": report}, tmp_path) == []


@needs_browser
def test_the_report_is_a_page_for_people(
    cited: tuple[Ofrecord, Path, str, str], browser: Browser, tmp_path: Path
) -> None:
    from tests.readers import AXE, find_barriers, picture

    _, bundle, _, key = cited
    text = read_parts(bundle)["evidence/report.html"].decode()
    path = tmp_path / "report.html"
    path.write_text(text, "utf-8")
    shown = browser.new_page()
    requests: list[str] = []
    shown.on("request", lambda request: requests.append(request.url))
    shown.goto(path.as_uri())
    picture(shown, "evidence-report")
    assert requests == [path.as_uri()]
    assert shown.locator("h1").inner_text() == TITLE
    assert "refused <script>alert(1)</script>" in shown.locator("main").inner_text()
    assert "refused <script>alert(1)</script>" in " ".join(shown.locator("ins").all_inner_texts())
    assert key in shown.locator("main").inner_text()
    assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if AXE.is_file():
        assert find_barriers(shown) == []
    shown.close()


@needs_validator
def test_the_report_is_sound_html(cited: tuple[Ofrecord, Path, str, str], tmp_path: Path) -> None:
    text = read_parts(cited[1])["evidence/report.html"].decode()
    assert find_errors({"report": text}, tmp_path) == []
