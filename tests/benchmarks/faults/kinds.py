"""What may befall a run: each fault is done to a running command and undone afterwards."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil
import psycopg

from tests.benchmarks.faults.room import Room
from triage.errors import DatabaseError

DAY_SECONDS = 86_400
FULL_SECONDS = 4.0
_WRITES = r"/issues(/\d+(/comments)?)?$|/labels$|/milestones$"


@dataclass(frozen=True)
class Outcome:
    """How a run with a fault ended: its exit code, and whether the fault met it at work."""

    exit_code: int
    met_at_work: bool


def kill(room: Room, dice: random.Random, arguments: list[str], wait_seconds: float) -> Outcome:
    """Kill the run at a random moment, as a power cut or the kernel would."""
    pid = room.start(*arguments)
    return Outcome(*_after(room, pid, wait_seconds, lambda: os.kill(pid, signal.SIGKILL)))


def restart_database(
    room: Room, dice: random.Random, arguments: list[str], wait_seconds: float
) -> Outcome:
    """Kill the database server, or let it stop at once; the next command starts it again."""
    hard = dice.random() < 0.5

    def strike() -> None:
        server = room.postmaster
        if server is None:
            raise ProcessLookupError
        server.send_signal(signal.SIGKILL if hard else signal.SIGQUIT)

    pid = room.start(*arguments)
    outcome = Outcome(*_after(room, pid, wait_seconds, strike))
    _let_database_end(room)
    return outcome


def cut_connections(
    room: Room, dice: random.Random, arguments: list[str], wait_seconds: float
) -> Outcome:
    """Cut every connection to the database while the server lives on."""

    def strike() -> None:
        with room.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )

    pid = room.start(*arguments)
    return Outcome(*_after(room, pid, wait_seconds, strike))


def fill_disk(
    room: Room, dice: random.Random, arguments: list[str], wait_seconds: float
) -> Outcome:
    """Fill the disk to the last byte for some seconds, while the run writes."""
    if room.disk is None:
        raise RuntimeError("a full disk needs the right to mount one: run this as root")
    ballast = room.disk / "ballast"

    def strike() -> None:
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while free := shutil.disk_usage(room.home).free:
                os.posix_fallocate(file.fileno(), file.tell(), free)
                file.seek(0, os.SEEK_END)
        end = time.monotonic() + FULL_SECONDS
        while time.monotonic() < end and _is_running(pid):
            time.sleep(0.1)

    pid = room.start(*arguments)
    try:
        return Outcome(*_after(room, pid, wait_seconds, strike, lambda: ballast.unlink()))
    finally:
        ballast.unlink(missing_ok=True)
        _let_database_end(room)


def break_github(
    room: Room, dice: random.Random, arguments: list[str], wait_seconds: float
) -> Outcome:
    """Let GitHub fail: errors, limits and dropped answers, also after it did what was asked."""
    for _ in range(dice.randint(1, 4)):
        method = dice.choice(["GET", "POST", "POST", "PATCH"])
        path = _WRITES if method != "GET" else r"/repos/"
        how: dict[str, Any] = dice.choice(
            [
                {"status": 502},
                {"status": 500, "after_write": True},
                {"drop": True},
                {"drop": True, "after_write": True},
                {"status": 403, "headers": {"Retry-After": "1"}},
                {"status": 429, "headers": {"Retry-After": "900"}},
                {"status": 401},
            ]
        )
        room.github.fail(method, path, **how)
    before = len(room.github.requests)
    room.start(*arguments)
    code = room.wait()
    room.github.heal()
    return Outcome(code, len(room.github.requests) > before)


def jump_clock(
    room: Room, dice: random.Random, arguments: list[str], wait_seconds: float
) -> Outcome:
    """Let the program's clock jump by up to three days either way, then back."""
    if room.clock is None:
        raise RuntimeError("clock jumps need a C compiler: apt-get install gcc")
    room.set_clock(dice.randint(-3 * DAY_SECONDS, 3 * DAY_SECONDS))
    pid = room.start(*arguments)
    far = dice.randint(-3 * DAY_SECONDS, 3 * DAY_SECONDS)
    outcome = Outcome(*_after(room, pid, wait_seconds, lambda: room.set_clock(far)))
    room.set_clock(0)
    return outcome


Fault = Callable[[Room, random.Random, list[str], float], Outcome]
FAULTS: dict[str, Fault] = {
    "kill -9 of the run": kill,
    "database killed or stopped": restart_database,
    "connections cut": cut_connections,
    "disk full": fill_disk,
    "GitHub fails": break_github,
    "clock jumps": jump_clock,
}
# A killed run is the likeliest of all that happens, and the cheapest to try.
WEIGHTS = [6, 3, 3, 3, 3, 2]


def _after(
    room: Room,
    pid: int,
    wait_seconds: float,
    strike: Callable[[], None],
    undo: Callable[[], None] | None = None,
) -> tuple[int, bool]:
    """Strike some seconds into a run, if it still runs then; its exit code and whether it did."""
    end = time.monotonic() + wait_seconds
    while time.monotonic() < end and _is_running(pid):
        time.sleep(0.02)
    at_work = _is_running(pid)
    if at_work:
        try:
            strike()
        except (ProcessLookupError, psutil.NoSuchProcess, psycopg.Error, DatabaseError):
            at_work = False
        if undo is not None:
            undo()
    return room.wait(), at_work


def _is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _let_database_end(room: Room) -> None:
    """Wait until a server that was struck is gone or answers again."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if room.postmaster is None or not room.postmaster.is_running():
            return
        with suppress(Exception), room.connect():
            return
        time.sleep(0.2)
