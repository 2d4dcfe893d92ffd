"""The optional LLM step of the theme stage: titles and summaries, each sentence with its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flows.distilling import (
    MOST_RUNS,
    ask_and_keep,
    load_phrases,
    open_llm,
    rest_since,
    spending,
)
from flows.showing import ShowProgress, silent
from triage.config.model import TriageConfig
from triage.database import Session
from triage.distilling import WORDING_PROMPT, Asker, ThemeMaterial, wording_question
from triage.store.llm_answers import apply_wording, load_resting, load_wordings, save_wording
from triage.store.reports import load_reports
from triage.store.themes import load_themes
from triage.types import Report, Theme, ThemeText, ThemeWording
from triage.workspace import Workspace


@dataclass(frozen=True, slots=True)
class _Draft:
    """A theme, what it is worded from, and its reports' ids in the prompt and outside."""

    theme: Theme
    material: ThemeMaterial
    external_ids: dict[str, str]


def word_themes(workspace: Workspace, *, progress: ShowProgress = silent) -> dict[str, int]:
    """Give open themes the title and summary that an LLM words from their exemplars.

    Call it after a transaction that described themes, never within one: answers are waited for
    without any open. A theme is asked about once for the same exemplars, so only when it was
    described anew; those with the most reporters first. Where nothing usable comes back, the
    reporters' own words stay. Returns counts; without an endpoint, none. Raises nothing for what
    the endpoint does.
    """
    asker, said = open_llm(workspace)
    if asker is None:
        return said
    asked = {"prompt_version": WORDING_PROMPT.version, "llm_model": asker.endpoint.model}
    with workspace.database.stage_lock("wording"):
        with workspace.database.session() as session:
            drafts = _load_drafts(session, workspace)
            known = load_wordings(session, [d.material.hash for d in drafts], **asked)
            resting = load_resting(session, **asked, most_runs=MOST_RUNS, since=rest_since())
        questions = {
            draft.material.hash: wording_question(draft.material)
            for draft in drafts
            if draft.material.hash not in known and draft.material.hash not in resting
        }

        def keep(session: Session, key: str, wording: ThemeWording) -> None:
            save_wording(session, key, wording, **asked)

        counts = ask_and_keep(
            workspace,
            asker,
            questions,
            keep,
            ("themes worded", "themes not worded"),
            progress=progress,
        )
        with workspace.database.session() as session:
            _apply(session, drafts, asker)
    return {**counts, **spending(asker, "themes")}


def _load_drafts(session: Session, workspace: Workspace) -> list[_Draft]:
    themes = load_themes(session)
    themes.sort(key=lambda theme: (-theme.profile.distinct_reporters, theme.theme_id))
    wanted = {report_id for theme in themes for report_id in theme.text.exemplar_ids}
    reports = {report.report_id: report for report in load_reports(session, wanted)}
    phrases = {
        key: found.failure for key, found in load_phrases(session, workspace.settings).items()
    }
    drafts = []
    for theme in themes:
        exemplars = [reports[i] for i in theme.text.exemplar_ids if i in reports]
        if exemplars:
            drafts.append(_draft(theme, exemplars, phrases, workspace.config))
    return drafts


def _draft(
    theme: Theme, exemplars: Sequence[Report], phrases: dict[str, str], config: TriageConfig
) -> _Draft:
    numbered = {f"R{number}": report for number, report in enumerate(exemplars, start=1)}
    named = {name for r in exemplars for name in (r.model_written, r.model_version, r.environment)}
    family = {config.family.title, config.family.lab}
    versions = {name for one in config.versions for name in (one.name, *one.aliases)}
    material = ThemeMaterial(
        texts={key: report.failure_text for key, report in numbered.items()},
        failures={
            key: phrases[report.fingerprint]
            for key, report in numbered.items()
            if report.fingerprint in phrases
        },
        names=frozenset(name for name in named | family | versions if name),
    )
    return _Draft(theme, material, {key: r.external_id for key, r in numbered.items()})


def _apply(session: Session, drafts: Sequence[_Draft], asker: Asker) -> None:
    """Write what is known now; a theme that was described anew meanwhile waits for the next run."""
    wordings = load_wordings(
        session,
        [draft.material.hash for draft in drafts],
        prompt_version=WORDING_PROMPT.version,
        llm_model=asker.endpoint.model,
    )
    for draft in drafts:
        wording = wordings.get(draft.material.hash)
        if wording is not None:
            text = _worded(draft, wording, asker.endpoint.model)
            if text != draft.theme.text:
                apply_wording(session, draft.theme.theme_id, text)


def _worded(draft: _Draft, wording: ThemeWording, llm_model: str) -> ThemeText:
    """The description with the usable title, and the usable sentences with their sources."""
    sentences = [
        f"{sentence.text}. [{', '.join(draft.external_ids[key] for key in sentence.report_ids)}]"
        for sentence in wording.sentences
    ]
    text = draft.theme.text
    return replace(
        text,
        title=wording.title or text.title,
        summary=" ".join(sentences) or text.summary,
        worded_by=llm_model,
    )
