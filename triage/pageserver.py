"""Serves the report page, and nothing else, beside the Prefect UI."""

from __future__ import annotations

import ipaddress
import threading
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response

from triage.ports import listening

LOCAL_NAMES = {"localhost", "127.0.0.1", "[::1]"}
NOT_YET = "The page is not written yet: the flow write_report writes it, or the next pipeline run."
STOP_TIMEOUT_SECONDS = 5


def make_page_server(path: Path, policy: str, host: str) -> FastAPI:
    """The web application: the file at ``path`` as it is at each request, under ``policy``.

    On a local address only requests that name this machine are answered: else any web page that a
    browser shows could read ours under a name that it points here.
    """
    server = FastAPI(openapi_url=None)
    headers = {
        "Content-Security-Policy": f"{policy}; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }

    @server.api_route("/", methods=["GET", "HEAD"])
    def page(request: Request) -> Response:
        if is_local(host) and _name(request) not in LOCAL_NAMES:
            return Response(status_code=421, headers=headers)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return Response(NOT_YET, status_code=503, headers=headers, media_type="text/plain")
        return Response(content, headers=headers, media_type="text/html")

    return server


class ServedPage:
    """The page's web server in a thread of its own, from ``start`` to ``stop``.

    Raises ``PortError`` where nothing can listen at the address.
    """

    def __init__(self, application: FastAPI, host: str, port: int) -> None:
        self.url = f"http://{host}:{port}/"
        attempted = "Serving the report page"
        self._socket = listening(attempted, host, port, option="--page-port")
        config = uvicorn.Config(application, log_level="warning", access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="page", daemon=True
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_TIMEOUT_SECONDS)
        self._socket.close()


def is_local(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _name(request: Request) -> str:
    host: Any = request.headers.get("host", "")
    return str(host).rpartition(":")[0] or str(host)
