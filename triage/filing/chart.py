"""Reports per week as a Mermaid chart; made of numbers and dates only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

MAX_WEEKS = 26
_HEADING = "### Reports per week"
_FEW_WEEKS = 12  # more labels than this overlap when they are dates, seen at GitHub's width
_WHOLE_TICKS = 8  # below this, Mermaid marks half reports on the axis
# The default bars are so pale that they vanish on GitHub's dark page.
_LOOK = (
    '{"xyChart": {"width": 800, "height": 240}, '
    '"themeVariables": {"xyChart": {"plotColorPalette": "#4c8bd9"}}}'
)


def reports_per_week(weeks: Mapping[date, int]) -> str:
    """A bar for every week, the latest 26 at most; ``weeks`` maps Mondays to counts."""
    if not weeks:
        return f"{_HEADING}\n\nNo dated reports."
    mondays = sorted(weeks)
    shown = mondays[-MAX_WEEKS:]
    dated = len(shown) <= _FEW_WEEKS
    labels = ", ".join(f'"{_label(monday, dated)}"' for monday in shown)
    bars = ", ".join(str(max(0, weeks[monday])) for monday in shown)
    highest = max(_WHOLE_TICKS, *(weeks[monday] for monday in shown))
    axis = "week from" if dated else f"ISO week, {shown[0]} to {shown[-1]}"
    earlier = sum(weeks[monday] for monday in mondays[:-MAX_WEEKS])
    note = f"\n\n{earlier} earlier reports are not drawn." if earlier else ""
    return (
        f"{_HEADING}\n\n```mermaid\n"
        f"%%{{init: {_LOOK}}}%%\n"
        "xychart-beta\n"
        f'    x-axis "{axis}" [{labels}]\n'
        f'    y-axis "reports" 0 --> {highest}\n'
        f"    bar [{bars}]\n```{note}"
    )


def _label(monday: date, dated: bool) -> str:
    return monday.strftime("%m-%d") if dated else f"{monday.isocalendar().week:02d}"
