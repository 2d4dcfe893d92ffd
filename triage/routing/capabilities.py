"""The capability map: what each part of the model's abilities is, and what became of old parts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capability:
    """A part of the model's abilities; ``owners`` are GitHub logins, the first one is asked.

    ``formerly`` names ids of an earlier map that (also) became this one: a rename names one, a
    merge several, and of a split each part names the whole. ``parent`` takes what lies between
    its parts.
    """

    id: str
    title: str
    description: str = ""
    examples: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    formerly: tuple[str, ...] = ()
    parent: str | None = None


def capability_texts(capability: Capability) -> tuple[str, ...]:
    """The texts to embed for a capability: what it is, then each example."""
    what = f"{capability.title}. {capability.description}".strip()
    return (what, *capability.examples)


def map_version(capabilities: Sequence[Capability]) -> str:
    """A short name of this state of the map: another text, id or ancestry gives another."""
    parts = [
        "\0".join((each.id, each.parent or "", *each.formerly, *capability_texts(each)))
        for each in sorted(capabilities, key=lambda one: one.id)
    ]
    return hashlib.sha256("\1".join(parts).encode()).hexdigest()[:8]


def successors(capability_id: str, capabilities: Sequence[Capability]) -> tuple[str, ...]:
    """What an id of this or an earlier map is called now: itself, its heir, or its parts."""
    if any(each.id == capability_id for each in capabilities):
        return (capability_id,)
    return tuple(each.id for each in capabilities if capability_id in each.formerly)


def follow(
    capability_id: str, capabilities: Sequence[Capability], chances: Mapping[str, float]
) -> str | None:
    """The one capability that an old assignment means now; None where nothing came after it.

    Of the parts of a split it is the one with the highest chance.
    """
    heirs = successors(capability_id, capabilities)
    return max(heirs, key=lambda heir: (chances.get(heir, 0.0), heir), default=None)


def ancestors(capability: Capability, learnt_ids: Sequence[str]) -> tuple[str, ...]:
    """The learnt classes that speak for a capability: its own id, or those it was made of."""
    if capability.id in learnt_ids:
        return (capability.id,)
    return tuple(each for each in capability.formerly if each in learnt_ids)
