"""The processes that clean, seen from the one that answers."""

from __future__ import annotations

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from triage.intake.cleaning import CleanedBody, clean_body, prepare
from triage.intake.problems import Refused
from triage.workspace import Workspace


class CleaningPool:
    """So many processes that clean; a process that dies is replaced."""

    def __init__(self, workspace: Workspace, processes: int) -> None:
        self._processes = processes
        self._kit = (
            workspace.hash_key,
            workspace.config,
            workspace.config.intake.max_reports_per_request,
        )
        self._pool = self._started()

    def _started(self) -> ProcessPoolExecutor:
        # spawned: a copy of this process would hold its threads' locks and its connections
        return ProcessPoolExecutor(
            self._processes,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=prepare,
            initargs=self._kit,
        )

    async def warm_up(self) -> None:
        """Start every process, so that no request waits for one."""
        loop = asyncio.get_running_loop()
        body = b'{"body": "warm-up"}'
        await asyncio.gather(
            *(
                loop.run_in_executor(self._pool, clean_body, body, "warm-up")
                for _ in range(self._processes * 2)
            )
        )

    async def clean(self, body: bytes, name: str) -> CleanedBody:
        """See ``clean_body``. Raises ``Refused`` when the process that cleaned it died."""
        pool = self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, clean_body, body, name)
        except BrokenProcessPool as error:
            if pool is self._pool:
                self._pool = self._started()
                pool.shutdown(wait=False)
            remedy = "Nothing of it was stored; send it again."
            raise Refused(
                503, "a process died that had part in it", remedy, {"Retry-After": "1"}
            ) from error

    def stop(self) -> None:
        """Let the processes go."""
        self._pool.shutdown(wait=False, cancel_futures=True)
