"""From counts by name to arrays: which weeks count, and which kind of exposure is held against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from triage.verification.comparison import Panel
from triage.verification.counts import (
    ALL_CHANNELS,
    ExposureKind,
    ThemeCounts,
    VersionCounts,
    Weekly,
)
from triage.verification.ratio import Floats
from triage.verification.rules import VerificationRules

# Requests must be known for the weeks of at least this share of a version's reports.
LEAST_COVERAGE = 0.5


def channels_of(old: VersionCounts, new: VersionCounts) -> tuple[str, ...]:
    """All channels in which anybody wrote about either version, in alphabetical order."""
    return tuple(sorted({*old.reporters, *new.reporters})) or (ALL_CHANNELS,)


def make_panel(
    old: VersionCounts,
    new: VersionCounts,
    themes: Sequence[ThemeCounts],
    rules: VerificationRules,
) -> Panel:
    """The arrays of a release; launch weeks and weeks of unknown exposure have exposure 0."""
    channels = channels_of(old, new)
    weeks = max(
        (len(row) for version in (old, new) for row in version.reporters.values()), default=1
    )
    by_channel = _knows_channels(old, channels) and _knows_channels(new, channels)
    counts = [
        np.stack([_table(weekly, channels, weeks) for weekly in side])
        for side in ([theme.old for theme in themes], [theme.new for theme in themes])
    ]
    after = [_after_launch(version, weeks, rules) for version in (old, new)]
    requests = [
        _requests(version, channels, weeks, by_channel=by_channel) * kept
        for version, kept in zip((old, new), after, strict=True)
    ]
    reporters = [
        _table(version.reporters, channels, weeks) * kept
        for version, kept in zip((old, new), after, strict=True)
    ]
    return Panel(
        counts[0],
        counts[1],
        requests[0],
        requests[1],
        reporters[0],
        reporters[1],
        by_channel,
    )


def kind_of(panel: Panel) -> ExposureKind:
    """Requests where they are known for most of what was reported, else all reports."""
    for requests, reporters in (
        (panel.old_requests, panel.old_reporters),
        (panel.new_requests, panel.new_reporters),
    ):
        covered = np.where(requests > 0, reporters, 0.0).sum()
        if not requests.any() or covered < LEAST_COVERAGE * reporters.sum():
            return ExposureKind.REPORTS
    return ExposureKind.REQUESTS


def exposure_totals(panel: Panel, kind: ExposureKind) -> tuple[float, float]:
    """How much the old and the new version were used, in requests or in people who reported."""
    if kind is ExposureKind.REPORTS:
        return float(panel.old_reporters.sum()), float(panel.new_reporters.sum())
    repeats = 1 if panel.requests_by_channel else panel.old_requests.shape[-2]
    return float(panel.old_requests.sum() / repeats), float(panel.new_requests.sum() / repeats)


def _knows_channels(version: VersionCounts, channels: tuple[str, ...]) -> bool:
    return version.requests is not None and set(channels) <= set(version.requests)


def _table(weekly: Weekly, channels: tuple[str, ...], weeks: int) -> Floats:
    table = np.zeros((len(channels), weeks))
    for row, channel in enumerate(channels):
        counts = weekly.get(channel, ())[:weeks]
        table[row, : len(counts)] = counts
    return table


def _requests(
    version: VersionCounts, channels: tuple[str, ...], weeks: int, *, by_channel: bool
) -> Floats:
    table = np.zeros((len(channels), weeks))
    if version.requests is None:
        return table
    named = {name: [v or 0.0 for v in row][:weeks] for name, row in version.requests.items()}
    if by_channel:
        for row, channel in enumerate(channels):
            table[row, : len(named[channel])] = named[channel]
        return table
    if ALL_CHANNELS in version.requests:
        table[:, : len(named[ALL_CHANNELS])] = named[ALL_CHANNELS]
        return table
    # A week that one channel does not know is unknown in sum as well.
    for week in range(weeks):
        parts = [row[week] if week < len(row) else None for row in version.requests.values()]
        table[:, week] = 0.0 if None in parts else sum(part or 0.0 for part in parts)
    return table


def _after_launch(version: VersionCounts, weeks: int, rules: VerificationRules) -> Floats:
    quiet = rules.launch_weeks if version.launched is not None else 0
    return (np.arange(weeks) >= quiet).astype(np.float64)
