"""Five hundred issues: what a pass may cost, and that it goes on where it stopped."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from pydantic import SecretStr

from flows.file_issues import file
from flows.sync_issues import sync
from tests.flows.releasing import CENTRE
from tests.flows.seeding import seed_theme
from tests.integration.github.emulator import FILER, token_of
from tests.integration.github.fixtures import EmulatedRepository
from tests.integration.github.proxy import GitHubProxy
from triage.store.themes import Counted, load_theme, save_profiles
from triage.workspace import Workspace

ISSUES, CHANGED, RELABELLED = 500, 40, 25
LISTS = re.compile(r"/issues$|/issues/comments$|/issues/events$")


def look(workspace: Workspace) -> dict[str, int]:
    return sync(
        workspace,
        dry_run=False,
        pause_seconds=0,
        resend_after=timedelta(0),
        apply=lambda _: None,
    )


def costs(proxy: GitHubProxy) -> tuple[int, int]:
    """List calls and writes since the last count."""
    lists = sum(r.method == "GET" and bool(LISTS.search(r.path)) for r in proxy.requests)
    writes = sum(r.method != "GET" and r.status == 200 for r in proxy.requests)
    proxy.requests.clear()
    return lists, writes


def test_five_hundred_issues_cost_two_lists_a_hundred_and_a_write_for_each_that_changed(
    workspace: Workspace, github_proxy: GitHubProxy, github_repository: EmulatedRepository
) -> None:
    settings = workspace.settings.model_copy(
        update={
            "github_api_url": github_proxy.api_url,
            "github_token": SecretStr(token_of(FILER)),
            "github_repository": github_repository.name,
        }
    )
    policy = workspace.config.policy.model_copy(update={"max_new_issues_per_run": ISSUES})
    config = workspace.config.model_copy(update={"policy": policy})
    github = replace(workspace, settings=settings, config=config)
    themes = [seed_theme(github.database, f"failure {n}", people=3) for n in range(ISSUES)]
    assert file(github, dry_run=False).filed == ISSUES
    github_proxy.requests.clear()

    look(github)
    lists, writes = costs(github_proxy)
    assert (lists <= 2 * ISSUES // 100, writes) == (True, 0), lists

    for number in range(1, RELABELLED + 1):
        labels = (github_repository.labels(number) - {"priority: P2"}) | {"priority: P1"}
        github_repository.edit_issue(number, by="juno", labels=sorted(labels))
    with github.database.session() as session:
        for theme_id in themes[100 : 100 + CHANGED]:
            profile = load_theme(session, f"T{theme_id}").profile
            grown = replace(profile, distinct_reporters=4, reports=5)
            save_profiles(session, [Counted(theme_id, grown, "counted by the test", CENTRE)])
    github_proxy.fail("PATCH", r"/issues/\d+$", times=15, meanwhile=lambda: None)
    github_proxy.fail("PATCH", r"/issues/\d+$", status=403, headers={"Retry-After": "4000"})
    first = look(github)
    lists, writes = costs(github_proxy)
    assert first["corrections"] == RELABELLED
    assert first["writes waiting"] == CHANGED - 15
    assert (lists <= 2 * ISSUES // 100, writes) == (True, 15), lists

    look(github)
    lists, writes = costs(github_proxy)
    assert (lists <= 2 * ISSUES // 100, writes) == (True, CHANGED - 15), lists
    assert all("priority: P1" in github_repository.labels(n) for n in (1, RELABELLED))

    look(github)
    assert costs(github_proxy)[1] == 0
