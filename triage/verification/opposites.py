"""The opposite failure: what was mended by overdoing it is not mended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from triage.verification.judging import ReleaseVerdict
from triage.verification.outcomes import ThemeOutcome, Trade

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
