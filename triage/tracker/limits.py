"""When a request to GitHub may be sent again, and how long GitHub asks to wait before that."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import MaxRetryError, ResponseError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry

logger = logging.getLogger(__name__)

LONGEST_WAIT_SECONDS = 60.0
ATTEMPTS_AFTER_THE_FIRST = 3
_LIMIT_STATUSES = frozenset({403, 429})
_READING = frozenset({"GET", "HEAD"})


def asked_wait_seconds(status: int, headers: Mapping[str, str], now: float) -> float | None:
    """How long a refusal asks to wait; None when it is no rate limit or names no time.

    ``Retry-After`` is GitHub's secondary limit; ``X-RateLimit-Remaining: 0`` with a reset time
    (seconds since 1970 by the server's clock, hence ``Date`` is preferred to ``now``) the
    primary one. See https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    if status not in _LIMIT_STATUSES:
        return None
    if (asked := headers.get("Retry-After")) is not None:
        return _seconds_until(asked, _server_time(headers, now))
    if headers.get("X-RateLimit-Remaining", "").strip() == "0":
        reset = headers.get("X-RateLimit-Reset", "").strip()
        if reset.isdecimal():
            # one second more: the reset is rounded down to whole seconds
            return max(0.0, float(reset) - _server_time(headers, now)) + 1.0
    return None


class CarefulRetry(Retry):
    """Repeats what is known to have written nothing, and only that.

    Reading is repeated after a 5xx, a 429 or a broken connection. Any method is repeated when
    GitHub refused it with a waiting time of at most ``LONGEST_WAIT_SECONDS``, or when no
    connection came about. A POST that was answered with a 5xx, or not at all, may have been
    carried out: it is never sent again.
    """

    @classmethod
    def polite(cls) -> Self:
        """The policy used for every request: three more attempts, 1 s and 2 s apart."""
        return cls(
            total=ATTEMPTS_AFTER_THE_FIRST,
            other=0,  # TLS trouble may strike after the request was read
            allowed_methods=_READING,
            backoff_factor=0.5,
            raise_on_status=False,
        )

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """Whether ``increment`` is to look at the answer; only it can see the headers."""
        if status_code in _LIMIT_STATUSES:
            return True
        return method in _READING and status_code >= 500

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        """Count an attempt; ``MaxRetryError`` hands the answer at hand to the caller."""
        if response is not None and not self._may_repeat(method, response):
            reason = ResponseError(f"status {response.status}")
            raise MaxRetryError(_pool, url or "", reason)  # type: ignore[arg-type]
        return super().increment(method, url, response, error, _pool, _stacktrace)

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Seconds that the answer asks to wait; None where the back-off is to decide."""
        wait = asked_wait_seconds(response.status, response.headers, time.time())
        if wait is not None and wait <= LONGEST_WAIT_SECONDS:
            logger.info("GitHub asks to wait %.0f s (rate limit)", wait)
            return wait
        return None

    def _may_repeat(self, method: str | None, response: BaseHTTPResponse) -> bool:
        wait = asked_wait_seconds(response.status, response.headers, time.time())
        if wait is not None:
            return wait <= LONGEST_WAIT_SECONDS
        return method in _READING and response.status != 403


def _server_time(headers: Mapping[str, str], now: float) -> float:
    try:
        return parsedate_to_datetime(headers["Date"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return now


def _seconds_until(asked: str, now: float) -> float | None:
    """``Retry-After`` is a number of seconds or a date; anything else says nothing."""
    if asked.strip().isdecimal():
        return float(asked)
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - now)
    except (TypeError, ValueError):
        return None
