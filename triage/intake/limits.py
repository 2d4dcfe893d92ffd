"""What the intake lets in at a time: reports a second of each token, bytes and requests of all."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class TokenBuckets:
    """A bucket of ``burst`` reports for each source, refilled by ``rate`` a second.

    How many reports a request holds is known after it was read, so it may overdraw its bucket by
    what it holds; the next one waits until that is made up for. Times are seconds of any clock.
    """

    rate: float
    burst: float
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait_seconds(self, source: str, now: float) -> float:
        """How long a source has to wait before its next request; 0: it need not."""
        return max(0.0, (1.0 - self._level(source, now)) / self.rate)

    def spend(self, source: str, reports: int, now: float) -> None:
        """Take reports out of a source's bucket."""
        self._levels[source] = (self._level(source, now) - reports, now)

    def _level(self, source: str, now: float) -> float:
        level, then = self._levels.get(source, (self.burst, now))
        return min(self.burst, level + (now - then) * self.rate)


@dataclass(slots=True)
class Room:
    """So much of something may be in use at a time."""

    limit: int
    used: int = 0

    def take(self, amount: int) -> bool:
        """Take some where there is room for it."""
        if self.used + amount > self.limit:
            return False
        self.used += amount
        return True

    def give_back(self, amount: int) -> None:
        """Let others have it."""
        self.used -= amount
