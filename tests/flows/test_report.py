"""The report page over a real database: what is on it, where it is kept, who may read it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup
from typer.testing import CliRunner

from flows.embed_reports import embedding_name, open_embedder
from flows.write_report import draft_report, keep_first_page, keep_page
from tests.flows.seeding import NOW, seed_theme
from triage.cli import app
from triage.store.embeddings import ensure_space, save_vectors
from triage.store.mapping import load_arrivals_by_week, load_dots
from triage.store.themes import save_blocker
from triage.workspace import Workspace


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    """Two themes, of four people and of one, whose reports have vectors of the present model."""
    ids = [
        seed_theme(workspace.database, "parcels"),
        seed_theme(workspace.database, "zebra", people=1),
    ]
    model, _, revision = embedding_name(open_embedder(workspace)).partition("@")
    chance = np.random.default_rng(1)
    with workspace.database.session() as session:
        save_blocker(session, ids[0], "not coherent: 0.10, needs 0.50")
        space = ensure_space(session, model=model, revision=revision, dimensions=8)
        vectors = {
            dot.fingerprint: chance.random(8, dtype=np.float32) for dot in load_dots(session)
        }
        save_vectors(session, space, vectors)
    return workspace


def test_the_page_shows_what_the_database_holds_and_withholds_what_it_must(
    filled: Workspace,
) -> None:
    html, counts = draft_report(filled, now=NOW)
    assert counts == {"themes": 2, "without words": 1, "reports drawn": 5}
    found = BeautifulSoup(html, "html.parser")
    [first, second] = found.select("table.themes tbody tr")
    assert "parcels fails" in first.text
    assert "4" in first.select("strong")[0].text
    assert "not coherent: 0.10" in first.text
    assert "zebra" not in html
    assert "words are shown from 3 on" in second.text
    data = json.loads(found.select("#data")[0].get_text())
    assert data["versions"] == ["corvane-4.2"]
    assert data["themes"][0][1] == [[0, 0, 4]]
    assert html == draft_report(filled, now=NOW)[0]
    privacy = filled.config.privacy.model_copy(update={"min_reporters": 1})
    open_minded = replace(filled, config=filled.config.model_copy(update={"privacy": privacy}))
    assert "zebra" in draft_report(open_minded, now=NOW)[0]


def test_without_vectors_of_the_present_model_there_is_a_page_without_a_map(
    workspace: Workspace,
) -> None:
    seed_theme(workspace.database, "parcels")
    html, counts = draft_report(workspace, now=NOW)
    assert counts["reports drawn"] == 0
    assert "parcels fails" in html
    assert "<canvas" not in html


def test_people_are_counted_in_the_week_of_their_first_report(filled: Workspace) -> None:
    with filled.database.session() as session:
        arrivals = load_arrivals_by_week(session)
    assert sorted(sum(weeks.values()) for weeks in arrivals.values()) == [1, 4]
    assert {monday.weekday() for weeks in arrivals.values() for monday in weeks} == {0}


def test_the_kept_page_is_whole_and_for_its_owner_alone(filled: Workspace) -> None:
    keep_page(filled, NOW)
    assert filled.page_path.read_text("utf-8").endswith("</html>")
    assert filled.page_path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in filled.page_path.parent.iterdir()] == ["index.html"]


@pytest.mark.usefixtures("environment")
def test_the_first_page_is_written_once_and_the_command_writes_any_other(
    filled: Workspace, tmp_path: Path
) -> None:
    keep_first_page()
    written = filled.page_path.stat().st_mtime_ns
    keep_first_page()
    assert filled.page_path.stat().st_mtime_ns == written
    target = tmp_path / "other.html"
    done = CliRunner().invoke(app, ["report", "-o", str(target)])
    assert done.exit_code == 0, done.output
    assert f"{datetime.now(UTC):%Y-%m-%d}" in target.read_text("utf-8")
