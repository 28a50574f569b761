"""Object Lock: the retention that immutable objects are put with, and what a bucket says of it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from botocore import exceptions as boto_errors

from config.errors import StoreRefused
from jobs.store import Retention
from jobs.store.answers import tidy
from jobs.store.keys import is_immutable

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_NONE = frozenset(
    {
        "InvalidRequest",  # Amazon's, of a bucket without Object Lock
        "MethodNotAllowed",
        "NoSuchObjectLockConfiguration",  # Amazon's, of an object
        "NotImplemented",
        "ObjectLockConfigurationNotFoundError",
    }
)
_PROBE_SECONDS = 60
"""An object that tries it out can be removed for good after that."""


@dataclass(frozen=True, slots=True)
class LockWish:
    """What the settings ask for: `object_lock` and `object_lock_days`."""

    mode: Literal["governance", "compliance"]
    days: int

    def fields(self, key: str, now: datetime) -> dict[str, Any]:
        """Return what a put of *key* at *now* says of its retention."""
        return make_fields(self.mode, now + timedelta(days=self.days)) if is_immutable(key) else {}


def make_fields(mode: str, until: datetime) -> dict[str, Any]:
    """Return the fields of a put that keep the object *until* then."""
    return {"ObjectLockMode": mode.upper(), "ObjectLockRetainUntilDate": until.replace(microsecond=0)}


def read_retention(client: S3Client, target: dict[str, Any]) -> Retention | None:
    """Return the retention of the object *target*: its newest version if that names none. Raises botocore's errors."""
    try:
        answer = client.get_object_retention(**target)
    except boto_errors.ClientError as error:
        if error.response["Error"].get("Code") in _NONE or error.response["ResponseMetadata"]["HTTPStatusCode"] == 501:
            return None
        raise
    found = answer.get("Retention", {})
    mode, until = found.get("Mode"), found.get("RetainUntilDate")
    return Retention(mode.lower(), until.astimezone(UTC)) if mode and until else None


def explain_refusal(error: Exception, where: str, wish: LockWish | None) -> StoreRefused | None:
    """Return what to say where a put with the retention *wish* was answered as a bucket without Object Lock does."""
    if wish is None or not isinstance(error, boto_errors.ClientError):
        return None
    said = error.response["Error"]
    if said.get("Code") not in {"InvalidRequest", "InvalidArgument", "ObjectLockConfigurationNotFoundError"}:
        return None
    return StoreRefused(
        f"{where}: the server refused the object's retention ({tidy(said.get('Code', ''))}: "
        f"{tidy(said.get('Message', ''))}); object_lock is {wish.mode}: see that the bucket has Object Lock enabled, "
        "or set object_lock to none"
    )


def probe_lock(client: S3Client, target: dict[str, Any], wish: LockWish | None, *, now: datetime, where: str) -> None:
    """Raise StoreRefused unless the bucket has Object Lock and keeps an object, *target*, as *wish* says.

    Raises botocore's errors.
    """
    if wish is None:
        raise StoreRefused(f"{where}: object_lock is none: nothing is put with a retention")
    advice = (
        "make a bucket with Object Lock enabled (aws s3api create-bucket --object-lock-enabled-for-bucket), "
        "or set object_lock to none"
    )
    try:
        found = client.get_object_lock_configuration(Bucket=target["Bucket"]).get("ObjectLockConfiguration", {})
    except boto_errors.ClientError as error:
        if error.response["Error"].get("Code") not in _NONE:
            raise
        found = {}
    if found.get("ObjectLockEnabled") != "Enabled":
        raise StoreRefused(f"{where}: object_lock is {wish.mode}, but the bucket has no Object Lock; {advice}")
    wanted = make_fields("governance", now + timedelta(seconds=_PROBE_SECONDS))
    try:
        client.put_object(**target, Body=b"kept", IfNoneMatch="*", ChecksumAlgorithm="SHA256", **wanted)
        kept = read_retention(client, target)
    finally:
        with contextlib.suppress(boto_errors.ClientError):
            client.delete_object(**target)
    if kept is None or kept.until < now:
        raise StoreRefused(f"{where}: object_lock is {wish.mode}, but the server keeps no retention; {advice}")
