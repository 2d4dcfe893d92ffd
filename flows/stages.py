"""How every stage is run: unless somebody stopped it, and with a note of how it went."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from prefect import get_run_logger
from prefect.context import FlowRunContext
from prefect.events import emit_event

from triage.errors import DatabaseError, TriageError
from triage.store.operation import StageStop, begin_run, end_run, load_stops
from triage.workspace import Workspace

STOPPED = "stopped"
_LONGEST_PROBLEM = 300
Result = TypeVar("Result")


def run_stage(
    workspace: Workspace, stage: str, work: Callable[[], Mapping[str, Any]]
) -> dict[str, Any]:
    """Do the work of a stage and return its counts; of a stopped one ``{"stopped": 1}``."""
    done = run_work(workspace, stage, lambda: (counts := work(), counts))
    return {STOPPED: 1} if done is None else dict(done)


def run_work(
    workspace: Workspace, stage: str, work: Callable[[], tuple[Result, Mapping[str, Any]]]
) -> Result | None:
    """Do the work of a stage, which gives a result and its counts; None where it is stopped.

    Begin, end and outcome are kept: that is what `triage doctor` and the metrics tell.
    """
    stop = load_stop(workspace, stage)
    if stop is not None:
        _log().warning("%s does nothing: %s", stage, stop)
        _tell("stopped", stage, {"by": stop.stopped_by})
        return None
    with workspace.database.session() as session:
        run_id = begin_run(session, stage)
    try:
        result, counts = work()
    except Exception as error:
        with suppress(DatabaseError), workspace.database.session() as session:
            end_run(session, run_id, {}, problem_of(error))
        _tell("failed", stage, {"problem": type(error).__name__})
        raise
    with workspace.database.session() as session:
        end_run(session, run_id, counts)
    return result


def load_stop(workspace: Workspace, stage: str) -> StageStop | None:
    """Who stopped a stage, or None where it may run."""
    with workspace.database.session() as session:
        return load_stops(session).get(stage)


def problem_of(error: Exception) -> str:
    """An error in a line; of one that is not ours only the kind, since it may quote a report."""
    if isinstance(error, TriageError):
        return f"{error.attempted}: {error.problem}"[:_LONGEST_PROBLEM]
    return type(error).__name__


def _log() -> Any:
    return get_run_logger() if FlowRunContext.get() is not None else logging.getLogger(__name__)


def _tell(what: str, stage: str, payload: Mapping[str, str]) -> None:
    """Send an event to the Prefect server that this run belongs to, if it belongs to one."""
    if FlowRunContext.get() is not None:
        resource = {"prefect.resource.id": f"triage.stage.{stage}", "prefect.resource.name": stage}
        emit_event(f"triage.stage.{what}", resource, payload=dict(payload))
