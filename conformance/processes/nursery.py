"""The process that forks hosts: ``python -m conformance.processes.nursery FD``; quick, as all is imported already."""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import socket
import sys
from multiprocessing.connection import Connection

from conformance.processes.host import serve

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int | None = None) -> None:
    """Have the kernel kill this process when its parent ends; parent: who that must be, or else it has ended by now."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def main(descriptor: int) -> None:
    """Fork a host for each request on the socket; a request is what ``serve`` takes, with the descriptor to serve."""
    die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children leave no zombies
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever drives
    control, own = socket.socket(fileno=descriptor), os.getpid()
    while True:
        try:
            data, descriptors, _, _ = socket.recv_fds(control, 65536, 1)
        except OSError:
            return  # who drives was killed
        if not data:
            return
        child = os.fork()
        if child == 0:
            die_with_parent(own)
            control.close()
            serve(Connection(descriptors[0]), *pickle.loads(data))
            os._exit(0)
        os.close(descriptors[0])
        try:
            control.send(pickle.dumps(child))
        except OSError:
            return  # who drives is gone, and so are they all


if __name__ == "__main__":
    main(int(sys.argv[1]))
