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


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main(descriptor: int) -> None:
    """Fork a host for each request on the socket; a request is what ``serve`` takes, with the descriptor to serve."""
    die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children leave no zombies
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever drives
    control = socket.socket(fileno=descriptor)
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, 65536, 1)
        if not data:
            return
        child = os.fork()
        if child == 0:
            die_with_parent()
            control.close()
            serve(Connection(descriptors[0]), *pickle.loads(data))
            os._exit(0)
        os.close(descriptors[0])
        control.send(pickle.dumps(child))


if __name__ == "__main__":
    main(int(sys.argv[1]))
