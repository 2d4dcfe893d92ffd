"""Embed: give every text that has no vector yet one, in batches, by model revision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from prefect import flow

from flows.distilling import distil, load_phrases
from flows.showing import Logged, ShowProgress, show_counts, silent
from flows.stages import run_stage
from triage.cleaning import TEXT_VERSION, fingerprint, without_names
from triage.database import Session
from triage.embedding import Embedder
from triage.store.embeddings import (
    Unembedded,
    ensure_space,
    find_space,
    load_unembedded,
    load_vectors,
    save_vectors,
)
from triage.workspace import Workspace, open_workspace

CONVERTED_MODELS = "models"  # below TRIAGE_HOME; made anew when it is deleted


def embed(workspace: Workspace, *, progress: ShowProgress = silent) -> dict[str, int]:
    """Embed what is new; each part is committed, so an interrupted run loses at most one."""
    counts = distil(workspace, progress=progress)
    embedder = open_embedder(workspace)
    space_id = open_space(workspace, embedder)
    with workspace.database.session() as session:
        missing = load_unembedded(session, space_id)
        phrases = {found.failure for found in load_phrases(session, workspace.settings).values()}
    done = embed_texts(workspace, embedder, space_id, missing, progress=progress)
    embed_phrases(workspace, sorted(phrases))
    return {"embedded": done, "space": space_id, **counts}


def embed_texts(
    workspace: Workspace,
    embedder: Embedder,
    space_id: int,
    missing: Mapping[str, Unembedded],
    *,
    progress: ShowProgress = silent,
) -> int:
    """Embed texts by fingerprint and commit each part; returns how many there were."""
    texts = {
        key: without_names(found.text, (found.model, found.environment))
        for key, found in missing.items()
    }
    keys = sorted(texts)
    done = 0
    for places, vectors in embedder.encode_parts([texts[key] for key in keys]):
        part = (keys[place] for place in places)
        with workspace.database.session() as session:
            save_vectors(session, space_id, dict(zip(part, vectors, strict=True)))
        done += len(places)
        progress("embedding", done, len(keys))
    return len(keys)


def open_embedder(workspace: Workspace) -> Embedder:
    """The model and the adapter that the settings name; a process loads them once, when needed."""
    settings = workspace.settings
    return _open_embedder(
        settings.embedding_model,
        settings.embedding_adapter,
        settings.embedding_backend,
        settings.home / CONVERTED_MODELS,
    )


@lru_cache(maxsize=1)
def _open_embedder(model: str, adapter: str | None, backend: str, cache: Path) -> Embedder:
    return Embedder(model, adapter, backend=backend, cache=cache)


def find_report_space(session: Session, embedder: Embedder) -> int | None:
    """The space of this model, adapter and preparation of texts, None before it was first used."""
    return find_space(session, model=embedder.model, revision=_revision(embedder))


def open_space(workspace: Workspace, embedder: Embedder) -> int:
    """That space, made where it is missing (a known one without loading the model)."""
    with workspace.database.session() as session:
        return find_report_space(session, embedder) or ensure_space(
            session,
            model=embedder.model,
            revision=_revision(embedder),
            dimensions=embedder.dimensions,
        )


def embedding_name(embedder: Embedder) -> str:
    """Model, adapter and preparation of texts: what makes two vectors comparable."""
    return f"{embedder.model}@{_revision(embedder)}"


def _revision(embedder: Embedder) -> str:
    return f"{embedder.revision}+{TEXT_VERSION}"


def embed_phrases(workspace: Workspace, phrases: Iterable[str]) -> dict[str, NDArray[np.float32]]:
    """Vectors (float32, L2-normalised) of fixed phrases, kept beside those of the reports."""
    embedder = open_embedder(workspace)
    space_id = open_space(workspace, embedder)
    keys = {phrase: fingerprint(phrase) for phrase in phrases}
    with workspace.database.session() as session:
        known = load_vectors(session, space_id, keys.values())
    missing: Sequence[str] = [phrase for phrase, key in keys.items() if key not in known]
    if missing:
        fresh = dict(zip((keys[p] for p in missing), embedder.encode(missing), strict=True))
        with workspace.database.session() as session:
            save_vectors(session, space_id, fresh)
        known.update(fresh)
    return {phrase: known[key] for phrase, key in keys.items()}


def _embed_here_or_on_many(workspace: Workspace) -> dict[str, int]:
    address = workspace.settings.dask_address
    if address is None:
        return embed(workspace, progress=Logged())
    from flows.fan_out import embed_on_many  # prefect-dask is an extra

    return embed_on_many(workspace, address, progress=Logged())


@flow(
    name="embed_reports",
    flow_run_name="embed_reports",
    retries=2,
    retry_delay_seconds=30,
)
def embed_reports() -> dict[str, int]:
    """Embed every report's text that has no vector of the present model yet."""
    with open_workspace() as workspace:
        counts = run_stage(workspace, "embed", lambda: _embed_here_or_on_many(workspace))
    show_counts("embed", counts)
    return counts
