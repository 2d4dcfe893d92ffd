"""Verdicts on a release: exact where they can be, one case for each word, and what must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from triage.errors import TriageError
from triage.verification import (
    ALL_CHANNELS,
    DEFAULT_RULES,
    Agreement,
    Discovery,
    ExposureKind,
    ProbeRuns,
    Reason,
    ReleaseVerdict,
    Sighting,
    ThemeCounts,
    ThemeOutcome,
    VersionCounts,
    compare_probes,
    count_version,
    judge_release,
    probe_rate,
)
from triage.verification.discovery import q_values
from triage.verification.power import detectable_ratio, growth_needed
from triage.verification.ratio import (
    Strata,
    chance_of_fewer,
    chance_of_more,
    estimate_ratio,
    make_strata,
    ratio_interval,
    ratio_of_the_rest,
)

OLD_LAUNCH, NEW_LAUNCH = date(2026, 1, 5), date(2026, 6, 1)
OLD_WEEKS, NEW_WEEKS = 20, 8
TODAY = NEW_LAUNCH + timedelta(days=7 * NEW_WEEKS)
CHANNELS = ("feedback", "github")

Rows = Mapping[str, tuple[int, ...]]


def strata(old: list[float], new: list[float], odds: list[float]) -> Strata:
    ones = np.ones(len(old))
    return make_strata(np.array(old, float), np.array(new, float), ones, np.array(odds, float))


def weekly(count: int, weeks: int, channels: tuple[str, ...] = CHANNELS) -> Rows:
    return dict.fromkeys(channels, (count,) * weeks)


def plus(*tables: Rows) -> Rows:
    names = sorted({name for table in tables for name in table})
    weeks = max(len(row) for table in tables for row in table.values())
    padded = [
        {name: (*table.get(name, ()), *(0,) * weeks)[:weeks] for name in names} for table in tables
    ]
    return {name: tuple(map(sum, zip(*(p[name] for p in padded), strict=True))) for name in names}


def version(new: bool, themes: list[ThemeCounts], **changes: Any) -> VersionCounts:
    """A version used a million times a week and talked about by thirty a week and channel."""
    weeks = NEW_WEEKS if new else OLD_WEEKS
    launched = NEW_LAUNCH if new else OLD_LAUNCH
    own = [theme.new if new else theme.old for theme in themes]
    counts = VersionCounts(
        "Corvane-5" if new else "Corvane-4",
        launched,
        launched + timedelta(days=7 * weeks - 1),
        plus(weekly(30, weeks), *own),
        {ALL_CHANNELS: (1e6,) * weeks},
    )
    return replace(counts, **changes)


def theme(
    old: int = 4, new: int = 4, theme_id: int = 1, fixed_in: str | None = None
) -> ThemeCounts:
    return ThemeCounts(theme_id, weekly(old, OLD_WEEKS), weekly(new, NEW_WEEKS), fixed_in)


def outcome(
    one: ThemeCounts,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    today: date = TODAY,
    others: tuple[ThemeCounts, ...] = (),
) -> ThemeOutcome:
    themes = [one, *others]
    before, after = version(False, themes, **(old or {})), version(True, themes, **(new or {}))
    return judge_release(before, after, themes, today).themes[0]


# --- exactness ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "odds"), [(20, 3, 1.0), (12, 30, 0.7), (5, 0, 2.0), (400, 380, 1)]
)
@pytest.mark.parametrize("null", [0.2, 0.9, 1.0, 1.5])
def test_one_channel_is_the_exact_binomial_test(
    old: int, new: int, odds: float, null: float
) -> None:
    one, share = strata([old], [new], [odds]), null * odds / (1 + null * odds)
    fewer = stats.binomtest(new, old + new, share, "less")
    more = stats.binomtest(new, old + new, share, "greater")
    assert chance_of_fewer(one, null) == pytest.approx(fewer.pvalue, rel=1e-9)
    assert chance_of_more(one, null) == pytest.approx(more.pvalue, rel=1e-9)


@pytest.mark.parametrize(
    ("old", "new", "odds"), [(20, 3, 1.0), (12, 30, 0.7), (5, 0, 2.0), (0, 4, 0.5)]
)
def test_the_interval_is_clopper_and_pearsons(old: int, new: int, odds: float) -> None:
    low, high = ratio_interval(strata([old], [new], [odds]), 0.95)
    exact = stats.binomtest(new, old + new).proportion_ci(0.95, "exact")
    assert low == pytest.approx(exact.low / (1 - exact.low) / odds, rel=1e-6)
    wanted = np.inf if exact.high == 1 else exact.high / (1 - exact.high) / odds
    assert high == pytest.approx(wanted, rel=1e-6)


def test_channels_of_equal_odds_are_exact_together() -> None:
    together = strata([10, 20, 3], [2, 5, 1], [0.5, 0.5, 0.5])
    alone = strata([33], [8], [0.5])
    assert estimate_ratio(together) == pytest.approx(float(estimate_ratio(alone)), rel=1e-8)
    assert chance_of_fewer(together, 1.0) == pytest.approx(float(chance_of_fewer(alone, 1.0)))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 12), st.floats(0.05, 20)),
        min_size=2,
        max_size=4,
    ),
    st.sampled_from([0.2, 0.9, 1.0]),
)
def test_the_stratified_test_never_claims_more_than_the_exact_convolution(
    cells: list[tuple[int, int, float]], null: float
) -> None:
    old, new, odds = (np.array(column, float) for column in zip(*cells, strict=True))
    totals, shares = (old + new).astype(int), null * odds / (1 + null * odds)
    distribution = np.ones(1)
    for total, share in zip(totals, shares, strict=True):
        part = stats.binom.pmf(np.arange(total + 1), total, share)
        distribution = np.convolve(distribution, part)
    exact = distribution[: int(new.sum()) + 1].sum()
    bound = float(chance_of_fewer(strata(list(old), list(new), list(odds)), null))
    # Hoeffding's bound holds at least one count below the mean, where every claim lies.
    if new.sum() <= (totals * shares).sum() - 1:
        assert bound >= exact - 1e-9


def test_the_estimate_solves_the_conditional_likelihood() -> None:
    old, new, odds = [30.0, 4.0, 11.0], [3.0, 9.0, 2.0], [0.3, 2.0, 1.0]
    ratio = float(estimate_ratio(strata(old, new, odds)))
    fitted = sum(
        (o + n) * ratio * x / (1 + ratio * x) for o, n, x in zip(old, new, odds, strict=True)
    )
    assert fitted == pytest.approx(sum(new), rel=1e-8)


def test_q_values_are_scipys_for_both_methods() -> None:
    chances = np.random.default_rng(0).uniform(size=(3, 9)) ** 3
    for method, name in (
        (Discovery.BENJAMINI_HOCHBERG, "bh"),
        (Discovery.BENJAMINI_YEKUTIELI, "by"),
    ):
        wanted = np.array([stats.false_discovery_control(row, method=name) for row in chances])
        assert q_values(chances, method) == pytest.approx(wanted)


def test_a_theme_that_was_not_tested_is_no_part_of_the_family() -> None:
    chances = np.array([0.01, np.nan, 0.04])
    assert q_values(chances)[[0, 2]] == pytest.approx(q_values(chances[[0, 2]]))
    assert np.isnan(q_values(chances)[1])


@pytest.mark.parametrize(("old", "odds"), [(40, 1.0), (100, 0.5), (60, 2.0), (400, 0.2)])
def test_the_smallest_effect_has_the_power_it_claims(old: int, odds: float) -> None:
    """Exact power of the binomial test at the ratio that the closed form gives."""
    ratio = float(detectable_ratio(strata([old], [0], [odds]), DEFAULT_RULES))
    power = 0.0
    mean_old, mean_new = old, old * odds * ratio
    for count in range(int(stats.poisson.ppf(1e-6, mean_old)), int(mean_old * 2)):
        news = np.arange(int(mean_new + 10 * np.sqrt(mean_new) + 10))
        cells = make_strata(
            np.full((len(news), 1), float(count)),
            news[:, None].astype(float),
            np.ones(1),
            np.array([odds]),
        )
        seen = chance_of_fewer(cells, DEFAULT_RULES.drift_ratio) <= 0.025
        power += stats.poisson.pmf(count, mean_old) * (stats.poisson.pmf(news, mean_new) @ seen)
    assert power == pytest.approx(DEFAULT_RULES.power, abs=0.08)


def test_the_growth_asked_for_makes_a_halving_visible() -> None:
    growth = float(growth_needed(strata([80], [0], [0.2]), 0.5, DEFAULT_RULES))
    grown = strata([80], [0], [0.2 * growth])
    assert growth > 1
    assert detectable_ratio(grown, DEFAULT_RULES) == pytest.approx(0.5, rel=1e-6)


def test_no_growth_helps_where_the_old_version_has_too_little() -> None:
    assert growth_needed(strata([6], [1], [0.5]), 0.5, DEFAULT_RULES) == np.inf


def test_leaving_a_channel_out_shows_what_the_others_say() -> None:
    rest = ratio_of_the_rest(strata([200, 10, 10], [0, 10, 10], [1, 1, 1]))
    assert rest[0] == pytest.approx(1.0)
    assert rest[1] == pytest.approx(10 / 210)
    assert np.isnan(ratio_of_the_rest(strata([200, 1], [0, 1], [1, 1]))[0])


# --- one case for each verdict -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "verdict"),
    [
        (theme(4, 0), ReleaseVerdict.FIXED),
        (theme(4, 1), ReleaseVerdict.IMPROVED),
        (theme(4, 4), ReleaseVerdict.UNCHANGED),
        (theme(2, 6), ReleaseVerdict.WORSE),
        (theme(1, 6, fixed_in="Corvane-3"), ReleaseVerdict.REGRESSED),
        (theme(4, 3, fixed_in="Corvane-5"), ReleaseVerdict.REGRESSED),
        (theme(4, 4, fixed_in="Corvane-3"), ReleaseVerdict.UNCHANGED),
    ],
)
def test_each_verdict_from_plain_figures(one: ThemeCounts, verdict: ReleaseVerdict) -> None:
    said = outcome(one)
    assert said.verdict is verdict
    assert said.reason is None
    assert said.next_check is None
    text = "\n".join(said.lines)
    assert "per 100,000 requests" in text
    assert "95 % interval" in text
    assert "q = " in text
    assert "feedback" in text


def test_once_fixed_a_few_late_reports_do_not_flip_it() -> None:
    late = {"feedback": (0, 0, 1, 0, 1, 0, 0, 1), "github": (0, 0, 0, 0, 1, 1, 0, 0)}
    counts = ThemeCounts(1, weekly(1, OLD_WEEKS), late)
    assert outcome(counts).verdict is not ReleaseVerdict.FIXED
    assert outcome(replace(counts, fixed_in="Corvane-5")).verdict is ReleaseVerdict.FIXED


# --- one case for each reason --------------------------------------------------------------------


def test_before_the_release_nothing_is_said() -> None:
    said = outcome(theme(4, 0), today=NEW_LAUNCH - timedelta(days=1))
    assert (said.verdict, said.reason) == (
        ReleaseVerdict.NOT_ENOUGH_EVIDENCE,
        Reason.NOT_RELEASED,
    )
    assert said.next_check == NEW_LAUNCH + timedelta(days=DEFAULT_RULES.soak_days)
    assert outcome(theme(4, 0), new={"launched": None}).reason is Reason.NOT_RELEASED


def test_a_fresh_release_soaks_first() -> None:
    last = NEW_LAUNCH + timedelta(days=DEFAULT_RULES.soak_days - 2)
    said = outcome(theme(4, 0), new={"last_day": last}, today=last)
    assert said.reason is Reason.SOAKING
    assert said.next_check == NEW_LAUNCH + timedelta(days=DEFAULT_RULES.soak_days)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({}, {"before_launch": 500}),
        ({"launched": NEW_LAUNCH + timedelta(days=1)}, {}),
        ({}, {"last_day": TODAY + timedelta(days=1)}),
    ],
)
def test_clocks_that_disagree_stop_the_verdict(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert outcome(theme(4, 0), old, new).reason is Reason.CLOCKS_DISAGREE


def test_a_few_early_reports_are_only_mentioned() -> None:
    before, after = version(False, [theme()]), version(True, [theme()], before_launch=3)
    judged = judge_release(before, after, [theme()], TODAY)
    assert judged.themes[0].reason is None
    assert any("before the launch" in line for line in judged.lines)


def test_a_version_without_reports_is_not_mended() -> None:
    silent = ThemeCounts(1, weekly(4, OLD_WEEKS), {})
    said = outcome(silent, new={"reporters": {}})
    assert said.reason is Reason.NO_REPORTS
    assert said.next_check is not None


def test_a_version_without_exposure_is_held_against_all_reports() -> None:
    said = outcome(theme(4, 0), new={"requests": None})
    assert said.verdict is ReleaseVerdict.FIXED
    assert said.figures is not None
    assert said.figures.kind is ExposureKind.REPORTS
    assert any("Requests are unknown" in line for line in said.lines)


def test_a_week_of_unknown_requests_is_left_out_and_not_zero() -> None:
    known = outcome(theme(4, 4))
    gaps = {ALL_CHANNELS: (1e6, 1e6, 1e6, None, None, 1e6, 1e6, 1e6)}
    said = outcome(theme(4, 4), new={"requests": gaps})
    assert known.figures is not None
    assert said.figures is not None
    assert said.figures.people[1] == known.figures.people[1] - 2 * 2 * 4
    assert said.figures.ratio == pytest.approx(known.figures.ratio)


def test_reports_of_the_launch_week_only_leave_nothing_to_compare() -> None:
    burst = {"feedback": (50,), "github": (50,)}
    said = outcome(
        ThemeCounts(1, weekly(4, OLD_WEEKS), {}), new={"reporters": burst, "requests": None}
    )
    assert said.reason is Reason.NO_EXPOSURE
    assert said.figures is None


def test_too_little_use_is_waited_for() -> None:
    said = outcome(theme(4, 0), new={"requests": {ALL_CHANNELS: (500.0,) * NEW_WEEKS}})
    assert said.reason is Reason.LOW_EXPOSURE
    assert said.next_check is not None
    assert said.next_check > TODAY


def test_without_requests_and_other_reports_a_share_says_nothing() -> None:
    one = theme(4, 4)
    said = outcome(
        one, {"reporters": one.old, "requests": None}, {"reporters": one.new, "requests": None}
    )
    assert said.reason is Reason.NO_CONTROL


def test_without_other_reports_requests_decide_alone() -> None:
    one = theme(9, 3)
    said = outcome(one, {"reporters": one.old}, {"reporters": one.new})
    assert said.verdict is ReleaseVerdict.IMPROVED
    assert said.corroboration is None


def test_a_theme_unknown_to_the_old_version_is_named_as_new() -> None:
    new = {"feedback": (0, 0, 1), "github": (0, 1)}
    assert outcome(ThemeCounts(1, {}, new)).reason is Reason.NEW_THEME


STEADY = tuple(theme(4, 4, theme_id) for theme_id in range(2, 12))


def test_one_loud_channel_does_not_decide() -> None:
    """A crowd in one channel of the old version; the other channel did not change."""
    sparse = (0, 1, 0) * 7
    old = {"feedback": (5,) * OLD_WEEKS, "github": sparse[:OLD_WEEKS]}
    new = {"feedback": (2,) * NEW_WEEKS, "github": sparse[:NEW_WEEKS]}
    said = outcome(ThemeCounts(1, old, new), others=STEADY)
    assert said.reason is Reason.ONE_CHANNEL
    both = ThemeCounts(1, {**old, "github": old["feedback"]}, {**new, "github": new["feedback"]})
    assert outcome(both, others=STEADY).verdict is ReleaseVerdict.IMPROVED


def test_channels_that_contradict_each_other_widen_the_interval() -> None:
    old = {"feedback": (40,) * OLD_WEEKS, "github": (4,) * OLD_WEEKS}
    new = {"feedback": (0,) * NEW_WEEKS, "github": (5,) * NEW_WEEKS}
    said = outcome(ThemeCounts(1, old, new), others=STEADY)
    assert said.verdict is ReleaseVerdict.NOT_ENOUGH_EVIDENCE
    assert said.figures is not None
    assert said.figures.inflation > 5


def test_a_tired_audience_is_no_mended_model() -> None:
    """Per request everything falls to a quarter; as a share of all reports nothing moved."""
    fewer = {"requests": {ALL_CHANNELS: (4e6,) * NEW_WEEKS}}
    said = outcome(theme(4, 4), new=fewer)
    assert said.figures is not None
    assert said.figures.ratio == pytest.approx(0.25, abs=0.02)
    assert said.reason is Reason.KINDS_DISAGREE


def test_a_flood_about_one_theme_does_not_mend_the_others() -> None:
    flood = ThemeCounts(2, weekly(1, OLD_WEEKS), weekly(200, NEW_WEEKS))
    said = outcome(theme(4, 4), {"requests": None}, {"requests": None}, others=(flood,))
    assert said.verdict is ReleaseVerdict.UNCHANGED


def test_few_reports_say_what_could_have_been_seen_and_that_waiting_is_vain() -> None:
    few = ThemeCounts(1, {"github": (0, 1, 1, 1, 1, 1)}, {})
    said = outcome(few)
    assert said.reason is Reason.TOO_FEW
    assert said.next_check is None
    assert any("Not even the theme's disappearance" in line for line in said.lines)


def test_a_wide_interval_names_the_smallest_effect_and_the_next_check() -> None:
    little = {"feedback": (0, 1, 0, 1), "github": (0, 0, 1)}
    short = {
        "requests": {ALL_CHANNELS: (1e5,) * NEW_WEEKS},
        "reporters": weekly(30, NEW_WEEKS),
    }
    said = outcome(ThemeCounts(1, weekly(3, OLD_WEEKS), little), new=short)
    assert said.reason is Reason.WIDE
    assert said.figures is not None
    assert said.figures.detectable_ratio is not None
    assert said.next_check is not None
    assert 7 <= (said.next_check - TODAY).days <= 60
    assert any("smallest effect" in line for line in said.lines)


def test_figures_that_cannot_be_are_refused() -> None:
    with pytest.raises(TriageError, match="week 0"):
        outcome(theme(4, 4), new={"reporters": {}})
    with pytest.raises(TriageError, match="negative"):
        outcome(theme(4, 4), new={"requests": {ALL_CHANNELS: (-1.0,)}})


def test_no_themes_are_no_error() -> None:
    assert judge_release(version(False, []), version(True, []), [], TODAY).themes == ()


# --- launch, channels, reporters -----------------------------------------------------------------


def test_launch_noise_decides_nothing() -> None:
    spike = dict.fromkeys(CHANNELS, (300, *((4,) * (NEW_WEEKS - 1))))
    assert outcome(ThemeCounts(1, weekly(4, OLD_WEEKS), spike)).verdict is ReleaseVerdict.UNCHANGED


def test_a_shifted_channel_decides_nothing() -> None:
    """Everybody moves from one channel to the other; the theme does not change."""
    themes = [
        ThemeCounts(1, {"feedback": (8,) * OLD_WEEKS}, {"feedback": (1,) * NEW_WEEKS}),
        ThemeCounts(2, {"github": (8,) * OLD_WEEKS}, {"github": (15,) * NEW_WEEKS}),
    ]
    talk_old = {"feedback": (80,) * OLD_WEEKS, "github": (80,) * OLD_WEEKS}
    talk_new = {"feedback": (10,) * NEW_WEEKS, "github": (150,) * NEW_WEEKS}
    judged = judge_release(
        version(False, themes, reporters=talk_old),
        version(True, themes, reporters=talk_new),
        themes,
        TODAY,
    )
    for said in judged.themes:
        assert said.figures is not None
        assert said.figures.ratio == pytest.approx(1, abs=0.05)
    assert judged.themes[1].verdict is ReleaseVerdict.UNCHANGED


def test_requests_by_channel_are_held_against_their_channel() -> None:
    """One channel is used four times as much; the theme is in the other, and did not change."""
    counts = ThemeCounts(1, {"github": (8,) * OLD_WEEKS}, {"github": (8,) * NEW_WEEKS})
    said = outcome(
        counts,
        {"requests": dict.fromkeys(CHANNELS, (1e6,) * OLD_WEEKS)},
        {"requests": {"feedback": (4e6,) * NEW_WEEKS, "github": (1e6,) * NEW_WEEKS}},
    )
    assert said.verdict is ReleaseVerdict.UNCHANGED
    assert said.figures is not None
    assert said.figures.kind is ExposureKind.REQUESTS
    assert said.figures.ratio == pytest.approx(1, abs=0.05)
    assert said.figures.exposure == (2e6 * (OLD_WEEKS - 1), 5e6 * (NEW_WEEKS - 1))


def test_unsteady_weeks_widen_the_interval() -> None:
    steady = outcome(theme(4, 4))
    bursts = tuple(32 if week % 8 == 1 else 0 for week in range(24))
    wild = ThemeCounts(
        1, dict.fromkeys(CHANNELS, bursts[:OLD_WEEKS]), dict.fromkeys(CHANNELS, bursts[:NEW_WEEKS])
    )
    said = outcome(wild)
    assert said.figures is not None
    assert steady.figures is not None
    assert said.figures.inflation > 3
    assert said.figures.high / said.figures.low > steady.figures.high / steady.figures.low


def test_one_loud_reporter_counts_once() -> None:
    posts = [
        Sighting("loud", 1, "github", NEW_LAUNCH + timedelta(days=8 + i % 20)) for i in range(500)
    ]
    people = [Sighting(f"p{i}", 1, "github", NEW_LAUNCH + timedelta(days=9)) for i in range(3)]
    last = NEW_LAUNCH + timedelta(days=30)
    quiet = count_version("Corvane-5", [posts[0], *people], NEW_LAUNCH, last)
    assert count_version("Corvane-5", posts + people, NEW_LAUNCH, last) == quiet
    assert sum(quiet.themes[1]["github"]) == 4


def test_one_reporter_cannot_be_in_every_theme() -> None:
    spam = [Sighting("loud", i, "github", NEW_LAUNCH) for i in range(40)]
    tally = count_version("Corvane-5", spam, NEW_LAUNCH, NEW_LAUNCH)
    assert tally.version.people == len(tally.themes) == DEFAULT_RULES.themes_per_reporter


def test_whoever_counts_for_a_theme_counts_for_the_version() -> None:
    days = [NEW_LAUNCH + timedelta(days=d) for d in (-1, 0, 8, 9, 20)]
    seen = [
        Sighting(f"p{i % 4}", t, c, d)
        for i, (t, c, d) in enumerate(product((None, 1, 2), CHANNELS, days))
    ]
    tally = count_version("Corvane-5", seen, NEW_LAUNCH, days[-1])
    for weeks_by_channel in tally.themes.values():
        for channel, weeks in weeks_by_channel.items():
            assert all(n <= m for n, m in zip(weeks, tally.version.reporters[channel], strict=True))


def test_reports_dated_before_the_release_are_counted_apart() -> None:
    days = {"early": -5, "zone": -1, "late": 3, "tomorrow": 40}
    seen = [
        Sighting(who, 1, "github", NEW_LAUNCH + timedelta(days=day)) for who, day in days.items()
    ]
    tally = count_version("Corvane-5", seen, NEW_LAUNCH, NEW_LAUNCH + timedelta(days=30))
    assert tally.version.before_launch == 1
    assert tally.themes[1]["github"] == (2, 0, 0, 0, 0)


# --- opposites and probes ------------------------------------------------------------------------


@pytest.mark.parametrize("pair", [(1, 2), (2, 1)])
def test_a_failure_traded_for_its_opposite_is_named(pair: tuple[int, int]) -> None:
    themes = [theme(4, 0, 1), theme(2, 6, 2), theme(4, 4, 3)]
    judged = judge_release(
        version(False, themes), version(True, themes), themes, TODAY, opposites=[pair, (1, 3)]
    )
    assert [(trade.mended, trade.worsened) for trade in judged.trades] == [(1, 2)]
    assert judged.trades[0].line.startswith("Traded")


def test_single_runs_have_wilsons_interval() -> None:
    rate = probe_rate(ProbeRuns((1,) * 6 + (0,) * 14, (1,) * 20))
    assert rate is not None
    exact = stats.binomtest(6, 20).proportion_ci(0.95, "wilson")
    # Between probes the scatter is 20 / 19 of the binomial one.
    assert (rate.low, rate.high) == pytest.approx((exact.low, exact.high), abs=0.01)


def test_runs_of_one_probe_are_not_as_many_witnesses() -> None:
    spread = probe_rate(ProbeRuns((1,) * 10 + (0,) * 10, (1,) * 20))
    alike = probe_rate(ProbeRuns((10, 0), (10, 10)))
    assert spread is not None
    assert alike is not None
    assert alike.high - alike.low > spread.high - spread.low


@pytest.mark.parametrize(
    ("verdict", "old", "new", "agreement"),
    [
        (ReleaseVerdict.FIXED, 18, 0, Agreement.AGREE),
        (ReleaseVerdict.FIXED, 18, 14, Agreement.PROBES_STILL_FAIL),
        (ReleaseVerdict.IMPROVED, 18, 8, Agreement.AGREE),
        (ReleaseVerdict.IMPROVED, 14, 18, Agreement.PROBES_STILL_FAIL),
        (ReleaseVerdict.UNCHANGED, 18, 0, Agreement.FIELD_STILL_FAILS),
        (ReleaseVerdict.UNCHANGED, 18, 17, Agreement.AGREE),
        (ReleaseVerdict.WORSE, 10, 4, Agreement.UNSURE),
        (ReleaseVerdict.NOT_ENOUGH_EVIDENCE, 10, 4, Agreement.UNSURE),
        (ReleaseVerdict.FIXED, 18, None, Agreement.NOT_RUN),
    ],
)
def test_probes_stand_beside_the_field(
    verdict: ReleaseVerdict, old: int, new: int | None, agreement: Agreement
) -> None:
    def ran(failures: int | None) -> ProbeRuns | None:
        if failures is None:
            return None
        return ProbeRuns((1,) * failures + (0,) * (20 - failures), (1,) * 20)

    compared = compare_probes(verdict, ran(old), ran(new))
    assert compared.agreement is agreement
    assert str(agreement) in compared.line.casefold()


def test_impossible_probe_results_are_refused() -> None:
    with pytest.raises(TriageError, match="failures"):
        probe_rate(ProbeRuns((3,), (2,)))
    assert probe_rate(ProbeRuns((), ())) is None


# --- what holds for any figures ------------------------------------------------------------------

COUNTS = st.lists(st.integers(0, 30), min_size=NEW_WEEKS, max_size=NEW_WEEKS).map(tuple)
WEEKLY = st.fixed_dictionaries(dict.fromkeys(CHANNELS, COUNTS))
SWAPPED = {
    ReleaseVerdict.FIXED: ReleaseVerdict.WORSE,
    ReleaseVerdict.IMPROVED: ReleaseVerdict.WORSE,
    ReleaseVerdict.UNCHANGED: ReleaseVerdict.UNCHANGED,
    ReleaseVerdict.NOT_ENOUGH_EVIDENCE: ReleaseVerdict.NOT_ENOUGH_EVIDENCE,
}


def both_ways(
    old: Rows, new: Rows, requests: tuple[float, float] = (1e6, 1e6)
) -> tuple[ThemeOutcome, ThemeOutcome]:
    """Judge old against new and new against old, all else equal on both sides."""

    def judged(before: Rows, after: Rows, used: tuple[float, float]) -> ThemeOutcome:
        one = ThemeCounts(1, before, after)
        changes: list[dict[str, Any]] = [
            {"requests": {ALL_CHANNELS: (use,) * NEW_WEEKS}, "reporters": plus(own, talk)}
            for use, own in zip(used, (before, after), strict=True)
        ]
        old_side, new_side = changes
        return outcome(one, old_side, new_side)

    talk = weekly(30, NEW_WEEKS)
    return judged(old, new, requests), judged(new, old, requests[::-1])


@settings(max_examples=60, deadline=None)
@given(WEEKLY, WEEKLY, st.floats(0.2, 5))
def test_swapping_the_versions_inverts_the_ratio(old: Rows, new: Rows, use: float) -> None:
    one, other = both_ways(old, new, (1e6, use * 1e6))
    assert one.figures is not None
    assert other.figures is not None
    assume(0 < one.figures.ratio < np.inf)
    assert one.figures.ratio * other.figures.ratio == pytest.approx(1, rel=1e-6)
    if one.figures.low > 0:
        assert one.figures.low * other.figures.high == pytest.approx(1, rel=1e-6)
    if one.verdict in (ReleaseVerdict.FIXED, ReleaseVerdict.IMPROVED):
        assert other.verdict is SWAPPED[one.verdict]
    elif one.verdict is ReleaseVerdict.UNCHANGED:
        assert other.verdict is ReleaseVerdict.UNCHANGED


@settings(max_examples=60, deadline=None)
@given(WEEKLY, WEEKLY, st.floats(0.1, 1000))
def test_the_unit_of_exposure_does_not_matter(old: Rows, new: Rows, factor: float) -> None:
    one, _ = both_ways(old, new, (1e6, 2e6))
    other, _ = both_ways(old, new, (factor * 1e6, factor * 2e6))
    assert (one.verdict, one.reason, one.next_check) == (
        other.verdict,
        other.reason,
        other.next_check,
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(1, 6), st.integers(1, 20))
def test_more_of_the_same_never_unfixes(rate: int, more_weeks: int, times: int) -> None:
    """Longer, and at twenty times the traffic: what was fixed at these rates stays fixed."""

    def verdict(weeks: int, scale: int) -> ReleaseVerdict:
        one = ThemeCounts(1, weekly(rate * scale, OLD_WEEKS), weekly(0, weeks))
        news = {
            "reporters": weekly(30 * scale, weeks),
            "requests": {ALL_CHANNELS: (1e6 * scale,) * weeks},
            "last_day": NEW_LAUNCH + timedelta(days=7 * weeks - 1),
        }
        olds = {
            "reporters": weekly((30 + rate) * scale, OLD_WEEKS),
            "requests": {ALL_CHANNELS: (1e6 * scale,) * OLD_WEEKS},
        }
        return outcome(one, olds, news, today=NEW_LAUNCH + timedelta(days=200)).verdict

    assume(verdict(4, 1) is ReleaseVerdict.FIXED)
    assert verdict(4 + more_weeks, 1) is ReleaseVerdict.FIXED
    assert verdict(4, times) is ReleaseVerdict.FIXED


@settings(max_examples=80, deadline=None)
@given(WEEKLY, WEEKLY)
def test_the_interval_holds_the_ratio_and_a_reason_stands_for_every_doubt(
    old: Rows, new: Rows
) -> None:
    said, _ = both_ways(old, new)
    assert (said.reason is None) == (said.verdict is not ReleaseVerdict.NOT_ENOUGH_EVIDENCE)
    if said.figures is not None and not np.isnan(said.figures.ratio):
        assert said.figures.low <= said.figures.ratio <= said.figures.high
    if said.verdict is ReleaseVerdict.FIXED:
        assert said.figures is not None
        assert said.figures.high <= DEFAULT_RULES.fixed_ratio
    assert said.lines[0].endswith(f"{said.verdict}.")


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcdef"),
            st.sampled_from([None, 1, 2, 3]),
            st.sampled_from(CHANNELS),
            st.integers(-4, 40),
        ),
        max_size=40,
    ),
    st.randoms(use_true_random=False),
)
def test_order_and_repetition_of_reports_change_nothing(rows: list[Any], random: Any) -> None:
    seen = [Sighting(w, t, c, NEW_LAUNCH + timedelta(days=d)) for w, t, c, d in rows]
    again = seen + seen[: len(seen) // 2]
    random.shuffle(again)
    last = NEW_LAUNCH + timedelta(days=30)
    one = count_version("Corvane-5", seen, NEW_LAUNCH, last)
    other = count_version("Corvane-5", again, NEW_LAUNCH, last)
    assert one.version.people == other.version.people
    assert {k: sum(map(sum, v.values())) for k, v in one.themes.items()} == {
        k: sum(map(sum, v.values())) for k, v in other.themes.items()
    }
