"""Pages whose statements of themselves are hostile: JSON-LD and meta that are huge, deep, or of the wrong types."""

from __future__ import annotations

import json

from tests.hostile.case import MB, Hostile, page

_ARTICLE = '{"@type": "NewsArticle", "headline": "Library opens", '
_WRONG: list[object] = [
    None,
    True,
    -1,
    1e308,
    [],
    [[]],
    {},
    {"@value": []},
    "\ud800",
    [None] * 1_000,
    {"name": {"name": {}}},
]


def _json_ld(text: str) -> bytes:
    return page("", head=f'<script type="application/ld+json">{text}</script>')


def _wrong_types() -> bytes:
    keys = (
        *("headline", "author", "creator", "publisher", "image", "datePublished", "dateModified", "wordCount", "@id"),
        *("keywords", "articleSection", "isAccessibleForFree", "inLanguage", "description", "@graph", "mainEntity"),
        *("itemListElement", "liveBlogUpdate", "video"),
    )
    kinds: list[object] = ["NewsArticle", [[]], 7]
    objects = [{"@type": kind, **dict.fromkeys(keys, value)} for value in _WRONG for kind in kinds]
    return _json_ld(json.dumps(objects))


_SCRIPTS = {
    "JSON-LD of 5 MB": lambda: _ARTICLE + f'"articleBody": "{"word " * MB}"}}',
    "JSON-LD of 5 MB that ends early": lambda: _ARTICLE + f'"articleBody": "{"word " * MB}',
    "JSON-LD of depth 100000": lambda: "[" * 100_000,
    "JSON-LD objects of depth 100000": lambda: '{"a":' * 100_000 + "1" + "}" * 100_000,
    "JSON-LD of depth 900": lambda: '{"author":' * 900 + '"A"' + "}" * 900,
    "JSON-LD of 100000 items": lambda: "[" + ",".join(['{"@type":"Thing"}'] * 100_000) + "]",
    "JSON-LD of lists in lists": lambda: "[" + ",".join(["[" + ",".join(["{}"] * 5_000) + "]"] * 80) + "]",
    "JSON-LD graphs of graphs": lambda: '{"@graph":[{},{},' * 300 + "{}" + "]}" * 300,
    "JSON-LD of 5000 objects and a long page": lambda: "[" + ",".join(['{"@type":"Thing/a"}'] * 5_000) + "]",
    "JSON-LD of 100000 types": lambda: (
        _ARTICLE + f'"x": 1, "@type": {json.dumps([f"T/{n}" for n in range(100_000)])}}}'
    ),
    "JSON-LD of 100000 authors": lambda: _ARTICLE + f'"author": {json.dumps([f"A {n}" for n in range(100_000)])}}}',
    "JSON-LD of a million digits": lambda: _ARTICLE + f'"wordCount": {"9" * MB}}}',
    "JSON-LD of a million digits in a text": lambda: _ARTICLE + f'"wordCount": "{"9" * MB}"}}',
    "JSON-LD of digits that are none": lambda: _ARTICLE + '"wordCount": "²³"}',
    "JSON-LD of numbers beyond all bounds": lambda: _ARTICLE + '"wordCount": 1e999, "a": -Infinity, "image": NaN}',
    "JSON-LD of keys again and again": lambda: _ARTICLE + '"a": 1, ' * 200_000 + '"b": 2}',
    "JSON-LD with the end of the script in it": lambda: _ARTICLE + '"articleBody": "</script><script>x</script>"}',
    "JSON-LD of trailing commas": lambda: _ARTICLE + ",  " * MB + "}",
    "JSON-LD of white space": lambda: _ARTICLE + " \n" * (2 * MB) + "]",
    "JSON-LD of brackets in a headline": lambda: '{"@type":"NewsArticle","headline":"' + "<a&lt;" * 500_000 + '"}',
    "JSON-LD of references of references": lambda: '{"@type":"NewsArticle","headline":"' + "&amp;" * 600_000 + '"}',
    "JSON-LD of a headline of 3 MB": lambda: '{"@type":"NewsArticle","headline":"' + "a - b | " * 400_000 + '"}',
    "JSON-LD of a description of 3 MB": lambda: _ARTICLE + f'"description": "{"The council opened. " * 150_000}"}}',
    "JSON-LD of a name of 3 MB": lambda: _ARTICLE + f'"author": "{"A and B, " * 330_000}"}}',
    "JSON-LD of a date of a million digits": lambda: _ARTICLE + f'"datePublished": "{"2" * MB}"}}',
    "JSON-LD of the year 99999": lambda: _ARTICLE + '"datePublished": "99999-12-31", "dateModified": "0000-00-00"}',
    "JSON-LD of a film's data": lambda: (
        '{"@type":"VideoObject","name":[[[["x"]]]],"contentUrl":{"a":1},"duration":1e9}'
    ),
    "JSON-LD of live posts of any type": lambda: (
        '{"@type":"LiveBlogPosting","headline":"Live","liveBlogUpdate":['
        + ",".join(['{"datePublished": 1e999, "headline": [[]], "articleBody": {"a": NaN}}'] * 3_000)
        + "]}"
    ),
    "JSON-LD comments without end": lambda: "<!--" * 300_000,
}

_METAS = {
    "50000 meta elements": lambda: "".join([f'<meta name="n{n}" content="c">' for n in range(50_000)]),
    "30000 meta elements of one name": lambda: '<meta name="author" content="A, B and C">' * 30_000,
    "30000 tags": lambda: "".join([f'<meta property="article:tag" content="t{n}">' for n in range(30_000)]),
    "30000 dates in meta": lambda: '<meta name="date" content="2026-99-99">' * 30_000,
    "a meta of 5 MB": lambda: f'<meta name="description" content="{"The council opened the " * (5 * MB // 23)}">',
    "keywords of 3 MB": lambda: f'<meta name="keywords" content="{"a,b c," * 500_000}">',
    "an author of 3 MB": lambda: f'<meta name="author" content="{"by " * MB}">',
    "a language of 3 MB": lambda: f'<meta name="language" content="{"en-" * MB}">',
    "a canonical link of 5 MB": lambda: f'<link rel=canonical href="https://hostile.example/{"a/../" * MB}">',
    "30000 links": lambda: '<link rel="canonical next alternate" href="//[">' * 30_000,
    "relations of 1 MB": lambda: f'<link rel="{"next " * 200_000}" href="/x">',
    "a date of 1 MB": lambda: f'<meta property="article:modified_time" content="{"2026-" * 200_000}">',
    "the year 99999": lambda: '<meta property="article:modified_time" content="99999-01-01T00:00:00+99:99">',
    "a robots meta of 1 MB": lambda: f'<meta name="robots" content="{"noarchive," * 100_000}">',
    "a picture's address of 3 MB": lambda: f'<meta property="og:image" content="https://x.example/{"a" * (3 * MB)}">',
}


def _statements() -> list[Hostile]:
    scripts = [Hostile(name, lambda make=make: _json_ld(make())) for name, make in _SCRIPTS.items()]  # type: ignore[misc]
    metas = [Hostile(name, lambda make=make: page("", head=make())) for name, make in _METAS.items()]  # type: ignore[misc]
    many = '<script type="application/ld+json">{"@type":"NewsArticle"}</script>' * 30_000
    big = '<script type="application/ld+json">[' + "{}," * 300_000 + "</script>"
    paragraphs = "<p>some words of a long page that go on</p>" * 20_000
    objects = '<script type="application/ld+json">[' + ",".join(['{"@type":"Thing/a"}'] * 5_000) + "]</script>"
    long = f'<meta name="description" content="{"The council opened " * 20_000}">'
    return [
        *scripts,
        *metas,
        Hostile("JSON-LD of wrong types", _wrong_types),
        Hostile("30000 JSON-LD scripts", lambda: page("", head=many)),
        Hostile("ten JSON-LD scripts of 900 KB", lambda: page("", head=big * 10)),
        Hostile("JSON-LD objects beside 20000 paragraphs", lambda: page(paragraphs, head=objects)),
        Hostile("a long description beside 20000 paragraphs", lambda: page(paragraphs, head=long)),
    ]


STATEMENTS = _statements()
