"""A large object into a bucket in parts: create-only at the last step, and ended by the server if anything fails."""

from __future__ import annotations

import contextlib
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from botocore import exceptions as boto_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

    from jobs.store.s3.checksums import Checksum

SINGLE_PUT_BYTES = 64 * 1024**2
"""Up to that an object goes in one put."""
MAX_OBJECT_BYTES = 5 * 1024**4
"""What every server takes."""
MAX_PARTS = 10_000
_PART_BYTES = 16 * 1024**2
_MEBIBYTE = 1024**2


def choose_part_bytes(size_bytes: int) -> int:
    """Return the size of all parts but the last: 16 MiB, or whole MiB so that 10,000 parts suffice."""
    least = -(-size_bytes // MAX_PARTS)
    return max(_PART_BYTES, -(-least // _MEBIBYTE) * _MEBIBYTE)


@dataclass(frozen=True, slots=True)
class PartedPut:
    """One object that is to be put in parts."""

    client: S3Client
    target: dict[str, Any]
    """Bucket and key, as requests name them."""
    checksum: Checksum
    extra: dict[str, Any]
    """What the beginning says of the whole object: encryption, storage class."""
    refuse_if_taken: Callable[[], None]
    """Raises if there is an object already: some servers ignore the precondition of the last step."""
    check_begun: Callable[[Any], None]
    """Raises if the answer to the beginning is none of S3's, or not what was wished."""

    def send(self, data: bytes | Path, size_bytes: int, sha256: str) -> None:
        """Put *data*, *size_bytes* long. Proving its digest, *sha256* (hex), is left to the caller.

        Raises botocore's errors.
        """
        self.refuse_if_taken()
        begun = self.client.create_multipart_upload(
            Bucket=self.target["Bucket"],
            Key=self.target["Key"],
            ChecksumAlgorithm=self.checksum.algorithm,
            ChecksumType=self.checksum.kind,
            **self.extra,
        )
        upload: dict[str, Any] = {**self.target, "UploadId": begun.get("UploadId", "")}
        try:
            self.check_begun(begun)
            parts = self._send_parts(upload, data, choose_part_bytes(size_bytes))
            self.refuse_if_taken()
            self._complete(upload, parts, self._whole(data, sha256))
        except BaseException:
            # What cannot be ended now is left to the bucket's life-cycle rule: deploy/lifecycle.json.
            with contextlib.suppress(boto_errors.ClientError, boto_errors.BotoCoreError):
                self.client.abort_multipart_upload(**upload)
            raise

    def _send_parts(self, upload: dict[str, Any], data: bytes | Path, part_bytes: int) -> list[CompletedPartTypeDef]:
        parts: list[CompletedPartTypeDef] = []
        source: IO[bytes]
        with data.open("rb") if isinstance(data, Path) else io.BytesIO(data) as source:
            while body := source.read(part_bytes):
                value: dict[str, Any] = {self.checksum.field: self.checksum.of(body, hashlib.sha256(body).hexdigest())}
                number = len(parts) + 1
                answer = self.client.upload_part(**upload, PartNumber=number, Body=body, **value)
                parts.append({"PartNumber": number, "ETag": answer.get("ETag", ""), **value})  # type: ignore[typeddict-item]
        return parts

    def _whole(self, data: bytes | Path, sha256: str) -> dict[str, Any]:
        """Return the checksum of the whole object, where this kind has one of it in parts."""
        if self.checksum.kind == "COMPOSITE":
            return {}
        return {self.checksum.field: self.checksum.of(data, sha256), "ChecksumType": self.checksum.kind}

    def _complete(self, upload: dict[str, Any], parts: list[CompletedPartTypeDef], whole: dict[str, Any]) -> None:
        try:
            self.client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*", **whole)
        except boto_errors.ClientError as error:
            if error.response["Error"].get("Code") == "NoSuchUpload":
                # Either an earlier try of ours was done and its answer lost, or somebody ended the upload.
                self.refuse_if_taken()
            raise
