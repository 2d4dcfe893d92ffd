"""The version ledger: one row per theme and exact model version, and how the two stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from triage.verification.judging import ReleaseVerdict


class Standing(StrEnum):
    """How a theme stands on a version."""

    VERIFIED = "verified as mended"
    REGRESSED = "regressed"
    CLAIMED = "claimed, not verified"
    REPORTED = "reported"
    NOT_OBSERVABLE = "not observable"
    NOT_REPORTED = "not reported, not verified"


@dataclass(frozen=True, slots=True)
class LedgerCount:
    """What was reported of a theme on one version (``""``: on none that is known)."""

    theme_id: int
    version: str
    first_seen: date
    last_seen: date
    reports: int
    reporters: int


@dataclass(frozen=True, slots=True)
class Verification:
    """The verdict that holds on a theme for a version; ``lines`` are its figures."""

    theme_id: int
    old_version: str
    new_version: str
    verdict: ReleaseVerdict
    reason: str | None
    lines: tuple[str, ...]
    next_check: date | None
    judged_on: date
    was_quick_fix: bool


@dataclass(frozen=True, slots=True)
class AnswerCount:
    """How many people answered what to "it is mended"; they are no reports."""

    still_broken: int = 0
    works: int = 0
    other: int = 0

    @property
    def sentence(self) -> str:
        """The counts in words; empty where nobody answered."""
        parts = {"still broken": self.still_broken, "works": self.works, "other": self.other}
        return ", ".join(f"{count} {name}" for name, count in parts.items() if count)


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One theme on one version.

    ``exposure`` are requests, or (``in_requests`` False) all reports about the version.
    ``claimed_by`` is who said that this version is to mend it. ``answers`` are those of reporters
    who were told that it did.
    """

    theme_id: int
    version: str
    first_seen: date | None
    last_seen: date | None
    reports: int
    reporters: int
    exposure: float
    in_requests: bool
    claimed_by: str | None
    standing: Standing
    verdict: ReleaseVerdict | None
    next_check: date | None
    answers: AnswerCount = AnswerCount()


@dataclass(frozen=True, slots=True)
class Use:
    """How much versions were used: requests where known, else all reports about them."""

    requests: Mapping[str, float]
    reports: Mapping[str, int]


def make_ledger(
    theme_ids: Sequence[int],
    versions: Sequence[str],
    counts: Sequence[LedgerCount],
    use: Use,
    claims: Mapping[tuple[int, str], str],
    verifications: Mapping[tuple[int, str], Verification],
    answers: Mapping[tuple[int, str], AnswerCount] = MappingProxyType({}),
) -> list[LedgerRow]:
    """A row for every theme and released version, and for every other one that reports name.

    Reports of a theme add up over its rows. ``claims`` maps theme and version to who claimed it,
    ``answers`` to what its reporters said to that version.
    """
    counted = {(count.theme_id, count.version): count for count in counts}
    keys = {(theme_id, version) for theme_id in theme_ids for version in versions}
    keys |= {key for key in (*counted, *claims) if key[0] in set(theme_ids)}
    place = {version: at for at, version in enumerate(versions)}
    ordered = sorted(keys, key=lambda key: (key[0], place.get(key[1], len(place)), key[1]))
    rows = [
        _row(key, counted.get(key), use, claims.get(key), verifications.get(key)) for key in ordered
    ]
    return [
        replace(row, answers=answers.get((row.theme_id, row.version), AnswerCount()))
        for row in rows
    ]


def _row(
    key: tuple[int, str],
    count: LedgerCount | None,
    use: Use,
    claimed_by: str | None,
    held: Verification | None,
) -> LedgerRow:
    theme_id, version = key
    in_requests = version in use.requests
    exposure = use.requests[version] if in_requests else float(use.reports.get(version, 0))
    return LedgerRow(
        theme_id=theme_id,
        version=version,
        first_seen=count.first_seen if count else None,
        last_seen=count.last_seen if count else None,
        reports=count.reports if count else 0,
        reporters=count.reporters if count else 0,
        exposure=exposure,
        in_requests=in_requests,
        claimed_by=claimed_by,
        standing=_standing(count, exposure, claimed_by, held),
        verdict=held.verdict if held else None,
        next_check=held.next_check if held else None,
    )


def _standing(
    count: LedgerCount | None, exposure: float, claimed_by: str | None, held: Verification | None
) -> Standing:
    if held is not None and held.verdict is ReleaseVerdict.FIXED:
        return Standing.VERIFIED
    if held is not None and held.verdict is ReleaseVerdict.REGRESSED:
        return Standing.REGRESSED
    if claimed_by and (held is None or held.verdict is ReleaseVerdict.NOT_ENOUGH_EVIDENCE):
        return Standing.CLAIMED
    if count is not None:
        return Standing.REPORTED
    if exposure <= 0 or (held is not None and held.reason is not None):
        return Standing.NOT_OBSERVABLE
    return Standing.NOT_REPORTED
