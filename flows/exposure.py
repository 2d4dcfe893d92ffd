"""How much each version was used: asked of the configured database before a release is judged."""

from __future__ import annotations

from triage.errors import SettingsError
from triage.store.exposure import save_exposure
from triage.store.exposure_query import QueriedExposure, fetch_exposure
from triage.workspace import Workspace


def refresh_exposure(workspace: Workspace) -> QueriedExposure | None:
    """Store what ``releases.exposure_query`` gives now; None where no query is configured.

    What was stored for the same version, day and channel is corrected. A query that fails raises:
    no verdict rests on counts that may be stale.
    """
    query = workspace.config.releases.exposure_query
    if query is None:
        return None
    found = fetch_exposure(workspace.settings, query, workspace.config.resolve_version)
    with workspace.database.session() as session:
        save_exposure(session, found.rows)
    return found


def ask_exposure(workspace: Workspace) -> QueriedExposure:
    """The same where it was asked for by hand; raises ``SettingsError`` without a query."""
    found = refresh_exposure(workspace)
    if found is None:
        raise SettingsError(
            "Asking for request counts",
            "no query is configured",
            "Write one under releases.exposure_query in triage.yaml, or name files: "
            "`triage exposure PATH`.",
        )
    return found
