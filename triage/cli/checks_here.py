"""The doctor's checks of this machine and its database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

from triage.cli.findings import Finding, fail, ok, warn
from triage.config.loader import load_config
from triage.database import known_revisions
from triage.embedding import Embedder, load_words
from triage.errors import ReaderError
from triage.settings import Settings
from triage.store.server import ServerFacts, load_clock, load_server_facts
from triage.workspace import Workspace

MIN_FREE_BYTES = 1_000_000_000
CLOCK_WARN_SECONDS, CLOCK_FAIL_SECONDS = 5.0, 60.0
SET_THE_CLOCK = "Let both machines set their clocks by NTP (`timedatectl set-ntp true`)."
PROBE = "The tool call is cut off in the middle of its arguments."


def check_configuration(settings: Settings) -> Iterator[Finding]:
    """The file is right; its warnings are shown."""
    config = load_config(settings.config)
    for warning in config.warnings():
        yield warn("configuration", warning, "Change it in triage.yaml, or leave it as it is.")
    yield ok("configuration", f"{settings.config or 'the built-in default'}")


def check_database(workspace: Workspace) -> Iterator[Finding]:
    """Reachable, with pgvector and HNSW, at this version's schema, with the right clock."""
    with workspace.database.session() as session:
        facts = load_server_facts(session)
        began = datetime.now(UTC)
        theirs = load_clock(session)
        middle = began + (datetime.now(UTC) - began) / 2
    where = "the configured server" if workspace.settings.database_url else "embedded"
    yield ok("database", f"PostgreSQL {facts.version}, {where}, {facts.size_bytes / 1e6:.0f} MB")
    yield _extension(facts)
    yield _schema(facts)
    yield check_clock("clock", "the database's", (theirs - middle).total_seconds())
    yield _disk(workspace.settings, facts)


def check_clock(check: str, whose: str, ahead_seconds: float) -> Finding:
    """Whether another clock agrees with this machine's."""
    off = abs(ahead_seconds)
    if off < CLOCK_WARN_SECONDS:
        return ok(check, f"{whose} agrees within {CLOCK_WARN_SECONDS:.0f} s")
    way = "ahead of" if ahead_seconds > 0 else "behind"
    detail = f"{whose} is {off:.0f} s {way} this machine's"
    return (fail if off >= CLOCK_FAIL_SECONDS else warn)(check, detail, SET_THE_CLOCK)


def check_model(settings: Settings) -> Iterator[Finding]:
    """The embedding model opens and embeds."""
    embedder = Embedder(
        settings.embedding_model,
        settings.embedding_adapter,
        backend=settings.embedding_backend,
        cache=settings.home / "models",
    )
    vectors = embedder.encode([PROBE])
    yield ok(
        "embedding model",
        f"{embedder.model} at revision {embedder.revision}, {vectors.shape[1]} dimensions, "
        f"by {embedder.backend}",
    )


def check_llm(settings: Settings) -> Iterator[Finding]:
    """The endpoint, if one is set, gives a usable answer."""
    from triage.distilling import check_endpoint  # the HTTP client is slow to import

    yield ok("LLM", check_endpoint(settings))


def check_words(settings: Settings) -> Iterator[Finding]:
    """An LLM's phrases can be compared by their words."""
    count, numbers = load_words(settings.word_vectors).vectors.shape
    said = f"{settings.word_vectors or 'the shipped ones'}, {count} tokens of {numbers} numbers"
    yield ok("word vectors", said)


def check_reader(workspace: Workspace) -> Iterator[Finding]:
    """The reader was trained on vectors of this embedding."""
    from flows.readers import open_reader

    reader, notes = open_reader(workspace)
    if reader is None or notes:
        raise ReaderError("Opening the reader", notes[0].partition(". ")[0], notes[-1])
    yield ok("reader", f"{reader.name}, kappa {reader.figures['kappa']:.2f} when it was trained")


def _extension(facts: ServerFacts) -> Finding:
    if not facts.has_hnsw:
        return fail(
            "extension",
            f"pgvector {facts.pgvector} has no HNSW index",
            "Install pgvector 0.5 or newer and run ALTER EXTENSION vector UPDATE.",
        )
    return ok("extension", f"pgvector {facts.pgvector}, with HNSW")


def _schema(facts: ServerFacts) -> Finding:
    head = known_revisions()[-1]
    if facts.revision != head:
        return fail(
            "schema",
            f"revision {facts.revision}, this version's is {head}",
            "Run any command of this version once: it migrates.",
        )
    return ok("schema", f"revision {head}")


def _disk(settings: Settings, facts: ServerFacts) -> Finding:
    free = shutil.disk_usage(settings.home).free
    detail = f"{free / 1e9:.1f} GB free below {settings.home}"
    if free < MIN_FREE_BYTES:
        remedy = "Free at least 1 GB, or set TRIAGE_HOME to another disk."
        return fail("disk", detail, remedy)
    if free < 2 * facts.size_bytes:
        detail += f", the database has {facts.size_bytes / 1e9:.1f} GB"
        return warn("disk", detail, "Free as much again: an upgrade or a backup needs room.")
    return ok("disk", detail)
