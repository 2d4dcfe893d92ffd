"""One request from its first byte to its answer."""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from triage.config.model import IntakeConfig
from triage.errors import DatabaseError
from triage.intake.cleaning import ORIGIN
from triage.intake.limits import Room, TokenBuckets
from triage.intake.pool import CleaningPool
from triage.intake.problems import CONTENT_TYPE, Refused
from triage.intake.schema import KEY_PATTERN
from triage.intake.tokens import Tokens
from triage.intake.writing import GroupCommit
from triage.store.posted import PostedReport, Submission

READ_SECONDS = 20  # for a body to arrive
# Bodies in memory at a time; what is read of a body takes some five times its size for a moment,
# and only in the cleaning processes, each of which has one at a time.
MOST_BYTES = 64_000_000
# Requests that are cleaned or written at a time: a second's worth, so that a burst is told to wait
# before its senders give up.
MOST_REQUESTS = 500
# More counts as several reports: 2 MB of hostile text take seconds to clean.
BYTES_OF_A_REPORT = 4_000
_KEY = re.compile(KEY_PATTERN.removesuffix("$"))
_RETRY = {"Retry-After": "1"}


class Receiver:
    """Takes posted reports; what it refuses is a ``Refused``."""

    def __init__(
        self, limits: IntakeConfig, tokens: Tokens, pool: CleaningPool, writer: GroupCommit
    ) -> None:
        self._limits = limits
        self._tokens = tokens
        self._pool = pool
        self._writer = writer
        self._buckets = TokenBuckets(limits.reports_per_second, limits.burst)
        self._bytes = Room(MOST_BYTES)
        self._requests = Room(MOST_REQUESTS)

    async def receive(self, request: Request) -> Response:
        """Store the reports of a request and answer it."""
        source = self._authorised(request)
        key = _key_of(request)
        expected = self._expected_bytes(request)
        with _held(self._bytes, expected):
            body = await _read(request, expected)
            with _held(self._requests, 1):
                return await self._answer(body, source, key)

    def _authorised(self, request: Request) -> str:
        source = self._tokens.source_of(request.headers.get("authorization"))
        if source is None:
            raise Refused(
                401,
                "the token is missing or unknown",
                "Send a header 'Authorization: Bearer TOKEN'; `triage token NAME` makes one.",
                {"WWW-Authenticate": "Bearer"},
            )
        wait = self._buckets.wait_seconds(source, time.monotonic())
        if wait > 0:
            raise Refused(
                429,
                f"the token sent more than {self._limits.reports_per_second:g} reports a second",
                "Wait as long as Retry-After says.",
                {"Retry-After": str(math.ceil(wait))},
            )
        return source

    def _expected_bytes(self, request: Request) -> int:
        """How large the body may become; checks what its headers say."""
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
        encoding = request.headers.get("content-encoding", "identity").casefold()
        if media_type != "application/json" or encoding != "identity":
            remedy = "Send plain JSON with 'Content-Type: application/json'."
            raise Refused(415, "the body is no plain application/json", remedy)
        length = request.headers.get("content-length", "")
        limit = self._limits.max_bytes
        if not length.isdecimal() or len(length) > 15:
            return limit
        if int(length) > limit:
            raise _too_large(limit)
        return int(length)

    async def _answer(self, body: bytes, source: str, key: str | None) -> Response:
        cleaned = await self._pool.clean(body, source)
        weight = max(cleaned.records, len(body) // BYTES_OF_A_REPORT)
        self._buckets.spend(source, weight, time.monotonic())
        submission = Submission(
            f"{ORIGIN}{source}",
            hashlib.sha256(body).hexdigest(),
            key,
            tuple(PostedReport(*report) for report in cleaned.reports),
            cleaned.rejections,
            cleaned.status,
            cleaned.answer,
        )
        try:
            answer = await self._writer.save(submission)
        except DatabaseError as error:
            remedy = "Send it again; what was stored all the same is not doubled."
            raise Refused(503, "the database is away", remedy, _RETRY) from error
        if answer is None:
            remedy = "Use a new key for another body."
            raise Refused(422, "the idempotency key was used with another body", remedy)
        kind = "application/json" if answer.status == 202 else CONTENT_TYPE
        return Response(answer.body, answer.status, media_type=kind)


def _key_of(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        remedy = "Use 1 to 200 visible ASCII characters."
        raise Refused(422, "the idempotency key is malformed", remedy)
    return key


@contextmanager
def _held(room: Room, amount: int) -> Iterator[None]:
    if not room.take(amount):
        remedy = "Wait as long as Retry-After says, then send it again."
        raise Refused(503, "too many reports arrive at a time", remedy, _RETRY)
    try:
        yield
    finally:
        room.give_back(amount)


async def _read(request: Request, limit: int) -> bytes:
    """The body; reading stops where it is larger than it may be."""
    received = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.stream():
                received += chunk
                if len(received) > limit:
                    raise _too_large(limit)
    except TimeoutError as error:
        remedy = "Send smaller batches, or over a better line."
        problem = f"the body did not arrive within {READ_SECONDS} seconds"
        raise Refused(408, problem, remedy, {"Connection": "close"}) from error
    except ClientDisconnect as error:
        raise Refused(400, "the request broke off", "Send it again.") from error
    return bytes(received)


def _too_large(limit: int) -> Refused:
    remedy = "Send smaller batches, or shorten the report's texts."
    return Refused(413, f"the body is larger than {limit} bytes", remedy, {"Connection": "close"})
