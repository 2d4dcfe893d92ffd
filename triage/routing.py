"""Whose capability a theme is: explicit rules first, then the nearest description."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from triage.types import Report, Route, Theme

Floats = NDArray[np.float32]

# A capability is as near as its nearest three texts (title and description, and examples):
# one is chance, all punish a capability with many unlike examples.
NEAREST_TEXTS = 3
# How far the second capability must be behind. Measured over 320 invented failure modes and
# twelve capabilities: without a margin 0.46 of the themes were routed right, of the 0.73 beyond
# 0.01 0.50, of the 0.35 beyond 0.03 0.61. A wrong guess costs its owner a minute and a
# correction, a missing one costs the triage owner the same, so the margin is small.
MIN_MARGIN = 0.01
# The share of a theme's reports that a rule must match.
RULE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Capability:
    """A part of the model's abilities; ``owners`` are GitHub logins, the first one is asked."""

    id: str
    title: str
    description: str = ""
    examples: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()


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


def capability_texts(capability: Capability) -> tuple[str, ...]:
    """The texts to embed for a capability: what it is, then each example."""
    what = f"{capability.title}. {capability.description}".strip()
    return (what, *capability.examples)


def route(
    theme: Theme,
    reports: Sequence[Report],
    vectors: Floats,
    *,
    rules: Sequence[Rule],
    capabilities: Sequence[Capability],
    capability_vectors: Mapping[str, Floats],
    triage_owner: str | None,
    min_margin: float = MIN_MARGIN,
) -> Route:
    """Find the capability of a theme and who is asked.

    ``vectors`` (n, d) are the reports' centred unit vectors; ``capability_vectors`` maps a
    capability's id to the vectors (k, d) of its ``capability_texts`` as embedded. The last
    rule that matches half of the reports decides; else the nearest capability, if the second
    is ``min_margin`` behind; else nobody's, and the triage owner gets it with the stated
    guess. A capability without owner is kept and goes to the triage owner too.
    """
    known = {capability.id: capability for capability in capabilities}
    by_rule = _route_by_rule(reports, rules, known, triage_owner)
    if by_rule is not None:
        return by_rule
    ranked = rank_capabilities(vectors, {name: capability_vectors[name] for name in known})
    if not ranked:
        return Route(None, triage_owner, "The capability map is empty.", is_fallback=True)
    (best, similarity), (second, second_similarity) = ranked[0], (*ranked, (None, -1.0))[1]
    margin = similarity - second_similarity
    if second is not None and margin < min_margin:
        return Route(
            None,
            triage_owner,
            f"{theme.name} lies between {best} (likeness {similarity:.2f}) and {second} "
            f"({second_similarity:.2f}); {best} is the guess, too close to act on.",
            is_fallback=True,
            confidence=_confidence(margin),
        )
    reason = f"Nearest to {best} (likeness {similarity:.2f}"
    reason += f"; next {second}, {second_similarity:.2f})." if second else ")."
    return _to_owner(known[best], reason, triage_owner, _confidence(margin))


def rank_capabilities(
    vectors: Floats, capability_vectors: Mapping[str, Floats]
) -> list[tuple[str, float]]:
    """Capabilities by likeness to the reports (n, d), nearest first.

    The capabilities' texts are centred by their own mean, as the reports are by theirs: what
    all of them share tells none apart (0.45 instead of 0.40 right over the invented modes).
    """
    if not capability_vectors or len(vectors) == 0:
        return []
    centre = np.mean([texts.mean(axis=0) for texts in capability_vectors.values()], axis=0)
    ranked = []
    for name, texts in capability_vectors.items():
        # a lone capability is its own centre; nothing is left to tell apart, so it stays as it is
        own = texts - centre if len(capability_vectors) > 1 else texts
        own = own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-12)
        nearest = np.sort(vectors @ own.T, axis=1)[:, -NEAREST_TEXTS:]
        ranked.append((name, float(nearest.mean())))
    return sorted(ranked, key=lambda item: (-item[1], item[0]))


def _route_by_rule(
    reports: Sequence[Report],
    rules: Sequence[Rule],
    known: Mapping[str, Capability],
    triage_owner: str | None,
) -> Route | None:
    originals = [report for report in reports if report.duplicate_of is None] or list(reports)
    for rule in reversed(rules):
        if rule.capability not in known or not originals:
            continue
        count = sum(rule.matches(report) for report in originals)
        if count >= RULE_SHARE * len(originals):
            reason = f"The rule “{rule}” matches {count} of {len(originals)} reports."
            return _to_owner(known[rule.capability], reason, triage_owner, None)
    return None


def _to_owner(
    capability: Capability, reason: str, triage_owner: str | None, confidence: float | None
) -> Route:
    if capability.owners:
        return Route(capability.id, capability.owners[0], reason, confidence=confidence)
    reason += f" {capability.id} has no owner, so it goes to triage."
    return Route(capability.id, triage_owner, reason, is_fallback=True, confidence=confidence)


def _confidence(margin: float) -> float:
    """Probability that the nearest is right, by its lead; fitted over the invented modes."""
    return round(1 / (1 + math.exp(0.73 - 19.5 * margin)), 3)


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
