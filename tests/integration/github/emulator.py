"""Starts the npm package ``emulate``: a stateful GitHub API that runs on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from platformdirs import user_cache_path

from tests.ports import free_port

VERSION = "0.11.2"  # 0.12 wants Node 22
FOLDER_VARIABLE = "TRIAGE_TEST_NODE"
START_SECONDS = 30.0

ORGANISATION = "fennwick"
FILER = "triage-filer"
PEOPLE = ("mira", "juno", "okan", "tesse", "waldo")
APP_ID, INSTALLATION_ID = 4242, 77


@dataclass(frozen=True)
class Emulator:
    """A running emulator; ``url`` is the address of its API."""

    url: str
    app_private_key: str


def token_of(login: str) -> str:
    """The token of a seeded user."""
    return f"ghp_token-of-{login}-0123456789"


@contextmanager
def running_emulator() -> Iterator[Emulator]:
    """Install the emulator if need be, and run it on a free port until the block ends."""
    program = installed_program()
    key = _private_key()
    with tempfile.TemporaryDirectory(prefix="triage-emulator-") as folder:
        seed = Path(folder) / "seed.json"
        seed.write_text(json.dumps(_seed(key)), "utf-8")
        port = free_port()
        command = ["node", str(program), "start", "-s", "github", "-p", str(port)]
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, "--seed", str(seed)], stdout=output, stderr=subprocess.STDOUT
            )
            try:
                url = f"http://localhost:{port}"
                _wait_until_ready(url, process, log)
                yield Emulator(url, key)
            finally:
                process.terminate()
                process.wait(timeout=10)


def installed_program() -> Path:
    """The emulator's program, installed by npm below a cache folder (once per version)."""
    default = user_cache_path("feedback-triage-tests")
    folder = Path(os.environ.get(FOLDER_VARIABLE) or default) / f"emulate-{VERSION}"
    program = folder / "node_modules" / "emulate" / "dist" / "index.js"
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise RuntimeError("The GitHub tests need Node 20 or later with npm; install both.")
    if program.exists():
        return program
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=folder.parent, prefix="installing-"))
    try:
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(fresh), _PACKAGE],
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
        )
        try:
            fresh.rename(folder)  # complete or not at all; another process may be first
        except OSError:
            if not program.exists():
                raise
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"npm could not install {_PACKAGE}:\n{error.stderr}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return program


_PACKAGE = f"emulate@{VERSION}"


def _seed(app_private_key: str) -> dict[str, object]:
    logins = [FILER, *PEOPLE]
    members = [{"login": login, "role": "admin"} for login in logins]
    app = {
        "app_id": APP_ID,
        "slug": "feedback-triage",
        "name": "Feedback triage",
        "private_key": app_private_key,
        "permissions": {"issues": "write", "metadata": "read"},
        "installations": [{"installation_id": INSTALLATION_ID, "account": ORGANISATION}],
    }
    return {
        "tokens": {
            token_of(login): {"login": login, "scopes": ["repo", "user", "admin:org"]}
            for login in logins
        },
        "github": {
            "users": [{"login": login} for login in logins],
            "orgs": [{"login": ORGANISATION, "members": members}],
            "apps": [app],
        },
    }


def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"The GitHub emulator ended:\n{log.read_text('utf-8')}")
        try:
            if requests.get(f"{url}/orgs/{ORGANISATION}", timeout=2).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"The GitHub emulator did not answer:\n{log.read_text('utf-8')}")
