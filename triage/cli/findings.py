"""What `triage doctor` finds: one line a check, each with its remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from triage.errors import TriageError


class State(StrEnum):
    """How a check went; only a failure makes the doctor's exit code 1."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was checked, how it is, and what to do where it is not well."""

    check: str
    state: State
    detail: str
    remedy: str = ""

    def row(self) -> dict[str, str]:
        """The finding for a table or for JSON."""
        return {
            "check": self.check,
            "state": self.state.value,
            "detail": self.detail,
            "remedy": self.remedy,
        }


Check = Callable[[], Iterable[Finding]]


def ok(check: str, detail: str) -> Finding:
    """All is well."""
    return Finding(check, State.OK, detail)


def warn(check: str, detail: str, remedy: str) -> Finding:
    """Something should be looked at; the product works."""
    return Finding(check, State.WARN, detail, remedy)


def fail(check: str, detail: str, remedy: str) -> Finding:
    """Something does not work."""
    return Finding(check, State.FAIL, detail, remedy)


def examine(check: str, look: Check) -> list[Finding]:
    """The findings of one check; an error that it raises is its finding."""
    try:
        return list(look())
    except TriageError as error:
        return [fail(check, f"{error.attempted}: {error.problem}", error.remedy)]
