"""The extractor as a command for the scorers of the evaluation kit: a folder of pages → a JSON object a line.

`python -m tests.benchmarks.extract_adapter [--loaded] HTMLDIR`; HTMLDIR/../urls.json says which URL each page had.
--loaded: what only some pages need is loaded first, so that who measures speed can take it off with the start.
"""

from __future__ import annotations

import gc
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import ExtractError
from config.rules import ExtractRules
from crawler.encoding import decode_html
from crawler.extract import extract_article
from crawler.model import PageClass
from crawler.normalise import make_snapshot
from crawler.workers.main import _OBJECTS_PER_COLLECTION
from crawler.workers.task import warm_up
from tests.benchmarks.extract_peer import load_late_parts

if TYPE_CHECKING:
    from crawler.model import Article, Snapshot

CAPTURED_AT = datetime(2026, 11, 26, tzinfo=UTC)
UNKNOWN_URL = "https://gazette.example/2026/page"
_KINDS = {PageClass.SOFT_404: "soft404", PageClass.ERROR: "not_article"}
"""Where the kit has another word than we."""
_NO_RULES = ExtractRules()


def settle() -> None:
    """Bring this process into the state of a worker that waits for its first page."""
    warm_up()
    gc.freeze()
    gc.set_threshold(_OBJECTS_PER_COLLECTION)


def read_page(raw: bytes, url: str | None, rules: ExtractRules = _NO_RULES) -> tuple[Article, Snapshot]:
    """Return what a crawl would keep of the page *raw*. Raises ExtractError."""
    article = extract_article(
        decode_html(raw, None),
        url=url or UNKNOWN_URL,
        status=None,
        captured_at=CAPTURED_AT,
        timezone=None,
        language=None,
        rules=rules,
    )
    return article, make_snapshot(article, "")


def describe_page(article: Article, snapshot: Snapshot) -> dict[str, Any]:
    """Return title, text and fields as the scorers know them: the text without its title."""
    fields = {name: found.value for name, found in article.fields.items()}
    return {
        "title": snapshot.title,
        "text": snapshot.body,
        "kind": _KINDS.get(article.page_class, article.page_class.value),
        "published": str(fields["published"]) if "published" in fields else None,
        "authors": [one["name"] if isinstance(one, dict) else one for one in fields.get("authors", [])],
        "language": fields.get("language"),
    }


def main(folder: Path, *, loaded: bool) -> None:
    """Read every page of *folder* and print."""
    path = folder.parent / "urls.json"
    urls = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    if loaded:
        load_late_parts()
    settle()
    for file in sorted(folder.iterdir()):
        row: dict[str, Any] = {"file": file.name}
        try:
            row |= describe_page(*read_page(file.read_bytes(), urls.get(file.name)))
        except ExtractError as error:
            row["error"] = str(error)
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[-1]), loaded="--loaded" in sys.argv)
