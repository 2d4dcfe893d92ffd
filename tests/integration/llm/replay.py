"""An OpenAI-compatible server that replays recorded answers, and fails on demand.

    python -m tests.integration.llm.replay REPORTS.jsonl ANSWERS.jsonl [PORT]

The answer to a request is the one recorded for the report whose body is in its user message.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.integration.llm.faults import FAULTS, completion, send

KEY_LENGTH = 40
UNKNOWN = "I do not know this report."


@dataclass
class Script:
    """What the server answers: to whom it refuses, faults that come first, a rule, recordings.

    ``refuses`` may give the complaint of a 400, ``rule`` an answer, both from the request; None
    leaves it to what comes next. ``faults`` are names of ``faults.FAULTS``, numbers of HTTP
    statuses, or answers; each serves one request.
    """

    answers: Mapping[str, str] = field(default_factory=dict)
    rule: Callable[[Mapping[str, Any]], str | None] = lambda _request: None
    refuses: Callable[[Mapping[str, Any]], str | None] = lambda _request: None
    faults: list[str] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer_to(self, request: Mapping[str, Any]) -> str:
        """What the rule says, else the recorded answer, else prose."""
        return self.rule(request) or self._recorded(user_message(request))

    def _recorded(self, message: str) -> str:
        squeezed = _squeezed(message)
        whole = [body for body, start in self._bodies.items() if body in squeezed]
        begun = whole or [b for b, start in self._bodies.items() if start in squeezed]
        return self._by_body[max(begun, key=len)] if begun else UNKNOWN

    @cached_property
    def _by_body(self) -> dict[str, str]:
        return {_squeezed(body): answer for body, answer in self.answers.items()}

    @cached_property
    def _bodies(self) -> dict[str, str]:
        return {body: body[:KEY_LENGTH] for body in self._by_body}


def user_message(request: Mapping[str, Any]) -> str:
    """The text of the last message."""
    return str(request["messages"][-1]["content"])


def _squeezed(text: str) -> str:
    return "".join(text.split())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.script.lock:
            self.script.requests.append(request)
            self.script.keys.append(self.headers.get("Authorization", ""))
            fault = self.script.faults.pop(0) if self.script.faults else ""
        complaint = self.script.refuses(request)
        try:
            if not self.path.endswith("/v1/chat/completions"):
                send(self, 404, b"{}")
            elif complaint is not None:
                send(self, 400, json.dumps({"error": {"message": complaint}}).encode())
            elif fault in FAULTS:
                FAULTS[fault](self)
            elif fault.isdigit():
                send(self, int(fault), b'{"error": "no"}', {"Retry-After": "0.01"})
            else:
                send(self, 200, completion(fault or self.script.answer_to(request)))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client had enough


@contextmanager
def replay(script: Script, port: int = 0) -> Iterator[str]:
    """Serve ``script``; gives the base URL."""
    handler = type("Handler", (_Handler,), {"script": script})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()


def recorded(reports: Path, answers: Path) -> Script:
    """A script from labelled reports and the answers recorded for them, both JSONL by id."""
    by_id = {}
    for line in answers.read_text("utf-8").splitlines():
        answer = json.loads(line)
        known = {"failure": answer["failure"], "layer": answer["layer"]}
        by_id[answer["id"]] = json.dumps(known, ensure_ascii=False)
    records = [json.loads(line) for line in reports.read_text("utf-8").splitlines()]
    return Script({r["body"]: by_id[r["id"]] for r in records if r["id"] in by_id})


if __name__ == "__main__":
    chosen = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    with replay(recorded(Path(sys.argv[1]), Path(sys.argv[2])), chosen) as url:
        print(url, flush=True)
        threading.Event().wait()
