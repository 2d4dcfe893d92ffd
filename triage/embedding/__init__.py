"""Texts to vectors; the only import of sentence-transformers, torch and OpenVINO (so lazy: 8 s)."""

from triage.embedding.adapter import PACKAGED_ADAPTER
from triage.embedding.embedder import Embedder
from triage.embedding.source import PACKAGED_MODEL
from triage.embedding.word_vectors import PACKAGED_WORDS, load_words

__all__ = [
    "PACKAGED_ADAPTER",
    "PACKAGED_MODEL",
    "PACKAGED_WORDS",
    "Embedder",
    "load_words",
]
