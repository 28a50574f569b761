"""Takes the network away from this process and all that it will start, by a filter of system calls (seccomp).

What is left are sockets between processes of this machine, and the kernel's own. Needs no privileges, cannot be undone.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import socket
import struct

from config.errors import ConfigError

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _FAMILY_AT = 0, 4, 16
"""In the kernel's `struct seccomp_data`."""
_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000
"""With the error in its lower half."""
_X32 = 0x40000000
_IO_URING_SETUP = 425
"""Everywhere the same. A ring opens sockets past the filter."""
_MACHINES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""Machine → its name in the audit system, number of `socket`."""
_ALLOWED = (socket.AF_UNIX, 16)
"""16: netlink, by which a program asks the kernel which interfaces there are."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def cut_off_network() -> None:
    """Let no socket be opened any more that leads to a network. Raises ConfigError where that cannot be done."""
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        raise ConfigError(
            f"render: this machine is of type {platform.machine()}, for which there is no way here to keep a browser"
            f" off the network; expected one of {', '.join(_MACHINES)}"
        )
    steps = _filter(*machine)
    held = ctypes.create_string_buffer(b"".join(steps), len(steps) * len(steps[0]))
    program = _Program(len(steps), ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    if not done or libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        raise ConfigError(f"render: the kernel refuses a filter of system calls (errno {ctypes.get_errno()})")
    try:
        socket.socket(socket.AF_INET).close()
    except OSError:
        return
    raise ConfigError("render: a socket could be opened all the same, so no browser is started")


def _filter(architecture: int, socket_number: int) -> list[bytes]:
    refuse = _RETURN, 0, 0, _REFUSE | errno.EAFNOSUPPORT
    refuse_call = _RETURN, 0, 0, _REFUSE | errno.ENOSYS
    allow = _RETURN, 0, 0, _ALLOW
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, architecture),
        refuse_call,
        (_LOAD, 0, 0, _NUMBER_AT),
        (_AT_LEAST, 1, 0, _X32),
        (_EQUAL, 0, 1, _IO_URING_SETUP),
        refuse_call,
        (_EQUAL, 1, 0, socket_number),
        allow,
        (_LOAD, 0, 0, _FAMILY_AT),
        (_EQUAL, 1, 0, _ALLOWED[0]),
        (_EQUAL, 0, 1, _ALLOWED[1]),
        allow,
        refuse,
    ]
    return [struct.pack("HBBI", *step) for step in steps]
