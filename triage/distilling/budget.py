"""What one run may spend on an LLM, and what it has spent."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

SPENT = "the budget of this run is spent"


@dataclass(slots=True)
class Budget:
    """Bounds on requests (retries count), on tokens (in and out) and on time; None is no bound.

    Tokens are known only after an answer, so the requests under way may go beyond their bound.
    """

    max_requests: int
    max_tokens: int | None = None
    max_seconds: float | None = None
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    _began: float = field(default_factory=time.monotonic)

    @property
    def tokens(self) -> int:
        """Tokens in and out so far."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def blocker(self) -> str | None:
        """Why no more may be asked, or None."""
        if self.requests >= self.max_requests:
            return f"{SPENT}: {self.max_requests} requests"
        if self.max_tokens is not None and self.tokens >= self.max_tokens:
            return f"{SPENT}: {self.max_tokens} tokens"
        if self.max_seconds is not None and time.monotonic() - self._began >= self.max_seconds:
            return f"{SPENT}: {self.max_seconds:.0f} s"
        return None

    def take_request(self) -> str | None:
        """Count one request, or say why there may be none."""
        blocker = self.blocker
        if blocker is None:
            self.requests += 1
        return blocker

    def spend(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Count what an answer cost, whatever it was worth."""
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens
