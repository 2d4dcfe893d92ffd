"""Ask an endpoint many questions at a time, within a budget, and never for ever."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Generator, Hashable, Mapping
from concurrent.futures import as_completed
from dataclasses import dataclass
from typing import TypeVar

import anyio
import httpx
from anyio.from_thread import start_blocking_portal

from triage.distilling.budget import Budget
from triage.distilling.dialect import Dialect
from triage.distilling.endpoint import (
    OPTIONAL,
    TIMEOUT,
    Declined,
    Endpoint,
    Misunderstood,
    Unavailable,
)
from triage.distilling.plain import BadAnswer
from triage.distilling.questions import Question
from triage.errors import DistillingError

logger = logging.getLogger(__name__)

TRIES = 4
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
# So many questions in a row without any answer: the endpoint is down, and the rest is not tried.
GIVE_UP_AFTER = 8
# So many in a row without one that can be used: the model, or what answers for it, cannot do it.
GIVE_UP_AFTER_BAD = 30
Answer = TypeVar("Answer")
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Why a question has no answer. ``is_its_own`` tells that others were not affected."""

    reason: str
    is_its_own: bool = False


class Asker:
    """One endpoint, one budget; what is learnt of the endpoint holds for all that is asked."""

    def __init__(
        self,
        endpoint: Endpoint,
        budget: Budget,
        *,
        concurrency: int = 8,
        first_wait_seconds: float = FIRST_WAIT_SECONDS,
    ) -> None:
        self.endpoint = endpoint
        self.budget = budget
        self.trouble: DistillingError | None = None
        self._concurrency = concurrency
        self._first_wait_seconds = first_wait_seconds
        self._blocker: str | None = None
        self._silent_in_a_row = 0
        self._bad_in_a_row = 0
        self._resumes_at = 0.0

    @property
    def blocker(self) -> str | None:
        """Why nothing more would be asked, or None."""
        return self._blocker or self.budget.blocker

    def ask(
        self, questions: Mapping[Key, Question[Answer]]
    ) -> Generator[tuple[Key, Answer | Unanswered], None, None]:
        """Every key with its answer, or with why there is none, as they come.

        Nothing is raised for what the endpoint does: what every question would meet (a refused
        key, a spent budget, an endpoint that is down) ends the asking, is said once in the log,
        and is the reason of all that is left. Whoever stops taking answers stops the asking.
        """
        if not questions:
            return
        with (
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(self.endpoint.open(self._concurrency)) as http,
        ):
            slots = portal.call(anyio.Semaphore, self._concurrency)
            asked = {
                portal.start_task_soon(self._take_turn, slots, http, question): key
                for key, question in questions.items()
            }
            try:
                for future in as_completed(asked):
                    yield asked[future], future.result()
            finally:
                for future in asked:
                    future.cancel()

    async def _take_turn(
        self, slots: anyio.Semaphore, http: httpx.AsyncClient, question: Question[Answer]
    ) -> Answer | Unanswered:
        async with slots:
            return await self._answer(http, question)

    async def _answer(
        self, http: httpx.AsyncClient, question: Question[Answer]
    ) -> Answer | Unanswered:
        """One question with its retries."""
        reason, attempt, bad_answers, timeouts = "", 0, 0, 0
        resumes_at, dialect = 0.0, self.endpoint.dialect
        while attempt < TRIES and bad_answers < 2 and timeouts < 2:
            await anyio.sleep(max(0.0, max(resumes_at, self._resumes_at) - time.monotonic()))
            blocker = self._blocker or self.budget.take_request()
            if blocker is not None:
                return Unanswered(blocker)
            try:
                answer = await self._once(http, question, dialect)
            except DistillingError as error:
                return Unanswered(self._stop(error))
            except Declined as error:
                return self._left(str(error))
            except Misunderstood as error:
                dialect = error.dialect  # not an attempt: there are four things to leave out
                continue
            except BadAnswer as error:
                reason, bad_answers = str(error), bad_answers + 1
            except Unavailable as error:
                reason, timeouts = str(error), timeouts + (str(error) == TIMEOUT)
                resumes_at = self._resume_time(error, attempt)
            else:
                self.endpoint.dialect = dialect
                self._silent_in_a_row = self._bad_in_a_row = 0
                return answer
            attempt += 1
        if bad_answers:
            return self._left(reason)
        return self._silent(reason)

    async def _once(
        self, http: httpx.AsyncClient, question: Question[Answer], dialect: Dialect
    ) -> Answer:
        completion = await self.endpoint.request(http, question.prompt, question.data, dialect)
        self.budget.spend(*completion.tokens(question.prompt.system + question.data))
        return question.read(completion.text)

    def _resume_time(self, error: Unavailable, attempt: int) -> float:
        """When to try again: as asked, else ever later; for all where all would meet the same."""
        wait_seconds = error.wait_seconds
        if wait_seconds is None:
            # Spread, so that those who waited together do not come back together.
            wait_seconds = self._first_wait_seconds * 2**attempt * random.uniform(0.8, 1.2)
        elif wait_seconds > LONGEST_WAIT_SECONDS:
            self._blocker = "the endpoint asks to wait longer than a run may"
            return 0.0
        resumes_at = time.monotonic() + wait_seconds
        if error.is_overloaded:
            self._resumes_at = max(self._resumes_at, resumes_at)
        return resumes_at

    def _stop(self, error: DistillingError) -> str:
        """Ask no more in this run; the first trouble is the one that is told."""
        if self.trouble is None:
            self.trouble = error
            logger.warning("%s Going on without the LLM.", error)
        self._blocker = self.trouble.problem
        return self._blocker

    def _left(self, reason: str) -> Unanswered:
        """The endpoint is there, but its answer to this question cannot be used."""
        self._silent_in_a_row = 0
        self._bad_in_a_row += 1
        if self._bad_in_a_row >= GIVE_UP_AFTER_BAD:
            remedy = "Run `triage doctor`; check TRIAGE_LLM_MODEL and TRIAGE_LLM_API_KEY."
            self._give_up(f"the endpoint gives no usable answers (the last: {reason})", remedy)
        return Unanswered(reason, is_its_own=True)

    def _silent(self, reason: str) -> Unanswered:
        self._silent_in_a_row += 1
        if self._silent_in_a_row >= GIVE_UP_AFTER:
            remedy = "The next run tries again; check TRIAGE_LLM_BASE_URL and the network."
            self._give_up(f"the endpoint does not answer (the last: {reason})", remedy)
        return Unanswered(reason)

    def _give_up(self, problem: str, remedy: str) -> None:
        attempted = f"Asking {self.endpoint.address} for model {self.endpoint.model!r}"
        self._stop(DistillingError(attempted, problem, f"{remedy} {OPTIONAL}"))
