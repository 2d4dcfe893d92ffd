"""An OpenAI-compatible server that replays recorded answers, and fails on demand.

    python -m tests.integration.llm.replay REPORTS.jsonl ANSWERS.jsonl [PORT]

The answer to a request is the one recorded for the report whose body is in its user message.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

KEY_LENGTH = 40


@dataclass
class Script:
    """What the server answers: recorded answers by body, and faults that come first, in order."""

    answers: Mapping[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer_to(self, message: str) -> str:
        """The recorded answer, or prose where there is none."""
        squeezed = _squeezed(message)
        matches = [body for body in self.answers if _squeezed(body)[:KEY_LENGTH] in squeezed]
        return self.answers[max(matches, key=len)] if matches else "I do not know this report."


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
        if fault.isdigit():
            self._send(int(fault), b'{"error": "no"}', {"Retry-After": "0.01"})
        elif fault == "drop":
            self.close_connection = True
        elif fault == "slow":
            time.sleep(1.5)
            self._complete("late")
        elif fault == "huge":
            self._send(200, b" " * 10_000_000, {})
        elif fault:
            self._complete(fault)
        else:
            self._complete(self.script.answer_to(request["messages"][-1]["content"]))

    def _complete(self, content: str) -> None:
        answer = {
            "choices": [{"message": {"role": "assistant", "content": content}}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20},
        }
        self._send(200, json.dumps(answer).encode(), {})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
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
        by_id[answer.pop("id")] = json.dumps(answer, ensure_ascii=False)
    records = [json.loads(line) for line in reports.read_text("utf-8").splitlines()]
    return Script({r["body"]: by_id[r["id"]] for r in records if r["id"] in by_id})


if __name__ == "__main__":
    chosen = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    with replay(recorded(Path(sys.argv[1]), Path(sys.argv[2])), chosen) as url:
        print(url, flush=True)
        threading.Event().wait()
