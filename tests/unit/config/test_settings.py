from __future__ import annotations

from pathlib import Path

import pytest
import trustme
import yaml
from structlog.testing import capture_logs

from config.endpoints import parse_resolve
from config.errors import ConfigError
from config.loading import FILE_NAME, _warn_of_unknown, load_settings
from config.settings import Settings

SHIPPED = Path(__file__).parents[3] / "config" / FILE_NAME


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.upper().startswith("OFRECORD_"):
            monkeypatch.delenv(name)


def write(folder: Path, text: str) -> Path:
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    return folder


def test_settings_yaml_lists_every_setting_and_nothing_else() -> None:
    assert set(yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))) == set(Settings.model_fields)


def test_settings_yaml_states_the_defaults() -> None:
    assert load_settings().model_dump() == Settings().model_dump()


def test_every_setting_is_documented_and_explained() -> None:
    files = ("settings.py", "rendering.py", "room.py", "evidence.py")
    lines = [line for file in files for line in (SHIPPED.parent / file).read_text(encoding="utf-8").splitlines()]
    for name in Settings.model_fields:
        start = next(number for number, line in enumerate(lines) if line.startswith(f"    {name}: "))
        assert lines[start + 1].startswith('    """'), name
        shipped = next(line for line in SHIPPED.read_text(encoding="utf-8").splitlines() if line.startswith(f"{name}:"))
        assert "#" in shipped, name


def test_environment_comes_before_file_and_file_before_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "segment_bytes: 1 MiB\nmax_redirects: 3\n")
    monkeypatch.setenv("OFRECORD_SEGMENT_BYTES", "2 MiB")
    settings = load_settings(tmp_path)
    assert (settings.segment_bytes, settings.max_redirects, settings.max_depth) == (2 << 20, 3, 10)


def test_environment_repairs_what_the_file_has_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFRECORD_MAX_DEPTH", "7")
    assert load_settings(write(tmp_path, "max_depth: many\n")).max_depth == 7


def test_empty_variable_and_null_mean_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFRECORD_PROXY", "")
    settings = load_settings(write(tmp_path, "proxy: http://proxy.example:3128\nworkers: null\n"))
    assert settings.proxy == "http://proxy.example:3128"
    assert settings.workers >= 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("segment_bytez: 1 MiB\n", ":1: segment_bytez: found an unknown key"),
        ("segment_bytez: 1 MiB\n", "did you mean segment_bytes?"),
        ("# why\nmax_depth: deep\n", ":2: max_depth: found 'deep', expected a whole number"),
        ("max_failed: 1.5\n", ":1: max_failed: found 1.5, expected at most 1"),
        ("page_seconds: 3 fortnights\n", "expected a duration in seconds, minutes"),
        ("segment_bytes: 3 MB\n", "expected a size in bytes, KiB"),
        ("max_depth: 1\nmax_depth: 2\n", ":2: max_depth: found the key again, expected it once (it stands in line 1"),
        ("resolve: [gazette.example]\n", "expected host:port:address"),
        (
            "web_archives:\n  - timemap=ftp://a.example/\n",
            ":2: web_archives[1]: found 'timemap=ftp://a.example/', expected",
        ),
        ("resolve: ['a.example:443:999.0.0.1']\n", "expected an IP address as the third part, not 999.0.0.1"),
        ("resolve: ['127.1:80:127.0.0.1']\n", "expected a host name as the first part, not 127.1"),
        ("resolve: ['10.0.0.1:80:127.0.0.1']\n", "expected a host name as the first part, not 10.0.0.1"),
        ("proxy: http://me:secret@proxy.example\n", "set OFRECORD_PROXY instead"),
        ('user_agent: "two\\nlines"\n', "expected up to 500 printable ASCII characters on one line"),
        ("contact_url: me\n", "expected an address that begins with"),
        ("s3_endpoint_url: localhost:8333\n", "expected a URL that begins with http"),
        ("s3_retry_mode: legacy\n", "s3_retry_mode: found 'legacy', expected standard or adaptive"),
        ("s3_attempts: 0\n", "s3_attempts: found 0, expected at least 1"),
        ("s3_sse: yes\n", "s3_sse: found 'yes', expected AES256, aws:kms or aws:kms:dsse"),
        ("s3_sse: AES256\ns3_sse_key_id: alias/a\n", "expected none, or s3_sse: aws:kms or aws:kms:dsse beside it"),
        ("s3_sse: aws:kms\ns3_sse_key_id: two words\n", "expected a key's id, alias or ARN without spaces"),
        ("s3_storage_class: cold\n", "expected a storage class in capitals, such as STANDARD_IA"),
        ("s3_storage_class: DEEP_ARCHIVE\n", "expected a class whose objects can be read at once"),
        ("s3_checksum: md5\n", "s3_checksum: found 'md5', expected sha256 or crc64nvme"),
        ("- archive\n", ":1: found a list, expected `key: value` lines"),
        ("archive: [\n", "not YAML"),
        ("request_seconds: .inf\n", "request_seconds: found '.inf', expected"),
    ],
)
def test_error_names_file_line_key_found_and_expected(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(write(tmp_path, text))
    message = str(caught.value)
    assert expected in message
    assert message.startswith(str(tmp_path / FILE_NAME))
    assert "secret" not in message
    assert "\n" not in message


def test_all_errors_come_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(write(tmp_path, "max_depth: 0\nmax_links: 0\nworker: 1\n"))
    assert len(str(caught.value).splitlines()) == 3


def test_error_of_the_environment_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFRECORD_MAX_DEPTH", "deep")
    with pytest.raises(ConfigError, match=r"^environment: OFRECORD_MAX_DEPTH: found 'deep', expected a whole number$"):
        load_settings(tmp_path)


def test_misspelt_variable_is_an_error_and_a_foreign_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFRECORD_SERVICE_HOST", "10.0.0.1")
    load_settings(tmp_path)
    monkeypatch.setenv("OFRECORD_SEGMENT_BYTE", "1 MiB")
    with pytest.raises(ConfigError, match="did you mean OFRECORD_SEGMENT_BYTES"):
        load_settings(tmp_path)


def test_a_variable_that_nothing_reads_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = ("PORT", "PORT_9000_TCP_ADDR", "SERVICE_PORT_HTTP", "S3_SERVICE_HOST", "CONFIG_DIR")
    for name in ("NONSENSE", "SEGMENTS", *foreign):
        monkeypatch.setenv(f"OFRECORD_{name}", "1")
    _warn_of_unknown.cache_clear()
    with capture_logs() as logs:
        for _ in range(2):
            load_settings(tmp_path)
    found = {entry["variable"]: entry["reason"] for entry in logs if entry["event"] == "ignored_variable"}
    assert len(logs) == len(found)
    assert sorted(found) == ["OFRECORD_NONSENSE", "OFRECORD_SEGMENTS"]
    assert "did you mean OFRECORD_SEGMENT_" in found["OFRECORD_SEGMENTS"]
    assert "settings.yaml lists all settings" in found["OFRECORD_NONSENSE"]


def test_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="found no such folder"):
        load_settings(tmp_path / "nowhere")


def test_user_agent_names_the_contact(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, "contact_url: https://gazette.example/bot\n"))
    assert settings.user_agent.startswith("ofrecord/")
    assert settings.user_agent.endswith(" (+https://gazette.example/bot)")
    assert "(+mailto:me@a.example)" in settings.override(contact_url="mailto:me@a.example").user_agent


def test_override_is_checked() -> None:
    assert Settings().override(max_depth=3).max_depth == 3
    with pytest.raises(ConfigError, match="max_depth: found 0, expected at least 1"):
        Settings().override(max_depth=0)


def test_resolve_in_the_environment_is_a_list_with_commas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFRECORD_RESOLVE", "A.example:443:127.0.0.1:8443, bücher.example:80:[::1]")
    assert [parse_resolve(entry) for entry in load_settings(tmp_path).resolve] == [
        ("a.example", 443, "127.0.0.1", 8443),
        ("xn--bcher-kva.example", 80, "::1", 80),
    ]


def test_state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings(state_dir=tmp_path).resolve_state_dir() == tmp_path
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert Settings().resolve_state_dir() == tmp_path / "xdg" / "ofrecord"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings().resolve_state_dir() == tmp_path / ".local" / "state" / "ofrecord"
    monkeypatch.setenv("HOME", str(tmp_path / "gone"))
    with pytest.raises(ConfigError, match="set state_dir or OFRECORD_STATE_DIR"):
        Settings().resolve_state_dir()


@pytest.mark.parametrize("key", ["ca_file", "s3_ca_file"])
def test_authorities_are_read_when_settings_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    assert getattr(load_settings(write(tmp_path, f"{key}: {path}\n")), key) == path
    assert getattr(Settings().override(**{key: path}), key) == path

    path.write_text("no certificate\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / FILE_NAME}:1: {key}: found ")
    assert str(caught.value).endswith(f"expected a PEM file of certificate authorities; {path} holds none")
    path.unlink()
    with pytest.raises(ConfigError, match=f"; {path} cannot be read: No such file or directory"):
        load_settings(tmp_path)
    path.mkdir()
    with pytest.raises(ConfigError, match=f"{key}: .* expected a PEM file of certificate authorities; {path} "):
        Settings().override(**{key: path})
    monkeypatch.setenv(f"OFRECORD_{key.upper()}", "/nowhere.pem")
    with pytest.raises(ConfigError, match=f"environment: OFRECORD_{key.upper()}: .*; /nowhere.pem cannot be read: "):
        load_settings()
