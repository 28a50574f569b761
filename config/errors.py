"""The whole tree of errors that a caller may want to tell apart, with the exit code of each.

    ArchiveError                    1  anything of ours that went wrong
    ├── ConfigError                 2  settings, a source's YAML, an option: where, what was found, what is expected
    ├── FetchError                  1  no usable answer from the web
    ├── ExtractError                1  a page defeated the extractor
    ├── RecordError                 1  a record cannot be written or read: file and offset
    ├── FormatTooNew                2  an archive written by a later major version
    ├── ArchiveMissing             10  no archive at that place
    ├── RunLocked                  11  this source is already being crawled
    ├── LogMoved                    1  others put commits meanwhile: look again, then try again
    ├── CatalogDamaged              1  the local catalog cannot be read: it is a cache, make it anew
    ├── DamageFound                13  verify found damage
    └── StoreError                 12  the object store
        ├── ObjectMissing              no object of that key
        ├── ObjectExists               create-only put refused: the key is taken
        ├── ObjectDiffers              what is stored is not what was sent
        ├── StoreRefused               permanent: credentials, policy, bucket, feature
        ├── StoreUnavailable           passing: try again
        └── ClockWrong                 our clock and the store's are too far apart

Whether to try again is a property of the class (`retryable`), never a guess where it is caught.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process tells its caller; every command's help lists those it can end with."""

    DONE = 0
    """All that was asked for is done (single captures may have failed: the report counts them)."""
    FAILED = 1
    """Unexpected failure."""
    USAGE = 2
    """Usage or configuration."""
    CRAWL_FAILED = 3
    """Discovery failed, or more captures failed than `max_failed`."""
    DISK_FULL = 4
    """The disk is full."""
    UNWELL = 5
    """A source is silent, failing or blocked, or its file needs a hand: nothing went wrong in saying so."""
    NOT_TOLD = 6
    """An alert or a head could not be delivered."""
    NO_ARCHIVE = 10
    """No archive there."""
    LOCKED = 11
    """This source is already being crawled."""
    STORE_REFUSED = 12
    """The store refused us or cannot be reached."""
    DAMAGE = 13
    """Damage found."""
    INTERRUPTED = 130
    """Interrupted."""


class ArchiveError(Exception):
    """Anything of ours that went wrong and that a person can read in one line."""

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED
    retryable: ClassVar[bool] = False


class ConfigError(ArchiveError):
    """Settings, sources, options. The message says where, what was found and what is expected."""

    exit_code = ExitCode.USAGE


class FetchError(ArchiveError):
    """No usable answer from the web."""

    retryable = True


class ExtractError(ArchiveError):
    """A page defeated the extractor: deadline, memory limit, crash."""


class RecordError(ArchiveError):
    """A record cannot be written or read; the message names file and offset."""


class FormatTooNew(ArchiveError):
    """The archive was written by a later major version of the format."""

    exit_code = ExitCode.USAGE


class ArchiveMissing(ArchiveError):
    """No archive at that place."""

    exit_code = ExitCode.NO_ARCHIVE


class RunLocked(ArchiveError):
    """This source is already being crawled."""

    exit_code = ExitCode.LOCKED


class LogMoved(ArchiveError):
    """Others put commits behind the one that was looked at, and what was to be committed may no longer be right."""

    retryable = True


class CatalogDamaged(ArchiveError):
    """The local catalog cannot be read. Nothing is lost: it is folded from the log again."""


class DamageFound(ArchiveError):
    """What is stored is not what was committed."""

    exit_code = ExitCode.DAMAGE


class StoreError(ArchiveError):
    """The object store."""

    exit_code = ExitCode.STORE_REFUSED


class ObjectMissing(StoreError):
    """No object of that key."""


class ObjectExists(StoreError):
    """A create-only put was refused because the key is taken."""


class ObjectDiffers(StoreError):
    """What is stored under the key is not what was sent."""


class StoreRefused(StoreError):
    """Permanent: wrong credentials, no permission, no such bucket, a feature that is missing."""


class StoreUnavailable(StoreError):
    """Passing: no answer, overload, a broken connection."""

    retryable = True


class ClockWrong(StoreError):
    """Our clock and the store's are too far apart: beyond some minutes S3 servers themselves refuse us for it."""
