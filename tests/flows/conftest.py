"""Fixtures that the tests of flows share."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from tests.integration.github.emulator import FILER, token_of
from tests.integration.github.fixtures import EmulatedRepository
from tests.integration.github.proxy import GitHubProxy
from triage.workspace import Workspace


@pytest.fixture
def github(
    workspace: Workspace, github_proxy: GitHubProxy, github_repository: EmulatedRepository
) -> Workspace:
    """The workspace of this test, connected to the emulator through the proxy."""
    settings = workspace.settings.model_copy(
        update={
            "github_api_url": github_proxy.api_url,
            "github_token": SecretStr(token_of(FILER)),
            "github_repository": github_repository.name,
        }
    )
    return replace(workspace, settings=settings)
