"""Forgetting: everything of a report or a person goes, does not come back, and it is proved."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from flows.collect_reports import ingest
from flows.correcting import apply_corrections
from flows.file_issues import file
from flows.forgetting import Forgotten, find_target, forget
from flows.sync_issues import sync
from tests.flows.seeding import NOW, seed_theme
from tests.integration.github.fixtures import EmulatedRepository
from tests.integration.github.proxy import GitHubProxy
from triage.cleaning import hash_author
from triage.cli import app
from triage.errors import AmbiguousName, UnknownReport
from triage.privacy.traces import squeezed
from triage.store.anchors import load_anchors
from triage.store.audit import load_audit
from triage.store.decisions import load_decisions, save_decision
from triage.store.distillations import StoredDistillation, save_distillations
from triage.store.embeddings import ensure_space, save_vectors
from triage.store.issues import load_issues
from triage.store.landmarks import add_landmarks
from triage.store.members import add_members
from triage.store.probes import ProbeResult, save_probe_results
from triage.store.reports import load_reports
from triage.store.saving import save_reports
from triage.store.themes import load_theme, save_description
from triage.types import CleanReport, EvidenceItem, Kind, ThemeStatus, ThemeText
from triage.workspace import Workspace

AUTHOR = "Ana Pereira"
SECRET_WORDS = "The assistant told my neighbour about the blue house with the crooked chimney"
ERROR = "ChimneyError: crooked house 4711 is not square"
PHRASE = "tells a neighbour about a crooked chimney of a blue house"


def report(workspace: Workspace, external_id: str = "CHIMNEY-0042", **changes: Any) -> CleanReport:
    plain = CleanReport(
        origin="files",
        external_id=external_id,
        channel="user",
        kind=Kind.USER,
        created_at=NOW,
        title=SECRET_WORDS,
        body=f"{SECRET_WORDS}.\n\n{ERROR}",
        failure_text=SECRET_WORDS,
        fingerprint="f" * 63 + "1",
        error_signatures=(ERROR,),
        prompt=f"Tell nobody: {SECRET_WORDS}",
        response="I told everybody in the street about that chimney",
        author_hash=hash_author(AUTHOR, workspace.hash_key),
    )
    return replace(plain, **changes)


def seed_everywhere(workspace: Workspace) -> tuple[int, int]:
    """A theme that one report left its traces in, wherever one can; its and the report's number."""
    theme_id = seed_theme(workspace.database, "parser")
    with workspace.database.session() as session:
        own = report(workspace)
        (number,) = save_reports(session, [own]).added
        add_members(session, {theme_id: {number: 0.9}}, joined_by="cluster")
        theme = load_theme(session, f"T{theme_id}")
        described = ThemeText(
            SECRET_WORDS[:60] + "…",
            f"{SECRET_WORDS}. [CHIMNEY-0042]",
            ("chimney",),
            number,
            (number, *theme.text.exemplar_ids),
        )
        save_description(session, theme_id, described, members=5)
        space = ensure_space(session, model="m", revision="1", dimensions=3)
        vector = np.array([0.6, 0.8, 0.0], dtype=np.float32)
        save_vectors(session, space, {own.fingerprint: vector})
        add_landmarks(session, space, {own.fingerprint: vector})
        answers = {own.fingerprint: StoredDistillation(PHRASE, "model")}
        save_distillations(session, answers, prompt_version="p", llm_model="m")
        decision = load_decisions(session)[theme_id]
        shown = f"1 of 5 reports show the error “{ERROR}”"
        evidence = (EvidenceItem("error signature", shown, -0.8),)
        save_decision(session, theme_id, replace(decision, reasons=(shown,), evidence=evidence))
        results = [ProbeResult(theme_id, "corvane-4.2", "CHIMNEY-0042", 3, 2)]
        save_probe_results(session, results)
        for statement in (
            "INSERT INTO rejected (origin, place, field, problem, remedy, excerpt, digest) VALUES "
            f"('files', 'a line 1', 'id', 'x', 'y', '{SECRET_WORDS[:70]}', 'd')",
            "INSERT INTO wording VALUES ('p', 'm', 'h', 'A paraphrase of it', '[]', now())",
            "INSERT INTO pair_answer VALUES ('p', 'm', 'a', 'b', true, 'both chimneys', now())",
            f"INSERT INTO theme_anchor VALUES ({theme_id}, '{own.fingerprint}')",
            f"INSERT INTO reading VALUES ('r', '{own.fingerprint}', '{{0.1}}', '{{0.2}}')",
            "INSERT INTO bond (kind, left_reports, right_reports, left_theme, right_theme) VALUES "
            f"('apart', '{{{number}, 1}}', '{{2}}', {theme_id}, {theme_id})",
        ):
            session.execute(text(statement.replace(":", "\\:")))
    words = {"priority": "P1"}
    apply_corrections(
        workspace, f"T{theme_id}", words, author="mira", because=f"CHIMNEY-0042 says: {ERROR}"
    )
    return theme_id, number


def run_forget(workspace: Workspace, name: str, **options: Any) -> Forgotten:
    target = find_target(workspace, name, options.pop("kind", None))
    return forget(workspace, target, who="mira", pause_seconds=0, apply=lambda _: None, **options)


def whole_database(workspace: Workspace) -> str:
    """Every row of every table as text."""
    with workspace.database.session() as session:
        tables = session.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).scalars()
        return "\n".join(
            str(row)
            for table in list(tables)
            for row in session.execute(text(f'SELECT to_jsonb(t)::text FROM "{table}" t')).scalars()
        )


def found_in(whole: str) -> list[str]:
    wanted = [SECRET_WORDS[:40], ERROR, PHRASE, "I told everybody", "crooked chimney"]
    clean = squeezed(whole)
    return [words for words in wanted if squeezed(words) in clean]


def test_a_forgotten_report_is_found_nowhere_and_the_rest_stays(workspace: Workspace) -> None:
    theme_id, number = seed_everywhere(workspace)
    file(workspace, dry_run=True)
    draft = workspace.drafts_folder / f"T{theme_id}.md"
    assert "chimney" in draft.read_text("utf-8")
    assert found_in(whole_database(workspace))
    done = run_forget(workspace, "CHIMNEY-0042")
    assert done.left == 0, [search for search in done.proof if search.found]
    whole = whole_database(workspace)
    assert found_in(whole) == []
    for name in ("CHIMNEY-0042", "f" * 63 + "1", hash_author(AUTHOR, workspace.hash_key)):
        assert name not in whole
    assert not draft.exists()
    tables = "embedding landmark distillation wording pair_answer reading rejected probe_result"
    assert {*tables.split(), "theme_anchor", "decision"} <= done.removed.keys()
    with workspace.database.session() as session:
        assert len(load_reports(session)) == 4
        theme = load_theme(session, f"T{theme_id}")
        assert theme.status is ThemeStatus.OPEN
        assert theme.profile.distinct_reporters == 4
        assert theme.profile.error_signatures == {}
        assert number not in theme.text.exemplar_ids
        assert len(load_anchors(session)[theme_id]) == 4
        (entry,) = load_audit(session, action="forgot")
        assert (entry.who, entry.subjects) == ("mira", (f"#{number}",))


def test_the_search_finds_what_is_left_in_any_table_also_of_somebody_elses(
    workspace: Workspace,
) -> None:
    seed_everywhere(workspace)
    with workspace.database.session() as session:
        session.execute(text("CREATE TABLE elsewhere (said bytea, near vector, kept text[])"))
        session.execute(
            text("INSERT INTO elsewhere VALUES (:said, '[0.6,0.8,0]', ARRAY['CHIMNEY-0042'])"),
            {"said": SECRET_WORDS.upper().encode()},
        )
    done = run_forget(workspace, "CHIMNEY-0042")
    left = {(search.kind, search.column) for search in done.proof if search.found}
    assert left == {("text", "said"), ("vector", "near")}  # the array was mended, in any table


def test_what_others_said_too_stays_theirs(workspace: Workspace) -> None:
    seed_everywhere(workspace)
    with workspace.database.session() as session:
        other = report(workspace, "OTHER-77", author_hash="somebody else", prompt=None)
        (number,) = save_reports(session, [replace(other, response=None)]).added
        session.execute(
            text("UPDATE report SET duplicate_of = :root WHERE report_id = :own"),
            {"root": number - 1, "own": number},
        )
    done = run_forget(workspace, "CHIMNEY-0042")
    assert done.left == 0
    assert done.shared_pieces > 0
    with workspace.database.session() as session:
        (kept,) = [r for r in load_reports(session) if r.external_id == "OTHER-77"]
    assert kept.title == SECRET_WORDS
    assert kept.duplicate_of is None
    assert "I told everybody" not in whole_database(workspace)


def line(external_id: str, author: str | None = None, body: str = SECRET_WORDS) -> str:
    return json.dumps({"id": external_id, "body": body, "author": author})


def test_an_author_is_found_by_the_plain_name_and_does_not_come_back(workspace: Workspace) -> None:
    path = workspace.settings.home / "reports.jsonl"
    lines = [line(f"AUTHOR-{n}", AUTHOR, f"{SECRET_WORDS}, time {n}") for n in range(3)]
    path.write_text("\n".join([*lines, line("OTHERS-1", "Bo", "Something else fails here")]))
    assert ingest(workspace, path).added == 4
    assert run_forget(workspace, f"@{AUTHOR.upper()}").reports == 3
    again = ingest(workspace, path)
    assert (again.added, again.forgotten, again.unchanged) == (0, 3, 1)
    # the same words under another id, by the same person or nobody: no; by another person: yes
    path.write_text(
        "\n".join(
            [
                line("COPY-1", AUTHOR, f"{SECRET_WORDS}, time 1"),
                line("COPY-2", None, f"{SECRET_WORDS}, time 1"),
                line("COPY-3", "Bo", f"{SECRET_WORDS}, time 1"),
            ]
        )
    )
    third = ingest(workspace, path)
    assert (third.added, third.forgotten) == (1, 2)
    with pytest.raises(UnknownReport):
        find_target(workspace, AUTHOR)


def test_who_stood_behind_anothers_report_is_forgotten_there(workspace: Workspace) -> None:
    person = hash_author("bo", workspace.hash_key)
    own = report(workspace, supporter_hashes=(person, "another"))
    with workspace.database.session() as session:
        save_reports(session, [own])
    done = run_forget(workspace, "@Bo")
    assert (done.reports, done.left) == (0, 0)
    from flows.remembering import without_forgotten

    with workspace.database.session() as session:
        (kept,), dropped = without_forgotten(session, [own], workspace.hash_key)
    assert (kept.supporter_hashes, dropped) == (("another",), 0)


def test_a_name_that_could_be_both_is_asked_about(workspace: Workspace) -> None:
    with workspace.database.session() as session:
        save_reports(session, [report(workspace, external_id=AUTHOR)])
    with pytest.raises(AmbiguousName, match="--report or --author"):
        find_target(workspace, AUTHOR)
    assert find_target(workspace, AUTHOR, "report").author_hash is None
    assert find_target(workspace, AUTHOR, "author").author_hash is not None
    with pytest.raises(UnknownReport):
        find_target(workspace, "nobody at all")


def test_a_theme_whose_last_report_is_forgotten_is_set_aside_without_words(
    workspace: Workspace,
) -> None:
    theme_id = seed_theme(workspace.database, "a lonely failure of few", people=1)
    done = run_forget(workspace, "a lonely failure of few-0")
    assert done.left == 0
    with workspace.database.session() as session:
        theme = load_theme(session, f"T{theme_id}")
    assert (theme.status, theme.text.title) == (ThemeStatus.DISMISSED, f"T{theme_id}")
    assert theme.profile.distinct_reporters == 0


def test_an_issue_that_quotes_is_written_anew_at_once(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    theme_id, _ = seed_everywhere(github)
    file(github, dry_run=False, resend_after=timedelta(0))
    (issue,) = github_repository.issues()
    assert found_in(issue["title"] + issue["body"])
    done = run_forget(github, "CHIMNEY-0042")
    assert [url.rsplit("/", 1)[1] for url in done.rewritten] == [str(issue["number"])]
    assert (done.marked, done.left) == ((), 0)
    told = github_repository.issue(issue["number"])
    assert found_in(told["title"] + told["body"]) == []
    assert "parser fails for person" in told["body"]
    with github.database.session() as session:
        assert found_in(str(load_issues(session)[theme_id].draft)) == []


def test_an_issue_is_marked_while_github_is_away_and_written_by_the_next_sync(
    github: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    seed_everywhere(github)
    file(github, dry_run=False, resend_after=timedelta(0))
    (issue,) = github_repository.issues()
    away = github.settings.model_copy(update={"github_token": None})
    done = run_forget(replace(github, settings=away), "CHIMNEY-0042")
    assert [url.rsplit("/", 1)[1] for url in done.marked] == [str(issue["number"])]
    assert done.left == 0
    assert found_in(github_repository.issue(issue["number"])["body"])
    sync(
        github,
        dry_run=False,
        now=datetime.now(UTC),
        pause_seconds=0,
        resend_after=timedelta(0),
        apply=lambda _: None,
    )
    told = github_repository.issue(issue["number"])
    assert found_in(told["title"] + told["body"]) == []


def test_an_issue_of_no_theme_any_more_loses_its_words_too(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    seed_theme(github.database, "a failure of one developer only", people=3)
    file(github, dry_run=False, resend_after=timedelta(0))
    (issue,) = github_repository.issues()
    github_repository.edit_issue(issue["number"], by="mira", body=f"Mine.\n\n{issue['body']}")
    for person in range(3):
        run_forget(
            github, f"a failure of one developer only-{person}", now=NOW.replace(day=person + 1)
        )
    told = github_repository.issue(issue["number"])
    assert "developer only" not in told["title"] + told["body"]
    assert told["body"].startswith("Mine.")


def test_an_interrupted_forgetting_changed_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_everywhere(workspace)
    before = whole_database(workspace)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flows.forgetting.bury", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_forget(workspace, "CHIMNEY-0042")
    assert whole_database(workspace) == before


def test_the_command_shows_its_proof_and_says_by_its_exit_code_what_is_left(
    workspace: Workspace, environment: dict[str, str]
) -> None:
    seed_everywhere(workspace)
    refused = CliRunner().invoke(app, ["forget", "CHIMNEY-0042"], input="n\n")
    assert refused.exit_code == 1
    assert found_in(whole_database(workspace))
    done = CliRunner().invoke(app, ["forget", "CHIMNEY-0042", "--yes", "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert (said["reports"], said["left"]) == (1, 0)
    assert {row["searched for"] for row in said["proof"]} == {"text", "id", "number", "vector"}
    assert found_in(whole_database(workspace)) == []
    again = CliRunner().invoke(app, ["forget", "CHIMNEY-0042", "--yes"])
    assert again.exit_code == 1
