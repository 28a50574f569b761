"""How an import's two processes speak: JSON messages over a socket of packets, an open file beside one if need be."""

from __future__ import annotations

import json
import os
import socket
from typing import Any

MAX_BYTES = 160 * 1024
"""Of a message: less than what a socket's buffer takes at once."""


def make_pair() -> tuple[socket.socket, socket.socket]:
    """Return the two ends: the parent's and the child's."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(end: socket.socket, message: dict[str, Any], descriptor: int | None = None) -> None:
    """Send *message*, with the open file *descriptor*, which stays the caller's. Raises OSError, BrokenPipeError."""
    data = json.dumps(message, separators=(",", ":")).encode()
    if len(data) > MAX_BYTES:
        raise ValueError(f"a message of {len(data)} bytes; at most {MAX_BYTES} are sent")
    socket.send_fds(end, [data], [] if descriptor is None else [descriptor])


def receive(end: socket.socket) -> tuple[dict[str, Any], int | None] | None:
    """Return the next message and the file that came with it, which is now the caller's; `None` if the end is gone.

    Raises ValueError for what is no message.
    """
    try:
        data, descriptors, _, _ = socket.recv_fds(end, MAX_BYTES + 1, 1)
    except ConnectionResetError:
        return None
    if not data:
        for descriptor in descriptors:
            os.close(descriptor)
        return None
    message = json.loads(data)
    if not isinstance(message, dict):
        raise ValueError("found another thing than an object as a message")  # noqa: TRY004 - what came over a socket
    return message, descriptors[0] if descriptors else None
