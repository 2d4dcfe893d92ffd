"""Texts to vectors; the only import of sentence-transformers and torch (2 to 8 s, so lazy)."""

from triage.embedding.adapter import PACKAGED_ADAPTER
from triage.embedding.embedder import PACKAGED_MODEL, Embedder

__all__ = ["PACKAGED_ADAPTER", "PACKAGED_MODEL", "Embedder"]
