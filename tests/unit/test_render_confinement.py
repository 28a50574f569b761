"""The filter of system calls: what it refuses to whom, and what it lets through."""

from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest

from config.errors import ConfigError
from crawler.render import confinement
from tests.installation import ROOT

PROBE = """
import ctypes, json, socket, subprocess, sys
from crawler.render.confinement import cut_off_network

def probe():
    found = {}
    for name in ("AF_INET", "AF_INET6", "AF_PACKET", "AF_VSOCK", "AF_UNIX", "AF_NETLINK"):
        kinds = {"AF_PACKET": socket.SOCK_RAW, "AF_NETLINK": socket.SOCK_RAW}
        try:
            socket.socket(getattr(socket, name), kinds.get(name, socket.SOCK_STREAM)).close()
            found[name] = "opened"
        except OSError as error:
            found[name] = error.errno
    libc = ctypes.CDLL(None, use_errno=True)
    room = ctypes.create_string_buffer(200)
    found["io_uring"] = "opened" if libc.syscall(425, 1, room) >= 0 else ctypes.get_errno()
    socket.socketpair()[0].close()
    return found

if len(sys.argv) > 1:
    print(json.dumps(probe()))
else:
    cut_off_network()
    child = subprocess.run([sys.executable, "-c", open("/proc/self/cmdline").read().split(chr(0))[2], "child"],
                           capture_output=True, text=True, check=True)
    print(json.dumps([probe(), json.loads(child.stdout)]))
"""
KNOWN = platform.machine() in confinement._MACHINES


@pytest.mark.skipif(not KNOWN, reason=f"no filter for {platform.machine()}")
def test_no_socket_leads_out_here_or_in_a_child() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, cwd=ROOT)
    here, child = json.loads(done.stdout)
    assert here == child
    assert {name: here[name] for name in ("AF_INET", "AF_INET6", "AF_PACKET", "AF_VSOCK", "io_uring")} == {
        "AF_INET": 97,  # EAFNOSUPPORT
        "AF_INET6": 97,
        "AF_PACKET": 97,
        "AF_VSOCK": 97,
        "io_uring": 38,  # ENOSYS
    }
    assert (here["AF_UNIX"], here["AF_NETLINK"]) == ("opened", "opened")


def test_where_there_is_no_filter_no_browser_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(ConfigError, match="riscv64"):
        confinement.cut_off_network()
