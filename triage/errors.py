"""Every error that the product raises on purpose.

Each says what was attempted, on which thing, and what to do about it.
"""

from __future__ import annotations


class TriageError(Exception):
    """Something that was asked for could not be done; the message carries the remedy."""

    def __init__(self, attempted: str, problem: str, remedy: str) -> None:
        self.attempted = attempted
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{attempted}: {problem}. {remedy}")

    def __reduce__(self) -> tuple[type[TriageError], tuple[str, str, str]]:
        """Errors cross process borders whole (the default would call with the message alone)."""
        return type(self), (self.attempted, self.problem, self.remedy)


class ConfigError(TriageError):
    """A configuration file is wrong; names the file, the line, the field and the remedy."""


class SettingsError(TriageError):
    """An environment variable is missing or wrong."""


class DatabaseError(TriageError):
    """The database cannot be started, reached, or lacks something."""


class IntakeError(TriageError):
    """A whole source or file cannot be read (single bad records are set aside instead)."""


class SourceError(TriageError):
    """A remote source failed; its cursor stays where it was, so nothing is lost."""


class EmbeddingError(TriageError):
    """The embedding model cannot be loaded or used."""


class CanaryFailed(EmbeddingError):
    """Themes would not survive another embedding model or prompt; the switch was stopped."""


class DistillingError(TriageError):
    """The LLM endpoint refuses what it is asked, whatever the report."""


class TrainingError(TriageError):
    """What is given to learn from is too little, or wrong."""


class ReaderError(TriageError):
    """The file of a reader is missing, broken, or made for another embedding."""


class TrackerError(TriageError):
    """The issue tracker refused or failed; the intent stays and is tried again."""


class TrackerRateLimited(TrackerError):
    """The tracker asks to wait longer than a run may; the rest is filed by the next run."""


class TrackerGone(TrackerError):
    """An issue was deleted, or moved to another repository: it is touched no more."""


class TrackerLocked(TrackerError):
    """An issue is locked against this login; it is left alone."""


class UnknownTheme(TriageError):
    """No theme has this id."""


class AmbiguousName(TriageError):
    """A name stands for more than one thing; nothing was done."""


class UnknownReport(TriageError):
    """No report has this id."""


class WrongCorrection(TriageError):
    """A correction does not fit the theme or the capability map; nothing was changed."""


class UnknownProposal(TriageError):
    """No proposal has this number, or it was answered already."""


class UnknownStage(TriageError):
    """No stage has this name."""


class BackupError(TriageError):
    """A backup cannot be written or read, or does not fit; the database is as it was."""
