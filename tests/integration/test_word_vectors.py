"""Word vectors: the shipped file, files that are wrong, and making them from another model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

from triage.cli import app
from triage.embedding import PACKAGED_WORDS, load_words
from triage.embedding.source import PACKAGED_MODEL, ModelSource
from triage.embedding.word_training import distil_words
from triage.errors import EmbeddingError, TrainingError


def likeness(texts: list[str]) -> NDArray[np.float32]:
    means = load_words(None).mean(texts)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return np.asarray(means @ means.T)


def test_phrases_of_like_words_are_nearer_in_any_order() -> None:
    found = likeness(
        ["deletes files unasked", "unasked deletes files", "erases documents", "sums are wrong"]
    )
    assert found[0, 1] == pytest.approx(1, abs=1e-5)
    assert found[0, 2] > found[0, 3]


def test_a_text_without_words_has_no_direction() -> None:
    found = load_words(None).mean(["", "deletes files", ""])
    assert not found[[0, 2]].any()
    assert found[1].any()
    assert load_words(None).mean([]).shape == (0, 256)


def broken(path: Path, change: Callable[[dict[str, Any]], None], form: str = "1") -> Path:
    """The shipped file with one thing changed."""
    tensors = load_file(PACKAGED_WORDS)
    change(tensors)
    save_file(tensors, path, metadata={"format": form})
    return path


def cut(tensors: dict[str, Any]) -> None:
    tensors["vectors"] = tensors["vectors"][:-1]


def spoil(tensors: dict[str, Any]) -> None:
    tensors["scales"][7] = np.nan


def widen(tensors: dict[str, Any]) -> None:
    tensors["vectors"] = tensors["vectors"].astype(np.float32)


def leave(tensors: dict[str, Any]) -> None:
    pass


@pytest.mark.parametrize(
    ("change", "form", "problem"),
    [
        (cut, "1", "numbers are broken"),
        (spoil, "1", "numbers are broken"),
        (widen, "1", "does not hold format 1"),
        (leave, "0", "does not hold format 1"),
    ],
)
def test_a_wrong_file_is_refused(
    change: Callable[[dict[str, Any]], None], form: str, problem: str, tmp_path: Path
) -> None:
    path = broken(tmp_path / "words.safetensors", change, form)
    with pytest.raises(EmbeddingError, match=problem) as caught:
        load_words(path)
    assert "TRIAGE_WORD_VECTORS" in caught.value.remedy


@pytest.mark.parametrize("content", [None, b"", b"no tensors at all", b"\xff" * 5000])
def test_what_is_no_file_of_tensors_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "words.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EmbeddingError, match=r"words\.safetensors"):
        load_words(path)


def test_the_doctor_names_a_wrong_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_WORD_VECTORS", str(tmp_path / "nowhere.safetensors"))
    done = CliRunner().invoke(app, ["doctor", "--json"])
    (row,) = [row for row in json.loads(done.stdout) if row["check"] == "word vectors"]
    assert row["state"] == "fail"
    assert "nowhere.safetensors" in row["detail"]


def test_words_can_be_distilled_from_a_model_and_used(tmp_path: Path) -> None:
    teacher = str(ModelSource(PACKAGED_MODEL, None).folder)
    path = tmp_path / "made" / "words.safetensors"
    done = CliRunner().invoke(app, ["train-words", teacher, "-o", str(path)])
    assert done.exit_code == 0, done.output
    assert "TRIAGE_WORD_VECTORS" in done.output
    means = load_words(path).mean(["cat", "kitten", "invoice"])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    assert means[0] @ means[1] > means[0] @ means[2]


def test_a_teacher_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="Distilling words from") as caught:
        distil_words(str(tmp_path), tmp_path / "words.safetensors")
    assert "all-mpnet-base-v2" in caught.value.remedy


def test_a_teacher_with_another_vocabulary_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other:
        class tokenizer:  # noqa: N801
            unk_token_id = 0

            @staticmethod
            def get_vocab() -> dict[str, int]:
                return {"Hallo": 0}

    monkeypatch.setattr(ModelSource, "load", lambda self: Other)
    with pytest.raises(TrainingError, match="does not know") as caught:
        distil_words("elsewhere", tmp_path / "words.safetensors")
    assert "all-mpnet-base-v2" in caught.value.remedy
