"""People's words on one theme: which hold, where two people contradict each other, what follows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from triage.types import Correction, Decision, Priority, Verdict

# Fields of which the latest word holds; the others are events, and every one of them holds.
SETTINGS = ("verdict", "capability", "owner", "priority")
REMOVED_OWNER = "not-owner"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two people said different things of one field; the later one holds, both are kept."""

    field: str
    held: Correction
    overruled: Correction

    def __str__(self) -> str:
        return (
            f"{self.held.author} said {self.held.value} on {self.held.created_at:%Y-%m-%d} "
            f"({self.held.reason}); {self.overruled.author} had said {self.overruled.value} on "
            f"{self.overruled.created_at:%Y-%m-%d} ({self.overruled.reason}). The later word holds."
        )


def holding(corrections: Iterable[Correction]) -> dict[str, Correction]:
    """The word that holds for each setting: the latest, whoever said it."""
    return {word.field: word for word in corrections if word.field in SETTINGS}


def latest(corrections: Iterable[Correction]) -> dict[str, Correction]:
    """The last word on each field, settings and events alike."""
    return {word.field: word for word in corrections}


def conflicts(corrections: Sequence[Correction]) -> list[Conflict]:
    """For every setting, the word that holds against the last other word by somebody else."""
    found = []
    for field, held in holding(corrections).items():
        others = [
            word
            for word in corrections
            if word.field == field and word.author != held.author and word.value != held.value
        ]
        if others:
            found.append(Conflict(field, held, others[-1]))
    return found


def removed_owners(corrections: Sequence[Correction]) -> frozenset[str]:
    """Who was taken off a theme and not named for it again since."""
    removed: dict[str, None] = {}
    for word in corrections:
        if word.field == REMOVED_OWNER:
            removed[word.value.casefold()] = None
        elif word.field == "owner":
            removed.pop(word.value.casefold(), None)
    return frozenset(removed)


def with_persons_words(decision: Decision, corrections: Sequence[Correction]) -> Decision:
    """The decision as people said, with their reason first and any contradiction after it."""
    held = holding(corrections)
    if word := held.get("priority"):
        decision = replace(decision, priority=Priority(word.value))
        decision = _because(decision, word, corrections)
    if word := held.get("verdict"):
        decision = replace(
            decision,
            verdict=Verdict(word.value),
            confidence=1.0,
            set_by=word.author,
            would_change=(),
        )
        decision = _because(decision, word, corrections)
    return decision


def _because(decision: Decision, word: Correction, corrections: Sequence[Correction]) -> Decision:
    said = f"{word.author} set the {word.field} on {word.created_at:%Y-%m-%d}: {word.reason}"
    clash = [f"Contradiction: {one}" for one in conflicts(corrections) if one.field == word.field]
    others = [reason for reason in decision.reasons if reason not in (said, *clash)]
    return replace(decision, reasons=(said, *clash, *others))
