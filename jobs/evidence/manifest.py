"""What an evidence bundle says of itself, `evidence/manifest.json`: FORMAT.md § 12. Nothing in it is believed.

Names of its parts, limits, and the shape of the manifest as strangers may have written it.
"""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.errors import DamageFound, FormatTooNew
from crawler.rows import Instant, read_json_object
from jobs.archive.commit import MAX_NUMBER, SOURCE_PATTERN, require_format

FORMAT = "1.1"
FOLDER = "evidence/"
MANIFEST = "evidence/manifest.json"
REPORT = "evidence/report.html"
INFO = "evidence/ofrecord.json"
RECORDS = "archive/records.warc.gz"
MAX_MANIFEST_BYTES = 16 * 1024 * 1024
MAX_CAPTURES = 20_000
MAX_COMMITS = 20_000
MAX_TEXT_BYTES = 64 * 1024 * 1024
"""As long as a row may be."""

_SEGMENT = rf"{SOURCE_PATTERN.pattern}-[0-9]{{8}}T[0-9]{{6}}Z-[0-9a-f]{{16}}"
_DIGEST = r"sha256:[0-9a-f]{64}"
_NAMED = (
    (re.compile(r"keys/([0-9]{6})\.json"), "key-{}.json"),
    (re.compile(rf"log/{SOURCE_PATTERN.pattern}/([0-9]{{12}})"), "commit-{}.json"),
    (re.compile(r"heads/([0-9]{12}\.(?:json|tsr))"), "head-{}"),
    (re.compile(r"(ofrecord\.json)"), "{}"),
)

Digest = Annotated[str, Field(pattern=f"^{_DIGEST}$")]
SegmentId = Annotated[str, Field(pattern=f"^{_SEGMENT}$")]
Seq = Annotated[int, Field(ge=1, le=MAX_NUMBER)]
Short = Annotated[str, Field(max_length=4_000)]
Url = Annotated[str, Field(max_length=100_000)]
_Place = Annotated[int, Field(ge=0, le=1 << 62)]


class _Told(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class RecordsTold(_Told):
    """Where the records of a capture lie in the bundle, one behind the other, as in their segment."""

    path: Annotated[str, Field(pattern=rf"^archive/(?:records|{_SEGMENT})\.warc\.gz$")]
    offset: _Place
    length: Annotated[int, Field(gt=0, le=1 << 62)]


class CaptureTold(_Told):
    """A capture in the bundle."""

    segment: SegmentId
    n: Annotated[int, Field(ge=0, le=MAX_NUMBER)]
    captured_at: Instant
    target_uri: Url
    status: Annotated[int, Field(ge=0, le=999)] | None
    verdict: Short | None
    """As the archive judged it by all that it holds."""
    number: Annotated[int, Field(ge=1, le=MAX_NUMBER)] | None
    """Of its text among the article's, alike."""
    text: Digest | None
    """Of the clean text that was read of it then; of an answer of 304, of the one that it stands for."""
    records: RecordsTold | None
    """`None`: no answer came, and nothing was recorded."""
    why: Literal["article", "payload"] = "article"
    """`payload`: it is here since another refers to its payload, or stands for it."""

    @property
    def place(self) -> tuple[str, int]:
        """Segment and number."""
        return self.segment, self.n


class SegmentTold(_Told):
    """A segment whose rows are in the bundle."""

    segment: SegmentId
    seq: Seq
    """Of the commit that brought it."""
    moved_by: Seq | None = None
    """Of the commit that says where its rows lie since, if it was written anew; `None`, too, if it could be had as it
    first was."""


class TextTold(_Told):
    """One of the article's texts."""

    number: Annotated[int, Field(ge=1, le=MAX_NUMBER)]
    text_digest: Digest
    derivation: Digest
    title: Annotated[str, Field(max_length=1 << 20)] | None
    language: Annotated[str, Field(max_length=100)]


class ChangeTold(_Told):
    """What changed from one text to another, as lines."""

    before: Annotated[int, Field(ge=1, le=MAX_NUMBER)]
    after: Annotated[int, Field(ge=1, le=MAX_NUMBER)]


class RunTold(_Told):
    """Commits that follow one another, and where they lead."""

    first: Seq
    last: Seq
    head: Annotated[int, Field(ge=1, le=MAX_NUMBER)] | None
    """Number of the head that names the last of them; `None`: none does."""
    ends: Literal["head", "log", "limit"]
    """Why there are no more: a head names the last; the log ended; there would be too many."""


class Manifest(_Told):
    """What the bundle says of itself."""

    format: str
    archive: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    source: Annotated[str, Field(pattern=f"^{SOURCE_PATTERN.pattern}$")]
    site: Short
    """The publication's name."""
    url: Url
    created: Instant
    writer: Short
    at: Instant | None
    """The time that was asked for; `None`: the whole history."""
    others: Annotated[int, Field(ge=0, le=MAX_NUMBER)]
    """How many captures of the article the archive held besides."""
    whole_segments: bool
    captures: Annotated[list[CaptureTold], Field(min_length=1, max_length=MAX_CAPTURES)]
    segments: Annotated[list[SegmentTold], Field(min_length=1, max_length=MAX_CAPTURES)]
    texts: Annotated[list[TextTold], Field(max_length=MAX_CAPTURES)]
    changes: Annotated[list[ChangeTold], Field(max_length=MAX_CAPTURES)]
    runs: Annotated[list[RunTold], Field(min_length=1, max_length=MAX_COMMITS)]

    def find_text(self, number: int) -> TextTold | None:
        """Return the text of that number, if it is among those here."""
        return next((one for one in self.texts if one.number == number), None)

    def is_alike(self, told: CaptureTold) -> bool:
        """Whether the text of *told* is not the very one that stands here under its number."""
        text = self._digests.get(told.number) if told.number and told.why == "article" else None
        return text is not None and told.text != text

    @cached_property
    def _digests(self) -> dict[int, str]:
        return {one.number: one.text_digest for one in self.texts}


def name_part(key: str) -> str | None:
    """Return the path in the bundle of what lies under *key* in the archive; `None`: no such thing is in bundles."""
    for pattern, name in _NAMED:
        match = pattern.fullmatch(key)
        if match:
            return FOLDER + name.format(match.groups()[-1])
    return None


def commit_path(seq: int) -> str:
    """Return the path of commit *seq*."""
    return f"{FOLDER}commit-{seq:012d}.json"


def rows_path(segment: str) -> str:
    """Return the path of the rows of *segment*."""
    return f"{FOLDER}rows-{segment}.warc.gz"


def segment_path(segment: str) -> str:
    """Return the path of the whole file of *segment*."""
    return f"archive/{segment}.warc.gz"


def text_path(text_digest: str) -> str:
    """Return the path of the text of that digest."""
    return f"{FOLDER}text-{text_digest.partition(':')[2]}.txt"


def change_path(change: ChangeTold) -> str:
    """Return the path of what changed."""
    return f"{FOLDER}change-{change.before}-{change.after}.diff"


def encode_manifest(manifest: Manifest) -> bytes:
    """Return *manifest* as JSON, for people too."""
    data = manifest.model_dump(mode="json")
    return json.dumps(data, ensure_ascii=False, indent=1).encode("utf-8", "replace") + b"\n"


def decode_manifest(data: bytes) -> Manifest:
    """Read a manifest. Raises DamageFound and FormatTooNew."""
    try:
        fields = read_json_object(data)
        json.dumps(fields, ensure_ascii=False).encode()
        require_format(fields.get("format"), MANIFEST)
        return Manifest.model_validate_json(json.dumps(fields), strict=True)
    except (DamageFound, FormatTooNew):
        raise
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part)[:60] for part in first["loc"])
        raise DamageFound(f"{MANIFEST}: {place}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise DamageFound(f"{MANIFEST}: not what it should be: {error}") from error
