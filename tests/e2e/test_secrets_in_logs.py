"""A crawl into a bucket, told to log all there is: none of its secrets is in what it says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.crawls import Answer, page, serve_site
from tests.installation import Ofrecord, install_on_s3

if TYPE_CHECKING:
    from pathlib import Path

    from tests.seaweed import S3Server

TOKEN, COOKIE = "g4zette-t0ken/with+signs==", "session=c00kie-of-the-reader"


def test_at_debug_too_no_secret_is_logged(tmp_path: Path, s3_server: S3Server) -> None:
    with serve_site() as site:
        root = site.root
        links = "".join(f"<item><link>{root}{path}</link></item>" for path in ("/2026/1?token=pagesecret1", "/2026/2"))
        site.answers["/feed"] = Answer(
            f"<rss><channel>{links}</channel></rss>".encode(), media_type="application/rss+xml"
        )
        site.answers["/2026/1?token=pagesecret1"] = Answer(page("One"), headers={"Set-Cookie": "id=sitesecret1"})
        there = f"{root}/gone?{TOKEN}"  # a site that says our own secret
        site.answers["/2026/2"] = Answer(b"", 302, headers={"Location": there, "WWW-Authenticate": TOKEN})
        source = {
            "home": root,
            "discover": [{"feed": f"{root}/feed"}],
            "headers": {"Authorization": "Bearer ${GAZETTE_TOKEN}", "Cookie": COOKIE},
        }
        installed = install_on_s3(
            tmp_path, source, s3_server, f"s3://{s3_server.bucket}/masks", endpoint_url=s3_server.endpoint_url
        )
        ofrecord = Ofrecord(installed.config, installed.home, {**installed.environment, "GAZETTE_TOKEN": TOKEN})
        for form in ("json", "text"):
            crawled = ofrecord("crawl", "gazette", "--recheck", "all", "--log-level", "debug", "--log-format", form)
            said = crawled.stderr
            assert f"{root}/2026/1?token=***" in said
            assert f"{root}/gone?***" in said
            assert "botocore" in said
            assert "Authorization" in said
            for secret in (TOKEN, COOKIE, s3_server.secret_key, "pagesecret1", "sitesecret1"):
                assert secret not in said, secret
            assert not re.search(r"Signature(?:=|:\\n|:\s)[0-9a-f]{16}", said)
            assert not re.search(r"Credential=[A-Za-z0-9]", said)
    authorised = {headers.get("Authorization") for _, headers in site.requests}
    assert f"Bearer {TOKEN}" in authorised, "the test's secret was never in use"
