"""Errors as RFC 9457 problems: one shape for all, and no word of a report in any."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

CONTENT_TYPE = "application/problem+json"


class Refused(Exception):
    """A request is not answered as it wished: with this status, for this reason."""

    def __init__(
        self,
        status: int,
        detail: str,
        remedy: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.detail = detail
        self.remedy = remedy
        self.headers = dict(headers or {})
        super().__init__(detail)


def problem_text(
    status: int, detail: str, remedy: str, set_aside: Sequence[Mapping[str, Any]] = ()
) -> str:
    """The JSON of a problem; ``type`` is ``about:blank``, so the title is the status' own."""
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "remedy": remedy,
    }
    if set_aside:
        problem["set_aside"] = list(set_aside)
    return json.dumps(problem)
