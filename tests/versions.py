"""What is known of an archive that holds nothing, for those who ask before a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crawler.compare import KnownReading, LastAsset, LastLook, LastVersion
    from crawler.model import RecordReference
    from crawler.validators import Validators


class NothingKnown:
    """LastVersions of an empty archive."""

    def last(self, url: str) -> LastVersion | None:  # noqa: ARG002 - the protocol's signature
        return None

    def find_looks(self, urls: Sequence[str]) -> Mapping[str, LastLook]:  # noqa: ARG002
        return {}

    def find_record(self, target_uri: str, payload_digest: str) -> RecordReference | None:  # noqa: ARG002
        return None

    def find_validators(self, urls: Sequence[str], *, raw_only: bool = False) -> Mapping[str, Validators]:  # noqa: ARG002
        return {}

    def find_listing(self, url: str, rules: str) -> Validators | None:  # noqa: ARG002
        return None

    def find_assets(self, urls: Sequence[str]) -> Mapping[str, LastAsset]:  # noqa: ARG002
        return {}

    def find_reading(self, url: str, target_uri: str, payload_digest: str, derivation: str) -> KnownReading | None:  # noqa: ARG002
        return None
