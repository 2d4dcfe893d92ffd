"""Who is asked: the first owner who is there and was not taken off this theme."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Absence:
    """Days, both included, on which somebody takes nothing new."""

    login: str
    since: date
    until: date

    def covers(self, login: str, day: date) -> bool:
        """Whether somebody (case does not count, as on GitHub) is away on a day."""
        return self.login.casefold() == login.casefold() and self.since <= day <= self.until


@dataclass(frozen=True, slots=True)
class Availability:
    """What is known of people: who is away, who was taken off this theme, and the day it is."""

    today: date
    absences: Sequence[Absence] = ()
    removed: Collection[str] = ()

    def hindrance(self, login: str) -> str | None:
        """Why somebody cannot be asked now, or None."""
        if login.casefold() in {one.casefold() for one in self.removed}:
            return f"{login} was taken off it"
        away = [one for one in self.absences if one.covers(login, self.today)]
        if away:
            return f"{login} is away until {max(one.until for one in away)}"
        return None


def choose_owner(
    owners: Sequence[str], triage_owner: str | None, availability: Availability
) -> tuple[str | None, bool, str]:
    """Who is asked, whether that is the triage owner for want of another, and a remark.

    The owners are asked in their order: the first who is there. A triage owner who was taken
    off this theme is not asked either; then nobody is.
    """
    remarks: list[str] = []
    for login in owners:
        hindrance = availability.hindrance(login)
        if hindrance is None:
            backup = f"{'; '.join(remarks)}, so the backup is asked." if remarks else ""
            return login, False, backup
        remarks.append(hindrance)
    why = "; ".join(remarks) if remarks else "It has no owner"
    is_removed = triage_owner is not None and triage_owner.casefold() in {
        one.casefold() for one in availability.removed
    }
    if triage_owner is None or is_removed:
        return None, True, f"{why}, and nobody is left to ask."
    return triage_owner, True, f"{why}, so it goes to triage."
