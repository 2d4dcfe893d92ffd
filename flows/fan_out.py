"""Fan out: embed and distil on the workers of a Dask cluster; all that they share is PostgreSQL."""

from __future__ import annotations

import math
import os
import socket
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from prefect import flow, task
from prefect.futures import PrefectFuture
from prefect_dask.task_runners import DaskTaskRunner

from flows.distilling import distil_part, load_undistilled_keys
from flows.embed_reports import embed, embed_texts, open_embedder, open_space
from flows.showing import ShowProgress, silent
from triage.store.embeddings import load_unembedded
from triage.workspace import Workspace, open_workspace

TEXTS_PER_PART = 2_000  # some 10 to 60 s of a worker's time; what a lost worker costs
FAILED_PARTS = "parts that failed"


@dataclass(frozen=True, slots=True)
class PartDone:
    """What a worker did, and which process it was."""

    counts: Mapping[str, int]
    process: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")


def embed_on_many(
    workspace: Workspace, address: str, *, progress: ShowProgress = silent
) -> dict[str, int]:
    """Embed and distil what is new on the cluster at ``address``, then here what it left.

    A part whose worker was lost is tried again on another one; one that fails for good is done
    here. Doing a part twice changes nothing.
    """
    runner: Any = DaskTaskRunner(address=address)  # its futures are not Prefect's own type
    counts = fan_out.with_options(task_runner=runner)()
    left = embed(workspace, progress=progress)
    both = Counter(counts)
    both.update(left)
    return {**both, "space": left["space"]}


@flow(name="fan_out", flow_run_name="fan_out")
def fan_out() -> dict[str, int]:
    """Give each worker fingerprints; texts and vectors travel between it and the database."""
    with open_workspace() as workspace:
        asked = load_undistilled_keys(workspace)
        space_id = open_space(workspace, open_embedder(workspace))
        with workspace.database.session() as session:
            missing = sorted(load_unembedded(session, space_id))
    to_ask = _parts(asked)
    waiting: list[PrefectFuture[Any]] = [ask_part.submit(part, 1 / len(to_ask)) for part in to_ask]
    waiting += [embed_part.submit(part) for part in _parts(missing)]
    counts: Counter[str] = Counter()
    processes = set()
    for future in waiting:
        done = future.result(raise_on_failure=False)
        if isinstance(done, PartDone):
            counts.update(done.counts)
            processes.add(done.process)
        else:
            counts[FAILED_PARTS] += 1
    return {**counts, "worker processes": len(processes)}


@task(name="embed_part", retries=2, retry_delay_seconds=2)
def embed_part(keys: Sequence[str]) -> PartDone:
    """Embed some texts that have no vector yet, in this worker."""
    with open_workspace() as workspace:
        embedder = open_embedder(workspace)
        space_id = open_space(workspace, embedder)
        with workspace.database.session() as session:
            missing = load_unembedded(session, space_id, keys)
        return PartDone({"embedded": embed_texts(workspace, embedder, space_id, missing)})


@task(name="ask_part", retries=1, retry_delay_seconds=2)
def ask_part(keys: Sequence[str], share: float) -> PartDone:
    """Ask the LLM about some texts, within this part's ``share`` of the run's budget."""
    with open_workspace() as workspace:
        return PartDone(distil_part(_with_share(workspace, share), set(keys)))


def _with_share(workspace: Workspace, share: float) -> Workspace:
    settings = workspace.settings
    tokens = settings.llm_max_tokens_per_run
    bounds = {
        "llm_max_requests_per_run": math.ceil(settings.llm_max_requests_per_run * share),
        "llm_max_tokens_per_run": None if tokens is None else math.ceil(tokens * share),
    }
    return replace(workspace, settings=settings.model_copy(update=bounds))


def _parts(keys: Sequence[str]) -> list[list[str]]:
    return [list(keys[at : at + TEXTS_PER_PART]) for at in range(0, len(keys), TEXTS_PER_PART)]
