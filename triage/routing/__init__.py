"""Whose capability a theme is: explicit rules first, then what was learnt, then likeness."""

from triage.routing.capabilities import (
    Capability,
    capability_texts,
    follow,
    map_version,
    successors,
)
from triage.routing.chances import LAYER_SHARE, capability_scores, likeness
from triage.routing.owners import Absence, Availability, choose_owner
from triage.routing.routes import MIN_MARGIN, chances, route, to_owner
from triage.routing.rules import Rule

__all__ = [
    "LAYER_SHARE",
    "MIN_MARGIN",
    "Absence",
    "Availability",
    "Capability",
    "Rule",
    "capability_scores",
    "capability_texts",
    "chances",
    "choose_owner",
    "follow",
    "likeness",
    "map_version",
    "route",
    "successors",
    "to_owner",
]
