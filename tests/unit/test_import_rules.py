"""The import rules of the house: who may know whom."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = {
    "cleaning", "letters", "clustering", "themes", "reading", "decision", "routing", "corrections",
    "filing", "listening", "privacy", "verification", "page", "digests",
}  # fmt: skip
EDGES = {
    "distilling", "embedding", "tracker", "sources", "database", "store", "readerfile", "sending",
    "cleaner",
}  # fmt: skip
EVERYBODYS = {"types", "errors"}
# Which room is the only one to know an outside thing.
OWNERS = {
    "prefect": {"flows"},
    "sentence_transformers": {"embedding"},
    "torch": {"embedding"},
    "openvino": {"embedding"},
    "tokenizers": {"embedding"},
    "peft": {"embedding"},
    "github3": {"tracker"},
    "httpx": {"distilling"},
    "anyio": {"distilling"},
    "sqlmodel": {"store", "database", "migrations"},
    "sqlalchemy": {"store", "database", "migrations"},
    "psycopg": {"store", "database"},
    "pgvector": {"store", "database", "migrations"},
    "fastapi": {"intake", "receiver", "pageserver"},
    "huggingface_hub": {"sources"},
    "httpx2": {"sources"},
    "zstandard": {"sources"},
    "hdbscan": {"clustering"},
    "faiss": {"clustering"},
    "prometheus_client": {"metrics"},
    "prefect_dask": {"flows"},
    "apprise": {"sending"},
}
# The core computes: nothing of the outside world is imported there.
OUTSIDE = {
    "os", "socket", "subprocess", "pathlib", "requests", "urllib3", "httpx", "sqlmodel",
    "sqlalchemy", "psycopg", "prefect", "github3", "sentence_transformers", "tempfile",
    "shutil", "secrets", "random", "time", "io",
}  # fmt: skip


def _sources() -> list[Path]:
    return [
        path
        for folder in ("triage", "flows", "migrations")
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]


def _room(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0] if parts[0] != "triage" else (parts[1] if len(parts) > 1 else "triage")


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _rooms_known(path: Path) -> set[str]:
    return {
        name.split(".")[1]
        for name in _imports(path)
        if name.startswith("triage.") and len(name.split(".")) > 1
    }


@pytest.mark.parametrize("path", _sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_each_outside_thing_has_one_home(path: Path) -> None:
    places = {_room(path), path.stem}
    for name in _imports(path):
        allowed = OWNERS.get(name.split(".")[0])
        assert allowed is None or allowed & places, f"{path} imports {name}"


@pytest.mark.parametrize(
    "path", [p for p in _sources() if _room(p) in CORE], ids=lambda p: str(p.relative_to(ROOT))
)
def test_the_core_knows_nothing_of_the_outside(path: Path) -> None:
    imported = {name.split(".")[0] for name in _imports(path)}
    assert not imported & OUTSIDE
    assert not _rooms_known(path) - CORE - EVERYBODYS


@pytest.mark.parametrize(
    "path", [p for p in _sources() if _room(p) in EDGES], ids=lambda p: str(p.relative_to(ROOT))
)
def test_edges_do_not_know_each_other(path: Path) -> None:
    others = _rooms_known(path) & EDGES - {_room(path)}
    assert not others, f"{path} knows {others}"


@pytest.mark.parametrize("name", sorted(EVERYBODYS))
def test_the_shared_words_know_nothing_of_ours(name: str) -> None:
    room = ROOT / "triage" / name
    for path in sorted(room.glob("*.py")) if room.is_dir() else [room.with_suffix(".py")]:
        assert not _rooms_known(path) - {name}


def test_the_top_level_holds_nothing_else() -> None:
    allowed = {
        "pyproject.toml", "README.md", "LICENSE",
        "flows", "triage", "migrations", "tests", "docker",
    }  # fmt: skip
    ignored = {"build", "dist", "__pycache__"}
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert {name for name in found - ignored if not name.endswith(".egg-info")} <= allowed
