"""The Hugging Face Hub's discussions and Langfuse's public API, in small, on this machine.

Paths, parameters and field names are those of the real ones (the Hub's as its client reads them,
Langfuse's as its API description of scores v3, traces and observations v2 says).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse


@dataclass
class HubState:
    """What the Hub holds, and what it was asked."""

    discussions: dict[int, dict[str, Any]] = field(default_factory=dict)
    token: str | None = None
    page_size: int = 2
    failing: int = 0
    asked: list[str] = field(default_factory=list)

    def open(self, title: str, *comments: tuple[str, str], **more: Any) -> int:
        """Open a discussion whose first comment is its text; returns its number."""
        number = len(self.discussions) + 1
        self.discussions[number] = {
            "num": number,
            "title": title,
            "author": {"_id": "6", "name": comments[0][0], "fullname": "X", "type": "user"},
            "repo": {"name": "fennwick/corvane", "type": "model"},
            "status": "open",
            "createdAt": "2026-11-03T09:30:00.000Z",
            "isPullRequest": False,
            "pinned": False,
            "numReactionUsers": 0,
            "topReactions": [],
            "events": [self.comment(name, text) for name, text in comments],
            **more,
        }
        return number

    @staticmethod
    def comment(name: str, text: str, **data: Any) -> dict[str, Any]:
        """A comment as an event of a discussion."""
        return {
            "id": f"id-{name}",
            "author": {"_id": "6", "name": name, "type": "user"},
            "createdAt": "2026-11-03T09:30:00.000Z",
            "type": "comment",
            "data": {
                "edited": False,
                "hidden": False,
                "latest": {"raw": text, "html": f"<p>{text}</p>"},
                "numEdits": 0,
                "reactions": [],
                **data,
            },
        }


def hub_app(state: HubState) -> FastAPI:
    """The Hub's two addresses."""
    app = FastAPI()

    @app.middleware("http")
    async def check(request: Request, call_next: Any) -> Any:
        state.asked.append(request.url.path)
        if state.token and request.headers.get("authorization") != f"Bearer {state.token}":
            return JSONResponse({"error": "Repository not found"}, 401)
        if state.failing:
            state.failing -= 1
            return JSONResponse({"error": "Internal Error"}, 500)
        return await call_next(request)

    @app.get("/api/{folder}/{owner}/{name}/discussions")
    def listing(folder: str, owner: str, name: str, p: int = 0) -> Any:
        lines = [
            {
                **{key: value for key, value in one.items() if key != "events"},
                "numComments": sum(event["type"] == "comment" for event in one["events"]),
            }
            for one in reversed(state.discussions.values())
        ]
        start = p * state.page_size
        page = lines[start : start + state.page_size]
        return {"discussions": page, "count": len(lines), "start": start, "numClosedDiscussions": 0}

    @app.get("/api/{folder}/{owner}/{name}/discussions/{number}")
    def details(folder: str, owner: str, name: str, number: int) -> Any:
        return state.discussions[number]

    return app


@dataclass
class LangfuseState:
    """A project's scores (newest first in answers) and traces, and what was asked."""

    scores: list[dict[str, Any]] = field(default_factory=list)
    traces: dict[str, dict[str, Any]] = field(default_factory=dict)
    observations: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    has_traces: bool = True
    page_size: int = 2
    failing: int = 0
    asked: list[dict[str, str]] = field(default_factory=list)

    def rate(self, name: str, value: Any, *, minute: int, **more: Any) -> dict[str, Any]:
        """A score of the trace that is called like it."""
        kind = {bool: "BOOLEAN", str: "CATEGORICAL"}.get(type(value), "NUMERIC")
        score = {
            "id": f"score-{len(self.scores) + 1}",
            "projectId": "project",
            "name": name,
            "value": value,
            "dataType": kind,
            "source": "API",
            "timestamp": f"2026-11-03T09:{minute:02}:00.000Z",
            "environment": "production",
            "createdAt": f"2026-11-03T09:{minute:02}:01.000Z",
            "updatedAt": f"2026-11-03T09:{minute:02}:01.000Z",
            "comment": None,
            "subject": {"kind": "trace", "id": "trace-1"},
            **more,
        }
        self.scores.append(score)
        return score


def langfuse_app(state: LangfuseState) -> FastAPI:
    """The three addresses that are read."""
    app = FastAPI()

    @app.middleware("http")
    async def check(request: Request, call_next: Any) -> Any:
        state.asked.append({"path": request.url.path, **dict(request.query_params)})
        keys = base64.b64encode(b"pk-lf-test:sk-lf-test").decode()
        if request.headers.get("authorization") != f"Basic {keys}":
            return JSONResponse({"message": "Invalid credentials"}, 401)
        if state.failing:
            state.failing -= 1
            return JSONResponse({"message": "Internal Server Error"}, 500)
        return await call_next(request)

    @app.get("/api/public/v3/scores")
    def scores(request: Request) -> Any:
        asked = request.query_params
        names = asked.get("name", "").split(",") if asked.get("name") else None
        found = [
            one
            for one in sorted(state.scores, key=lambda one: str(one["timestamp"]), reverse=True)
            if (names is None or one["name"] in names)
            and str(one["timestamp"]) >= asked.get("fromTimestamp", "")
        ]
        start = int(asked.get("cursor", "0"))
        page = found[start : start + state.page_size]
        meta: dict[str, Any] = {"limit": int(asked["limit"])}
        if start + state.page_size < len(found):
            meta["cursor"] = str(start + state.page_size)
        return {"data": page, "meta": meta}

    @app.get("/api/public/traces/{trace_id}")
    def trace(trace_id: str) -> Any:
        if not state.has_traces or trace_id not in state.traces:
            return JSONResponse({"message": "Trace not found", "error": "NotFoundError"}, 404)
        return state.traces[trace_id]

    @app.get("/api/public/v2/observations")
    def observations(traceId: str, fields: str) -> Any:  # noqa: N803  the API's own name
        return {"data": state.observations.get(traceId, []), "meta": {}}

    return app
