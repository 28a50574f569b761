"""Commands about the keys that sign an archive: new, rotate, list."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config.errors import ConfigError, ExitCode
from config.units import count
from jobs.archive.handover import hand_over
from jobs.archive.identity import read_info
from jobs.archive.keys import require_ring
from jobs.archive.signing import MAX_KEY_FILE_BYTES, Signer, read_signer
from jobs.cli.options import Invocation, archive_options, exit_codes, reading_codes
from jobs.store import open_store

if TYPE_CHECKING:
    from jobs.archive.keys import ArchiveKey
    from jobs.store import ObjectStore

_WRITING = (ExitCode.DISK_FULL, ExitCode.NO_ARCHIVE, ExitCode.STORE_REFUSED, ExitCode.DAMAGE)
_ADVICE = """\
ofrecord: keep {path} outside of the archive's store, and a copy of it offline: whoever has it can sign,
ofrecord: and without it nothing can be added to a signed archive. Note its fingerprint outside, too: for verify."""


@click.group()
def keys() -> None:
    """Make, register, rotate and list the keys that sign an archive."""


@keys.command("new", epilog=exit_codes(*_WRITING))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File of the private key.")
@click.option("--register/--no-register", default=True, help="Make it the key of the archive, if one is named.")
@archive_options
def new(invocation: Invocation, *, out: Path, register: bool) -> None:
    """Make an Ed25519 key in a new file that its owner alone can read, and sign the archive by it from now on.

    Without an archive the key is only made; so it is where the archive has one: `keys rotate --new` makes it the next.
    A file that is there is never overwritten: it is registered if it holds a key. Safe to run twice.
    """
    store = open_named(invocation) if register and invocation.settings.archive else None
    info = read_info(store) if store else None
    ring = require_ring(store, info) if store and info else None
    made = not out.exists()
    if not made and store is None:
        raise ConfigError(f"{out}: is there already, and is never overwritten; give another name")
    signer = make_key(out) if made else read_key(out)
    registered: ArchiveKey | None = None
    if store and info and ring is not None:
        newest = ring.newest
        if newest is None or newest.key_id == signer.public.key_id:
            registered = hand_over(store, info, signer, None, now=datetime.now(UTC))
    data = {"file": str(out), "key": signer.public.key_id, "made": made, "n": registered.n if registered else None}
    lines = [f"key {signer.public.key_id} in {out}"]
    if registered and store:
        lines.append(f"signs {store.url} from now on (key {registered.n})")
        lines.append("each machine that writes needs it: signing_key_file")
    elif store:
        lines.append(f"{store.url} is signed by another key: ofrecord keys rotate --new {out}")
    invocation.print_result(data, "\n".join(lines))
    if made:
        click.echo(_ADVICE.format(path=out), err=True)


@keys.command("rotate", epilog=exit_codes(*_WRITING))
@click.option(
    "--new", "new_file", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File of the next key."
)
@click.option("--instead", is_flag=True, help="Also where another rotation was begun and nobody will finish it.")
@archive_options
def rotate(invocation: Invocation, *, new_file: Path, instead: bool) -> None:
    """Let the archive be signed by the key in FILE from now on, in place of the one in the settings, which agrees.

    Each log says so by a commit that both keys sign; machines that still have the old key stop there. A rotation that
    was interrupted is finished by running it again.
    """
    store = open_named(invocation)
    signer, old = read_key(new_file), read_signer(invocation.settings)
    same = old is not None and old.public.key_id == signer.public.key_id
    key = hand_over(store, read_info(store), signer, old, now=datetime.now(UTC), instead=instead)
    invocation.print_result(
        {"n": key.n, "key": key.key_id, "sources": len(key.heads)},
        f"key {key.n}, {key.key_id}, signs {store.url} {'already' if same else 'from now on'}\n"
        "each machine that writes needs it: signing_key_file; trust its fingerprint in place of the old one",
    )


@keys.command("list", epilog=reading_codes())
@archive_options
def list_keys(invocation: Invocation) -> None:
    """List the archive's keys: fingerprints, from which commits on each signs, and who signed it."""
    store = open_named(invocation)
    ring = require_ring(store, read_info(store))
    newest = max((key.n for key in ring.keys), default=0)
    for key in ring.keys:
        trusted = invocation.settings.trusted_keys
        invocation.print_result(describe_key(key), show_key(key, trusted, rotated=key.n < newest))
    if not ring.keys:
        click.echo(f"ofrecord: {store.url} is unsigned: it has no key; ofrecord keys new makes one", err=True)


def describe_key(key: ArchiveKey) -> dict[str, Any]:
    """Return what is known of a key as JSON data."""
    return {
        "n": key.n,
        "key": key.key_id,
        "created": key.created,
        "from": {source: end.seq + 1 for source, end in sorted(key.heads.items())},
        "signed_by": [one.key_id for one in key.document.signatures],
        "public": key.pem,
    }


def show_key(key: ArchiveKey, trusted: list[str], *, rotated: bool) -> str:
    """Return the same for people. *rotated*: another took its place."""
    ends = ", ".join(f"{source} {end.seq + 1}" for source, end in sorted(key.heads.items())[:5])
    more = f" and {count(len(key.heads) - 5, 'other log')}" if len(key.heads) > 5 else ""
    begin = f"from commit {ends}{more} on" if key.heads else "all commits"
    end = f", until key {key.n + 1}" if rotated else ", and of later logs all" if key.heads else ""
    others = [one.key_id[:16] + "…" for one in key.document.signatures if one.key_id != key.key_id]
    by = f"; signed by the one before, {', '.join(others)}" if others else ""
    mark = "  trusted" if key.key_id in trusted else ""
    return f"{key.n}  {key.key_id}  {key.created}{mark}\n   {begin}{end}{by}"


def open_named(invocation: Invocation) -> ObjectStore:
    """Return the store of the archive that is named. Raises ConfigError if none is."""
    place = invocation.settings.archive
    if not place:
        raise ConfigError("no archive named: give --archive PATH or s3://BUCKET/PREFIX, or set OFRECORD_ARCHIVE")
    return open_store(place, invocation.settings)


def make_key(path: Path) -> Signer:
    """Write a new key into the new file *path*, for its owner's eyes. Raises ConfigError."""
    signer = Signer.generate()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(signer.encode_private())
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise ConfigError(f"{path}: is there already, and is never overwritten; give another name") from error
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such folder; make it first") from error
    except PermissionError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error
    return signer


def read_key(path: Path) -> Signer:
    """Return the private key in *path*. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            return Signer.read(file.read(MAX_KEY_FILE_BYTES), str(path))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; make it with ofrecord keys new --out") from error
