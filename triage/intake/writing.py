"""Group commit: requests that come together are written in one transaction, then answered.

A commit waits for the disk (2 to 5 ms here); one for each request would allow some 300 a second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from triage.database import Database
from triage.store.posted import Answer, Submission, save_submissions

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.004  # how long the first of a batch waits for others
MOST_REQUESTS = 500  # in one transaction


@dataclass(frozen=True, slots=True)
class _Waiting:
    submission: Submission
    answered: asyncio.Future[Answer | None]


class GroupCommit:
    """Writes what is submitted, batch by batch, in one thread; started and stopped with the app."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, "group commit")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write; called in the event loop that submits."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Write what waits, then stop."""
        await self._waiting.join()
        if self._task is not None:
            self._task.cancel()
        self._thread.shutdown()

    async def save(self, submission: Submission) -> Answer | None:
        """The answer, once the submission is durable (see ``save_submissions``).

        Raises what the transaction raised; then nothing was stored, or with a lost connection
        perhaps all, which the same request sent again does not double.
        """
        answered: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(_Waiting(submission, answered))
        return await answered

    async def _run(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            await asyncio.sleep(GATHER_SECONDS)
            while len(batch) < MOST_REQUESTS and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            for part in _with_distinct_keys(batch):
                await self._write(part)
            for _ in batch:
                self._waiting.task_done()

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        loop = asyncio.get_running_loop()
        submissions = [one.submission for one in batch]
        try:
            answers = await loop.run_in_executor(self._thread, self._save, submissions)
        except Exception as error:  # whatever it is, who waits must hear of it
            logger.warning("%d posted requests were not stored: %s", len(batch), error)
            for one in batch:
                if not one.answered.done():
                    one.answered.set_exception(error)
            return
        for one, answer in zip(batch, answers, strict=True):
            if not one.answered.done():
                one.answered.set_result(answer)

    def _save(self, submissions: Sequence[Submission]) -> list[Answer | None]:
        with self._database.session() as session:
            return save_submissions(session, submissions)


def _with_distinct_keys(batch: Sequence[_Waiting]) -> list[list[_Waiting]]:
    """Parts of which none holds a key twice: who repeats it sees the first's answer."""
    parts: list[list[_Waiting]] = []
    times: dict[tuple[str, str], int] = {}
    for one in batch:
        at = 0
        if one.submission.key is not None:
            name = (one.submission.origin, one.submission.key)
            at = times.get(name, 0)
            times[name] = at + 1
        while len(parts) <= at:
            parts.append([])
        parts[at].append(one)
    return parts
