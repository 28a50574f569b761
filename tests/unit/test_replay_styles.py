"""Addresses in style sheets are replaced wherever a browser would take them for one, and nowhere else."""

from __future__ import annotations

import pytest

from crawler.replay.styles import MAX_CHARS, replay_sheet, replay_styles


def replay(css: str) -> str:
    return replay_styles(css, lambda address: f"[{address}]")


SHEETS = {
    "a{b:url(x.png)} c{d:URL( 'y' )}": 'a{b:url("[x.png]")} c{d:URL( "[y]" )}',
    r"a{b:u\72l(x)} a{b:\000055 rL(x)}": r'a{b:url("[x]")} a{b:url("[x]")}',
    r"url(\68ttp://x) url('\68ttp://x')": 'url("[http://x]") url("[http://x]")',
    "/* url(a) */ url(b) /* url(c)": '/* url(a) */ url("[b]") /* url(c)',
    '"url(a)" url(b) \'url(c)': '"url(a)" url("[b]") \'url(c)',
    "'a\nurl(b)' url(c)": "'a\nurl(\"[b]\")' url(c)",  # a line's end ends the string: the quote behind begins another
    "'a\\\nurl(b)' url(c)": "'a\\\nurl(b)' url(\"[c]\")",
    "'a\\\r\nurl(b)' url(c)": "'a\\\nurl(b)' url(\"[c]\")",
    '#url(a" ) " url(b) " "': '#url(a" ) " url("[b]") " "',  # a colour of that name is no address
    '@url(a" ) " url(b) " "': '@url(a" ) " url("[b]") " "',
    '1url(a" ) " url(b) " "': '1url(a" ) " url("[b]") " "',
    "url(a'b) url(c)": 'url("[]") url("[c]")',
    r"url(a\) b) url(c)": 'url("[]") url("[c]")',
    r"url(a\)b) url(c)": 'url("[a)b]") url("[c]")',
    "url(a(b) url(c)": 'url("[]") url("[c]")',
    "url(a": 'url("[a]")',
    "url( )": 'url("[]")',
    "@import 'a' screen; 'b' @import url(c); @import url('d')": '@import "[a]" screen; \'b\' @import url("[c]"); '
    '@import url("[d]")',
    r"@\69mport/**/'a'; @IMPORT 'b'": r'@\69mport/**/"[a]"; @IMPORT "[b]"',
    "@import; 'a'": "@import; 'a'",
    "@namespace 'a'; @charset 'b';": "@namespace 'a'; @charset 'b';",
    "image-set('a' 1x, url(b) 2x, 'c' type('image/png'))": 'image-set("[a]" 1x, url("[b]") 2x, "[c]" '
    "type('image/png'))",
    "-webkit-image-set('a' 1x) image('b') src('c')": '-webkit-image-set("[a]" 1x) image("[b]") src("[c]")',
    "local('a') format('b') attr(url) 'c'": "local('a') format('b') attr(url) 'c'",
    "--a: url(b); --c: 'd'": "--a: url(\"[b]\"); --c: 'd'",
    "a{b:url(//x)}}}}) url(c)": 'a{b:url("[//x]")}}}}) url("[c]")',
    "\0url(a)": "\ufffdurl(a)",  # U+FFFD is a letter of the name
    "": "",
}


@pytest.mark.parametrize(("css", "expected"), SHEETS.items(), ids=range(len(SHEETS)))
def test_what_is_an_address_is_replaced(css: str, expected: str) -> None:
    assert replay(css) == expected


@pytest.mark.parametrize("address", ['a"b', "a\\", "a\nb", "</style><script>", "a\0b"])
def test_an_address_cannot_leave_its_quotes(address: str) -> None:
    for css in ("url(x)", "@import 'x'"):
        text = replay_styles(css, lambda _: address)
        inner = text.partition('"')[2].removesuffix(")").removesuffix('"')
        assert not {'"', "\n", "<", ">", "\0"} & set(inner)
        assert inner.count("\\") == sum(inner.count(f"\\{ord(one):x} ") for one in set(address))


@pytest.mark.parametrize("css", ["</style>", "'</STYLE>'", "/*</style>*/", "<url(a)/style>", "</*</style>*/style"])
def test_no_style_element_is_ended(css: str) -> None:
    assert "</style" not in replay(css).lower()


def test_what_is_replaced_stays_so() -> None:
    css = (
        "@import 'a.css'; p { background: url(b.png), url(c.png), image-set('d.png' 1x), url(data:image/png;base64,AA)}"
    )
    css += " q { fill: url(#e) } @import url(data:text/css,a); r { b: url('data:image/svg+xml,<svg title=\"f\"/>') }"
    once = replay_sheet(css, "https://x.example/y/z.css", {"https://x.example/y/b.png": "asset-0"})
    assert once.count('"data:,"') == 4
    assert 'url("asset-0")' in once
    assert 'url("data:image/png;base64,AA")' in once
    assert 'url("#e")' in once
    assert r"data:image/svg+xml,\3c svg title=\22 f\22 /\3e " in once
    assert replay_sheet(once, "https://x.example/y/z.css", {"https://x.example/y/b.png": "asset-0"}).replace(
        "asset-0", "data:,"
    ) == once.replace("asset-0", "data:,")


HOSTILE = ("(", "url(", "/*", '"\\', "\\", 'url(a"', "-", "@import ", "'\n", "url( ", "url(x ", 'url( "x', "\\a", "}")


@pytest.mark.parametrize("piece", HOSTILE, ids=map(repr, HOSTILE))
def test_no_sheet_is_gone_over_twice(piece: str) -> None:
    """Were time not linear in the length, these would take hours."""
    sheet = piece * (MAX_CHARS // len(piece))
    assert len(replay(sheet)) >= 5


def test_a_sheet_is_cut_where_it_is_too_long() -> None:
    assert len(replay("a" * (MAX_CHARS + 1))) == MAX_CHARS
