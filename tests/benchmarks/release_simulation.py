"""How often is `fixed` or `improved` wrongly said? 10,000 invented releases with known truth.

    python -m tests.benchmarks.release_simulation [RELEASES] [SEEDS]

Each release has ten themes with 5 to 5,000 reports on the old version, four channels, some weeks
of both versions. Reports are gamma-Poisson by week, by theme and week over all channels, and by
theme, version and channel; attention spikes at each launch, the channels' shares shift with the
release and some close, one theme in fifty has a brigade in one channel of one version, and of
every fifth release no request counts are known. The very code of the product judges; beside it
stands the rule of thumb "no report for 14 days".
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from triage.verification.comparison import Panel, compare
from triage.verification.counts import ExposureKind
from triage.verification.judging import VERDICTS, ReleaseVerdict, judge
from triage.verification.rules import DEFAULT_RULES

Floats = NDArray[np.float64]

RELEASES, SEEDS, BATCH = 10_000, 3, 250
THEMES, CHANNELS, WEEKS = 10, 4, 20
WITHOUT_REQUESTS = 0.2
TRUTHS = ("fixed", "improved", "unchanged", "worse")
TRUTH_SHARES = (0.2, 0.2, 0.4, 0.2)
# The new version's true rate by the old one's.
RATIOS = {
    "fixed": (0.0, 0.04),
    "improved": (0.3, 0.6),
    "unchanged": (0.92, 1.08),
    "worse": (1.5, 3),
}
BANDS = (0, 5, 10, 20, 50, 200, 1000, np.inf)
BETTER = [VERDICTS.index(ReleaseVerdict.FIXED), VERDICTS.index(ReleaseVerdict.IMPROVED)]
FIXED = VERDICTS.index(ReleaseVerdict.FIXED)


@dataclass(frozen=True, slots=True)
class Batch:
    """Invented releases and what is true of them; arrays (releases, themes)."""

    panel: Panel
    truth: NDArray[np.int64]
    expected: Floats
    silent: NDArray[np.bool_]
    requests_known: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said about each theme, flat."""

    truth: NDArray[np.int64]
    verdict: NDArray[np.int64]
    peers: NDArray[np.bool_]
    expected: Floats


def gamma(rng: np.random.Generator, dispersion: Floats, shape: tuple[int, ...]) -> Floats:
    """Factors with mean 1 and this variance."""
    return rng.gamma(np.broadcast_to(1 / dispersion, shape)) * dispersion


def log_uniform(
    rng: np.random.Generator, low: float, high: float, shape: tuple[int, ...]
) -> Floats:
    """Numbers of which the logarithm is uniform."""
    return np.exp(rng.uniform(np.log(low), np.log(high), shape))


def attention(rng: np.random.Generator, size: int) -> Floats:
    """By channel and week (size, S, W): a spike at the launch that is over in some weeks."""
    height = rng.exponential(2.0, (size, 1, 1)) * rng.uniform(0.3, 1.5, (size, CHANNELS, 1))
    return 1 + height * 0.35 ** np.arange(WEEKS)


def channel_shift(rng: np.random.Generator, size: int, mix: Floats) -> Floats:
    """Factors (size, S, 1) on all reports of a channel: the mix changes, not the sum."""
    factor = rng.lognormal(0, 0.5, (size, CHANNELS))
    closed = rng.integers(CHANNELS, size=size)
    shut = rng.random(size) < 0.1
    factor[shut, closed[shut]] = 0.0
    shares: Floats = factor / (factor * mix).sum(-1, keepdims=True)
    return shares[..., None]


def brigades(rng: np.random.Generator, size: int) -> Floats:
    """Factors (size, T, S, 1): one theme in fifty is made loud in one channel."""
    factor = np.ones((size, THEMES, CHANNELS, 1))
    loud = rng.random((size, THEMES)) < 0.01  # and again for the other version
    where = rng.integers(CHANNELS, size=(size, THEMES))
    height = rng.uniform(3, 10, (size, THEMES))
    for release, theme in np.argwhere(loud):
        factor[release, theme, where[release, theme]] = height[release, theme]
    return factor


@dataclass(frozen=True, slots=True)
class World:
    """What the reports of a batch are drawn from: rates (size, T, S), others (size, S), scatter."""

    rate: Floats
    others: Floats
    by_cell: Floats
    by_week: Floats
    by_version: Floats

    def draw(self, rng: np.random.Generator, moods: Floats, change: Floats) -> list[Floats]:
        """One version's themes (size, T, S, W), and all its reports (size, S, W).

        ``moods`` (size, S, W) hold for all reports, ``change`` (size, T) for a theme's.
        """
        size = len(moods)
        mean = (self.rate * change[..., None])[..., None] * moods[:, None] * brigades(rng, size)
        mean *= gamma(rng, self.by_cell, (size, THEMES, CHANNELS, WEEKS))
        mean *= gamma(rng, self.by_week, (size, THEMES, 1, WEEKS))
        mean *= gamma(rng, self.by_version, (size, THEMES, CHANNELS, 1))
        own = rng.poisson(mean).astype(np.float64)
        scatter = gamma(rng, self.by_cell[..., 0], (size, CHANNELS, WEEKS))
        return [own, own.sum(1) + rng.poisson(self.others[..., None] * moods * scatter)]


def invent_world(rng: np.random.Generator, mix: Floats, old_use: Floats) -> World:
    """Themes of 5 to 5,000 reports over the old version's life, each with its own channels."""
    size = len(mix)
    theme_mix = rng.gamma(3.0, size=(size, THEMES, CHANNELS)) * mix[:, None]
    theme_mix /= theme_mix.sum(-1, keepdims=True)
    total = log_uniform(rng, 5, 5000, (size, THEMES))
    rate = total[..., None] * theme_mix / old_use.sum(-1)[:, None, None]
    return World(
        rate,
        rate.sum((1, 2))[:, None] * mix * rng.uniform(0.3, 2, (size, 1)),
        log_uniform(rng, 0.02, 0.5, (size, 1, 1, 1)),
        rng.uniform(0.001, 0.1, (size, 1, 1, 1)),
        rng.uniform(0.001, 0.05, (size, 1, 1, 1)),
    )


def invent(rng: np.random.Generator, size: int) -> Batch:
    """Draw a batch of releases."""
    truth = rng.choice(len(TRUTHS), p=TRUTH_SHARES, size=(size, THEMES))
    low, high = np.array([RATIOS[name] for name in TRUTHS]).T
    ratio = rng.uniform(low[truth], high[truth])
    weeks = np.arange(WEEKS)
    old_weeks = rng.integers(8, WEEKS + 1, (size, 1))
    new_weeks = rng.integers(3, WEEKS - 3, (size, 1))
    old_use = (weeks < old_weeks) * rng.uniform(0.7, 1.3, (size, WEEKS))
    ramp = np.minimum(1, (weeks + 1) / rng.integers(1, 6, (size, 1)))
    new_use = (weeks < new_weeks) * ramp * rng.uniform(0.7, 1.3, (size, WEEKS))
    new_use *= log_uniform(rng, 0.05, 2, (size, 1))

    mix = rng.dirichlet([2.0] * CHANNELS, size)
    world = invent_world(rng, mix, old_use)
    moods = attention(rng, size) * channel_shift(rng, size, mix)
    old, old_all = world.draw(rng, old_use[:, None] * attention(rng, size), np.ones_like(ratio))
    new, new_all = world.draw(rng, new_use[:, None] * moods, ratio)
    requests = by_channel(old_use), by_channel(new_use)
    panel = quiet_launch(Panel(old, new, *requests, old_all, new_all))

    past = (weeks >= new_weeks - 2) & (weeks < new_weeks)
    silent = (new * past[:, None, None]).sum((-1, -2)) == 0
    quiet = DEFAULT_RULES.launch_weeks
    gain = new_use[:, quiet:].sum(-1) / old_use[:, quiet:].sum(-1)
    expected = panel.old[..., quiet:].sum((-1, -2)) * gain[:, None]
    return Batch(panel, truth, expected, silent, bool(rng.random() >= WITHOUT_REQUESTS))


def by_channel(use: Floats) -> Floats:
    """Requests (size, S, W): known in sum only, hence the same for each channel."""
    return np.repeat(use[:, None], CHANNELS, 1)


def quiet_launch(panel: Panel) -> Panel:
    """Leave the launch weeks out, as the product does."""
    after = np.arange(WEEKS) >= DEFAULT_RULES.launch_weeks
    return replace(
        panel,
        old_requests=panel.old_requests * after,
        new_requests=panel.new_requests * after,
        old_reporters=panel.old_reporters * after,
        new_reporters=panel.new_reporters * after,
    )


def simulate(seed: int, releases: int) -> Iterator[Outcome]:
    """Invent and judge, batch by batch."""
    rng = np.random.default_rng(seed)
    for _ in range(0, releases, BATCH):
        batch = invent(rng, min(BATCH, releases))
        by_reports = compare(batch.panel, ExposureKind.REPORTS, DEFAULT_RULES)
        if batch.requests_known:
            by_requests = compare(batch.panel, ExposureKind.REQUESTS, DEFAULT_RULES)
            judgement = judge(by_requests, by_reports, DEFAULT_RULES)
        else:
            judgement = judge(by_reports, None, DEFAULT_RULES)
        yield Outcome(
            batch.truth.ravel(),
            judgement.verdict.ravel(),
            batch.silent.ravel(),
            batch.expected.ravel(),
        )


def percent(hits: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    """How many of these, in percent; nan where there are none."""
    return 100 * float(hits[among].mean()) if among.any() else float("nan")


def joined(outcomes: list[Outcome]) -> Outcome:
    """All batches of a seed as one."""
    names = ("truth", "verdict", "peers", "expected")
    return Outcome(*(np.concatenate([getattr(one, name) for one in outcomes]) for name in names))


def overall(seen: Outcome) -> dict[str, float]:
    """The errors of the product and of its peers' rule over all themes."""
    better, fixed = np.isin(seen.verdict, BETTER), seen.verdict == FIXED
    mended, every = seen.truth <= TRUTHS.index("improved"), np.ones_like(better)
    wrong = (better & ~mended) | (fixed & (seen.truth != 0))
    return {
        "wrong `fixed` or `improved`, of all such claims": percent(wrong, better),
        "wrong `fixed` or `improved`, of all themes": percent(wrong, every),
        "`fixed` or `improved`, of themes unchanged or worse": percent(better, ~mended),
        "wrong `fixed`, of all `fixed`": percent(seen.truth != 0, fixed),
        "14 days' silence: wrong, of all its `fixed`": percent(seen.truth != 0, seen.peers),
        "14 days' silence: `fixed`, of themes unchanged or worse": percent(seen.peers, ~mended),
        "14 days' silence: `fixed`, of themes fixed": percent(seen.peers, seen.truth == 0),
    }


def by_truth(seen: Outcome) -> dict[str, list[float]]:
    """What was said of each kind of theme, a column for each verdict."""
    columns = [code for code, word in enumerate(VERDICTS) if word is not ReleaseVerdict.REGRESSED]
    return {
        name: [percent(seen.verdict == code, seen.truth == index) for code in columns]
        for index, name in enumerate(TRUTHS)
    }


def by_exposure(seen: Outcome) -> dict[str, list[float]]:
    """Power and error by the people who would have reported, had nothing changed."""
    better, fixed = np.isin(seen.verdict, BETTER), seen.verdict == FIXED
    worse = seen.verdict == VERDICTS.index(ReleaseVerdict.WORSE)
    rows = {}
    for low, high in pairwise(BANDS):
        band = (seen.expected >= low) & (seen.expected < high)
        rest = band & (seen.truth > TRUTHS.index("improved"))
        rows[f"{low:g} to {high:g}"] = [
            percent(band, np.ones_like(band)),
            percent(better, band & (seen.truth == 0)),
            percent(fixed, band & (seen.truth == 0)),
            percent(better, band & (seen.truth == 1)),
            percent(worse, band & (seen.truth == 3)),
            percent(better, rest),
            percent(seen.peers, rest),
        ]
    return rows


def show(title: str, heads: list[str], runs: list[dict[str, list[float]]]) -> None:
    """One table: mean ± standard deviation over the seeds, in percent."""
    print(f"\n{title:<58}" + "".join(f"{head:>16}" for head in heads))
    for name in runs[0]:
        values = np.array([run[name] for run in runs])
        cells = zip(values.mean(0), values.std(0), strict=True)
        print(f"{name:<58}" + "".join(f"{mean:>10.2f} ± {sd:.2f}" for mean, sd in cells))


def main() -> None:
    """Print the tables."""
    releases = int(sys.argv[1]) if len(sys.argv) > 1 else RELEASES
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else SEEDS
    began = time.perf_counter()
    runs = [joined(list(simulate(seed, releases))) for seed in range(seeds)]
    show("percent", [""], [{k: [v] for k, v in overall(run).items()} for run in runs])
    heads = ["fixed", "improved", "unchanged", "worse", "not enough"]
    show("what was said of themes that are truly", heads, [by_truth(run) for run in runs])
    heads = ["of all themes", "fixed: better", "fixed: fixed", "improved seen", "worse seen"]
    heads += ["wrongly better", "wrong, silence"]
    title = "people expected on the new version, were nothing changed"
    show(title, heads, [by_exposure(run) for run in runs])
    seconds = time.perf_counter() - began
    print(f"\n{releases} releases of {THEMES} themes, {seeds} seeds, {seconds:.0f} s")


if __name__ == "__main__":
    main()
