"""The intake in OpenAPI's words. It says what is taken, neither more nor less."""

from __future__ import annotations

from typing import Any

from triage.cleaning.report import LONGEST_ACCEPTED_BODY
from triage.intake.problems import CONTENT_TYPE
from triage.sources.values import MAX_LENGTHS

KEY_PATTERN = "^[!-~]{1,200}$"
_TEXT = ["string", "number", "null"]


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": _TEXT, "description": description, **more}


def _short(name: str, description: str) -> dict[str, Any]:
    return _text(description, maxLength=MAX_LENGTHS[name])


_EXAMPLE = {
    "id": "f-1042",
    "created_at": "2026-11-03T09:30:00Z",
    "title": "Tool calls are doubled",
    "body": "Every tool call is sent twice since the update.",
    "model": "corvane-4.2",
    "environment": "Loomcode 2.1 on Linux",
    "rating": 2,
}
REPORT: dict[str, Any] = {
    "type": "object",
    "title": "Report",
    "description": "One person's account of one failure. Other keys are let by and not read.",
    "required": ["body"],
    "properties": {
        "body": {
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST_ACCEPTED_BODY,
            "description": "What failed, in the reporter's own words.",
        },
        "id": _short("id", "The same id again revises the report; without one its content counts."),
        "source": _short("source", "The channel; without it the token's name."),
        "created_at": _text("ISO 8601 or epoch seconds, not before 2015; without it, now."),
        "title": _text("A title."),
        "model": _short("model", "The model, as the reporter names it."),
        "environment": _short("environment", "Product, harness, system."),
        "language": _short("language", "The language of the body."),
        "url": _short("url", "Where the report can be read."),
        "author": _short("author", "Who reports; stored as a keyed hash only."),
        "rating": _text("A rating, as a number."),
        "kind": {"type": ["string", "null"], "description": "user or developer."},
        "prompt": _text("What the model was asked."),
        "response": _text("What it answered."),
    },
    "example": _EXAMPLE,
}
_SET_ASIDE: dict[str, Any] = {
    "type": "array",
    "description": "What was not taken, by place (the first is 0); `triage rejected` lists it too.",
    "items": {
        "type": "object",
        "required": ["place", "field", "problem", "remedy"],
        "properties": {
            "place": {"type": "integer", "minimum": 0},
            "field": {"type": "string"},
            "problem": {"type": "string"},
            "remedy": {"type": "string"},
        },
    },
}
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. It quotes nothing of a report.",
    "required": ["type", "title", "status", "detail", "remedy"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "remedy": {"type": "string"},
        "set_aside": _SET_ASIDE,
    },
}
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}


def _problem(description: str, headers: dict[str, Any] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": description,
        "content": {CONTENT_TYPE: {"schema": _PROBLEM}},
    }
    return {**found, "headers": headers} if headers else found


def responses() -> dict[int | str, dict[str, Any]]:
    """Every answer to posted reports."""
    taken = {
        "type": "object",
        "required": ["accepted", "ids", "set_aside"],
        "properties": {
            "accepted": {"type": "integer", "minimum": 0},
            "ids": {
                "type": "array",
                "description": "By place: the id of each report, null where it was set aside.",
                "items": {"type": ["string", "null"]},
            },
            "set_aside": _SET_ASIDE,
        },
    }
    return {
        202: {
            "description": "What was accepted is stored durably; the next collection takes it.",
            "content": {"application/json": {"schema": taken}},
        },
        400: _problem("The request broke off."),
        401: _problem(
            "The token is missing or unknown.",
            {"WWW-Authenticate": {"description": "Bearer", "schema": {"type": "string"}}},
        ),
        408: _problem("The body came too slowly."),
        413: _problem("The body is too large; it was not read to its end."),
        415: _problem("The body is not application/json."),
        422: _problem(
            "Nothing was taken: no valid JSON, too many reports, a single report that was set "
            "aside, or an idempotency key that was used with another body."
        ),
        429: _problem("The token sent too much; each 4 kB count as a report.", _RETRY),
        503: _problem("Too much waits, or the database is away; nothing was stored.", _RETRY),
    }


def operation(max_reports: int) -> dict[str, Any]:
    """What FastAPI cannot know of the operation, since it reads the body itself."""
    batch = {
        "type": "array",
        "title": "Batch",
        "description": "Reports; each is taken or set aside by itself.",
        "minItems": 1,
        "maxItems": max_reports,
        "items": {},
        "example": [_EXAMPLE],
    }
    return {
        "security": [{"token": []}],
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The same key with the same body gets the same answer for a day, "
                "and nothing is stored twice.",
                "schema": {"type": "string", "pattern": KEY_PATTERN},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"anyOf": [REPORT, batch]}}},
        },
    }


def health_responses() -> dict[int | str, dict[str, Any]]:
    """The answers of the health check."""
    state = {
        "type": "object",
        "required": ["state", "waiting"],
        "properties": {
            "state": {"const": "ok"},
            "waiting": {
                "type": "integer",
                "description": "Reports that no collection has taken yet.",
            },
        },
    }
    return {
        200: {
            "description": "It takes reports.",
            "content": {"application/json": {"schema": state}},
        },
        503: _problem("It cannot store reports now.", _RETRY),
    }
