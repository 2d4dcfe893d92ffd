"""Verdicts, opinions, routes, and people's corrections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """Whether a theme can be mended in days without training, or needs the next model."""

    QUICK_FIX = "quick-fix"
    FUNDAMENTAL = "fundamental"
    UNDECIDED = "undecided"


class Priority(StrEnum):
    """Urgency of an issue; P0 first."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """One checkable property of a theme and how far it moved the decision.

    ``weight`` is in log-odds: positive towards fundamental, negative towards quick-fix,
    0.0 where it was looked at and says nothing.
    """

    name: str
    observation: str
    weight: float


@dataclass(frozen=True, slots=True)
class Decision:
    """Verdict on a theme with everything that led to it.

    ``confidence`` is the probability that the verdict is right (0.5 to 1 when decided).
    ``set_by`` is ``policy`` or the person whose correction decided. ``would_change`` are
    sentences on what would turn the verdict.
    """

    verdict: Verdict
    confidence: float
    priority: Priority
    reasons: tuple[str, ...]
    evidence: tuple[EvidenceItem, ...]
    policy_version: str
    set_by: str = "policy"
    would_change: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one report by itself, with its neighbours' say, is thought to be; provisional.

    ``verdict`` is a ``Verdict``; ``layer`` the likeliest layer at fault. The confidences are
    probabilities of being right; ``read_by`` names the reader, or how it was read without one.
    """

    verdict: str
    confidence: float
    layer: str
    capability: str | None
    capability_confidence: float | None
    read_by: str


@dataclass(frozen=True, slots=True)
class Route:
    """Who takes a theme: the capability, its owner and why.

    ``capability`` is None when nothing fits; then ``owner`` is the triage owner and
    ``is_fallback`` is True. ``confidence`` is None when a rule or a person decided.
    """

    capability: str | None
    owner: str | None
    reason: str
    is_fallback: bool = False
    confidence: float | None = None
    set_by: str = "policy"
    map_version: str | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """A human's word against the machine's, on one theme; the latest of a field wins."""

    theme_id: int
    field: str
    value: str
    author: str
    reason: str
    created_at: datetime
