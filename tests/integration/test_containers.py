"""The image and the compose file, checked and exercised without a Docker engine."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from tests.integration.dockerfile import Stage, read_dockerfile
from triage.cli import app
from triage.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
TOP_LEVEL = {"name", "services", "volumes", "secrets", "networks", "configs"}
SERVICE_KEYS = {
    "image", "build", "command", "entrypoint", "environment", "secrets", "volumes", "user",
    "read_only", "tmpfs", "cap_drop", "cap_add", "security_opt", "init", "restart", "logging",
    "depends_on", "ports", "deploy", "healthcheck", "profiles", "stop_grace_period", "shm_size",
}  # fmt: skip
OURS = ("server", "worker", "intake", "metrics", "listen", "doctor", "backup", "restore")


@pytest.fixture(scope="module")
def stages() -> dict[str, Stage]:
    return {stage.name: stage for stage in read_dockerfile(DOCKER / "Dockerfile")}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file with its anchors and merges resolved."""
    text = (DOCKER / "compose.yaml").read_text("utf-8")
    return dict(YAML(typ="safe", pure=True).load(text))


def test_every_image_is_pinned_and_every_copy_is_there(stages: dict[str, Stage]) -> None:
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    for stage in stages.values():
        assert stage.base in stages or re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+[\w.-]*", stage.base)
        assert not stage.all("ADD")
        for copy in stage.all("COPY"):
            *sources, _ = [item for item in copy.items if not item.startswith("--")]
            if copy.rest.startswith("--from="):
                assert copy.items[0].partition("=")[2] in stages
                continue
            for source in sources:
                assert (ROOT / source).exists(), source
                assert source.removeprefix("./") in let_in, f"{source} does not reach the builder"
    assert "*" in ignored


def test_the_image_runs_as_nobody_and_holds_no_secret(stages: dict[str, Stage]) -> None:
    runtime = stages["runtime"]
    assert [each.rest for each in runtime.all("USER")] == ["10001:10001"]
    words = [each.word for each in runtime.instructions]
    assert words.index("USER") > max(n for n, word in enumerate(words) if word in ("RUN", "COPY"))
    for stage in stages.values():
        for each in [*stage.all("ENV"), *stage.all("ARG")]:
            assert not re.search(r"TOKEN|PASSWORD|SECRET|_KEY|_URL", each.rest), each.rest
    assert {stages[name].base for name in ("cpu", "gpu")} == {"runtime"}
    assert list(stages)[-1] == "cpu"  # what is built unless another target is asked for


def test_each_step_of_the_build_runs_and_the_entrypoint_with_it(
    stages: dict[str, Stage], tmp_path: Path
) -> None:
    """As the builder would, but below a folder, and with packages that are installed here."""
    source, installed = tmp_path / "src", tmp_path / "opt" / "triage"
    source.mkdir()
    places = {"/opt/triage": str(installed), "10001": str(os.getuid())}
    places |= {f" {folder}": f" {tmp_path}{folder}" for folder in ("/data", "/backups")}
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip's way of switching it off
        "TORCH_INDEX": "",
    }
    for stage in ("build", "runtime"):
        for each in stages[stage].instructions:
            if each.word == "COPY" and not each.rest.startswith("--from="):
                _copy(each.items, source)
            elif each.word == "RUN":
                step = each.rest
                for inside, here in places.items():
                    step = step.replace(inside, here)
                step = re.sub(r"python\d\.\d+/site-packages", _site_packages(), step)
                done = subprocess.run(
                    ["/bin/sh", "-c", step],
                    cwd=source, env=environment, capture_output=True, text=True, check=False,
                )  # fmt: skip
                assert done.returncode == 0, f"{step}\n{done.stdout}\n{done.stderr}"
                _lend_packages(installed)
    assert (tmp_path / "backups").is_dir()
    entry = stages["runtime"].all("ENTRYPOINT")[0].items
    done = subprocess.run(
        [str(installed / "bin" / entry[0]), "--version"],
        cwd=tmp_path, env={"HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("feedback-triage "), done.stderr


def test_the_compose_file_holds_what_it_names(compose: dict[str, Any]) -> None:
    assert {key for key in compose if not key.startswith("x-")} <= TOP_LEVEL
    targets = {stage.name for stage in read_dockerfile(DOCKER / "Dockerfile")}
    for name, service in compose["services"].items():
        assert set(service) <= SERVICE_KEYS, name
        assert set(service.get("secrets", ())) <= set(compose["secrets"]), name
        assert set(service.get("depends_on", ())) <= set(compose["services"]), name
        for volume in service.get("volumes", ()):
            origin = volume.partition(":")[0]
            assert origin in compose["volumes"] or origin.startswith((".", "$")), volume
            if origin.startswith("./"):
                assert (DOCKER / origin).exists(), origin
        if "build" in service:
            assert service["build"]["target"] in targets
            assert (DOCKER / service["build"]["context"] / service["build"]["dockerfile"]).exists()
        else:
            assert re.search(r":\d+\.\d+\.\d+|@sha256:", service["image"]), service["image"]
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), f"{name} listens beyond this machine"


@pytest.mark.parametrize("name", ["compose.yaml", "compose.gpu.yaml"])
def test_the_compose_files_keep_to_the_schema_of_the_specification(name: str) -> None:
    found = against_the_schema(DOCKER / name)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(
    ("right", "wrong", "where"),
    [
        ("    stop_grace_period: 2m", "    stop_grace: 2m", "services.database"),
        ("condition: service_healthy", "condition: service_well", "depends_on.database.condition"),
        ("    cap_drop: [ALL]", "    cap_drop: ALL", "services.database.cap_drop"),
        ("      retries: 12", "      retries: [12]", "services.database.healthcheck.retries"),
        ("volumes:\n  database:\n", "volumes:\n  database: here\n", "volumes.database"),
    ],
)
def test_the_schema_refuses_a_compose_file_that_is_wrong(
    tmp_path: Path, right: str, wrong: str, where: str
) -> None:
    text = (DOCKER / "compose.yaml").read_text("utf-8")
    assert right in text
    (tmp_path / "compose.yaml").write_text(text.replace(right, wrong), "utf-8")
    found = against_the_schema(tmp_path / "compose.yaml")
    assert found.returncode == 1, found.stderr
    assert where in found.stdout


def against_the_schema(path: Path) -> subprocess.CompletedProcess[str]:
    """Check a file against the schema of the compose specification that comes with the checker."""
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec",
         "--verbose", str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_every_service_is_confined_and_watched(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}, name
        if name in OURS:
            assert service["user"] == "10001:10001", name
        if "tools" not in service.get("profiles", ()):
            assert service["healthcheck"]["test"], name
            assert service["depends_on"] if name != "database" else True
    assert set(compose["services"]) == {"database", *OURS}


def test_every_command_of_a_service_exists_with_its_options(compose: dict[str, Any]) -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    for name in OURS:
        words = compose["services"][name]["command"]
        if name == "server":
            continue  # Prefect's own; and a command that another part of the product brings
        known = {option for each in commands[words[0]].params for option in each.opts}
        assert {word for word in words if word.startswith("--")} <= known, name


def test_secrets_come_as_files_that_the_settings_know(compose: dict[str, Any]) -> None:
    fields = set(Settings.model_fields)
    for name, service in compose["services"].items():
        for variable, value in (service.get("environment") or {}).items():
            if not variable.endswith("_FILE"):
                assert not re.search(r"TOKEN|PASSWORD|SECRET|_KEY", variable), f"{name}: {variable}"
                continue
            secret = str(value).rpartition("/")[2]
            if variable.startswith("TRIAGE_") and "INTAKE" not in variable:
                field = variable.removeprefix("TRIAGE_").removesuffix("_FILE").lower()
                assert field in fields, variable
            assert secret in compose["secrets"], variable
            optional = {"github_token", "llm_api_key", "alarm_webhook_url"}
            assert secret in service["secrets"] or secret in optional, f"{name}: {secret}"


def test_the_secrets_are_made_once_and_are_nobody_elses(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    script = shutil.copy(DOCKER / "secrets.sh", tmp_path / "secrets.sh")
    subprocess.run(["/bin/sh", str(script)], check=True)
    folder = tmp_path / "secrets"
    found = {path.name: path.read_text("utf-8") for path in folder.iterdir()}
    assert {f"./secrets/{name}" for name in found} == {
        secret["file"] for secret in compose["secrets"].values()
    }
    assert folder.stat().st_mode & 0o077 == 0
    assert found["database_password"].strip() in found["database_url"]
    assert len(found["hash_key"].strip()) == 48
    subprocess.run(["/bin/sh", str(script)], check=True)
    assert {path.name: path.read_text("utf-8") for path in folder.iterdir()} == found


def _copy(items: list[str], source: Path) -> None:
    *origins, target = items
    for origin in origins:
        place = source / target if target != "./" else source / origin
        if (ROOT / origin).is_dir():
            shutil.copytree(ROOT / origin, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / origin, place)


def _site_packages() -> str:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return f"{version}/site-packages"


def _lend_packages(installed: Path) -> None:
    """Let the fresh environment see the packages of this one, but not the product itself."""
    target = installed / "lib" / _site_packages()
    here = Path(sysconfig.get_paths()["purelib"])
    if not target.exists() or (target / ".lent").exists():
        return
    (target / ".lent").touch()
    for path in here.iterdir():
        is_ours = fnmatch.fnmatch(path.name, "*feedback_triage*")
        if not is_ours and not (target / path.name).exists():
            (target / path.name).symlink_to(path)
