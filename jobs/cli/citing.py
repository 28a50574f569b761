"""The commands `cite` and `verify-bundle`: an article's evidence, and what such a bundle of anybody's proves."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config.errors import DamageFound, ExitCode
from config.rules import readable_url
from config.units import count
from crawler.rows import format_time
from jobs.archive.stamps import read_roots
from jobs.articles import GOOD_VERDICTS
from jobs.citation import Citable, write_bibtex, write_chicago, write_wikipedia
from jobs.cli.options import (
    Invocation,
    archive_options,
    enter_archive,
    exit_codes,
    print_result,
    printable,
    raw_options,
    read_trusted,
    reading_codes,
)
from jobs.cli.reading import find_article
from jobs.cli.times import A_TIME, read_time
from jobs.evidence import verify_bundle as check_bundle
from jobs.evidence import write_bundle
from jobs.export.targets import require_writable

if TYPE_CHECKING:
    from jobs.context import OpenArchive
    from jobs.evidence import BundleReport


@click.command(epilog=reading_codes())
@click.argument("url")
@click.option(
    "--at", "moment", metavar="TIME", help=f"What the article said then: {A_TIME}. Default: its whole history."
)
@click.option("--source", help="Where two sources have that URL.")
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file; default: one here, named by source.",
)
@click.option(
    "--whole-segments",
    is_flag=True,
    help="Whole WARC files, with what else was captured beside: proves requests too, and is larger.",
)
@archive_options
def cite(
    invocation: Invocation,
    *,
    url: str,
    moment: str | None,
    source: str | None,
    target: Path | None,
    whole_segments: bool,
) -> None:
    """Write an evidence bundle of an article: a WACZ file with its records, texts, changes, and what proves them.

    A stranger checks it with `ofrecord verify-bundle`, or by hand as FORMAT.md § 13 says, and reads it in any WACZ
    player; evidence/report.html in it is a page for people. The rows in it name other articles captured beside, with
    their texts: that is what the digests are of.
    """
    now = datetime.now(UTC)
    at = read_time("--at", moment, now)
    with enter_archive(invocation) as archive:
        owner, article = find_article(archive, url, source)
        known = invocation.load_sources().get(owner)
        site = known.name if known else owner
        path = target or Path(f"{owner}-{hashlib.sha256(article.encode()).hexdigest()[:8]}-{now:%Y%m%d}.wacz")
        require_writable(path)
        bundle = write_bundle(archive, owner, article, path, site=site, now=now, at=at, whole_segments=whole_segments)
        citations = _cite_text(archive, owner, article, site, bundle.report)
    data = {"file": str(path), "size_bytes": bundle.size_bytes, **_describe(bundle.report), "citations": citations}
    lines = [*([citations["chicago"], ""] if citations else []), *_tell(bundle.report)]
    lines.append(f"written: {printable(str(path))} ({bundle.size_bytes:,} bytes)")
    invocation.print_result(data, "\n".join(lines))


@click.command("verify-bundle", epilog=exit_codes(ExitCode.DAMAGE))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--trusted-key",
    "trusted",
    multiple=True,
    metavar="FINGERPRINT",
    help="Of the key that the archive must be signed by, as you had it from elsewhere; may be given again.",
)
@click.option(
    "--ca",
    "ca_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Roots of time stamps, as PEM.",
)
@raw_options
def verify_bundle(
    *, file: Path, trusted: tuple[str, ...], ca_file: Path | None, config_dir: Path, as_json: bool
) -> None:
    """Check an evidence bundle, with no archive and no network; say what it proves, by whom, and what it does not."""
    del config_dir
    read_trusted(trusted)
    if ca_file is not None:
        read_roots(ca_file)  # said before anything is proven by it, also where no head has a stamp
    report = check_bundle(file, trusted=trusted, ca_file=ca_file)
    print_result({"file": str(file), **_describe(report)}, "\n".join(_tell(report)), as_json=as_json)
    if not report.sound:
        found = len(report.findings.damages) + report.findings.more
        raise DamageFound(f"{printable(str(file))}: not as it was made: {count(found, 'fault')}; it proves nothing")


def _describe(report: BundleReport) -> dict[str, Any]:
    """Return what a bundle came to as JSON data."""
    manifest, chain = report.manifest, report.chain
    statements = report.statements
    data: dict[str, Any] = {
        "sound": report.sound,
        "damage": [{"where": one.where, "message": one.message} for one in report.findings.damages],
    }
    if manifest is None or not report.sound:
        return data
    return data | {
        "url": manifest.url,
        "source": manifest.source,
        "archive": chain.archive,
        "at": manifest.at,
        "captures": [_describe_capture(report, place) for place in report.held.captures],
        "texts": [{"number": one.number, "text_digest": one.text_digest, "title": one.title} for one in manifest.texts],
        "keys": list(chain.keys),
        "signed": chain.signed,
        "anchored": chain.anchored,
        "heads": [
            {
                "n": one.n,
                "created": one.created,
                "digest": one.digest,
                "stamp": {"at": one.stamp.at, "checked": one.stamp.checked} if one.stamp else None,
            }
            for one in chain.heads.values()
        ],
        "ends": [{"seq": run.last, "digest": chain.commits[run.last].digest, "head": run.head} for run in chain.runs],
        "proven": list(statements.proven),
        "not_proven": list(statements.unproven),
    }


def _describe_capture(report: BundleReport, place: tuple[str, int]) -> dict[str, Any]:
    fact = report.held.captures[place]
    commit = report.chain.commits[fact.seq]
    return {
        "captured_at": fact.told.captured_at,
        "target_uri": fact.told.target_uri,
        "status": fact.told.status,
        "class": fact.page_class,
        "text": fact.told.number,
        "text_digest": fact.told.text,
        "payload_digest": fact.payload_digest,
        "payload_proven": fact.payload_proven,
        "headers_proven": fact.headers_proven,
        "commit": {
            "seq": commit.seq,
            "committed": commit.committed,
            "digest": commit.digest,
            "signed_by": commit.signers,
        },
        "brought_by": fact.brought_by,
    }


def _tell(report: BundleReport) -> list[str]:
    """Return what a bundle came to for people."""
    if report.manifest is None or not report.sound:
        lines = [f"damaged  {printable(str(one))}" for one in report.findings.damages]
        return [*lines, *([f"… and {report.findings.more} more"] if report.findings.more else [])]
    manifest = report.manifest
    own = [one for one in manifest.captures if one.why == "article"] or manifest.captures
    span = f"{format_time(own[0].captured_at)} to {format_time(own[-1].captured_at)}"
    lines = [
        printable(readable_url(manifest.url)),
        f"{count(len(own), 'capture')}, {count(len(manifest.texts), 'text')}, {span}",
    ]
    for title, sentences in (("proven", report.statements.proven), ("not proven", report.statements.unproven)):
        lines += ["", title, *(f"  - {printable(one)}" for one in sentences)]
    ends = [f"commit {run.last} has {report.chain.commits[run.last].digest}" for run in report.chain.runs]
    return [*lines, "", f"ends: {'; '.join(ends[:5])}"]


def _cite_text(archive: OpenArchive, source: str, url: str, site: str, report: BundleReport) -> dict[str, str]:
    """Return how the text that the bundle shows is cited; nothing where it has none."""
    manifest = report.manifest
    seen = [one for one in manifest.captures if one.number and one.why == "article"] if manifest else []
    if manifest is None or not seen:
        return {}
    if manifest.at is not None:
        seen = [one for one in seen if one.captured_at <= manifest.at] or seen
    last = seen[-1]
    text = manifest.find_text(last.number or 0)
    if text is None:
        return {}
    capture = archive.catalog.find_capture(last.segment, last.n)
    snapshot = archive.catalog.read_snapshot(*(capture.read_at or capture.place)) if capture else None
    fields = snapshot["fields"] if snapshot else {}
    captures = archive.catalog.list_captures(source, url)
    told = [one for one in captures if one.verdict in GOOD_VERDICTS or one.evidence]
    citable = Citable(
        url=url,
        archive_url=f"urn:x-ofrecord:{manifest.archive}:{text.text_digest}",
        captured_at=last.captured_at,
        text_digest=text.text_digest,
        site=site,
        source=source,
        title=text.title,
        authors=_list_strings(fields, "authors"),
        published=_read_stated(fields, "published"),
        language=text.language if re.fullmatch(r"[A-Za-z0-9-]{0,60}", text.language) else "",
        gone=bool(told) and told[-1].verdict == "gone",
    )
    return {"chicago": write_chicago(citable), "bibtex": write_bibtex(citable), "wikipedia": write_wikipedia(citable)}


def _list_strings(fields: dict[str, Any], name: str) -> tuple[str, ...]:
    told = fields.get(name)
    value = told.get("value") if isinstance(told, dict) else None
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _read_stated(fields: dict[str, Any], name: str) -> str | None:
    told = fields.get(name)
    value = told.get("value") if isinstance(told, dict) and told.get("from") != "guess" else None
    return value if isinstance(value, str) else None
