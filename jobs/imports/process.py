"""The parent's side of an import: starts the child, hands it files, answers what it asks, hears how far it is."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from config.errors import ArchiveError, RecordError, RunLocked, StoreError
from config.sources import Source
from crawler.imports.flows import Position
from crawler.imports.report import FileReport
from jobs.archive.ranges import fetch_range
from jobs.imports.channel import make_pair, receive, send
from jobs.imports.feeding import Supply, is_zip
from jobs.imports.places import Place
from jobs.segments.pages import place_record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from crawler.leash import Word
    from jobs.context import OpenArchive
    from jobs.imports.desk import Desk
    from jobs.imports.inputs import Input

POLL_SECONDS = 0.2
STOP_SECONDS = 20.0
"""After a stop: until the child has closed its segments; then it is killed, and what it had written is recovered."""


@dataclass(slots=True)
class Passage:
    """What the child came to with one file."""

    report: FileReport
    whole: bool
    """Whether it came to the file's end."""
    refused: bool
    """Whether pages were left out that another time may be taken."""


@dataclass(slots=True)
class ImportProcess:
    """The child, and what is answered for it."""

    archive: OpenArchive
    desk: Desk
    sources: Mapping[str, Source]
    """Those that are configured, by id."""
    tell: Callable[[dict[str, Any]], None] = lambda _: None
    """Told of each step of the file that is read."""
    refusals: dict[str, ArchiveError] = field(default_factory=dict)
    """Source → why it takes nothing in now."""
    ended: dict[str, dict[str, int]] = field(default_factory=dict)
    """Source → counts of its run."""
    _process: subprocess.Popen[bytes] | None = None
    _end: Any = None
    _told: Word | None = None
    _settling: list[int] = field(default_factory=list)
    """Numbers of the questions to be answered once all is committed."""
    _passage: Passage | None = None
    _place: Place | None = None
    _stopped_at: float | None = None

    def start(self, assignment: Path, environment: Mapping[str, str]) -> None:
        """Start the child on the assignment in that file, with that environment and no other."""
        self._end, theirs = make_pair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "jobs.imports.child", str(assignment), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=dict(environment),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    @property
    def started(self) -> bool:
        """Whether there is, or was, a child."""
        return self._process is not None

    @property
    def returncode(self) -> int | None:
        """Of a child that has ended."""
        return None if self._process is None else self._process.poll()

    def take(
        self,
        given: Input,
        head: bytes,
        place: Place,
        *,
        put: Callable[[Place], None],
        is_stopped: Callable[[], bool],
    ) -> Passage | None:
        """Have the child take in one file, from *place* on; return what came of it, or `None` if the child died.

        *put*: told now and then where to go on. Raises what the store, the network or the disk has against it.
        """
        self._passage, self._place = None, place
        supply = Supply(given, head, place, self.archive.state)
        described = {
            "name": given.name,
            "zipped": is_zip(head),
            "part": place.part,
            "position": asdict(place.position),
            "begins_at": supply.begins_at,
        }
        try:
            send(self._end, {"file": described}, supply.descriptor)
        except BrokenPipeError:
            return None
        finally:
            os.close(supply.descriptor)
        while self._passage is None and self.returncode is None:
            noted = self._place
            self._turn(is_stopped)
            if self._place is not noted and self._place is not None and not self.refusals:
                put(self._place)
        passage = self._passage or self._hear_last()
        supply.finish(POLL_SECONDS)
        if supply.failure is not None and passage is not None and not self._stopped_at:
            passage.whole = False
            passage.report.error = str(supply.failure)
        return passage

    def end(self, is_stopped: Callable[[], bool]) -> None:
        """Say that there are no more files; return when the child has written its runs down, or is dead."""
        if self._process is None:
            return
        with suppress(OSError):
            send(self._end, {"end": True})
        while self.returncode is None:
            self._turn(is_stopped)
        self._hear_last()

    def kill(self) -> None:
        """Leave no child behind."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._end is not None:
            self._end.close()

    def _turn(self, is_stopped: Callable[[], bool]) -> None:
        """Hear what there is to hear, for a while; renew leases, pause and stop the child."""
        ready, _, _ = select.select([self._end], [], [], POLL_SECONDS)
        if ready and not self._hear():
            self._wait_for_death()
        self.desk.poll()
        word = self.desk.next_word()
        if word != self._told:
            self._say({"word": word.encode().decode()})
            self._told = word
        if is_stopped() and self._stopped_at is None:
            self._stopped_at = time.monotonic()
            self._say({"stop": True})
        if self._stopped_at is not None and time.monotonic() - self._stopped_at > STOP_SECONDS:
            self.kill()
        if self._settling and (self.desk.is_settled or self._stopped_at is not None):
            for number in self._settling:
                self._say({"answer": number})
            self._settling.clear()

    def _hear(self) -> bool:
        """Take in one message; return whether the child's end is still there."""
        received = receive(self._end)
        if received is None:
            return False
        message, descriptor = received
        if descriptor is not None:
            os.close(descriptor)
        if "tell" in message:
            self._note(message["tell"])
        elif "done" in message:
            found = message["done"]
            whole = found.pop("whole")
            self._passage = Passage(FileReport.from_json(found), whole, bool(self.refusals))
        elif "ended" in message:
            self.ended = message["ended"]
        elif message.get("ask") == "settle":
            self._settling.append(message["id"])
        elif message.get("ask") == "open":
            self._say({"answer": message["id"], **self._open(message)})
        elif message.get("ask") == "record":
            self._send_record(message)
        return True

    def _note(self, told: dict[str, Any]) -> None:
        self._place = Place(Position(**told["position"]), told["part"])
        self.tell(told)

    def _open(self, message: dict[str, Any]) -> dict[str, Any]:
        name = message["source"]
        source = self.sources.get(name) or Source.model_validate(message["made"])
        try:
            turn = self.desk.open(source)
        except (RunLocked, StoreError) as error:
            self.refusals[source.id] = error
            return {"refused": f"{source.id}: its turn could not be had"}
        return {"run": turn.run, "epoch": turn.lease.epoch, "spool": str(self.archive.spool(source.id))}

    def _send_record(self, message: dict[str, Any]) -> None:
        answer = {"answer": message["id"]}
        found = self.archive.catalog.find_capture(message["segment"], message["n"])
        place = None
        if found is not None and found.source == message["source"]:
            place = place_record(found.warc_key, found.response_offset, found.response_length)
        if place is None:
            self._say(answer)
            return
        try:
            data = fetch_range(self.archive.store, place.key, place.offset, place.length)
        except (StoreError, RecordError):
            self._say(answer)
            return
        descriptor = os.memfd_create("record", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, data)
            send(self._end, {**answer, "size_bytes": len(data)}, descriptor)
        except BrokenPipeError:
            pass
        finally:
            os.close(descriptor)

    def _say(self, message: dict[str, Any]) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            send(self._end, message)

    def _hear_last(self) -> Passage | None:
        """Take in what an ended child still said."""
        while select.select([self._end], [], [], 0)[0] and self._hear():
            pass
        return self._passage

    def _wait_for_death(self) -> None:
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(POLL_SECONDS)
