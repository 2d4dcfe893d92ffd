"""Where one round works: a database on a small disk of its own, a GitHub, a clock of its own."""

from __future__ import annotations

import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import requests

from tests.databases import stop_server
from tests.integration.github.emulator import (
    FILER,
    ORGANISATION,
    Emulator,
    running_emulator,
    token_of,
)
from tests.integration.github.proxy import GitHubProxy, running_proxy
from triage.database import server_url
from triage.settings import Settings

DISK_MEGABYTES = 512  # an empty cluster takes some 40, the write-ahead log some more
RUN_SECONDS = 1200  # a command that takes longer hangs
HUNG = -999  # the exit code of such a one
CLOCK_SOURCE = Path(__file__).with_name("clock.c")
# One interpreter has everything imported and forks a child for each run: the import of all
# modules takes 4 s of processor time, the work of a run without news less than 2 s.
FORKSERVER = """
import atexit, os, sys
for name in [name for name in os.environ if name.startswith(("LD_PRELOAD",))]:
    del os.environ[name]  # it holds in this process; the database keeps the right time
import triage.cli, triage.embedding.embedder, triage.embedding.openvino_encoder
import flows.pipeline, flows.sync_issues, flows.release_demo
print("ready", flush=True)
for line in sys.stdin:
    log, *arguments = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if child == 0:
        os.setsid()
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.argv = ["triage", *arguments]
        code = 1
        try:
            triage.cli.main()
            code = 0
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else int(bool(left.code))
        except BaseException:
            import traceback
            traceback.print_exc()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


@dataclass(frozen=True)
class Room:
    """One installation under test and what surrounds it."""

    home: Path
    log: Path
    clock: Path | None
    disk: Path | None
    github: GitHubProxy
    emulator: Emulator
    repository: str
    program: subprocess.Popen[str]
    running: list[int] = field(default_factory=list)

    def start(self, *arguments: str) -> int:
        """Start a command; returns its process id."""
        assert self.program.stdin is not None
        self.program.stdin.write("\t".join([str(self.log), *arguments]) + "\n")
        self.program.stdin.flush()
        self.running[:] = [int(self._line())]
        return self.running[0]

    def wait(self) -> int:
        """Exit code of the command that was started, negative for a signal; see HUNG."""
        hung = threading.Event()

        def end() -> None:
            hung.set()
            os.kill(self.running[0], signal.SIGKILL)

        watch = threading.Timer(RUN_SECONDS, end)
        watch.start()
        try:
            code = int(self._line())
        finally:
            watch.cancel()
        return HUNG if hung.is_set() else code

    def run(self, *arguments: str) -> int:
        """Run a command undisturbed."""
        self.start(*arguments)
        return self.wait()

    def connect(self) -> psycopg.Connection:
        """A connection to the installation's database, which is started if need be."""
        url = server_url(Settings(home=self.home, database_url=None))
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(plain, autocommit=True, connect_timeout=10)

    @property
    def postmaster(self) -> psutil.Process | None:
        """The database server, None while none runs."""
        try:
            first = (self.home / "postgres" / "postmaster.pid").read_text().splitlines()[0]
            return psutil.Process(int(first))
        except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
            return None

    def set_clock(self, offset_seconds: int) -> None:
        """Let the program's clock jump; the database and GitHub keep the right time."""
        if self.clock is not None:
            with self.clock.open("r+b") as file:  # in place: the program has it mapped
                file.write(struct.pack("l", offset_seconds))

    def issues(self) -> list[dict[str, object]]:
        """All issues in the repository, asked of GitHub itself."""
        found: list[dict[str, object]] = []
        for page in range(1, 50):
            answer = requests.get(
                f"{self.emulator.url}/repos/{self.repository}/issues",
                params={"state": "all", "per_page": "100", "page": str(page)},
                headers={"Authorization": f"token {token_of(FILER)}"},
                timeout=60,
            )
            answer.raise_for_status()
            found += answer.json()
            if len(answer.json()) < 100:
                break
        return found

    def _line(self) -> str:
        assert self.program.stdout is not None
        line = self.program.stdout.readline()
        if not line:
            raise RuntimeError(f"the program ended; read {self.log}")
        return line.strip()


@contextmanager
def open_room(log: Path, name: str, models: Path) -> Iterator[Room]:
    """A fresh installation with a repository of its own; all of it is gone at the end.

    ``models`` keeps the converted embedding model from one room to the next.
    """
    folder = Path(tempfile.mkdtemp(prefix="triage-faults-"))
    disk = _mounted(folder / "home")
    models.mkdir(parents=True, exist_ok=True)
    (folder / "home" / "models").symlink_to(models)
    library = _compiled_clock(folder)
    clock = folder / "clock" if library else None
    if clock is not None:
        clock.write_bytes(struct.pack("l", 0))
    try:
        with running_emulator() as emulator, running_proxy(emulator) as proxy:
            repository = _new_repository(emulator, name)
            environment = _environment(folder / "home", proxy, repository, library, clock)
            program = subprocess.Popen(
                [sys.executable, "-c", FORKSERVER],
                env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            room = Room(folder / "home", log, clock, disk, proxy, emulator, repository, program)
            try:
                if room._line() != "ready":
                    raise RuntimeError("the program did not start")
                yield room
            finally:
                program.kill()
                program.wait()
                _stop_database(room)
    finally:
        if disk is not None:
            subprocess.run(["umount", "-l", str(disk)], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _environment(
    home: Path, proxy: GitHubProxy, repository: str, library: Path | None, clock: Path | None
) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TRIAGE_", "PREFECT_"))}
    if library is not None:
        kept |= {"LD_PRELOAD": str(library), "SHIFT_FILE": str(clock)}
    return kept | {
        "TRIAGE_HOME": str(home),
        "TRIAGE_HASH_KEY": "a key for the fault campaign",
        "TRIAGE_GITHUB_API_URL": proxy.api_url,
        "TRIAGE_GITHUB_TOKEN": token_of(FILER),
        "TRIAGE_GITHUB_REPOSITORY": repository,
        "COLUMNS": "160",
        "OMP_NUM_THREADS": "1",  # more of them wait busily for each other on a loaded machine
    }


def _compiled_clock(folder: Path) -> Path | None:
    """The library that shifts a program's clock, None where there is no C compiler."""
    library = folder / "clock.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(CLOCK_SOURCE), "-ldl"]
    with suppress(FileNotFoundError, subprocess.CalledProcessError):
        subprocess.run(command, check=True, capture_output=True)
        return library
    return None


def _mounted(home: Path) -> Path | None:
    """``home`` as a small disk of its own, None where mounting is not allowed."""
    home.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "tmpfs", str(home)]
    with suppress(OSError, subprocess.CalledProcessError):
        subprocess.run(command, check=True, capture_output=True)
        return home
    return None


def _new_repository(emulator: Emulator, name: str) -> str:
    answer = requests.post(
        f"{emulator.url}/orgs/{ORGANISATION}/repos",
        headers={"Authorization": f"token {token_of(FILER)}"},
        json={"name": name},
        timeout=60,
    )
    answer.raise_for_status()
    return f"{ORGANISATION}/{name}"


def _stop_database(room: Room) -> None:
    with suppress(Exception):
        stop_server(room.home)
    server = room.postmaster
    if server is not None:
        with suppress(psutil.NoSuchProcess):
            server.send_signal(signal.SIGQUIT)
            psutil.wait_procs([server], timeout=20)
        time.sleep(0.2)
