"""Another embedding model takes the themes over, or leaves everything as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flows.corpus import load_corpus
from flows.embed_reports import open_embedder, open_space
from flows.update_themes import update
from tests.flows.topics import KnownSize, grouping, take_in, themes_of, topic_reports, vector_of
from triage.errors import CanaryFailed, EmbeddingError
from triage.store.embeddings import save_vectors
from triage.types import CleanReport
from triage.workspace import Workspace


def reports() -> list[CleanReport]:
    """Twenty topics of twelve reports each."""
    return [report for number in range(20) for report in topic_reports(f"topic{number}", 12)]


def with_another_model(workspace: Workspace) -> Workspace:
    """The same installation; without the adapter every vector is another one."""
    settings = workspace.settings.model_copy(update={"embedding_adapter": "none"})
    return replace(workspace, settings=settings)


def embed(workspace: Workspace, stored: list[CleanReport], *, garbled: bool = False) -> None:
    """Give reports vectors of the present model: turned in space, or of no meaning at all."""
    draws = np.random.default_rng(5)
    turn = np.linalg.qr(draws.normal(size=(384, 384)))[0]
    vectors = {}
    for report in stored:
        row = draws.normal(size=384) if garbled else vector_of(report) @ turn
        vectors[report.fingerprint] = (row / np.linalg.norm(row)).astype(np.float32)
    space_id = open_space(workspace, KnownSize(workspace))
    with workspace.database.session() as session:
        save_vectors(session, space_id, vectors)


def test_a_process_has_one_model_in_memory_that_of_the_settings(workspace: Workspace) -> None:
    embedder = open_embedder(workspace)
    assert open_embedder(replace(workspace)) is embedder
    other = open_embedder(with_another_model(workspace))
    assert other.revision != embedder.revision
    assert open_embedder(workspace).revision == embedder.revision


def test_themes_are_carried_over_to_a_model_that_sees_the_same(workspace: Workspace) -> None:
    take_in(workspace, reports())
    before = themes_of(workspace)
    another = with_another_model(workspace)
    embed(another, reports())
    update(another)
    after = themes_of(another)
    assert before
    assert {name: after[name] for name in before} == before
    take_in(another, topic_reports("topic3", 6, first=40))
    assert len(grouping(another)) == len(grouping(workspace))


def test_a_model_that_tells_nothing_apart_is_stopped_and_nothing_changes(
    workspace: Workspace,
) -> None:
    take_in(workspace, reports())
    before = themes_of(workspace)
    another = with_another_model(workspace)
    embed(another, reports(), garbled=True)
    with pytest.raises(CanaryFailed, match="of the same theme"):
        update(another)
    assert themes_of(workspace) == before
    with another.database.session() as session, pytest.raises(EmbeddingError, match="carried over"):
        load_corpus(another, session)
    assert update(workspace)["open themes"] == len(set(before.values()))


def test_the_switch_waits_until_every_report_has_a_vector(workspace: Workspace) -> None:
    take_in(workspace, reports())
    another = with_another_model(workspace)
    embed(another, reports()[:100])
    with pytest.raises(CanaryFailed, match="140 reports have no vector"):
        update(another)
    embed(another, reports()[100:])
    update(another)
    with another.database.session() as session:
        assert load_corpus(another, session).reports


def test_a_person_may_accept_a_model_that_the_canary_dislikes(workspace: Workspace) -> None:
    take_in(workspace, reports())
    another = with_another_model(workspace)
    policy = another.config.policy.model_copy(update={"canary_share": 0.0})
    bold = replace(another, config=another.config.model_copy(update={"policy": policy}))
    embed(bold, reports(), garbled=True)
    assert update(bold)["open themes"] >= 20


def test_going_back_to_the_former_model_is_a_switch_too(workspace: Workspace) -> None:
    take_in(workspace, reports())
    before = themes_of(workspace)
    another = with_another_model(workspace)
    embed(another, reports())
    update(another)
    update(workspace)
    assert {name: themes_of(workspace)[name] for name in before} == before
    with workspace.database.session() as session:
        assert load_corpus(workspace, session).reports
