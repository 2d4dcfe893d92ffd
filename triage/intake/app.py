"""The web application of the intake."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from triage import __version__
from triage.errors import DatabaseError
from triage.intake.pool import CleaningPool
from triage.intake.problems import CONTENT_TYPE, Refused, problem_text
from triage.intake.receiving import Receiver
from triage.intake.schema import health_responses, operation, responses
from triage.intake.tokens import Tokens, load_tokens
from triage.intake.writing import GroupCommit
from triage.store.posted import load_waiting
from triage.workspace import Workspace

PATH = "/v1/reports"
HEALTH_SECONDS = 1.0  # an answer of the health check holds so long: it is open to all


def make_intake(
    workspace: Workspace, *, tokens: Tokens | None = None, processes: int | None = None
) -> FastAPI:
    """The application; its cleaning processes live as long as it does.

    Raises ``SettingsError`` without a token.
    """
    known = load_tokens(workspace.settings) if tokens is None else tokens
    limits = workspace.config.intake
    pool = CleaningPool(workspace, processes or os.cpu_count() or 1)
    writer = GroupCommit(workspace.database)
    receiver = Receiver(limits, known, pool, writer)

    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        writer.start()
        await pool.warm_up()
        try:
            yield
        finally:
            await writer.stop()
            pool.stop()

    app = FastAPI(
        title="Feedback triage intake",
        version=__version__,
        summary="Takes reports of how a language model fails.",
        lifespan=running,
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
    )
    _add_routes(app, receiver, _Health(workspace), limits.max_reports_per_request)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _failed)
    _describe_tokens(app)
    return app


def _add_routes(app: FastAPI, receiver: Receiver, health: _Health, max_reports: int) -> None:
    app.add_api_route(
        PATH,
        receiver.receive,
        methods=["POST"],
        status_code=202,
        operation_id="post_reports",
        summary="Post one report, or a batch.",
        responses=responses(),
        openapi_extra=operation(max_reports),
    )
    app.add_api_route(
        "/health",
        health.check,
        methods=["GET"],
        operation_id="check_health",
        summary="Whether reports can be stored.",
        responses=health_responses(),
    )


class _Health:
    """Asks the database, at most once a second whoever asks."""

    def __init__(self, workspace: Workspace) -> None:
        self._database = workspace.database
        self._asked_at = -HEALTH_SECONDS
        self._found: int | None = None
        self._asking = asyncio.Lock()

    async def check(self) -> Response:
        async with self._asking:
            if time.monotonic() - self._asked_at >= HEALTH_SECONDS:
                self._found = await asyncio.to_thread(self._waiting)
                self._asked_at = time.monotonic()
        if self._found is None:
            raise Refused(503, "the database is away", "See `triage doctor`.", {"Retry-After": "5"})
        return JSONResponse({"state": "ok", "waiting": self._found})

    def _waiting(self) -> int | None:
        try:
            with self._database.session() as session:
                return load_waiting(session).count
        except DatabaseError:
            return None


def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return _as_response(error)


def _as_response(refused: Refused) -> Response:
    text = problem_text(refused.status, refused.detail, refused.remedy)
    return Response(text, refused.status, refused.headers, CONTENT_TYPE)


def _http_error(_request: Request, error: Exception) -> Response:
    """What the framework refuses: another path or method."""
    assert isinstance(error, HTTPException)
    remedy = f"See /openapi.json; reports are posted to {PATH}."
    headers = dict(error.headers or {})
    return _as_response(Refused(error.status_code, "there is no such thing here", remedy, headers))


def _failed(_request: Request, _error: Exception) -> Response:
    return _as_response(Refused(500, "it failed", "See the log of `triage intake`, and try again."))


def _describe_tokens(app: FastAPI) -> None:
    """Add the bearer scheme, which the receiver checks by itself, to the description."""
    scheme = HTTPBearer(scheme_name="token", description="A token of `triage token NAME`.")
    described = app.openapi()
    model = scheme.model.model_dump(by_alias=True, exclude_none=True, mode="json")
    described.setdefault("components", {})["securitySchemes"] = {"token": model}
