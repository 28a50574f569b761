from __future__ import annotations

import pytest

from crawler.sites import Sites


@pytest.mark.parametrize(
    ("known", "url", "same"),
    [
        ("https://gazette.example/", "http://gazette.example:8080/x", True),
        ("https://gazette.example/", "https://WWW.Gazette.example/", True),
        ("https://www.gazette.example/", "https://gazette.example/", True),
        ("https://www.gazette.example/", "https://maps.gazette.example/", True),
        ("https://maps.gazette.example/", "https://gazette.example/", True),
        ("https://maps.gazette.example/", "https://www.gazette.example/", True),
        ("https://a.b.gazette.example/", "https://gazette.example/", True),
        ("https://maps.gazette.example/", "https://news.gazette.example/", False),
        ("https://gazette.example/", "https://notgazette.example/", False),
        ("https://gazette.example/", "https://gazette.example.evil/", False),
        ("https://gazette.example/", "https://example/", False),
        ("https://gazette.example/", "https://other.example/", False),
        ("https://gazette.example/", "https://[::1]/", False),
        ("http://[::1]/", "http://[::1]:8080/", True),
        ("http://127.0.0.1/", "http://127.0.0.1:81/", True),
        ("http://127.0.0.1/", "http://10.0.0.1/", False),
        ("http://localhost/", "http://localhost/x", True),
        ("https://bücher.example/", "https://karten.xn--bcher-kva.example/x", True),
        ("https://xn--bcher-kva.example/", "https://BÜCHER.example/x", True),
        ("https://gazette.example/", "https://[", False),
        ("https://gazette.example/", "", False),
    ],
)
def test_what_one_site_is(known: str, url: str, *, same: bool) -> None:
    assert (url in Sites([known])) is same
    assert (url in Sites(["https://unrelated.test/", known])) is same


def test_no_site_has_no_hosts() -> None:
    assert "https://gazette.example/" not in Sites([])
    assert "" not in Sites(["", "mailto:me@gazette.example"])
