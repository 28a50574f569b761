from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from config import masks
from config.addresses import read_addresses
from config.masks import MASK, hide, mask, mask_text
from config.settings import Settings
from config.sources import Source

TESTS = Path(__file__).parents[2]
HERE = Path(__file__).name


@pytest.fixture(autouse=True)
def nothing_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget afterwards what a test had hidden: secrets are known to the whole process."""
    for name, empty in (("_hidden", frozenset()), ("_spellings", ()), ("_probes", ())):
        monkeypatch.setattr(masks, name, empty)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("http://me:pw@proxy.example:3128/x", "http://***@proxy.example:3128/x"),
        ("https://a:b@c@d.example?x", "https://***@d.example?x"),
        ("see https://me@a.example, or desk@a.example", "see https://***@a.example, or desk@a.example"),
        ("https://a.example/x?token=abc&page=2", "https://a.example/x?token=***&page=2"),
        ("https://a.example/x?page=2&amp;Access_Token=abc#id_token=d", None),
        ("https://a.example/x#access_token=abc", "https://a.example/x#access_token=***"),
        ("https://a.example/x;jsessionid=0A1B?y=1", "https://a.example/x;jsessionid=***"),
        (
            "/i.jpg?sig=1&w=2&api_key=3&api-key=4&apikey=5&pwd=6",
            "/i.jpg?sig=***&w=2&api_key=***&api-key=***&apikey=***&pwd=***",
        ),
        ("/o?X-Amz-Date=1&X-Amz-Credential=A%2F2&X-Amz-Signature=f0&X-Amz-Security-Token=Fw", None),
        ("/o?AWSAccessKeyId=AK&Signature=a%2Bb%3D&Expires=1", "/o?AWSAccessKeyId=***&Signature=***&Expires=1"),
        ("/o?X-Goog-Signature=ab&hdnea=st=1~hmac=ff&x=1", "/o?X-Goog-Signature=***&hdnea=***&x=1"),
        ("/o?key=9e107d9d372bb6826bd81d3542a419d6", "/o?key=***"),
        ("/o?session=0b6c2a9e-7c1f-4a3e-9d51-2f0c8a6b7d11&n=1", "/o?session=***&n=1"),
        ("/login?u=https%3A%2F%2Fme%3Apw%40a.example%2F%3Ftoken%3Dabc%26x%3D1", None),
        ("Authorization: Bearer abc\r\nHost: a.example", "Authorization: ***\r\nHost: a.example"),
        ("proxy-authorization: Basic bWU6cHc=", "proxy-authorization: ***"),
        (
            "{'Authorization': b'AWS4-HMAC-SHA256 Credential=A/b, Signature=c', 'Host': 'a'}",
            "{'Authorization': ***, 'Host': 'a'}",
        ),
        ("[(b'Cookie', b'a=b; c=\\'d'), (b'X', b'y')]", "[(b'Cookie', ***), (b'X', b'y')]"),
        ("{b'Set-Cookie': [b'a=b', b'c=d'], b'X': 1}", "{b'Set-Cookie': ***], b'X': 1}"),
        ('{"x-api-key": "abc def", "n": 1}', '{"x-api-key": ***, "n": 1}'),
        ('"{\\"password\\": \\"hunter2\\", \\"n\\": 1}"', '"{\\"password\\": ***\\", \\"n\\": 1}"'),
        (
            "host:a\nx-amz-security-token:FQo//x\n\nhost;x-amz-date",
            "host:a\nx-amz-security-token:***\n\nhost;x-amz-date",
        ),
        ("Signature:\n5d672d79c15b13162d9279b0855cfba6", "Signature:\n***"),
        ("b'<SecretAccessKey>a/b</SecretAccessKey><SessionToken>c</SessionToken>'", None),
        ("sent Bearer abcdef to a.example", "sent Bearer *** to a.example"),
        ("sent Basic bWU6cHc= twice", "sent Basic *** twice"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl", "***"),
        ("password=hunter2, client_secret = 'a b'", "password=***, client_secret = ***"),
    ],
)
def test_what_stands_where_secrets_do_is_masked(text: str, masked: str | None) -> None:
    found = mask_text(text)
    if masked is None:
        secrets = re.findall(r"(?<=[=>])(?:abc|d|A%2F2|f0|Fw|a/b|c)\b|(?<=%3D)abc|me%3Apw", text)
        assert len(secrets) >= 2
        assert not any(re.search(rf"(?<![\w/.-]){re.escape(secret)}(?!\w)", found) for secret in secrets), found
    else:
        assert found == masked
    assert mask_text(found) == found


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example/2026/11/27/the-key-to-the-budget-4f5a9c1b2d3e4f5061728394a5b6c7d8.html",
        "https://a.example/article?id=9e107d9d372bb6826bd81d3542a419d6&page=2#comments",
        "https://a.example/@desk/1234567890?key=budget&code=en-GB&auth=reuters",
        "https://a.example/token-economy/secret:lives?authors=me&tokens=5&sort=key",
        "https://a.example/news?utm_source=x&utm_campaign=2026-11-27-evening&fbclid=IwAR0aBcDeFgHiJkLmNoPq",
        "https://a.example/?v=dQw4w9WgXcQ&list=PLFgquLnL59alCl_2TQvOiD5Vgm1hCaGSI",
        "sha256:c815ed5057d3fe949d1862ce4677e62b4c9eae84d9029b43a6f86f64ca85238d",
        "segments/gazette/sealed=2026-11-27/gazette-20261127T095609Z-3fd87a41b6041adc.warc.gz",
        "a Basic understanding of tokens, and a Digest of secrets",
    ],
)
def test_what_only_looks_so_is_left(text: str) -> None:
    assert mask_text(text) == text


def test_of_the_addresses_in_all_other_tests_only_those_with_secrets_are_masked() -> None:
    found = set()
    for path in TESTS.rglob("*"):
        if path.suffix in {".py", ".yaml", ".json", ".html", ".xml"} and not path.name.startswith(
            ("test_masks", "test_logs")
        ):
            found |= set(re.findall(r"https?://[^ \"'<>)\]\\\s{}]+", path.read_text("utf-8", "replace")))
    masked = {url for url in found if mask_text(url) != url}
    assert len(found) > 500
    assert all(re.search(r"//[^/]*@|[?&;](?:token|sig|sid|jsessionid)=", url) for url in masked)
    assert 10 < len(masked) < 50


def test_a_secret_that_was_told_is_masked_wherever_and_however_it_stands() -> None:
    secret = "p'l\\an\"t/ed + s3cret"
    hide(secret)
    for text in (secret, repr(secret), repr(secret.encode()), json.dumps(secret), f"/{secret}/x", repr([secret])):
        assert "s3cret" not in mask_text(text), text
    assert mask_text("a p%27l%5Can%22t%2Fed%20%2B%20s3cret b") == f"a {MASK} b"
    assert mask_text("s3cret alone is another word") == "s3cret alone is another word"


def test_short_words_and_nothing_are_not_taken_for_secrets() -> None:
    hide(None, "", "abc12")
    assert mask_text("abc12 and all else") == "abc12 and all else"


def test_of_two_secrets_the_longer_is_masked_as_a_whole() -> None:
    hide("hunter22", "hunter22-and-more")
    assert mask_text("x hunter22-and-more y") == f"x {MASK} y"


class Unshowable:
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_values_of_any_kind_are_masked_within() -> None:
    hide("planted")
    value = {
        "a": [1, None, True, ("planted", b"planted")],
        "planted": {"password": 5},
        "b": Path("/planted"),
        "c": {"planted"},
    }
    assert mask(value) == {
        "a": [1, None, True, [MASK, f"b'{MASK}'"]],
        MASK: {"password": MASK},
        "b": f"/{MASK}",
        "c": [MASK],
    }
    assert mask(Unshowable()) == "Unshowable that cannot be shown (RuntimeError)"
    deep: list[object] = ["planted"]
    for _ in range(200):
        deep = [deep]
    assert "planted" not in str(mask(deep))


def test_a_source_tells_the_secrets_of_its_headers() -> None:
    headers = {"Authorization": "Bearer ${GAZETTE_TOKEN}", "Cookie": "a=literal-cookie", "X-Plain": "no-secret"}
    source = Source.model_validate(
        {
            "id": "gazette",
            "name": "Gazette",
            "home": "https://gazette.example/",
            "discover": [{"feed": "https://gazette.example/feed"}],
            "articles": {"include": ["."]},
            "headers": headers,
        }
    )
    source.resolve_headers({"GAZETTE_TOKEN": "s3cr3t-token"})
    assert mask_text("s3cr3t-token, a=literal-cookie, no-secret") == f"{MASK}, {MASK}, no-secret"


def test_settings_tell_the_passwords_of_their_urls() -> None:
    Settings(proxy="http://me:hunt%21er2@proxy.example:3128")
    assert mask_text("hunt!er2 or hunt%21er2") == f"{MASK} or {MASK}"


@pytest.mark.parametrize(
    "text",
    [
        "://" * 60_000,
        "://" + "a" * 200_000,
        "?" * 200_000,
        "&token=" * 30_000,
        "%3A%2F%2F" * 20_000,
        "%3F" + "a" * 200_000,
        "authorization" * 15_000,
        "authorization: '" + "\\" * 200_000,
        "token" + " " * 200_000,
        "-" * 200_000 + "token",
        "password: [" + "'a'," * 50_000,
        "cookie: [" + "'a', " * 40_000,
        "Basic " + "a" * 200_000,
        "Basic " * 30_000,
        "eyJ" * 60_000,
        "eyJ" + "a" * 100_000 + "." * 100_000,
        "<SessionToken>" * 15_000,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    """Twice as much takes some twice as long: quadratic expressions would need minutes for these."""
    started = time.process_time()
    mask_text(text)
    assert time.process_time() - started < 5


def test_addresses_that_are_secrets_are_hidden_once_they_are_read() -> None:
    (address,) = read_addresses("slack://AAAtoken/BBBtoken/CCCtoken")
    assert address.scheme == "slack"
    assert mask_text("could not post to /AAAtoken/BBBtoken/CCCtoken") == f"could not post to /{MASK}"
