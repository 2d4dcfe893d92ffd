"""What every stage needs, opened once: settings, configuration, database and keys."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from triage.config.loader import load_config
from triage.config.model import TriageConfig
from triage.database import Database, open_database
from triage.errors import SettingsError
from triage.settings import Settings, load_settings
from triage.store.audit import record_config
from triage.store.intake import register_hash_key

KEY_FILE = "hash.key"


@dataclass(frozen=True, slots=True)
class Workspace:
    """An installation: where it lives, how it is configured, its database and its keys."""

    settings: Settings
    config: TriageConfig
    database: Database
    hash_key: bytes

    @property
    def marker_key(self) -> bytes:
        """Key that signs the hidden marker of an issue; follows from the hash key."""
        return hmac.digest(self.hash_key, b"issue marker", hashlib.sha256)

    @property
    def repository(self) -> str | None:
        """The repository that issues are filed in; the environment outranks the file."""
        return self.settings.github_repository or self.config.github.repository

    def at(self, repository: str) -> Workspace:
        """The same installation, with its issues in another repository."""
        settings = self.settings.model_copy(update={"github_repository": repository})
        return replace(self, settings=settings)

    @property
    def private_repository(self) -> str | None:
        """The repository of sensitive themes; None where they stay inside."""
        return self.config.privacy.private_repository

    @property
    def page_path(self) -> Path:
        """Where the report page lies that `triage up` serves."""
        return self.settings.home / "report" / "index.html"

    @property
    def drafts_folder(self) -> Path:
        """Where a dry run leaves the rendered issues."""
        return self.settings.home / "drafts"


@contextmanager
def open_workspace() -> Iterator[Workspace]:
    """Read settings and configuration, open the database, check the hash key."""
    settings = load_settings()
    config = load_config(settings.config)
    database = open_database(settings)
    try:
        workspace = Workspace(settings, config, database, load_hash_key(settings, database))
        _note_config(workspace)
        yield workspace
    finally:
        database.close()


def _note_config(workspace: Workspace) -> None:
    """Keep in the audit log which parts of ``triage.yaml`` are other than at the last opening."""
    parts = workspace.config.model_dump(mode="json")
    digests = {
        name: hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()[:16]
        for name, part in parts.items()
    }
    path = workspace.settings.config
    with workspace.database.session() as session:
        record_config(session, "triage.yaml" if path else "built-in configuration", digests)


def load_hash_key(settings: Settings, database: Database) -> bytes:
    """The key by which authors are hashed: from the environment, else made once below home.

    Raises ``SettingsError`` when the database was filled under another key, since the same
    person would then be counted twice.
    """
    if settings.hash_key is not None:
        key = settings.hash_key.get_secret_value().encode()
    else:
        key = _own_key(settings.home / KEY_FILE)
    check = hmac.new(key, b"feedback-triage hash key", hashlib.sha256).hexdigest()[:16]
    with database.session() as session:
        stored = register_hash_key(session, check)
    if stored != check:
        raise SettingsError(
            "Opening the database",
            "its authors were hashed with another key than this installation's",
            "Set TRIAGE_HASH_KEY to the key that was used before (its text, or the content of "
            f"the file {KEY_FILE} below the TRIAGE_HOME that filled the database).",
        )
    return key


def _own_key(path: Path) -> bytes:
    """Read the key file; made complete under another name first, so that nobody reads half."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_hex(32))
    try:
        os.link(fresh, path)  # fails where another process was first; its key then holds
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_bytes()
