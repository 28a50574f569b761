"""What a publisher says to robots of a page, in headers and in its head."""

from __future__ import annotations

import pytest

from crawler.directives import MAX_DIRECTIVES, read_directives


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([], ()),
        (["noarchive"], ("noarchive",)),
        (["NoIndex, NOARCHIVE"], ("noindex", "noarchive")),
        (["noindex", "noarchive", "noindex"], ("noindex", "noarchive")),
        (["googlebot: noarchive"], ()),
        (["googlebot: noarchive, nofollow"], ()),
        (["OfRecord: noarchive"], ("noarchive",)),
        (["ofrecordbot: noarchive"], ()),
        (["otherbot: noindex, ofrecord: noarchive, nofollow"], ("noarchive", "nofollow")),
        (["noindex, otherbot: noarchive"], ("noindex",)),
        (["unavailable_after: 25 Jun 2027 15:00:00 PST"], ("unavailable_after: 25 jun 2027 15:00:00 pst",)),
        (["max-image-preview: large, noarchive"], ("max-image-preview: large", "noarchive")),
        ([",, ,"], ()),
        (["x" * 5_000], ("x" * 100,)),
        (["noindex noarchive"], ("noindex noarchive", "noarchive")),
        (["unavailable_after: Fri, 25-Jun-27T15:00:00, noarchive"], None),
    ],
)
def test_header_values(values: list[str], found: tuple[str, ...] | None) -> None:
    directives = read_directives(values, None, "ofrecord")
    if found is None:
        assert "noarchive" in directives
    else:
        assert directives == found


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<meta name="robots" content="noarchive">', ("noarchive",)),
        ("<META CONTENT='NOINDEX,noarchive' NAME=ROBOTS />", ("noindex", "noarchive")),
        ('<meta name="ofrecord" content="noarchive">', ("noarchive",)),
        ('<meta name="googlebot" content="noarchive">', ()),
        ('<meta property="robots" content="noarchive">', ()),
        ('<meta name="robots" content="a">\n<meta name="robots" content="b">', ("a", "b")),
        ('<!-- <meta name="robots" content="noarchive"> -->', ()),
        ('<!-- <meta name="robots" content="noarchive">', ()),
        ('<script>"<meta name=robots content=noarchive>"</script>', ()),
        ("<script>1</script><meta name=robots content=noarchive>", ("noarchive",)),
        ('<body><meta name="robots" content="noarchive">', ()),
        ('</head><meta name="robots" content="noarchive">', ()),
        ('<meta name="robots" content="noarchive"', ()),
        ('<meta name="robots">', ()),
        ('<title>a <body> <!-- b</title><meta name="robots" content="noarchive">', ("noarchive",)),
        ('<!--><meta name="robots" content="noarchive">', ("noarchive",)),
        ('<!-- a --!><meta name="robots" content="noarchive">', ("noarchive",)),
        ('<meta name="x" content="a > b"><meta name="robots" content="noarchive">', ("noarchive",)),
        ('<meta name="robots" content="a>b, no&#97;rchive">', ("a>b", "noarchive")),
        ('<meta name="robots" content="noindex noarchive">', ("noindex noarchive", "noarchive")),
        ("<metadata name=robots content=noarchive>", ()),
    ],
)
def test_meta_tags(html: str, found: tuple[str, ...]) -> None:
    assert read_directives([], html, "ofrecord") == found


def test_headers_and_page_count_together_up_to_a_limit() -> None:
    many = ",".join(f"d{number}" for number in range(50))
    found = read_directives(["noarchive"], f"<meta name=robots content='{many}'>", "ofrecord")
    assert found[:2] == ("noarchive", "d0")
    assert len(found) == MAX_DIRECTIVES
    late = read_directives([f"{many},noarchive"], None, "ofrecord")
    assert len(late) == MAX_DIRECTIVES
    assert "noarchive" in late


@pytest.mark.parametrize(
    "piece", ["<script>", "<!--", "<meta ", "<meta name=robots content=a ", "<style></style>", "a=" * 50]
)
def test_hostile_heads_end(piece: str) -> None:
    assert isinstance(read_directives([], piece * 100_000, "ofrecord"), tuple)
