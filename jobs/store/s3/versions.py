"""Every version of a bucket's objects: listed, and removed for good. A bucket without versions has one of each.

A plain delete of a bucket with versions puts a marker before the bytes; here each is removed by its own name.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from botocore import exceptions as boto_errors

from config.errors import StoreRefused
from jobs.store import StoredVersion
from jobs.store.s3.connection import explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_s3 import S3Client

_PAGE_KEYS = 1000
_RIGHTS = "s3:ListBucketVersions, s3:ListBucketMultipartUploads, s3:DeleteObject and s3:DeleteObjectVersion"


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of one bucket's objects; names here are whole, with the store's prefix."""

    client: S3Client
    bucket: str
    where: str
    """How errors name the bucket."""

    def list(self, prefix: str) -> Iterator[StoredVersion]:
        """Yield versions and delete markers of names that begin with *prefix*, each name's together, newest first.

        Raises StoreRefused, StoreUnavailable.
        """
        held: list[StoredVersion] = []
        for page in self._list_pages(prefix):
            held += [_read(one, removed=False) for one in page.get("Versions", [])]
            held += [_read(one, removed=True) for one in page.get("DeleteMarkers", [])]
            unfinished = page.get("NextKeyMarker", "") if page.get("IsTruncated") else None
            yield from _sort([one for one in held if one.key != unfinished])
            held = [one for one in held if one.key == unfinished]

    def purge(self, name: str, *, keep_newest: bool, bypass: bool) -> int:
        """Remove what is kept of *name*, markers and unfinished uploads too; return how many objects went.

        Raises StoreRefused naming the version that cannot go, StoreUnavailable.
        """
        gone = 0
        mine = [one for one in self.list(name) if one.key == name]
        for one in mine:
            if keep_newest and one.newest and not one.removed:
                continue
            self._remove(one, bypass=bypass)
            gone += not one.removed
        if not keep_newest:
            self._end_uploads(name)
        return gone

    def _remove(self, one: StoredVersion, *, bypass: bool) -> None:
        extra: dict[str, Any] = {"BypassGovernanceRetention": True} if bypass else {}
        with self._errors_of(one.key), contextlib.suppress(self.client.exceptions.NoSuchKey):
            try:
                self.client.delete_object(Bucket=self.bucket, Key=one.key, VersionId=one.version or "null", **extra)
            except boto_errors.ClientError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                if status != 403:
                    raise
                raise StoreRefused(
                    f"{self.where}/{one.key}: version {one.version} cannot be removed (403): it is under retention or "
                    f"legal hold, or these credentials lack {_RIGHTS} (deploy/policy-redact.json)"
                ) from error

    def _end_uploads(self, name: str) -> None:
        """End the uploads in parts of *name* that nobody finished: what they sent is kept until then."""
        with self._errors_of(name):
            page = self.client.list_multipart_uploads(Bucket=self.bucket, Prefix=name)
            for one in page.get("Uploads", []):
                if one["Key"] == name:
                    with contextlib.suppress(self.client.exceptions.NoSuchUpload):
                        self.client.abort_multipart_upload(Bucket=self.bucket, Key=name, UploadId=one["UploadId"])

    def _list_pages(self, prefix: str) -> Iterator[dict[str, Any]]:
        asked: dict[str, Any] = {}
        while True:
            with self._errors_of(prefix):
                page: dict[str, Any] = {
                    **self.client.list_object_versions(Bucket=self.bucket, Prefix=prefix, MaxKeys=_PAGE_KEYS, **asked)
                }
            yield page
            if not page.get("IsTruncated"):
                return
            before = asked
            asked = {"KeyMarker": page.get("NextKeyMarker", "")}
            if page.get("NextVersionIdMarker"):
                asked["VersionIdMarker"] = page["NextVersionIdMarker"]
            if not asked["KeyMarker"] or asked == before:
                raise StoreRefused(f"{self.where}/{prefix}: the server's listing of versions does not go on")

    @contextlib.contextmanager
    def _errors_of(self, name: str) -> Iterator[None]:
        try:
            yield
        except (boto_errors.ClientError, boto_errors.BotoCoreError) as error:
            raise explain(error, f"{self.where}/{name}") from error


def _read(entry: dict[str, Any], *, removed: bool) -> StoredVersion:
    return StoredVersion(
        entry["Key"],
        entry.get("Size", 0),
        entry["LastModified"].astimezone(UTC),
        entry.get("VersionId") or "",
        newest=bool(entry.get("IsLatest")),
        removed=removed,
    )


def _sort(found: list[StoredVersion]) -> list[StoredVersion]:
    """Return *found* by name, the newest of each first."""
    return sorted(found, key=lambda one: (one.key, not one.newest))
