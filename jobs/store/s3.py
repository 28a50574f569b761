"""A store in an S3 bucket, by boto3, which nothing else imports. One PUT an object, always create-only.

Credentials come from boto3's own chain and go nowhere else. Never takes a put for done before size and SHA-256 were
asked of the server or read back.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import random
import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import boto3
from botocore import exceptions as boto_errors
from botocore.config import Config

from config.errors import ConfigError, ObjectDiffers, StoreError, StoreRefused, StoreUnavailable
from jobs.store import StoredObject
from jobs.store.answers import explain_answer, tidy
from jobs.store.files import BLOCK_BYTES, copy_new
from jobs.store.keys import (
    MAX_KEY_BYTES,
    check_digest,
    check_folder,
    check_key,
    check_range,
    fault_of_key,
    in_byte_order,
    start_after,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import HeadObjectOutputTypeDef

MAX_PUT_BYTES = 5 * 1024**3
"""S3's limit for one PUT; the only kind that all servers take a precondition on."""
PAGE_KEYS = 1000
"""Keys in one answer to a listing; S3 gives no more."""

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_ATTEMPTS = 4
_CONFLICT_TRIES = 6
_READ_TRIES = 3
_CONNECT_SECONDS = 10
_READ_SECONDS = 60
_CONNECTIONS = 16

_Result = TypeVar("_Result")
_BROKEN_BODY = (
    boto_errors.ResponseStreamingError,
    boto_errors.IncompleteReadError,
    boto_errors.ReadTimeoutError,
)
_NO_LOGIN = (
    boto_errors.NoCredentialsError,
    boto_errors.PartialCredentialsError,
    boto_errors.NoAuthTokenError,
)
_BAD_LOGIN = (
    boto_errors.CredentialRetrievalError,
    boto_errors.TokenRetrievalError,
    boto_errors.UnknownCredentialError,
    boto_errors.InfiniteLoopConfigError,
    boto_errors.ConfigParseError,
    boto_errors.RefreshWithMFAUnsupportedError,
    boto_errors.SSOError,
    boto_errors.LoginError,
)


def split_url(place: str) -> tuple[str, str]:
    """Return bucket and prefix of `s3://bucket/prefix`. Raises ConfigError."""
    scheme, slashes, rest = place.partition("://")
    bucket, _, prefix = rest.partition("/")
    if "@" in bucket:
        raise ConfigError(
            "archive: found credentials in the s3:// address, expected s3://bucket/prefix; set them in the "
            "environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or by s3_profile"
        )
    if scheme.lower() != "s3" or not slashes or not _BUCKET.fullmatch(bucket):
        raise ConfigError(
            f"archive: found {place!r}, expected s3://bucket/prefix with a bucket's name of letters, digits, - and ."
        )
    prefix = prefix.strip("/")
    fault = fault_of_key(prefix) if prefix else None
    if fault:
        raise ConfigError(f"archive: found {place!r}, expected s3://bucket/prefix; the prefix {fault}")
    return bucket, prefix


class S3Store:
    """An ObjectStore in a bucket, below a prefix. All methods may be called from several threads."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        path_style: bool = False,
        profile: str | None = None,
        ca_file: Path | None = None,
        attempts: int = _ATTEMPTS,
    ) -> None:
        """*attempts*: how often a request is sent before it counts as failed."""
        self.url = f"s3://{bucket}/{prefix}" if prefix else f"s3://{bucket}"
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._client = _connect(
            self.url, endpoint_url, region, profile, ca_file, path_style=path_style, attempts=attempts
        )
        self._endpoint = self._client.meta.endpoint_url
        host = urlsplit(self._endpoint).hostname or ""
        self._by_folder = not host.endswith((".amazonaws.com", ".amazonaws.com.cn"))

    def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
        name = self._name(key)
        checksum = base64.b64encode(bytes.fromhex(check_digest(sha256))).decode()
        size_bytes = data.stat().st_size if isinstance(data, Path) else len(data)
        if size_bytes > MAX_PUT_BYTES:
            raise StoreRefused(f"{self._at(key)}: found {size_bytes} bytes, at most {MAX_PUT_BYTES} go into one put")
        with self._errors_of(key):
            self._put(name, data, checksum)
        return self._check_stored(key, size_bytes, sha256)

    def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        check_range(offset, length)
        if length == 0:
            self.stat(key)
            return b""
        if offset == 0 and length is None:
            return self._read(key, b"".join)
        return self._read(key, b"".join, part=f"bytes={offset}-{'' if length is None else offset + length - 1}")

    def fetch(self, key: str, target: Path) -> None:
        self._read(key, lambda blocks: copy_new(blocks, target))

    def stat(self, key: str) -> StoredObject:
        answer = self._head(key)
        if not {"ContentLength", "LastModified"} <= answer.keys():
            raise self._no_s3(key)
        return StoredObject(
            key, answer["ContentLength"], answer["LastModified"].astimezone(UTC), _proven_digest(answer)
        )

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        begin = start_after(prefix, after) if self._by_folder else after
        found = (one for one in self._pages(prefix, begin) if one.key > after)
        return in_byte_order(found, prefix=prefix, by_folder=self._by_folder)

    def folders(self, prefix: str) -> tuple[str, ...]:
        check_folder(prefix)
        below = self._prefix + prefix
        found = set()
        for page in self._list_pages(prefix, Delimiter="/"):
            found |= {entry["Prefix"].removeprefix(below).rstrip("/") for entry in page.get("CommonPrefixes", [])}
        return tuple(sorted(name for name in found if fault_of_key(prefix + name) is None))

    def delete(self, key: str) -> None:
        name = self._name(key)
        with self._errors_of(key), contextlib.suppress(self._client.exceptions.NoSuchKey):
            self._client.delete_object(Bucket=self._bucket, Key=name)

    def read_clock(self) -> datetime | None:
        with self._errors_of(""):
            answer = self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        try:
            return parsedate_to_datetime(date).astimezone(UTC)
        except ValueError:
            return None

    def close(self) -> None:
        self._client.close()

    def _name(self, key: str) -> str:
        check_key(key)
        name = self._prefix + key
        if len(name.encode()) > MAX_KEY_BYTES:
            raise StoreRefused(f"{self._at(key)}: with its prefix the key has more than {MAX_KEY_BYTES} bytes")
        return name

    def _at(self, key: str) -> str:
        return f"{self.url}/{key} at {self._endpoint}" if key else f"{self.url} at {self._endpoint}"

    def _no_s3(self, key: str) -> StoreRefused:
        return StoreRefused(f"{self._at(key)}: the answer is none of S3's; check that s3_endpoint_url is an S3 server")

    def _put(self, name: str, data: bytes | Path, checksum: str) -> None:
        for tries_left in reversed(range(_CONFLICT_TRIES)):
            try:
                with data.open("rb") if isinstance(data, Path) else contextlib.nullcontext(data) as body:
                    self._client.put_object(
                        Bucket=self._bucket, Key=name, Body=body, IfNoneMatch="*", ChecksumSHA256=checksum
                    )
            except boto_errors.ClientError as error:
                # 409: another put of this key is under way. Who of the two wins is not yet decided.
                if error.response["Error"].get("Code") != "ConditionalRequestConflict" or not tries_left:
                    raise
                time.sleep(random.uniform(0.05, 0.5))  # noqa: S311 — spreads the tries, protects nothing
            else:
                return

    def _check_stored(self, key: str, size_bytes: int, sha256: str) -> StoredObject:
        stored = self.stat(key)
        found = stored.sha256 or self._read(key, _digest_of)
        if (stored.size_bytes, found) != (size_bytes, sha256):
            raise ObjectDiffers(
                f"{self._at(key)}: the store holds {stored.size_bytes} bytes with {found}, "
                f"expected {size_bytes} bytes with {sha256}"
            )
        return StoredObject(key, stored.size_bytes, stored.modified, sha256)

    def _head(self, key: str) -> HeadObjectOutputTypeDef:
        name = self._name(key)
        with self._errors_of(key):
            try:
                return self._client.head_object(Bucket=self._bucket, Key=name, ChecksumMode="ENABLED")
            except boto_errors.ClientError as error:
                # An answer to HEAD has no body and so no code: a GET tells whether key or bucket is missing, and more.
                if error.response["ResponseMetadata"]["HTTPStatusCode"] in {301, 400, 403, 404}:
                    self._client.get_object(Bucket=self._bucket, Key=name, Range="bytes=0-0")["Body"].close()
                raise

    def _read(self, key: str, consume: Callable[[Iterable[bytes]], _Result], *, part: str = "") -> _Result:
        """Hand the object's blocks to *consume*, again from the start if the answer breaks off."""
        name = self._name(key)
        wanted: dict[str, Any] = {"Range": part} if part else {}
        for tries_left in reversed(range(_READ_TRIES)):
            with self._errors_of(key):
                try:
                    answer = self._client.get_object(Bucket=self._bucket, Key=name, **wanted)
                except boto_errors.ClientError as error:
                    if error.response["ResponseMetadata"]["HTTPStatusCode"] != 416:
                        raise
                    return consume(())  # the range begins past the end
                if part and not answer.get("ContentRange"):
                    answer["Body"].close()
                    raise StoreRefused(f"{self._at(key)}: the server ignores ranges; use another store")
                try:
                    with contextlib.closing(answer["Body"]) as body:
                        return consume(body.iter_chunks(BLOCK_BYTES))
                except _BROKEN_BODY:
                    if not tries_left:
                        raise
        raise AssertionError("unreachable: the last try returns or raises")

    def _pages(self, prefix: str, begin: str) -> Iterator[StoredObject]:
        extra = {"StartAfter": self._prefix + begin} if begin else {}
        for page in self._list_pages(prefix, **extra):
            for entry in page.get("Contents", []):
                key = entry["Key"].removeprefix(self._prefix)
                if entry["Key"].startswith(self._prefix + prefix) and fault_of_key(key) is None:
                    yield StoredObject(key, entry["Size"], entry["LastModified"].astimezone(UTC))

    def _list_pages(self, prefix: str, **extra: str) -> Iterator[dict[str, Any]]:
        token = ""
        while True:
            asked: dict[str, Any] = {**extra, "ContinuationToken": token} if token else dict(extra)
            with self._errors_of(prefix):
                page: dict[str, Any] = {
                    **self._client.list_objects_v2(
                        Bucket=self._bucket, Prefix=self._prefix + prefix, MaxKeys=PAGE_KEYS, **asked
                    )
                }
            if "IsTruncated" not in page:
                raise self._no_s3(prefix)
            yield page
            if not page["IsTruncated"]:
                return
            previous, token = token, page.get("NextContinuationToken", "")
            if token in {"", previous}:
                raise StoreRefused(f"{self._at(prefix)}: the server's listing does not go on; use another store")

    @contextlib.contextmanager
    def _errors_of(self, key: str) -> Iterator[None]:
        try:
            yield
        except (boto_errors.ClientError, boto_errors.BotoCoreError) as error:
            raise _explain(error, self._at(key)) from error


def _connect(
    url: str,
    endpoint_url: str | None,
    region: str | None,
    profile: str | None,
    ca_file: Path | None,
    *,
    path_style: bool,
    attempts: int,
) -> S3Client:
    if endpoint_url is not None and "@" in urlsplit(endpoint_url).netloc:
        raise ConfigError(
            "s3_endpoint_url: found credentials in it, expected http(s)://host:port; set them in the environment"
        )
    if ca_file is not None and not ca_file.is_file():
        raise ConfigError(
            f"s3_ca_file: found {ca_file}, which is no file; expected a PEM file of certificate authorities"
        )
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=_CONNECTIONS,
        # We send and check SHA-256 ourselves; botocore's own trailers are not known to all servers.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if path_style else "auto"},
        user_agent_extra="ofrecord",
    )
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        return session.client(
            "s3", endpoint_url=endpoint_url, config=config, verify=None if ca_file is None else str(ca_file)
        )
    except boto_errors.ProfileNotFound as error:
        raise ConfigError(f"s3_profile: found {profile!r}, which is not in the AWS configuration files") from error
    except boto_errors.InvalidRegionError as error:
        raise ConfigError(f"s3_region: found {region!r}, expected a name such as eu-central-1") from error
    except boto_errors.BotoCoreError as error:
        raise _explain(error, url) from error
    except ValueError as error:
        raise ConfigError(f"s3_endpoint_url: found {endpoint_url!r}, expected http(s)://host:port") from error


def _explain(error: Exception, where: str) -> StoreError:
    """Return ours for an error of botocore's; its own words only where they cannot hold a secret."""
    if isinstance(error, boto_errors.ClientError):
        said = error.response["Error"]
        status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
        return explain_answer(where, code=said.get("Code", ""), status=status, detail=said.get("Message", ""))
    if isinstance(error, _NO_LOGIN):
        return StoreRefused(
            f"{where}: found no complete credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or s3_profile, or run where a role gives them"
        )
    if isinstance(error, _BAD_LOGIN):
        return StoreRefused(
            f"{where}: no credentials to be had ({type(error).__name__}); sign in again or check s3_profile"
        )
    if isinstance(error, boto_errors.SSLError):
        return StoreRefused(f"{where}: TLS failed: {tidy(str(error))}; set s3_ca_file for a private authority")
    if isinstance(error, boto_errors.ProxyConnectionError):
        return StoreUnavailable(f"{where}: the proxy cannot be reached; check HTTPS_PROXY and NO_PROXY")
    if isinstance(error, boto_errors.EndpointConnectionError):
        return StoreUnavailable(
            f"{where}: cannot connect; check s3_endpoint_url, the network, and that the server runs"
        )
    if isinstance(error, boto_errors.ConnectTimeoutError | boto_errors.ReadTimeoutError):
        return StoreUnavailable(f"{where}: no answer in time; check the network and try again")
    if isinstance(error, boto_errors.HTTPClientError | boto_errors.ConnectionError | boto_errors.IncompleteReadError):
        return StoreUnavailable(f"{where}: the connection broke ({type(error).__name__}); try again")
    return StoreRefused(f"{where}: {type(error).__name__}: {tidy(str(error))}")


def _proven_digest(answer: HeadObjectOutputTypeDef) -> str | None:
    """Return the labelled digest that the server holds for the whole object, or `None` if it has none."""
    value = answer.get("ChecksumSHA256", "")
    if not value or answer.get("ChecksumType") == "COMPOSITE":
        return None
    try:
        raw = base64.b64decode(value, validate=True)
    except ValueError:
        return None
    return f"sha256:{raw.hex()}" if len(raw) == 32 else None


def _digest_of(blocks: Iterable[bytes]) -> str:
    found = hashlib.sha256()
    for block in blocks:
        found.update(block)
    return f"sha256:{found.hexdigest()}"
