"""How an endpoint can misbehave, by name: each serves one request in place of an answer."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

SLOW_SECONDS = 1.5  # longer than the time-out of the tests
GOOD = {"failure": "repeats the same tool call without end", "layer": "model"}
_NO_HEADERS: Mapping[str, str] = {}


def completion(content: Any, *, finish: str = "stop", **message: Any) -> bytes:
    """The body of a chat completion."""
    answer = {
        "choices": [
            {
                "message": {"role": "assistant", "content": content, **message},
                "finish_reason": finish,
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20},
    }
    return json.dumps(answer).encode()


def send(
    handler: BaseHTTPRequestHandler,
    status: int,
    body: bytes,
    headers: Mapping[str, str] = _NO_HEADERS,
) -> None:
    """A whole response."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _body(
    body: bytes, headers: Mapping[str, str] = _NO_HEADERS
) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: send(handler, 200, body, headers)


def _drop(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def _slow(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(SLOW_SECONDS)
    send(handler, 200, completion("late"))


def _trickle(handler: BaseHTTPRequestHandler) -> None:
    """Never quiet for long, and never done."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    _drip(handler, b" ")


def _trickle_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _drip(handler, b"x")


def _drip(handler: BaseHTTPRequestHandler, drop: bytes) -> None:
    for _ in range(200):
        handler.wfile.write(drop)
        handler.wfile.flush()
        time.sleep(0.1)
    handler.close_connection = True


def _redirect(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 307, b"", {"Location": "/v1/chat/completions"})


def _long_wait(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 429, b"{}", {"Retry-After": "3600"})


def _dated_wait(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 503, b"{}", {"Retry-After": "Thu, 01 Jan 2026 00:00:00 GMT"})


_BOMB = gzip.compress(b" " * 100_000_000)
_CALL = {"id": "1", "type": "function", "function": {"name": "answer", "arguments": "{}"}}
FAULTS: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {
    "drop": _drop,
    "slow": _slow,
    "trickle": _trickle,
    "trickle-headers": _trickle_headers,
    "redirect": _redirect,
    "long-wait": _long_wait,
    "dated-wait": _dated_wait,
    "huge": _body(b" " * 10_000_000),
    "bomb": _body(_BOMB, {"Content-Encoding": "gzip"}),
    "page": _body(b"<!DOCTYPE html><title>Sign in</title>", {"Content-Type": "text/html"}),
    "nested": _body(b"[" * 200_000),
    "latin-1": _body('{"choices": "é"}'.encode("latin-1")),
    "no-choices": _body(b'{"choices": []}'),
    "odd-choices": _body(b'{"choices": [null], "usage": [1]}'),
    "error-200": _body(b'{"error": {"code": 502, "message": "upstream"}}'),
    "null": _body(completion(None)),
    "tool-call": _body(completion(None, tool_calls=[_CALL])),
    "cut": _body(completion('{"failure": "stops in the mid', finish="length")),
    "filtered": _body(completion("", finish="content_filter")),
    "parts": _body(
        completion(
            [
                {"type": "thinking", "thinking": "{}"},
                {"type": "text", "text": json.dumps(GOOD)},
            ]
        )
    ),
    "utf-16": lambda handler: send(
        handler, 200, completion(json.dumps(GOOD)).decode().encode("utf-16")
    ),
}
