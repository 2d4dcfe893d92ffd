"""Other hosts on this machine: network namespaces on a bridge, and processes that run in them."""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

PATIENCE_SECONDS = 300
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Host:
    """A network namespace with one address of its own."""

    name: str
    address: str

    def command(self, *command: str) -> list[str]:
        """The command as it runs there, under a host name of its own."""
        named = 'hostname "$0" && exec "$@"'
        inside = ["unshare", "--uts", "sh", "-c", named, self.name, *command]
        return ["ip", "netns", "exec", self.name, *inside]


@dataclass(frozen=True)
class Network:
    """This host's address on the bridge, and the hosts on the other side of it."""

    address: str
    hosts: tuple[Host, Host]

    @property
    def block(self) -> str:
        """All addresses of the bridge."""
        return self.address.rpartition(".")[0] + ".0/24"


def ip(*arguments: str) -> None:
    """Run iproute2; raises ``CalledProcessError`` with what it said."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, timeout=30)


@contextmanager
def two_hosts() -> Iterator[Network]:
    """Two namespaces on a bridge; gone at the end, with whatever still runs in them.

    Skips the test where the machine permits none.
    """
    mark = secrets.token_hex(3)  # an interface's name has 15 characters at most
    # 198.18.0.0/15 is kept for tests of networks (RFC 2544)
    prefix = f"198.{random.choice((18, 19))}.{random.randrange(1, 255)}"
    bridge = f"tb{mark}"
    hosts = Host(f"triage-{mark}-a", f"{prefix}.2"), Host(f"triage-{mark}-b", f"{prefix}.3")
    try:
        try:
            ip("link", "add", bridge, "type", "bridge")
            ip("address", "add", f"{prefix}.1/24", "dev", bridge)
            ip("link", "set", bridge, "up")
            for number, host in enumerate(hosts):
                _join(host, bridge, f"tv{mark}{number}")
            subprocess.run(hosts[0].command("true"), check=True, capture_output=True, text=True)
        except FileNotFoundError as error:
            pytest.skip(f"no network namespaces without iproute2 and util-linux: {error}")
        except subprocess.CalledProcessError as error:
            said = f"{' '.join(error.cmd)}: {error.stderr.strip()}"
            pytest.skip(f"this machine permits no network namespaces to us: {said}")
        yield Network(f"{prefix}.1", hosts)
    finally:
        for host in hosts:
            _end_all_in(host)
            with suppress(OSError, subprocess.SubprocessError):
                ip("netns", "delete", host.name)
        with suppress(OSError, subprocess.SubprocessError):
            ip("link", "delete", bridge)


def _join(host: Host, bridge: str, cable: str) -> None:
    ip("netns", "add", host.name)
    ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", host.name)
    ip("link", "set", cable, "master", bridge, "up")
    ip("-n", host.name, "address", "add", f"{host.address}/24", "dev", "eth0")
    ip("-n", host.name, "link", "set", "eth0", "up")
    ip("-n", host.name, "link", "set", "lo", "up")


def _end_all_in(host: Host) -> None:
    with suppress(OSError, subprocess.SubprocessError):
        found = subprocess.run(
            ["ip", "netns", "pids", host.name], capture_output=True, text=True, timeout=30
        )
        for pid in found.stdout.split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


class Running:
    """A process in the background, and what it said."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait as long as it runs and patience lasts; then fail with what it said."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(self._log.read_text(errors="replace")[-4_000:])
            time.sleep(0.2)


@contextmanager
def running(command: Sequence[str], values: dict[str, str]) -> Iterator[Running]:
    """A process, which is ended with all that it started."""
    log = Path(values["PREFECT_HOME"]).parent / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, env=values, cwd=ROOT, stdout=stream, stderr=stream, start_new_session=True
        )
    try:
        yield Running(process, log)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=15)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False
