"""What an LLM costs: added up over stages, priced only where prices are set."""

from __future__ import annotations

import pytest

from triage.settings import Settings
from triage.spending import Spending, spending_of

RESULTS = {
    "embed": {
        "embedded": 9,
        "LLM requests for phrases": 10,
        "LLM tokens for phrases": 5_000,
        "LLM answer tokens for phrases": 1_000,
    },
    "theme": {
        "LLM requests for pairs": 2,
        "LLM tokens for pairs": 700,
        "LLM answer tokens for pairs": 100,
    },
}


def test_all_purposes_of_all_stages_are_added_up() -> None:
    assert spending_of(RESULTS.values()) == Spending(12, 4_600, 1_100)
    assert spending_of([{"embedded": 3}]).line(Settings()) is None


def test_the_cost_follows_the_prices_of_a_million_tokens() -> None:
    priced = Settings(llm_price_in=2.0, llm_price_out=10.0)
    assert spending_of(RESULTS.values()).cost(priced) == pytest.approx(0.0092 + 0.011)
    line = spending_of(RESULTS.values()).line(priced)
    assert line == "12 requests, 4,600 tokens in, 1,100 out, cost 0.0202"


def test_without_prices_no_cost_is_invented() -> None:
    assert spending_of(RESULTS.values()).cost(Settings(llm_price_in=2.0)) is None
    assert "no price is set" in str(spending_of(RESULTS.values()).line(Settings()))
