"""The opposite failure: what was mended by overdoing it is not mended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.verification.judging import ReleaseVerdict
from triage.verification.outcomes import ThemeOutcome, Trade

MOST_PROPOSED = 5
_MENDED = (ReleaseVerdict.FIXED, ReleaseVerdict.IMPROVED)
_WORSENED = (ReleaseVerdict.WORSE, ReleaseVerdict.REGRESSED)


def find_trades(
    outcomes: Sequence[ThemeOutcome], pairs: Iterable[tuple[int, int]]
) -> tuple[Trade, ...]:
    """Pairs of opposite themes (over-refusal, unsafe compliance) of which one was traded.

    A pair counts in either direction; themes without a verdict are in no trade.
    """
    verdicts = {outcome.theme_id: outcome.verdict for outcome in outcomes}
    trades = []
    seen = sorted({(min(pair), max(pair)) for pair in pairs})
    for first, second in (order for one, two in seen for order in ((one, two), (two, one))):
        gain, loss = verdicts.get(first), verdicts.get(second)
        if gain in _MENDED and loss in _WORSENED:
            line = f"Traded: T{first} is {gain}, but its opposite T{second} is {loss}."
            trades.append(Trade(first, second, line))
    return tuple(trades)


@dataclass(frozen=True, slots=True)
class ThemeTopic:
    """What a theme is about: its area (capability, or the one above it) and its centre (d,)."""

    area: str | None
    centre: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ProposedPair:
    """Two themes that may be opposites: a hint for a person, from which nothing follows."""

    mended: int
    worsened: int
    cosine_similarity: float
    line: str


def propose_pairs(
    outcomes: Sequence[ThemeOutcome],
    topics: Mapping[int, ThemeTopic],
    known: Collection[tuple[int, int]],
    *,
    least_similarity: float,
) -> tuple[ProposedPair, ...]:
    """Pairs that moved in opposite directions within one area and are alike; the likest first.

    Opposite failures (refusing too much, refusing too little) are about the same things, so their
    centres lie near each other, at a cosine of ``least_similarity`` at least. At most
    ``MOST_PROPOSED``; pairs that are ``known`` are watched already and not proposed.
    """
    watched = {frozenset(pair) for pair in known}
    mended = [one for one in outcomes if one.verdict in _MENDED and one.theme_id in topics]
    worsened = [one for one in outcomes if one.verdict in _WORSENED and one.theme_id in topics]
    found = []
    for gain in mended:
        for loss in worsened:
            first, second = topics[gain.theme_id], topics[loss.theme_id]
            if first.area is None or first.area != second.area:
                continue
            likeness = _cosine(first.centre, second.centre)
            pair = gain.theme_id, loss.theme_id
            if likeness >= least_similarity and frozenset(pair) not in watched:
                found.append(ProposedPair(*pair, likeness, _hint(gain, loss, first.area, likeness)))
    found.sort(key=lambda each: (-each.cosine_similarity, each.mended, each.worsened))
    return tuple(found[:MOST_PROPOSED])


def _hint(gain: ThemeOutcome, loss: ThemeOutcome, area: str, likeness: float) -> str:
    pair = f"T{gain.theme_id}, T{loss.theme_id}"
    return (
        f"Perhaps traded: T{gain.theme_id} is {gain.verdict} while T{loss.theme_id} is "
        f"{loss.verdict}, both in {area} and alike ({likeness:.2f}). If they are opposites, add "
        f"[{pair}] to releases.opposites; nothing follows from this by itself."
    )


def _cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    lengths = float(np.linalg.norm(first)) * float(np.linalg.norm(second))
    return float(first @ second) / lengths if lengths else 0.0
