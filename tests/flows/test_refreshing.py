"""Counts follow every change of a theme's reports; words and mean vector only a large one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from flows.corpus import load_corpus, require_space
from flows.update_themes import refresh
from tests.flows.topics import take_in, themes_of, topic_reports
from triage.store.embeddings import load_vectors, save_vectors
from triage.store.members import move_members
from triage.store.reports import load_theme_reports
from triage.store.themes import described_members, load_theme, load_theme_centres
from triage.types import CleanReport
from triage.workspace import Workspace


def base() -> list[CleanReport]:
    return [report for number in range(20) for report in topic_reports(f"topic{number}", 12)]


def centre(workspace: Workspace, theme_id: int) -> NDArray[np.float32]:
    with workspace.database.session() as session:
        return load_theme_centres(session)[theme_id]


def described(workspace: Workspace, theme_id: int) -> int:
    """How many reports the theme had when it was described."""
    with workspace.database.session() as session:
        return described_members(session)[theme_id]


def counted(workspace: Workspace, theme_id: int) -> int:
    with workspace.database.session() as session:
        return load_theme(session, str(theme_id)).profile.reports


def mean_of_core(workspace: Workspace, theme_id: int) -> NDArray[np.float32]:
    with workspace.database.session() as session:
        core = load_theme_reports(session, [theme_id])[theme_id]
        return np.asarray(load_corpus(workspace, session).rows(core).mean(axis=0))


def test_a_new_theme_has_the_mean_vector_of_its_core(workspace: Workspace) -> None:
    take_in(workspace, base())
    take_in(workspace, topic_reports("new", 8))
    for name in ("topic1-en-0", "new-en-0"):
        theme_id = themes_of(workspace)[name]
        mean = mean_of_core(workspace, theme_id)
        np.testing.assert_allclose(centre(workspace, theme_id), mean, atol=1e-6)


def test_few_more_reports_are_counted_and_change_no_words(workspace: Workspace) -> None:
    take_in(workspace, base())
    theme_id = themes_of(workspace)["topic1-en-0"]
    before = counted(workspace, theme_id), described(workspace, theme_id)
    where = centre(workspace, theme_id)
    assert take_in(workspace, topic_reports("topic1", 2, first=12))["joined"] == 2
    assert counted(workspace, theme_id) == before[0] + 2
    assert described(workspace, theme_id) == before[1]
    np.testing.assert_array_equal(centre(workspace, theme_id), where)


def test_a_theme_that_grew_much_is_described_anew(workspace: Workspace) -> None:
    take_in(workspace, base())
    theme_id = themes_of(workspace)["topic1-en-0"]
    where = centre(workspace, theme_id)
    take_in(workspace, topic_reports("topic1", 10, first=12))
    assert described(workspace, theme_id) == counted(workspace, theme_id) > 18
    assert not np.array_equal(centre(workspace, theme_id), where)
    mean = mean_of_core(workspace, theme_id)
    np.testing.assert_allclose(centre(workspace, theme_id), mean, atol=1e-6)


def test_a_theme_that_lost_much_is_described_anew(workspace: Workspace) -> None:
    take_in(workspace, base())
    themes = themes_of(workspace)
    theme_id, other = themes["topic1-en-0"], themes["topic2-en-0"]
    with workspace.database.session() as session:
        found = load_theme(session, str(theme_id)).text
        named = {found.medoid_id, *found.exemplar_ids}
        members = load_theme_reports(session, [theme_id])[theme_id]
        # those that its text quotes stay, so that only its size says that it is another one
        leaving = [r.report_id for r in members if r.report_id not in named]
        move_members(session, leaving, other)
    refresh(workspace)
    assert described(workspace, theme_id) == counted(workspace, theme_id) == len(named)
    mean = mean_of_core(workspace, theme_id)
    np.testing.assert_allclose(centre(workspace, theme_id), mean, atol=1e-6)


def test_a_revised_text_counts_once_it_has_a_vector(workspace: Workspace) -> None:
    take_in(workspace, base())
    theme_id = themes_of(workspace)["topic1-en-0"]
    before = counted(workspace, theme_id)
    with workspace.database.session() as session:
        session.execute(
            text(
                "UPDATE report SET fingerprint = 'revised', content_digest = 'revised' "
                "WHERE external_id = 'topic1-en-0'"
            )
        )
    refresh(workspace)
    assert counted(workspace, theme_id) == before - 1
    with workspace.database.session() as session:
        space_id = require_space(workspace, session)
        assert space_id is not None
        rest = load_theme_reports(session, [theme_id])[theme_id]
        keys = [report.fingerprint for report in rest if report.fingerprint != "revised"]
        vector = load_vectors(session, space_id, keys)[keys[0]]
        save_vectors(session, space_id, {"revised": vector})
    refresh(workspace)
    assert counted(workspace, theme_id) == before
