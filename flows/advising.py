"""What an LLM adds to the themes once they stand: their words, and advice on doubtful merges."""

from __future__ import annotations

from flows.comparing import advise_on_merges
from flows.showing import ShowProgress, silent
from flows.wording import word_themes
from triage.workspace import Workspace


def ask_llm_about_themes(
    workspace: Workspace, *, progress: ShowProgress = silent
) -> dict[str, int]:
    """Word the themes and advise on proposed merges; without an LLM nothing is done.

    Neither changes which report is in which theme. Call it outside of any transaction.
    """
    worded = word_themes(workspace, progress=progress)
    return worded | advise_on_merges(workspace, progress=progress)
