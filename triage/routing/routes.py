"""From a theme's chances to a route: rules first, then the likeliest capability, else triage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from triage.reading import Trust, log_softmax
from triage.routing.capabilities import Capability, successors
from triage.routing.chances import Doubles
from triage.routing.owners import Availability, choose_owner
from triage.routing.rules import Rule, last_match
from triage.types import Report, Route, Theme

# How far the second capability must be behind in chance. A wrong guess costs its owner a minute
# and a correction, a missing one costs the triage owner the same, so the margin is small.
MIN_MARGIN = 0.05


def chances(scores: Doubles, trust: Trust) -> Doubles:
    """Chance of each capability (k,) from the scores (n, k) of a theme's reports.

    The mean of the logarithms, so that one report that is sure does not outvote five that are not.
    """
    mean = scores.mean(axis=0, keepdims=True)
    return np.asarray(np.exp(log_softmax(trust.temperature * mean))[0])


def route(
    theme: Theme,
    reports: Sequence[Report],
    scores: Doubles,
    *,
    rules: Sequence[Rule],
    capabilities: Sequence[Capability],
    trust: Trust,
    learnt_ids: Sequence[str],
    triage_owner: str | None,
    availability: Availability,
    min_margin: float = MIN_MARGIN,
) -> Route:
    """Find the capability of a theme and who is asked.

    ``scores`` (n, k) are the reports' ``capability_scores`` in the order of ``capabilities``. The
    last rule that matches half of the reports decides; else the likeliest capability, if the
    second is ``min_margin`` behind; else the parent that the two share; else nobody's, and the
    triage owner gets it with the stated guess. A capability without owner is kept and goes to the
    triage owner too.
    """
    known = {capability.id: capability for capability in capabilities}
    on_map = {rule.capability: rule.capability for rule in rules}
    on_map = {name: heirs[0] for name in on_map if (heirs := successors(name, capabilities))}
    found = last_match(reports, rules, on_map)
    if found is not None:
        rule, count, total = found
        reason = f"The rule “{rule}” matches {count} of {total} reports."
        return to_owner(known[on_map[rule.capability]], reason, triage_owner, availability, None)
    if not capabilities:
        return Route(None, triage_owner, "The capability map is empty.", is_fallback=True)
    return _by_chance(
        theme,
        chances(scores, trust),
        capabilities=capabilities,
        trust=trust,
        learnt_ids=learnt_ids,
        triage_owner=triage_owner,
        availability=availability,
        min_margin=min_margin,
    )


def _by_chance(
    theme: Theme,
    chance: Doubles,
    *,
    capabilities: Sequence[Capability],
    trust: Trust,
    learnt_ids: Sequence[str],
    triage_owner: str | None,
    availability: Availability,
    min_margin: float,
) -> Route:
    order = np.argsort(-chance, kind="stable")
    best, highest = capabilities[int(order[0])], float(chance[order[0]])
    place = learnt_ids.index(best.id) if best.id in learnt_ids else None
    confidence = round(trust.confidence(highest, place), 3)
    if len(order) == 1:
        reason = "It is the only capability of the map."
        return to_owner(best, reason, triage_owner, availability, confidence)
    second, next_chance = capabilities[int(order[1])], float(chance[order[1]])
    named = f"{best.id} (chance {highest:.2f}) and {second.id} ({next_chance:.2f})"
    if highest - next_chance >= min_margin:
        reason = f"Likeliest is {best.id} (chance {highest:.2f}), then {second.id} "
        reason += f"({next_chance:.2f})."
        return to_owner(best, reason, triage_owner, availability, confidence)
    parent = _shared_parent(best, second, {each.id: each for each in capabilities})
    if parent is not None:
        reason = f"It lies between {named}, which are parts of {parent.id}."
        both = round(min(1.0, confidence + next_chance), 3)
        return to_owner(parent, reason, triage_owner, availability, both)
    owner, _, remark = choose_owner((), triage_owner, availability)
    reason = f"{theme.name} lies between {named}; {best.id} is the guess, too close to act on."
    if owner is None:
        reason += f" {remark}"
    return Route(None, owner, reason, is_fallback=True, confidence=confidence)


def _shared_parent(
    best: Capability, second: Capability, known: Mapping[str, Capability]
) -> Capability | None:
    if best.parent == second.id:
        return second
    if second.parent == best.id:
        return best
    if best.parent is not None and best.parent == second.parent:
        return known.get(best.parent)
    return None


def to_owner(
    capability: Capability,
    reason: str,
    triage_owner: str | None,
    availability: Availability,
    confidence: float | None,
) -> Route:
    """A route to whoever of the capability's owners is there, else to triage."""
    owner, is_fallback, remark = choose_owner(capability.owners, triage_owner, availability)
    if not capability.owners:
        remark = remark.replace("It has", f"{capability.id} has", 1)
    return Route(
        capability.id,
        owner,
        f"{reason} {remark}".strip(),
        is_fallback=is_fallback,
        confidence=confidence,
    )
