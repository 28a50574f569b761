"""A store in an S3 bucket, by boto3, which nothing outside this package imports. Puts are create-only, but for feeds.

Never takes a put for done before the SHA-256 of what is stored was heard from the server or read back.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import re
import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from botocore import exceptions as boto_errors

from config.errors import ConfigError, ObjectDiffers, ObjectExists, StoreRefused
from jobs.store import StoredObject
from jobs.store.files import BLOCK_BYTES, copy_new
from jobs.store.keys import (
    MAX_KEY_BYTES,
    check_digest,
    check_folder,
    check_key,
    check_range,
    check_rewritten,
    fault_of_key,
    in_byte_order,
    is_immutable,
    start_after,
)
from jobs.store.s3.checksums import choose_checksum, digest_of, proven_digest
from jobs.store.s3.connection import S3Options, connect, explain, name_endpoint
from jobs.store.s3.parts import MAX_OBJECT_BYTES, SINGLE_PUT_BYTES, PartedPut
from jobs.store.s3.retention import explain_refusal, probe_lock, read_retention
from jobs.store.s3.traffic import Traffic
from jobs.store.s3.versions import Versions

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from types_boto3_s3.type_defs import HeadObjectOutputTypeDef

    from jobs.store import Retention, StoredVersion

__all__ = ["S3Options", "S3Store", "split_url"]

PAGE_KEYS = 1000
"""Keys in one answer to a listing; S3 gives no more."""

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_CONFLICT_TRIES = 6
_READ_TRIES = 3
_SEGMENTS = "segments/"
"""What a storage class applies to: all else is small and must be readable at once."""

_Result = TypeVar("_Result")
_BROKEN_BODY = (
    boto_errors.ResponseStreamingError,
    boto_errors.IncompleteReadError,
    boto_errors.ReadTimeoutError,
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

    def __init__(self, bucket: str, prefix: str = "", options: S3Options | None = None) -> None:
        options = options or S3Options()
        self.url = f"s3://{bucket}/{prefix}" if prefix else f"s3://{bucket}"
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._checksum = choose_checksum(options.checksum)
        self._encryption: dict[str, Any] = {"ServerSideEncryption": options.sse} if options.sse else {}
        if options.sse_key_id:
            self._encryption["SSEKMSKeyId"] = options.sse_key_id
        self._storage_class: dict[str, Any] = {"StorageClass": options.storage_class} if options.storage_class else {}
        self._lock = options.lock
        self._client = connect(self.url, options)
        self._traffic = Traffic()
        self._traffic.watch(self._client)
        self._endpoint = self._client.meta.endpoint_url
        self.place = f"{self.url} at {name_endpoint(self._endpoint, self._client.meta.partition)}"
        host = urlsplit(self._endpoint).hostname or ""
        self._by_folder = not host.endswith((".amazonaws.com", ".amazonaws.com.cn"))

    @property
    def requests(self) -> Counter[str]:
        return self._traffic.requests

    @property
    def retries(self) -> int:
        return self._traffic.retries

    def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
        name, digest = self._name(key), check_digest(sha256)
        size_bytes = data.stat().st_size if isinstance(data, Path) else len(data)
        if size_bytes > MAX_OBJECT_BYTES:
            raise StoreRefused(f"{self._at(key)}: found {size_bytes} bytes, an object has at most {MAX_OBJECT_BYTES}")
        if size_bytes > SINGLE_PUT_BYTES:
            self._settle(key, lambda: self._put_parts(key, name, data, size_bytes, digest))
            return self._check_stored(key, size_bytes, sha256)
        answer = self._settle(key, lambda: self._put(key, name, data, digest))
        if isinstance(data, bytes) and proven_digest(answer) == sha256:
            return StoredObject(key, size_bytes, _date_of(answer), sha256)
        return self._check_stored(key, size_bytes, sha256)

    def rewrite(self, key: str, data: bytes, *, media_type: str) -> None:
        check_rewritten(key)
        name, digest = self._name(key), hashlib.sha256(data).hexdigest()
        checksum: dict[str, Any] = {self._checksum.field: self._checksum.of(data, digest)}
        with self._errors_of(key):
            answer = self._client.put_object(
                Bucket=self._bucket, Key=name, Body=data, ContentType=media_type, **checksum, **self._wishes(key)
            )
        self._check_encryption(key, answer)

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
        return StoredObject(key, answer["ContentLength"], answer["LastModified"].astimezone(UTC), proven_digest(answer))

    def read_retention(self, key: str, *, version: str = "") -> Retention | None:
        target = {"Bucket": self._bucket, "Key": self._name(key)} | ({"VersionId": version} if version else {})
        with self._errors_of(key):
            return read_retention(self._client, target)

    def probe_lock(self) -> None:
        target = {"Bucket": self._bucket, "Key": self._name(f"probe/{secrets.token_hex(8)}-lock")}
        with self._errors_of(""):
            probe_lock(self._client, target, self._lock, now=self._now(), where=self._at(""))

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

    def list_versions(self, prefix: str) -> Iterator[StoredVersion]:
        for one in self._versions().list(self._prefix + prefix):
            key = one.key.removeprefix(self._prefix)
            if one.key.startswith(self._prefix + prefix) and fault_of_key(key) is None:
                yield replace(one, key=key)

    def purge(self, key: str, *, keep_newest: bool = False, bypass: bool = False) -> int:
        return self._versions().purge(self._name(key), keep_newest=keep_newest, bypass=bypass)

    def read_clock(self) -> datetime | None:
        """Return the store's time by the last answer, carried on; asks only if that is more than a minute old.

        Never later than the store's clock, and at most 3 s earlier: answers are dated in whole seconds, and those that
        took longer than 2 s do not count. (An answer that was asked for its date counts in any case, so that a very
        slow line makes it earlier by as much.)
        """
        now = self._traffic.read_clock()
        if now is not None:
            return now
        with self._errors_of(""):
            self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)
        return self._traffic.read_clock(fresh=True)

    def close(self) -> None:
        self._client.close()

    def _versions(self) -> Versions:
        return Versions(self._client, self._bucket, self._at("").replace(self.url, f"s3://{self._bucket}", 1))

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

    def _settle(self, key: str, put: Callable[[], _Result]) -> _Result:
        """Return what *put* returns; again where another put of this key is under way (409) and none has won yet."""
        for tries_left in reversed(range(_CONFLICT_TRIES)):
            with self._errors_of(key, putting=True):
                try:
                    return put()
                except boto_errors.ClientError as error:
                    if error.response["Error"].get("Code") != "ConditionalRequestConflict" or not tries_left:
                        raise
                    time.sleep(random.uniform(0.05, 0.5))  # noqa: S311 — spreads the tries, protects nothing
        raise AssertionError("unreachable: the last try returns or raises")

    def _put(self, key: str, name: str, data: bytes | Path, digest: str) -> Mapping[str, Any]:
        checksum: dict[str, Any] = {self._checksum.field: self._checksum.of(data, digest)}
        with data.open("rb") if isinstance(data, Path) else contextlib.nullcontext(data) as body:
            answer = self._client.put_object(
                Bucket=self._bucket, Key=name, Body=body, IfNoneMatch="*", **checksum, **self._wishes(key)
            )
        self._check_encryption(key, answer)
        return answer

    def _put_parts(self, key: str, name: str, data: bytes | Path, size_bytes: int, digest: str) -> None:
        PartedPut(
            self._client,
            {"Bucket": self._bucket, "Key": name},
            self._checksum,
            self._wishes(key),
            lambda: self._refuse_if_taken(key, name),
            lambda answer: self._check_begun(key, answer),
        ).send(data, size_bytes, digest)

    def _check_begun(self, key: str, answer: Mapping[str, Any]) -> None:
        if not answer.get("UploadId"):
            raise self._no_s3(key)
        self._check_encryption(key, answer)

    def _wishes(self, key: str) -> dict[str, Any]:
        kept = self._lock.fields(key, self._now()) if self._lock else {}
        return self._encryption | (self._storage_class if key.startswith(_SEGMENTS) else {}) | kept

    def _now(self) -> datetime:
        """Return the store's time where that costs no request, else this machine's: a retention is of days."""
        return self._traffic.read_clock() or datetime.now(UTC)

    def _check_encryption(self, key: str, answer: Mapping[str, Any]) -> None:
        wanted, found = self._encryption.get("ServerSideEncryption"), answer.get("ServerSideEncryption")
        if wanted and found != wanted:
            raise StoreRefused(
                f"{self._at(key)}: asked for the encryption {wanted}, the server answers with {found or 'none'}; "
                "set s3_sse to what this server has, or to null"
            )

    def _refuse_if_taken(self, key: str, name: str) -> None:
        try:
            self._client.head_object(Bucket=self._bucket, Key=name)
        except boto_errors.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
        else:
            raise ObjectExists(f"{self._at(key)}: is there already")

    def _check_stored(self, key: str, size_bytes: int, sha256: str) -> StoredObject:
        stored = self.stat(key)
        found = stored.sha256 or self._read(key, digest_of)
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
    def _errors_of(self, key: str, *, putting: bool = False) -> Iterator[None]:
        try:
            yield
        except (boto_errors.ClientError, boto_errors.BotoCoreError) as error:
            refusal = explain_refusal(error, self._at(key), self._lock) if putting and is_immutable(key) else None
            raise refusal or explain(error, self._at(key)) from error


def _date_of(answer: Mapping[str, Any]) -> datetime | None:
    """Return when the server sent *answer*, by its clock."""
    try:
        return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")).astimezone(UTC)
    except ValueError:
        return None
