"""The colours of the labels that the tracker creates."""

from __future__ import annotations

import re

from triage.types import Priority, Verdict

_COLOURS = {
    Verdict.QUICK_FIX.value: "0e8a16",
    Verdict.FUNDAMENTAL.value: "5319e7",
    Verdict.UNDECIDED.value: "bfbfbf",
    Priority.P0.value: "b60205",
    Priority.P1.value: "d93f0b",
    Priority.P2.value: "fbca04",
    Priority.P3.value: "c2e0c6",
}
_OTHER_COLOUR = "1d76db"


def label_colour(name: str) -> str:
    """Six hex digits: verdicts and priorities tell apart at a glance, all else is blue.

    ``priority: P0`` and ``P0`` look alike, whatever prefix the configuration chose.
    """
    last_word = re.split(r"[\s:/]+", name.strip())[-1]
    return _COLOURS.get(last_word, _OTHER_COLOUR)
