"""The shipped reader fits the shipped embedding; a broken or foreign file is named, not used."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from flows.embed_reports import embedding_name, open_embedder
from flows.readers import open_reader
from triage.cli import app
from triage.errors import ReaderError
from triage.readerfile import SHIPPED, load_reader, load_shipped_reader, parse_reader, save_reader
from triage.workspace import Workspace


def test_the_shipped_reader_was_trained_on_the_shipped_embedding(workspace: Workspace) -> None:
    shipped = load_shipped_reader()
    assert shipped.embedding == embedding_name(open_embedder(workspace)), (
        "after a change of the adapter: triage train-reader"
    )
    reader, notes = open_reader(workspace)
    assert (reader is not None, notes) == (True, ())
    assert shipped.capability_ids == tuple(each.id for each in workspace.config.capabilities)


def test_a_reader_is_the_same_after_writing(tmp_path: Path) -> None:
    shipped = load_shipped_reader()
    save_reader(shipped, tmp_path / "folder" / "reader.npz")
    again = load_reader(tmp_path / "folder" / "reader.npz")
    assert (again.layers.weights == shipped.layers.weights).all()
    assert again.calibration == shipped.calibration
    assert again.name == shipped.name


CONTENT = (files("triage.reading") / SHIPPED).read_bytes()


@pytest.mark.parametrize(
    "content",
    [b"", b"not a reader", CONTENT[: len(CONTENT) // 2], CONTENT[:-100], b"PK\x03\x04" + bytes(50)],
    ids=["empty", "text", "half", "cut", "zip header"],
)
def test_a_broken_file_is_refused_with_a_remedy(content: bytes) -> None:
    with pytest.raises(ReaderError, match="train-reader"):
        parse_reader(content, "reader.npz")


def rewritten(path: Path, **changes: object) -> Path:
    with np.load((files("triage.reading") / SHIPPED).open("rb")) as stored:
        arrays = {name: stored[name] for name in stored.files}
    facts = json.loads(str(arrays.pop("facts"))) | {
        key: value for key, value in changes.items() if key not in arrays
    }
    arrays |= {key: value for key, value in changes.items() if key in arrays}
    np.savez_compressed(path, facts=np.array(json.dumps(facts)), **arrays)
    return path


def test_an_older_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match="format 0"):
        load_reader(rewritten(tmp_path / "old.npz", format=0))


def test_changed_numbers_are_noticed(tmp_path: Path) -> None:
    path = rewritten(tmp_path / "bent.npz", layer_bias=np.ones(6, dtype=np.float16))
    with pytest.raises(ReaderError, match="not those that were written"):
        load_reader(path)


def with_reader(workspace: Workspace, path: Path) -> Workspace:
    return replace(workspace, settings=workspace.settings.model_copy(update={"reader": path}))


def test_instead_of_a_broken_reader_the_shipped_one_is_used_and_it_says_so(
    workspace: Workspace, tmp_path: Path
) -> None:
    broken = tmp_path / "reader.npz"
    broken.write_bytes(CONTENT[:1000])
    reader, notes = open_reader(with_reader(workspace, broken))
    assert reader is not None
    assert reader.name == load_shipped_reader().name
    assert "is not used" in notes[0]
    missing, notes = open_reader(with_reader(workspace, tmp_path / "nowhere.npz"))
    assert missing is not None
    assert "nowhere.npz is not used" in notes[0]


def test_with_another_embedding_no_reader_is_used_and_it_says_why(workspace: Workspace) -> None:
    settings = workspace.settings.model_copy(update={"embedding_adapter": "none"})
    reader, notes = open_reader(replace(workspace, settings=settings))
    assert reader is None
    assert "was trained on vectors of" in notes[0]


def lines(layer: str = "serving") -> str:
    """Twelve invented modes of three reports, half of the model, half of ``layer``."""
    said = {
        "model": ("It forgets rule {0} of the briefing", "instruction-following"),
        layer: ("The endpoint drops header {0} of the stream", "serving"),
    }
    records = [
        {
            "body": f"{said[one][0].format(mode)}, seen for the {copy}. time.",
            "failure": said[one][0].format(mode),
            "mode": f"x:{mode}-{one}",
            "layer": one,
            "capability": said[one][1],
        }
        for mode in range(6)
        for one in said
        for copy in range(3)
    ]
    return "\n".join(json.dumps(record) for record in records)


def test_a_team_trains_a_reader_of_its_own(
    tmp_path: Path, environment: dict[str, str], workspace: Workspace
) -> None:
    source, target = tmp_path / "labelled.jsonl", tmp_path / "own.npz"
    source.write_text(lines(), "utf-8")
    result = CliRunner().invoke(app, ["train-reader", str(source), "-o", str(target)])
    assert result.exit_code == 0, result.output
    assert "kappa" in result.output
    reader, notes = open_reader(with_reader(workspace, target))
    assert reader is not None
    assert (reader.name, notes) == (load_reader(target).name, ())


def test_an_unknown_layer_is_refused_with_its_line(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    source = tmp_path / "labelled.jsonl"
    source.write_text(lines("firmware"), "utf-8")
    result = CliRunner().invoke(app, ["train-reader", str(source), "-o", str(tmp_path / "x.npz")])
    assert "line 4 has a layer that is none of model" in str(result.exception)
