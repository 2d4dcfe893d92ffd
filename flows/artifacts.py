"""Artifacts of earlier runs that hold words of reports: drafts and tables of themes."""

from __future__ import annotations

import os
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import Artifact

# These hold counts only; everything else may name a theme by its reporters' words.
_COUNTS_ONLY = ("stage-", "run-summary")
_PAGE = 200


def delete_artifacts(home: Path) -> str:
    """Delete them where Prefect keeps any; says what was done, in a sentence.

    Each is made anew by the next run of its flow. Without a server that is running, Prefect is
    started for it where it was ever used.
    """
    if not os.environ.get("PREFECT_API_URL") and not _database(home).exists():
        return "no artifact was ever kept"
    with get_client(sync_client=True) as client:
        own = [each for each in _all(client) if not str(each.key).startswith(_COUNTS_ONLY)]
        for each in own:
            client.delete_artifact(each.id)
    return f"{len(own)} artifacts with words were deleted"


def _all(client: SyncPrefectClient) -> list[Artifact]:
    """Asked directly: ``read_artifacts`` sends its missing filters as null, which is refused."""
    found: list[Artifact] = []
    while True:
        question = {"limit": _PAGE, "offset": len(found), "sort": "KEY_ASC"}
        page = client.request("POST", "/artifacts/filter", json=question).json()
        found += Artifact.model_validate_list(page)
        if len(page) < _PAGE:
            return found


def _database(home: Path) -> Path:
    return Path(os.environ.get("PREFECT_HOME") or home / "prefect") / "prefect.db"
