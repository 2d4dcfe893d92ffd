"""Ports for servers that tests start as processes of their own."""

from __future__ import annotations

import secrets
import socket
from contextlib import ExitStack

# Below what systems give to outgoing connections (Linux from 32768, others from 49152): else a
# connection of any program may take a port between our look and the server's start.
PORTS = range(20_000, 30_000)


def free_port(address: str = "127.0.0.1", *, following: int = 0) -> int:
    """A port on which nobody listens at the address, nor on so many that follow it."""
    while True:
        first = secrets.choice(PORTS)
        with ExitStack() as probes:
            try:
                for port in range(first, first + following + 1):
                    probes.enter_context(socket.socket()).bind((address, port))
            except OSError:
                continue
            return first
