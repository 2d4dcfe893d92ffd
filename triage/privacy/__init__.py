"""Privacy: whose words may be shown where, what is sensitive, what a forgotten report left behind.

No I/O. ``showing`` decides on quotes, ``sensitive`` on themes, ``traces`` names what to look for
after something was forgotten, ``tombstones`` keeps it from coming back.
"""

from triage.privacy.sensitive import SENSITIVE, Signs, sensitivity
from triage.privacy.showing import (
    NOT_QUOTED,
    QUOTES_HEADING,
    withheld_because,
    withheld_in,
    without_words,
    without_words_of_reports,
)
from triage.privacy.tombstones import supporter_tombstone, tombstone, tombstones_of
from triage.privacy.traces import Needles, needles_of, squeezed

__all__ = [
    "NOT_QUOTED",
    "QUOTES_HEADING",
    "SENSITIVE",
    "Needles",
    "Signs",
    "needles_of",
    "sensitivity",
    "squeezed",
    "supporter_tombstone",
    "tombstone",
    "tombstones_of",
    "withheld_because",
    "withheld_in",
    "without_words",
    "without_words_of_reports",
]
