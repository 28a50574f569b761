"""For all bytes and all headers: a page is decoded, in an encoding of the web, to a text that UTF-8 can hold."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.charset import LEGACY_CODECS, decode, find_encoding, read_declaration, read_header
from crawler.encoding import decode_html, find_html_encoding, read_html

LABELS = [
    *("utf-8", "utf-16", "utf-16be", "utf-16le", "utf-32", "utf-7", "gb2312", "gbk", "gb18030", "big5", "big5-hkscs"),
    *("shift_jis", "euc-jp", "iso-2022-jp", "euc-kr", "iso-2022-kr", "hz-gb-2312", "x-user-defined", "replacement"),
    *("windows-1252", "windows-1255", "koi8-u", "macintosh", "ibm866", "hex", "klingon"),
]
CODECS = {*LEGACY_CODECS, "utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"}
PSEUDO = {"replacement", "x-user-defined"}
HEADERS = (
    st.none()
    | st.text(max_size=60)
    | st.sampled_from(LABELS).map("text/html; charset={}".format)
    | st.sampled_from(LABELS).map('text/html; a="; charset=utf-8"; charset="{}"'.format)
)
MARKS = st.sampled_from(
    [b"", b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\0\0\xfe\xff", b"<\0?\0x\0"]
)
DECLARATIONS = (
    st.just(b"")
    | st.sampled_from(LABELS).map(lambda label: f"<meta charset={label}>".encode())
    | st.sampled_from(LABELS).map(lambda label: f'<?xml version="1.0" encoding="{label}"?>'.encode())
    | st.text(alphabet="<>!-/='\"; meta charset http-equiv content", max_size=80).map(str.encode)
)
ESCAPES = st.sampled_from(
    [b"\x1b$B", b"\x1b(B", b"\x1b(J", b"\x8e", b"\x8f\xa1", b"\x80", b"\xad\xa1", b"\x81\x30\x81", b"\xff"]
)
BODIES = st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))


@settings(max_examples=300, deadline=None)
@given(MARKS, DECLARATIONS, st.lists(ESCAPES | BODIES, max_size=6), HEADERS)
@example(b"", b"<meta charset=utf-16>", [b"\xd0"], None)
@example(b"", b"", [b"\x1b$B\xff"], "text/html; charset=iso-2022-jp")
def test_any_bytes_under_any_header_are_a_text(
    mark: bytes, declaration: bytes, pieces: list[bytes], header: str | None
) -> None:
    body = mark + declaration + b"".join(pieces)
    encoding, skipped = find_html_encoding(body, header)
    assert encoding in CODECS | PSEUDO
    assert skipped in {0, 2, 3, 4}
    text = decode_html(body, header)
    assert text == decode_html(body, header)
    assert read_html(body, header) == (text, text.encode())  # no halves of surrogate pairs


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600), st.sampled_from(sorted(CODECS | PSEUDO)))
def test_any_bytes_can_be_read_as_anything(body: bytes, encoding: str) -> None:
    decode(body, encoding).encode()


@settings(deadline=None)
@given(st.text(max_size=100), st.binary(max_size=200))
def test_labels_headers_and_declarations_of_nonsense_are_passed_over(label: str, page: bytes) -> None:
    assert find_encoding(label) in {None, *CODECS, *PSEUDO}
    assert read_header(label) in {None, *CODECS, *PSEUDO}
    assert read_declaration(page) in {None, *CODECS, *PSEUDO}


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.sampled_from(sorted(LEGACY_CODECS)))
def test_what_an_encoding_can_express_comes_back(text: str, codec: str) -> None:
    kept = text.encode(codec, "ignore").decode(codec)
    expected = decode(kept.encode(codec), codec)
    alike = str.maketrans("〜‖−¢£¬", "～∥－￠￡￢") if codec == "euc_jp" else {}
    assert expected == kept.translate(alike)
