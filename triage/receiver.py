"""Receives GitHub's webhooks: a signed delivery about our repository wakes a look at the issues."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable

from fastapi import FastAPI, Request, Response

from triage.errors import SettingsError, TriageError
from triage.settings import Settings
from triage.tracker.webhook import MAX_BODY_BYTES, delivery_of, is_signed

logger = logging.getLogger(__name__)

REMEMBERED = 10_000  # deliveries that are known when they are repeated
PATH = "/github"


def make_receiver(settings: Settings, repository: str, wake: Callable[[], None]) -> FastAPI:
    """The web application: a signed delivery about our repository calls ``wake``, once each.

    Raises ``SettingsError`` without a secret: an unsigned receiver would let anybody in.
    """
    if settings.github_webhook_secret is None:
        raise SettingsError(
            "Listening to GitHub",
            "TRIAGE_GITHUB_WEBHOOK_SECRET is not set",
            "Set it to the secret of the webhook on GitHub.",
        )
    secret = settings.github_webhook_secret.get_secret_value()
    seen: OrderedDict[str, None] = OrderedDict()
    receiver = FastAPI(openapi_url=None)

    @receiver.post(PATH)
    async def receive(request: Request) -> Response:
        body = await _bounded(request)
        if body is None:
            return Response(status_code=413)
        if not is_signed(body, request.headers.get("x-hub-signature-256"), secret):
            return Response(status_code=401)
        delivery = delivery_of(
            body,
            request.headers.get("x-github-event", ""),
            request.headers.get("x-github-delivery", ""),
        )
        ours = delivery is not None and delivery.repository.casefold() == repository.casefold()
        if delivery is None or not ours or delivery.delivery_id in seen:
            return Response(status_code=204)
        seen[delivery.delivery_id] = None
        while len(seen) > REMEMBERED:
            seen.popitem(last=False)
        wake()
        return Response(status_code=202)

    return receiver


async def _bounded(request: Request) -> bytes | None:
    """The body, None where it is longer than GitHub sends; whatever its header says of it."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


class Waker:
    """One thread that syncs whenever it was woken; many wakings at once are one sync."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._woken = threading.Event()

    def start(self) -> None:
        """Begin to wait."""
        threading.Thread(target=self._run, daemon=True, name="sync on webhook").start()

    def wake(self) -> None:
        """Let the next sync begin, after the present one if there is one."""
        self._woken.set()

    def _run(self) -> None:
        while self._woken.wait():
            self._woken.clear()
            try:
                self._work()
            except TriageError as error:
                logger.warning("%s", error)  # the next delivery or the schedule tries again
