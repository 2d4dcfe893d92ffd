"""Open a model by the backend of the rule, and fall back with a reason where that fails."""

from __future__ import annotations

import logging
import tempfile
from functools import cached_property
from pathlib import Path

from triage.embedding.choosing import (
    CONVERSION_PAYS_CHARACTERS,
    Backend,
    Wanted,
    choose_backend,
    has_gpu,
)
from triage.embedding.converted import (
    Unconvertible,
    folder_of,
    keep_converted,
    load_converted,
    note_blocker,
)
from triage.embedding.encoding import Encoder
from triage.embedding.openvino_encoder import OpenVinoEncoder, find_openvino_blocker
from triage.embedding.source import ModelSource, quiet
from triage.embedding.torch_encoder import open_torch

logger = logging.getLogger(__name__)


class Opener:
    """Holds the encoder of one model; ``reason`` says why it is the one that it is."""

    def __init__(self, source: ModelSource, wanted: Wanted, cache: Path | None) -> None:
        self.reason = ""
        self._source = source
        self._wanted = wanted
        self._cache = cache
        self._encoder: Encoder | None = None
        self._is_settled = False

    def open(self, characters: int) -> Encoder:
        """The encoder for texts of so many characters in all.

        Who began with a few texts gets a faster one when many come. Raises ``EmbeddingError``.
        """
        if self._encoder is None or (
            not self._is_settled and characters >= CONVERSION_PAYS_CHARACTERS
        ):
            self._encoder = self._choose(characters)
        return self._encoder

    def find_dimensions(self) -> int:
        """Length of a vector, 0 where the model does not state it."""
        if self._encoder is not None:
            return self._encoder.dimensions
        if self._converted is not None:
            return self._converted.dimensions
        return self._source.transformer.get_embedding_dimension() or 0

    def _choose(self, characters: int) -> Encoder:
        backend, self.reason = choose_backend(
            self._wanted,
            has_gpu=has_gpu(),
            openvino_blocker=self._blocker,
            is_converted=self._converted is not None,
            characters=characters,
        )
        if backend is Backend.OPENVINO:
            self._is_settled = True
            try:
                return self._converted or self._convert()
            except Unconvertible as problem:
                logger.warning("%s is not run by OpenVINO: %s", self._source.name, problem)
                self._blocker = str(problem)
                return self._choose(characters)
        self._is_settled = self._blocker is not None or self._wanted is not Wanted.AUTO
        encoder, against = open_torch(self._source.take, backend)
        if against is not None:
            self.reason += f"; {against}"
        return encoder

    @cached_property
    def _blocker(self) -> str | None:
        """Why OpenVINO cannot run this model; an earlier try that failed is noted and counts."""
        return find_openvino_blocker()

    @cached_property
    def _converted(self) -> OpenVinoEncoder | None:
        """The converted model that is kept, where it may be used."""
        is_unwanted = self._wanted in (Wanted.TORCH, Wanted.TORCH_FP32)
        if is_unwanted or self._folder is None or has_gpu():
            return None
        try:
            return load_converted(self._folder)
        except Unconvertible as problem:
            self._blocker = str(problem)
            return None

    @property
    def _folder(self) -> Path | None:
        if self._cache is None or self._blocker is not None:
            return None
        return folder_of(self._cache, self._source.name, self._source.revision)

    def _convert(self) -> OpenVinoEncoder:
        """Convert the model and keep it. Raises ``Unconvertible``."""
        # imported here, for it needs PyTorch, and a kept model does not
        from triage.embedding.converting import convert

        folder = self._folder
        with tempfile.TemporaryDirectory(prefix="triage-model-") as name:
            scratch = Path(name)
            try:
                with quiet():
                    encoder = convert(self._source.take(), scratch)
            except Unconvertible as problem:
                note_blocker(scratch, str(problem))
                raise
            finally:
                if folder is not None:
                    keep_converted(scratch, folder)
        return encoder
