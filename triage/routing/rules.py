"""Explicit routing rules: globs on what is known of a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from triage.types import Report

# The share of a theme's reports that a rule must match.
RULE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Rule:
    """Sends reports to a capability by case-insensitive globs; all that are given must match.

    In the spirit of CODEOWNERS: the last matching rule wins, one without any glob matches all.
    ``model`` is compared with the exact version and with the name as it was written, ``url``
    with the path of the address, ``error`` with each error signature.
    """

    capability: str
    environment: str | None = None
    model: str | None = None
    channel: str | None = None
    url: str | None = None
    error: str | None = None

    def matches(self, report: Report) -> bool:
        """Whether every glob of the rule finds its value in the report."""
        return (
            _is_match(self.environment, (report.environment,))
            and _is_match(self.model, (report.model_version, report.model_written))
            and _is_match(self.channel, (report.channel,))
            and _is_match(self.url, (_url_path(report.url),))
            and _is_match(self.error, report.error_signatures)
        )

    def __str__(self) -> str:
        names = ("environment", "model", "channel", "url", "error")
        globs = [f"{name}: {getattr(self, name)}" for name in names if getattr(self, name)]
        return ", ".join(globs) or "every report"


def last_match(
    reports: Sequence[Report], rules: Sequence[Rule], known: Iterable[str]
) -> tuple[Rule, int, int] | None:
    """The last rule that matches half of the reports (copies aside), how many, and of how many.

    A rule for a capability that is not in the map any more is passed over.
    """
    originals = [report for report in reports if report.duplicate_of is None] or list(reports)
    on_map = set(known)
    for rule in reversed(rules):
        if rule.capability not in on_map or not originals:
            continue
        count = sum(rule.matches(report) for report in originals)
        if count >= RULE_SHARE * len(originals):
            return rule, count, len(originals)
    return None


def _url_path(url: str | None) -> str | None:
    try:
        return urlsplit(url).path if url else None
    except ValueError:  # an address such as http://[ has no path
        return None


def _is_match(pattern: str | None, values: Iterable[str | None]) -> bool:
    if pattern is None:
        return True
    glob = pattern.casefold()
    return any(value is not None and fnmatchcase(value.casefold(), glob) for value in values)
