"""What templates say, and that nothing in an archive can say more than it should."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from jobs.room.rendering import _environment

AT = datetime(2026, 11, 7, 9, 5, 59, tzinfo=UTC)
HOSTILE = "<b onclick=x>\"'&\u202eevil\u0007 {{ 7 * 7 }}"
SAFE = "&lt;b onclick=x&gt;&#34;&#39;&amp;\\u202eevil\\x07 {{ 7 * 7 }}"


def render(source: str, **told: Any) -> str:
    imported = '{% import "macros.html" as m %}'
    return _environment().from_string(imported + source).render(**told)


@pytest.mark.parametrize(
    ("source", "told", "expected"),
    [
        ("{{ x | when }}", AT, '<time datetime="2026-11-07T09:05:59Z">2026-11-07 09:05 UTC</time>'),
        ("{{ x | day }}", AT, '<time datetime="2026-11-07T09:05:59Z">2026-11-07</time>'),
        ("{{ x | day }}", AT.date(), '<time datetime="2026-11-07">2026-11-07</time>'),
        ("{{ x | long_day }}", AT.date(), '<time datetime="2026-11-07">Saturday 7 November 2026</time>'),
        ("{{ x | clock }}", AT, '<time datetime="2026-11-07T09:05:59Z">09:05</time>'),
        ("{{ x | long_day }}", AT, '<time datetime="2026-11-07T09:05:59Z">Saturday 7 November 2026</time>'),
        ("{{ x | span }}", 9.04, "9.0 s"),
        ("{{ x | span }}", 59, "59 s"),
        ("{{ x | span }}", 3 * 3_600, "3 h"),
        ("{{ x | when }}", AT.astimezone(timezone(timedelta(hours=5))), "2026-11-07 09:05 UTC</time>"),
        ("{{ x | thousands }}", 1_234_567, "1\u202f234\u202f567"),
        ("{{ x | counted('text') }}", 1, "1 text"),
        ("{{ x | counted('entry', 'entries') }}", 2_000, "2\u202f000 entries"),
        ("{{ x | bytes }}", 999, "999 B"),
        ("{{ x | bytes }}", 1_234, "1.2 KB"),
        ("{{ x | bytes }}", 123_456_789, "123 MB"),
        ("{{ x | bytes }}", 5 * 10**15, "5000 TB"),
        ("{{ m.state(x) }}", "gone", '<span class="badge bad">Taken down</span>'),
        ("{{ m.event(x) }}", "revised", '<span class="badge plain">Changed</span>'),
        (
            "{{ m.title(x, 'https://gazette.example/a', 'ar') }}",
            None,
            '<span lang="ar">https://gazette.example/a</span>',
        ),
        ("{{ m.command(x) }}", "@misc{x,\n  title = {<a>}\n}", "@misc{x,\n  title = {&lt;a&gt;}\n}</code>"),
        (
            "{{ m.words(x) }}",
            [("same", "a "), ("removed", "<b>"), ("added", "c")],
            "a <del>&lt;b&gt;</del><ins>c</ins>",
        ),
    ],
)
def test_what_is_told_is_said(source: str, told: Any, expected: str) -> None:
    assert expected in render(source, x=told)


@pytest.mark.parametrize(
    "source",
    [
        "{{ x }}",
        "{{ m.title(x, '') }}",
        "{{ m.source('id', x) }}",
        "{{ m.words([('removed', x)]) }}",
        "{{ m.facts([(x, x)]) }}",
        "{{ m.command(x) }}",
        "{{ m.empty(x, x) }}",
        "{{ m.crumbs([(x, '/')]) }}",
        "{{ m.tabs(x, [('a', '/', x, none)], 'a') }}",
        "{{ m.choice('n', x, [(x, x)]) }}",
        "{{ m.kinds([x]) }}",
        "{{ m.state(x) }}",
        "{% call m.table(x, [x]) %}{% endcall %}",
    ],
)
def test_texts_are_escaped_and_what_steers_the_eye_is_written_out(source: str) -> None:
    page = render(source, x=HOSTILE)
    assert SAFE.casefold() in page.casefold()
    assert "<b" not in page.replace("<bdi>", "").replace("<button", "")
    assert "\u202e" not in page


def test_long_headlines_are_cut() -> None:
    assert len(render("{{ m.title(x, '') }}", x="word " * 2_000)) < 400


def test_what_a_page_does_not_know_is_an_error() -> None:
    with pytest.raises(Exception, match="'unknown' is undefined"):
        render("{{ unknown }}")
