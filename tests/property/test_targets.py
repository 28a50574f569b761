"""Addresses that are resolved without `urljoin` come out as it gives them."""

from __future__ import annotations

from urllib.parse import urljoin

from hypothesis import assume, given
from hypothesis import strategies as st

from crawler.extract.fields.targets import resolve

BASES = (
    "https://gazette.example/",
    "http://gazette-1.example:8080/news/2026?page=2#top",
    "https://Gazette.example/news",
    "https://gazette.example",
    "http://gazette.example:/news",
    "https://reader@gazette.example/news",
)


@given(st.sampled_from(BASES), st.text("/.ab1?=&:;#%~@+,-_é \t", max_size=12))
def test_a_path_is_put_behind_the_origin_as_urljoin_does(base: str, rest: str) -> None:
    target = f"/{rest}".strip()
    assume(not target.startswith("//"))  # another host, or none

    assert resolve(base, target) == urljoin(base, target)
