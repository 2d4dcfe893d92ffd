"""From a change or a command to the words of a correction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from triage.listening.changes import Change, ChangeKind
from triage.listening.commands import Command
from triage.types import Priority, Verdict

VERDICT_LABELS = {
    "quick-fix": Verdict.QUICK_FIX,
    "fundamental": Verdict.FUNDAMENTAL,
    "needs-verdict": Verdict.UNDECIDED,
}


@dataclass(frozen=True, slots=True)
class Word:
    """A field of a correction and its value."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class LabelNames:
    """How this repository names what labels say; ``renamed`` maps present to original names."""

    capability_prefix: str
    priority_prefix: str
    capabilities: Collection[str]
    renamed: Mapping[str, str] = field(default_factory=dict)

    def role_of(self, label: str) -> str | None:
        """``verdict``, ``capability`` or ``priority``; None for a label that says nothing to us."""
        name = self.renamed.get(label, label)
        if name in VERDICT_LABELS:
            return "verdict"
        if name.startswith(self.capability_prefix) and self.capability_prefix:
            return "capability"
        if self.priority_of(label) is not None:
            return "priority"
        return None

    def word_of(self, label: str) -> Word | None:
        """What putting this label on an issue says, None where it says nothing that is known."""
        name = self.renamed.get(label, label)
        if name in VERDICT_LABELS:
            return Word("verdict", VERDICT_LABELS[name].value)
        if (priority := self.priority_of(label)) is not None:
            return Word("priority", priority.value)
        if self.capability_prefix and name.startswith(self.capability_prefix):
            capability = name.removeprefix(self.capability_prefix)
            return Word("capability", capability) if capability in self.capabilities else None
        return None

    def priority_of(self, label: str) -> Priority | None:
        """The priority that a label names, if it names one."""
        name = self.renamed.get(label, label)
        if not name.startswith(self.priority_prefix):
            return None
        try:
            return Priority(name.removeprefix(self.priority_prefix))
        except ValueError:
            return None


def words_of(change: Change, names: LabelNames, *, versions: Mapping[str, str]) -> tuple[Word, ...]:
    """What a person's change says; nothing where it is no statement about the theme.

    ``versions`` maps titles of milestones to versions. Closing as ``completed`` says that it is
    taken to be mended; whether it is the numbers say later.
    """
    kind, value = change.kind, change.value
    if kind is ChangeKind.LABELED and value is not None:
        word = names.word_of(value)
        return (word,) if word is not None else ()
    if kind is ChangeKind.ASSIGNED and value is not None:
        return (Word("owner", value),)
    if kind is ChangeKind.MILESTONED and value is not None and value in versions:
        return (Word("claim", versions[value]),)
    if kind is ChangeKind.CLOSED:
        return (Word("state", f"closed: {value or 'completed'}"),)
    if kind is ChangeKind.REOPENED:
        return (Word("state", "open"),)
    return ()


def words_of_command(command: Command) -> tuple[Word, ...]:
    """What a command says about its theme; nothing for those that say something else."""
    field_of = {
        "verdict": "verdict",
        "capability": "capability",
        "owner": "owner",
        "priority": "priority",
        "claim": "claim",
    }
    if command.name in field_of:
        return (Word(field_of[command.name], command.arguments[0]),)
    if command.name == "unclaim":
        return (Word("claim", ""),)
    if command.name == "not-planned":
        return (Word("not-a-problem", "yes"),)
    return ()
