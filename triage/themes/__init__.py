"""Durable themes: who joins which, how a theme reads, and what can be counted about it."""

from triage.themes.describing import describe
from triage.themes.joining import is_backed, join_theme, join_themes
from triage.themes.profiling import profile
from triage.themes.wording import Background, count_background, words_of

__all__ = [
    "Background",
    "count_background",
    "describe",
    "is_backed",
    "join_theme",
    "join_themes",
    "profile",
    "words_of",
]
