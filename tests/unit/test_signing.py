"""Documents of two lines: what is signed, what is read back, what openssl says of it."""

from __future__ import annotations

import base64
import shutil
import string
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from config.errors import ConfigError, DamageFound
from config.settings import Settings
from jobs.archive.signing import PublicKey, Signer, encode_document, parse_signatures, read_signer, split_document

if TYPE_CHECKING:
    from pathlib import Path


def test_a_document_of_two_signers_is_checked_by_each() -> None:
    one, two, other = Signer.generate(), Signer.generate(), Signer.generate()
    data = encode_document(b'{"a":1}', [one, two])
    line, signatures = split_document(data, "here", "a commit", 1_000)
    first, second = parse_signatures(signatures)
    assert line == b'{"a":1}'
    assert one.public.has_signed(line + b"\n", first)
    assert two.public.has_signed(line + b"\n", second)
    assert not one.public.has_signed(line, first)
    assert not one.public.has_signed(b'{"a":2}\n', first)
    assert not one.public.has_signed(line + b"\n", second)
    assert not other.public.has_signed(line + b"\n", first)


def test_a_signature_can_be_written_in_one_way_only() -> None:
    signer = Signer.generate()
    signature = signer.sign(b"{}\n")
    assert signature.base64.endswith("==")
    last = signature.base64[-3]
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
    other = alphabet[alphabet.index(last) ^ 1]
    altered = replace(signature, base64=f"{signature.base64[:-3]}{other}==")
    assert base64.b64decode(altered.base64) == base64.b64decode(signature.base64)
    assert signer.public.has_signed(b"{}\n", signature)
    assert not signer.public.has_signed(b"{}\n", altered)


def test_unsigned_is_a_dash() -> None:
    assert encode_document(b"{}") == b"{}\n-\n"
    assert parse_signatures("-") == ()


@pytest.mark.parametrize(
    "line", ["", "--", "ed25519", "ed25519 00 AA==", "- ", "ed25519 " + "0" * 64 + " AAAA,", "-, -"]
)
def test_other_second_lines_are_refused(line: str) -> None:
    with pytest.raises(ValueError, match="expected - or at most 8 signatures"):
        parse_signatures(line)


def test_nine_signatures_are_too_many() -> None:
    signer = Signer.generate()
    _, line = split_document(encode_document(b"{}", [signer] * 9), "here", "a commit", 10_000)
    with pytest.raises(ValueError, match="at most 8"):
        parse_signatures(line)


@pytest.mark.parametrize("data", [b"", b"{}", b"{}\n", b"{}\n-", b"{}\n-\n-\n", b"{}\n" + b"-" * 100 + b"\n"])
def test_what_is_not_two_lines_is_no_document(data: bytes) -> None:
    with pytest.raises(DamageFound, match=r"here: not a commit: found .* bytes that are not two lines"):
        split_document(data, "here", "a commit", 100)


def test_a_key_is_read_from_file_or_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = Signer.generate()
    path = tmp_path / "key.pem"
    path.write_bytes(signer.encode_private())
    found = read_signer(Settings(signing_key_file=path))
    assert found is not None
    assert found.public.key_id == signer.public.key_id
    monkeypatch.setenv("OFRECORD_SIGNING_KEY", signer.encode_private().decode())
    found = read_signer(Settings())
    assert found is not None
    assert found.public == PublicKey.read(signer.public.pem) or found.public.key_id == signer.public.key_id
    with pytest.raises(ConfigError, match="signing_key: found this and signing_key_file"):
        read_signer(Settings(signing_key_file=path))
    monkeypatch.delenv("OFRECORD_SIGNING_KEY")
    assert read_signer(Settings()) is None


def test_a_key_shows_nothing_of_itself() -> None:
    signer = Signer.generate()
    secret = signer.encode_private().decode().splitlines()[1]
    assert secret not in repr(signer)
    assert secret not in repr(Settings(signing_key=signer.encode_private().decode()))


def test_keys_of_other_kinds_are_refused_with_where_and_what(tmp_path: Path) -> None:
    other = generate_private_key(SECP256R1())
    locked = load_pem_private_key(Signer.generate().encode_private(), None)
    files = {
        "found no private key in PEM": b"nothing",
        "found a .*PrivateKey, expected an Ed25519": other.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ),
        "found a key with a password": locked.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        ),
    }
    path = tmp_path / "key.pem"
    for message, pem in files.items():
        path.write_bytes(pem)
        with pytest.raises(ConfigError, match=f"signing_key_file: .*key.pem: {message}"):
            read_signer(Settings(signing_key_file=path))
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_signer(Settings(signing_key_file=tmp_path / "none"))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_checks_what_we_sign(tmp_path: Path) -> None:
    signer = Signer.generate()
    line, signatures = split_document(encode_document(b'{"seq":7}', [signer]), "here", "a commit", 1_000)
    (tmp_path / "line").write_bytes(line + b"\n")
    (tmp_path / "pem").write_text(signer.public.pem)
    (tmp_path / "sig").write_bytes(base64.b64decode(parse_signatures(signatures)[0].base64))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "pem", "-rawin", "-in", "line", "-sigfile", "sig"]
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 0
    (tmp_path / "line").write_bytes(line)
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode != 0
