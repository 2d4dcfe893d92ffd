"""Ports that this program listens on."""

from __future__ import annotations

import socket

from triage.errors import TriageError


class PortError(TriageError):
    """Nothing can listen there: somebody does already, or the address is not this machine's."""


def listening(attempted: str, host: str, port: int, *, option: str = "--port") -> socket.socket:
    """A socket that listens there: who comes before it is served waits instead of being refused.

    Raises ``PortError``, which names what was attempted and the option to choose another port by.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen()
    except OSError as error:
        made.close()
        raise PortError(
            attempted,
            f"{host}:{port} cannot be used: {error.strerror}",
            f"Stop what listens there, or choose another {option}.",
        ) from error
    return made


def expect_free(attempted: str, host: str, port: int) -> None:
    """Raises ``PortError`` before a server is started that would say less."""
    listening(attempted, host, port).close()
