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
    load_files,
    note_blocker,
    save_network,
)
from triage.embedding.encoding import Encoder
from triage.embedding.openvino_encoder import OpenVinoEncoder, find_openvino_blocker
from triage.embedding.packaged_network import build_packaged
from triage.embedding.source import PACKAGED_MODEL, ModelSource, quiet
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
        if self._is_ready:
            return self.open(0).dimensions
        return self._source.transformer.get_embedding_dimension() or 0

    def _choose(self, characters: int) -> Encoder:
        backend, self.reason = choose_backend(
            self._wanted,
            has_gpu=has_gpu(),
            openvino_blocker=self._blocker,
            is_ready=self._is_ready,
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

    @property
    def _is_ready(self) -> bool:
        """Whether OpenVINO may be used and takes a second at most to begin."""
        if self._wanted not in (Wanted.AUTO, Wanted.OPENVINO) or has_gpu():
            return False
        is_quick = self._converted is not None or self._source.name == PACKAGED_MODEL
        return is_quick and self._blocker is None

    @cached_property
    def _converted(self) -> OpenVinoEncoder | None:
        """The converted model that is kept."""
        if self._folder is None:
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
        folder = self._folder
        with tempfile.TemporaryDirectory(prefix="triage-model-") as name:
            scratch = Path(name)
            try:
                encoder = self._convert_packaged(scratch) or self._convert_checked(scratch)
            except Unconvertible as problem:
                note_blocker(scratch, str(problem))
                raise
            finally:
                if folder is not None:
                    keep_converted(scratch, folder)
        return encoder

    def _convert_packaged(self, scratch: Path) -> OpenVinoEncoder | None:
        """The packaged model without PyTorch; None for another, or for files that are odd."""
        if self._source.name != PACKAGED_MODEL or self._source.folder is None:
            return None
        try:
            built = build_packaged(self._source.folder, self._source.adapter)
        except Exception as problem:  # an odd adapter: the way by PyTorch says what is wrong
            logger.info("the packaged model is converted by PyTorch: %r", problem)
            return None
        save_network(*built, scratch)
        return load_files(scratch)

    def _convert_checked(self, scratch: Path) -> OpenVinoEncoder:
        """Any model by PyTorch, compared with it. Raises ``Unconvertible``."""
        # imported here, for it needs PyTorch, and a kept model does not
        from triage.embedding.converting import convert

        with quiet():
            return convert(self._source.take(), scratch)
