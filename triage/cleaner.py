"""Cleans many reports in processes beside this one, each of which knows nothing but cleaning.

A process gets batches on its standard input and answers on its output. It ends when its input
does, so however this program ends, none is left behind with what nobody redacted yet.
"""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from queue import SimpleQueue
from typing import BinaryIO

from triage.errors import IntakeError
from triage.types import CleanReport, RawReport, Rejection

Item = RawReport | Rejection
Cleaned = CleanReport | Rejection
Clean = Callable[[RawReport], Cleaned]
_Process = subprocess.Popen[bytes]

logger = logging.getLogger(__name__)

# A process takes a second to start: so many batches are cleaned here before any is wanted.
BATCHES_HERE = 2
# Handed over before the first is asked for: bounds memory, and keeps every process at work.
BATCHES_AHEAD = 2


def clean_batches(
    batches: Iterable[Sequence[Item]], clean: Clean, *, processes: int
) -> Generator[list[Cleaned]]:
    """Clean what is no rejection already: each batch in its turn, as it was ordered.

    The first ones here; those of a long file in so many processes, where there is more than one.
    ``clean`` and the batches must be picklable. What came before an ``IntakeError`` of ``batches``
    is given before it is raised.
    """
    ordered = iter(batches)
    here = BATCHES_HERE if processes > 1 else None
    yield from (clean_batch(batch, clean) for batch in islice(ordered, here))
    if (first := next(ordered, None)) is not None:
        with _Processes(clean, processes) as pool:
            yield from pool.clean(first, ordered)


def clean_batch(batch: Sequence[Item], clean: Clean) -> list[Cleaned]:
    """Clean here what is no rejection already."""
    return [item if isinstance(item, Rejection) else clean(item) for item in batch]


class _Processes:
    """Some processes, and a thread that waits for each."""

    def __init__(self, clean: Clean, count: int) -> None:
        self._clean = clean
        self._count = count
        self._started: list[_Process] = []
        self._idle: SimpleQueue[_Process | None] = SimpleQueue()
        self._threads = ThreadPoolExecutor(count)
        self._is_over = False

    def __enter__(self) -> _Processes:
        for _ in range(self._count):
            process = _start()
            self._idle.put(process)
            if process is not None:
                self._started.append(process)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._started:
            process.kill()
        self._threads.shutdown()
        for process in self._started:
            process.communicate()

    def clean(
        self, first: Sequence[Item], others: Iterator[Sequence[Item]]
    ) -> Iterator[list[Cleaned]]:
        """The batches in their order, a few of them at work at any time.

        Where there is nothing to do but wait, a batch is cleaned here.
        """
        waiting = deque([self._submit(first)])
        failure: IntakeError | None = None
        try:
            for batch in others:
                is_full = len(waiting) >= self._count * BATCHES_AHEAD
                if is_full and not waiting[0].done():
                    waiting.append(_done(clean_batch(batch, self._clean)))
                else:
                    waiting.append(self._submit(batch))
                if is_full:
                    yield waiting.popleft().result()
        except IntakeError as error:
            failure = error
        while waiting:
            yield waiting.popleft().result()
        if failure is not None:
            raise failure

    def _submit(self, batch: Sequence[Item]) -> Future[list[Cleaned]]:
        return self._threads.submit(self._clean_elsewhere, batch)

    def _clean_elsewhere(self, batch: Sequence[Item]) -> list[Cleaned]:
        """By a process that is idle; here where it has died or never started."""
        process = self._idle.get()
        try:
            if process is not None:
                return _ask(process, self._clean, batch)
        except (OSError, EOFError, pickle.UnpicklingError):
            process = None
            if self._is_over:
                return []  # nobody asks any more
            logger.warning("A cleaning process ended early; its reports are cleaned here.")
        finally:
            self._idle.put(process)
        return clean_batch(batch, self._clean)


def _done(cleaned: list[Cleaned]) -> Future[list[Cleaned]]:
    future: Future[list[Cleaned]] = Future()
    future.set_result(cleaned)
    return future


def _start() -> _Process | None:
    try:
        return subprocess.Popen(
            # -P: never a module of that name in whatever folder this program was called from
            [sys.executable, "-P", "-m", "triage.cleaner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # an error could quote what is not redacted
            start_new_session=True,  # Ctrl-C is for this program, which ends it
        )
    except OSError as problem:
        logger.warning("A cleaning process cannot be started: %s", problem)
        return None


def _ask(process: _Process, clean: Clean, batch: Sequence[Item]) -> list[Cleaned]:
    assert process.stdin is not None
    assert process.stdout is not None
    pickle.dump((clean, batch), process.stdin)
    process.stdin.flush()
    found: list[Cleaned] = pickle.load(process.stdout)
    return found


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer batches until there are no more."""
    while True:
        try:
            clean, batch = pickle.load(questions)
        except EOFError:
            return
        pickle.dump(clean_batch(batch, clean), answers)
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
