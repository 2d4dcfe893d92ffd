"""Durable themes: who joins which, how they change, how they read, what is counted about them."""

from triage.themes.anchoring import choose_anchors, join_thresholds
from triage.themes.bonds import barred, standing, theme_of_side, without_foes
from triage.themes.canary import choose_canary, fellowship
from triage.themes.changes import People, Standing, draft_changes
from triage.themes.comparing import NO_THEME, Comparison, compare, find_homes
from triage.themes.describing import describe
from triage.themes.founding import founding_blocker, without_floods
from triage.themes.grouping import group_themes
from triage.themes.joining import is_backed, join_theme, join_themes, themes_around
from triage.themes.likeness import unite_alike
from triage.themes.profiling import core_of, profile
from triage.themes.strays import Stray, find_strays
from triage.themes.wording import Background, count_background, words_of

__all__ = [
    "NO_THEME",
    "Background",
    "Comparison",
    "People",
    "Standing",
    "Stray",
    "barred",
    "choose_anchors",
    "choose_canary",
    "compare",
    "core_of",
    "count_background",
    "describe",
    "draft_changes",
    "fellowship",
    "find_homes",
    "find_strays",
    "founding_blocker",
    "group_themes",
    "is_backed",
    "join_theme",
    "join_themes",
    "join_thresholds",
    "profile",
    "standing",
    "theme_of_side",
    "themes_around",
    "unite_alike",
    "without_floods",
    "without_foes",
    "words_of",
]
