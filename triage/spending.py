"""What runs spent on an LLM, added up from the counts of their stages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from triage.settings import Settings

REQUESTS, TOKENS, ANSWER_TOKENS = "LLM requests for", "LLM tokens for", "LLM answer tokens for"


@dataclass(frozen=True, slots=True)
class Spending:
    """Requests, and tokens in and out."""

    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0

    def cost(self, settings: Settings) -> float | None:
        """In the currency of the prices that are set; None unless both are."""
        if settings.llm_price_in is None or settings.llm_price_out is None:
            return None
        price = self.tokens_in * settings.llm_price_in + self.tokens_out * settings.llm_price_out
        return price / 1_000_000

    def line(self, settings: Settings) -> str | None:
        """It in a line, None where nothing was sent."""
        if not self.requests:
            return None
        cost = self.cost(settings)
        said = f"{self.requests:,} requests, {self.tokens_in:,} tokens in, {self.tokens_out:,} out"
        return said + (f", cost {cost:.4f}" if cost is not None else ", no price is set")


def spending_of(counts: Iterable[Mapping[str, Any]]) -> Spending:
    """What the counts of some stages say of it; all purposes together."""
    requests = tokens = answers = 0
    for each in counts:
        for name, count in each.items():
            if name.startswith(REQUESTS):
                requests += int(count)
            elif name.startswith(TOKENS):
                tokens += int(count)
            elif name.startswith(ANSWER_TOKENS):
                answers += int(count)
    return Spending(requests, tokens - answers, answers)
