"""How many reports a second the HTTP intake holds, and how long a sender waits.

    python -m tests.benchmarks.intake_load [--rate 500] [--seconds 60] [--per-request 1]

The real command, its cleaning processes and a real PostgreSQL on this machine; senders in a
process of their own keep the rate whatever the answers do (open loop), and a request's time counts
from when it was due. Texts are those of the sample, each made different; one in a hundred holds a
secret, one in a hundred cannot be taken. At the end the database is counted, before and after a
collection. On a machine that others use too, `chrt -r 1 python -m …` gives the figures of free
cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import psutil

from tests.ports import free_port
from triage.sources.files import read_file
from triage.types import RawReport

SENDERS = 64
TOKEN = "a-token-for-the-benchmark-only"
LIMITS = "intake:\n  reports_per_second: 100000\n  burst: 1000000\n"
SERVER = "from triage.cli import main; main()"


def bodies(requests: int, per_request: int) -> list[bytes]:
    """The bodies of all requests, made before the clock starts."""
    sample = Path(str(files("triage").joinpath("sample/reports.jsonl")))
    read = read_file(sample, received_at=datetime.now(UTC), redact=lambda text: text)
    texts = [
        {name: getattr(one, name) for name in ("title", "body", "model", "environment", "author")}
        for one in read
        if isinstance(one, RawReport)
    ]
    made = []
    for number in range(requests):
        batch = []
        for at in range(number * per_request, (number + 1) * per_request):
            report = {**texts[at % len(texts)], "id": f"load-{at}"}
            report["body"] += f" This is what I saw at attempt {at}."
            if at % 100 == 7:
                report["body"] += f" api_key=sk-{at:012d}abcdefghijklmnop"
            if at % 100 == 11:
                report["body"] = " "
            batch.append(report)
        made.append(json.dumps(batch if per_request > 1 else batch[0]).encode())
    return made


class Senders:
    """Sends each body when it is due, on the first free connection; notes status and time."""

    def __init__(self, port: int, made: list[bytes], interval: float) -> None:
        self.port = port
        self.made = made
        self.interval = interval
        self.next = 0
        self.began = 0.0
        self.waits: list[float] = []
        self.late: list[float] = []
        self.statuses: Counter[int] = Counter()

    async def run(self) -> None:
        """Send everything."""
        self.began = time.perf_counter() + 0.5
        await asyncio.gather(*(self._send() for _ in range(SENDERS)))

    async def _send(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = (
            f"POST /v1/reports HTTP/1.1\r\nHost: intake\r\nAuthorization: Bearer {TOKEN}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        while self.next < len(self.made):
            number, self.next = self.next, self.next + 1
            body = self.made[number]
            due = self.began + number * self.interval
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            self.late.append(time.perf_counter() - due)
            writer.write(head + str(len(body)).encode() + b"\r\n\r\n" + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
            self.waits.append(time.perf_counter() - due)
            self.statuses[int(answer.split(b" ", 2)[1])] += 1
        writer.close()


def main() -> None:
    """Start the intake, load it, count, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=500.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--per-request", type=int, default=1)
    parser.add_argument("--processes", type=int, default=None)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="intake-load-") as home:
        environment = prepared(Path(home))
        port = free_port()
        command = [sys.executable, "-c", SERVER, "intake", "--port", str(port)]
        if wanted.processes:
            command += ["--processes", str(wanted.processes)]
        server = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        try:
            show(measure(Path(home), port, wanted, server.pid), environment, wanted)
        finally:
            server.terminate()
            server.wait(60)


def prepared(home: Path) -> dict[str, str]:
    """An environment of its own, with no limit on the token."""
    config = home / "triage.yaml"
    default = files("triage.config").joinpath("default.yaml").read_text("utf-8")
    start = default.index("intake:\n")
    end = default.index("# ----", start)
    config.write_text(default[:start] + LIMITS + default[end:], "utf-8")
    mine = {
        "TRIAGE_HOME": str(home),
        "TRIAGE_CONFIG": str(config),
        "TRIAGE_INTAKE_TOKENS": f"load={TOKEN}",
    }
    os.environ.update(mine)
    return dict(os.environ)


def measure(home: Path, port: int, wanted: argparse.Namespace, pid: int) -> dict[str, object]:
    """Wait until it answers, then load it."""
    made = bodies(round(wanted.rate * wanted.seconds / wanted.per_request), wanted.per_request)
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    processes = [one for one in processes if "resource_tracker" not in " ".join(one.cmdline())]
    database = same_share(home)
    before = [sum(one.cpu_times()[:2]) for one in processes]
    load_before = os.getloadavg()[0]
    database_before = busy_seconds(database)
    senders = Senders(port, made, wanted.per_request / wanted.rate)
    began = time.perf_counter()
    asyncio.run(senders.run())
    took = time.perf_counter() - began - 0.5
    spent = [sum(one.cpu_times()[:2]) for one in processes]
    waits = sorted(senders.waits)
    return {
        "requests answered": len(waits),
        "statuses": dict(senders.statuses),
        "reports a second": round(len(waits) * wanted.per_request / took, 1),
        "p50, p95, p99, longest (ms)": ", ".join(
            f"{1000 * waits[min(len(waits) - 1, int(share * len(waits)))]:.0f}"
            for share in (0.5, 0.95, 0.99, 1.0)
        ),
        "sender late at p99 (ms)": round(1000 * sorted(senders.late)[int(0.99 * len(waits))]),
        "seconds of CPU: server, cleaners": ", ".join(
            f"{now - then:.1f}" for now, then in zip(spent, before, strict=True)
        ),
        "of the database": round(busy_seconds(database) - database_before, 1),
        "memory of server and cleaners (MiB)": round(
            sum(one.memory_info().rss for one in processes) / 2**20
        ),
        "load average before, after": f"{load_before:.1f}, {os.getloadavg()[0]:.1f}",
    }


def same_share(home: Path) -> psutil.Process:
    """The database's first process, with this shell's share of a machine that others use too.

    It is a session of its own to the scheduler, which would give it the share of any other.
    """
    pid = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
    mine = Path("/proc/self/autogroup")
    if mine.exists():
        niceness = mine.read_text().split()[-1]
        Path(f"/proc/{pid}/autogroup").write_text(niceness)
    return psutil.Process(pid)


def busy_seconds(database: psutil.Process) -> float:
    """Seconds of CPU that the database took so far, its connections included."""
    every = [database, *database.children(recursive=True)]
    return float(sum(sum(one.cpu_times()[:2]) for one in every))


def show(found: dict[str, object], environment: dict[str, str], wanted: argparse.Namespace) -> None:
    """Print what was measured, and what the database holds."""
    from sqlalchemy import text

    from flows.collect_reports import collect
    from triage.workspace import open_workspace

    due = round(wanted.rate * wanted.seconds)
    refused = sum(1 for at in range(due) if at % 100 == 11)
    with open_workspace() as workspace:
        with workspace.database.session() as session:
            waiting = session.execute(text("SELECT count(*) FROM posted_report")).scalar_one()
        began = time.perf_counter()
        summary = collect(workspace)
        took = time.perf_counter() - began
        with workspace.database.session() as session:
            stored = session.execute(text("SELECT count(*) FROM report")).scalar_one()
            rejected = session.execute(text("SELECT count(*) FROM rejected")).scalar_one()
            leaked = session.execute(
                text("SELECT count(*) FROM report WHERE body LIKE '%abcdefghijklmnop%'")
            ).scalar_one()
    rows = {
        "reports sent; of them fit to take": f"{due}; {due - refused}",
        **found,
        "waiting in the database after the last answer": waiting,
        "stored by the next collection, in s": f"{stored} ({summary.added} added), {took:.0f}",
        "set aside": rejected,
        "stored secrets": leaked,
    }
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"{name:{width}}  {value}")


if __name__ == "__main__":
    main()
