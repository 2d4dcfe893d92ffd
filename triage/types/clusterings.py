"""Full clusterings, what they propose, and people's words about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class BondKind(StrEnum):
    """Whether a person said that two groups of reports are one failure, or two."""

    TOGETHER = "together"
    APART = "apart"


class ProposalKind(StrEnum):
    """What a full clustering found doubtful: two themes that may be one, or one that may be two."""

    MERGE = "merge"
    SPLIT = "split"


class ProposalState(StrEnum):
    """A proposal waits for a person (``OPEN``), or for nobody any more.

    ``APPLIED`` by the machine itself, ``WITHDRAWN`` when a later clustering did not find it again.
    """

    OPEN = "open"
    APPLIED = "applied"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Bond:
    """A person's word on two groups of reports; it holds wherever their themes go.

    ``left_theme`` and ``right_theme`` are the themes as they were then, for showing. ``said_by`` is
    None where the command did not say; ``bond_id`` is 0 before it is stored.
    """

    kind: BondKind
    left: frozenset[int]
    right: frozenset[int]
    left_theme: int
    right_theme: int
    said_at: datetime
    said_by: str | None = None
    because: str | None = None
    bond_id: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A merge or a split that a full clustering suggests, with its reason and figures.

    A merge lets ``theme_id`` absorb ``other_id``. A split lets ``report_ids`` leave ``theme_id``
    for the theme ``other_id``, or for a new one where that is None. ``hindrance`` says why the
    machine does not do it by itself; None: it does.
    """

    kind: ProposalKind
    theme_id: int
    other_id: int | None
    report_ids: tuple[int, ...]
    reason: str
    figures: Mapping[str, float]
    hindrance: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A stored change, its number and what became of it.

    ``run_id`` is the clustering that found it last, ``advice`` what an LLM thinks of it, if one
    was asked.
    """

    proposal_id: int
    run_id: int
    change: Change
    state: ProposalState
    advice: str | None = None
    decided_by: str | None = None
    because: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClusteringRun:
    """A full clustering: what it was made from, with what, and what came of it.

    ``reports`` were clustered. ``state`` is a digest of all that it depends on, as it left it: as
    long as nothing changed, another run would find the same. ``representation`` names how texts
    became vectors. ``run_id`` is 0 and ``made_at`` None before it is stored.
    """

    space_id: int
    cause: str
    representation: str
    reports: int
    parameters: Mapping[str, Any]
    results: Mapping[str, Any]
    state: str
    run_id: int = 0
    made_at: datetime | None = None
