"""A reverse proxy before the emulator: GitHub Enterprise's address, and faults on demand."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from tests.integration.github.emulator import Emulator
from tests.integration.github.faults import Fault, Recorded
from tests.integration.github.scene import Scene, etag_of

API_PREFIX = "/api/v3"  # as on GitHub Enterprise
_API_ROOMS = "repos|users|orgs|app|installation|labels|search|user"
_LIST_OF_ISSUES = re.compile(r"/repos/[^/]+/[^/]+/issues$")
_REACTIONS = re.compile(r"/repos/[^/]+/[^/]+/issues/(\d+)/reactions$")
_ASSIGNEE = re.compile(r"/repos/[^/]+/[^/]+/assignees/([^/]+)$")
_ONE_ISSUE = re.compile(r"/repos/[^/]+/[^/]+/issues/(\d+)(?:/comments|/events)?$")
_EVENTS = re.compile(r"(/repos/[^/]+/[^/]+/issues)/events$")
_COMMENTS = re.compile(r"(/repos/[^/]+/[^/]+/issues)/comments$")
_ANSWERS = re.compile(r"/repos/[^/]+/[^/]+/issues/comments/(\d+)/reactions$")
_ROLE = re.compile(r"/repos/[^/]+/[^/]+/collaborators/([^/]+)/permission$")
GRAPHQL = "/api/graphql"
_LABELS = re.compile(r"/repos/[^/]+/[^/]+/labels$")
_PASSED_ON = ("Authorization", "Accept", "Content-Type")


class GitHubProxy:
    """What a test scripts and reads: the faults, the scene and the requests that came."""

    def __init__(self, emulator: Emulator, root: str) -> None:
        self.api_url = root + API_PREFIX
        self.scene = Scene()
        self.requests: list[Recorded] = []
        self._root = root
        self._emulator = emulator
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def fail(self, method: str, path: str, **how: Any) -> None:
        """Script a fault; see ``Fault``. Those scripted first are met first."""
        self._faults.append(Fault(method, path, **how))

    def heal(self) -> None:
        """Forget the faults that were not met yet."""
        with self._lock:
            self._faults.clear()

    def sent(self, method: str, path: str = "") -> list[Recorded]:
        """The requests of a method whose path matches (``re.search``), in order."""
        return [r for r in self.requests if r.method == method and re.search(path, r.path)]

    def next_fault(self, method: str, path: str) -> Fault | None:
        """The fault for a request; it is used up by that."""
        with self._lock:
            for fault in self._faults:
                if fault.matches(method, path):
                    fault.times -= 1
                    return fault
        return None

    def answer(self, request: BaseHTTPRequestHandler, path: str, query: str, body: bytes) -> Reply:
        """GitHub's answer: the emulator's, with what it leaves out."""
        method = request.command
        if (moved := self.scene.forwarding(path)) is not None:
            return Reply(
                301 if method == "GET" else 307,
                {"message": "Moved Permanently"},
                {"Location": self.api_url + moved + (f"?{query}" if query else "")},
            )
        path = self.scene.resolved(path)
        if path == GRAPHQL:
            asked = json.loads(body)["variables"]
            home = f"{asked['owner']}/{asked['name']}"
            return Reply(200, self.scene.original(asked["number"], home))
        if (match := _ONE_ISSUE.search(path)) and int(match[1]) in self.scene.gone:
            return Reply(410, {"message": "This issue was deleted"})
        if method == "POST" and (match := _ANSWERS.search(path)):
            return Reply(self.scene.react(int(match[1]), json.loads(body)["content"]), {"id": 1})
        if method == "GET" and (match := _ROLE.search(path)) and match[1] in self.scene.roles:
            role = self.scene.roles[match[1]]
            return Reply(200, {"permission": role, "role_name": role})
        if method == "GET" and (match := _EVENTS.search(path)):
            return self._list_events(request, match[1], query)
        if method == "GET" and (match := _COMMENTS.search(path)):
            return self._list_comments(request, match[1], query)
        if method == "GET" and (match := _ASSIGNEE.search(path)):
            return Reply(204 if match[1] in self.scene.assignable else 404)
        if method == "GET" and (match := _REACTIONS.search(path)):
            return Reply(200, self.scene.reactions(int(match[1])))
        if method == "GET" and _LIST_OF_ISSUES.search(path):
            return self._list_issues(request, path, query)
        if method == "POST" and _LIST_OF_ISSUES.search(path):
            refusal = self.scene.refused_assignees(json.loads(body))
            if refusal is not None:
                return Reply(422, refusal)
        reply = self._forward(request, path, query, body)
        if method == "POST" and reply.status == 422 and _LABELS.search(path):
            error = {"resource": "Label", "field": "name", "code": "already_exists"}
            reply.body = {"message": "Validation Failed", "errors": [error]}
        return reply

    def _list_issues(self, request: BaseHTTPRequestHandler, path: str, query: str) -> Reply:
        everything: list[Any] = []
        wanted = [part for part in query.split("&") if part.startswith(("state=", "labels="))]
        for page in range(1, 100):
            window = "&".join([*wanted, f"per_page=100&page={page}"])
            reply = self._forward(request, path, window, b"")
            if reply.status != 200:
                return reply
            everything += reply.body
            if len(reply.body) < 100:
                break
        url = self.api_url + path
        items, link = self.scene.listing(everything, query, url)
        headers = {"ETag": etag_of(items), **({"Link": link} if link else {})}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return Reply(304, headers=headers)
        return Reply(200, items, headers)

    def _list_events(self, request: BaseHTTPRequestHandler, path: str, query: str) -> Reply:
        """All events of a repository, the latest first: the emulator lists them by issue only."""
        events: list[Any] = []
        for issue in self._all(request, path, "state=all"):
            number = issue["number"]
            found = self._all(request, f"{path}/{number}/events", "")
            events += [{**event, "issue": {"number": number}} for event in found]
        events.sort(key=lambda event: (event["created_at"], event["id"]), reverse=True)
        return self._page(events, f"{path}/events", query)

    def _list_comments(self, request: BaseHTTPRequestHandler, path: str, query: str) -> Reply:
        """All comments in a repository: the emulator's own list of them cannot be reached."""
        comments: list[Any] = []
        for issue in self._all(request, path, "state=all"):
            if issue["comments"]:
                comments += self._all(request, f"{path}/{issue['number']}/comments", "")
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        kept = [c for c in comments if c["updated_at"] >= asked.get("since", "")]
        kept.sort(key=lambda comment: (comment["created_at"], comment["id"]))
        return self._page(kept, f"{path}/comments", query)

    def _all(self, request: BaseHTTPRequestHandler, path: str, query: str) -> list[Any]:
        found: list[Any] = []
        for page in range(1, 100):
            window = "&".join(filter(None, [query, f"per_page=100&page={page}"]))
            items = self._forward(request, path, window, b"").body
            found += items
            if len(items) < 100:
                break
        return found

    def _page(self, items: list[Any], path: str, query: str) -> Reply:
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        items = items[::-1] if self.scene.reverses else items
        size, page = int(asked.get("per_page", 30)), int(asked.get("page", 1))
        link = f'<{self.api_url}{path}?next>; rel="next"' if page * size < len(items) else ""
        return Reply(200, items[(page - 1) * size : page * size], {"Link": link} if link else {})

    def _forward(
        self, request: BaseHTTPRequestHandler, path: str, query: str, body: bytes
    ) -> Reply:
        headers = {n: request.headers[n] for n in _PASSED_ON if n in request.headers}
        url = self._emulator.url + path + (f"?{query}" if query else "")
        response = requests.request(request.command, url, data=body, headers=headers, timeout=30)
        kept = {n: v for n, v in response.headers.items() if n.lower().startswith("x-ratelimit")}
        if "Link" in response.headers:
            kept["Link"] = self._readdressed(response.headers["Link"])
        content = json.loads(self._readdressed(response.text)) if response.content else None
        return Reply(response.status_code, self.scene.overlay(content), kept)

    def _readdressed(self, text: str) -> str:
        port = urlsplit(self._emulator.url).port
        origin = rf"http://(?:localhost|127\.0\.0\.1):{port}"
        text = re.sub(rf"{origin}/({_API_ROOMS})(?=[/?\"])", rf"{self.api_url}/\1", text)
        return re.sub(origin, self._root, text)


class Reply:
    """An answer on its way to the client."""

    def __init__(self, status: int, body: Any = None, headers: dict[str, str] | None = None):
        self.status, self.body, self.headers = status, body, headers or {}


@contextmanager
def running_proxy(emulator: Emulator) -> Iterator[GitHubProxy]:
    """Run a fresh proxy on a free port until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    proxy = GitHubProxy(emulator, f"http://127.0.0.1:{server.server_port}")
    server.proxy = proxy  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        proxy: GitHubProxy = self.server.proxy  # type: ignore[attr-defined]
        address = urlsplit(self.path)
        path = address.path.removeprefix(API_PREFIX)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = proxy.next_fault(self.command, path)
        if fault is not None and fault.meanwhile is not None:
            fault.meanwhile()
        reply: Reply | None = None
        if not address.path.startswith((API_PREFIX, GRAPHQL)):
            reply = Reply(404, {"message": "Not Found"})
        elif fault is None or fault.is_forwarded:
            reply = proxy.answer(self, path, address.query, body)
        if fault is not None:
            time.sleep(fault.delay_seconds)
            if fault.drop:
                reply = None
            elif fault.status is not None:
                reply = Reply(fault.status, fault.body, dict(fault.headers))
        proxy.requests.append(self._recorded(path, address.query, body, reply))
        self._send(reply)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815

    def _recorded(self, path: str, query: str, body: bytes, reply: Reply | None) -> Recorded:
        content = json.loads(body) if body else None
        status = reply.status if reply else None
        return Recorded(self.command, path, query, dict(self.headers), content, status)

    def _send(self, reply: Reply | None) -> None:
        self.close_connection = reply is None
        if reply is None:
            return
        is_text = isinstance(reply.body, str)
        content = reply.body if is_text else json.dumps(reply.body)
        data = b"" if reply.body is None else content.encode()
        try:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "text/html" if is_text else "application/json")
            if reply.status not in (204, 304):
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if reply.status not in (204, 304):
                self.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client gave up waiting

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the test has the list of requests."""
