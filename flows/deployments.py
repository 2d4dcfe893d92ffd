"""Every flow as a deployment of its own name, scheduled as triage.yaml says."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from prefect import Flow, serve
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectAlreadyExists
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

from flows.alarms import STAGE_TAG, ensure_automation, make_alarm_deployment
from flows.collect_reports import collect_reports
from flows.decide_themes import decide_themes
from flows.embed_reports import embed_reports
from flows.expire_texts import expire_texts
from flows.file_issues import file_issues
from flows.learn_from_corrections import learn_from_corrections
from flows.pipeline import pipeline
from flows.recluster_themes import recluster_themes
from flows.route_themes import route_themes
from flows.send_digests import send_digests
from flows.sync_issues import sync_issues
from flows.update_themes import update_themes
from flows.verify_release import verify_release
from flows.write_report import write_report
from triage.config.loader import load_config
from triage.config.model import TriageConfig
from triage.settings import load_settings

FLOWS: dict[str, Flow[..., Any]] = {
    "collect": collect_reports,
    "embed": embed_reports,
    "theme": update_themes,
    "decide": decide_themes,
    "route": route_themes,
    "file": file_issues,
    "learn": learn_from_corrections,
    "sync": sync_issues,
    "verify": verify_release,
    "pipeline": pipeline,
    "recluster": recluster_themes,
    "expire": expire_texts,
    "report": write_report,
    "digest": send_digests,
}


def make_deployments(config: TriageConfig, pool: str | None = None) -> list[RunnerDeployment]:
    """One deployment per flow; a flow without a schedule can still be started by hand.

    With a work pool any worker of it runs them, on whichever machine; without one the process
    that serves them does.
    """
    crons = config.schedules.by_stage()
    return [_deployment(each, crons.get(stage), config, pool) for stage, each in FLOWS.items()]


def _deployment(
    each: Flow[..., Any], cron: str | None, config: TriageConfig, pool: str | None
) -> RunnerDeployment:
    deployment = each.to_deployment(
        name=each.name,
        work_pool_name=pool,
        # A worker imports the flow by its module, which every installation has.
        entrypoint_type=EntrypointType.MODULE_PATH if pool else EntrypointType.FILE_PATH,
        schedule=Cron(cron, timezone=config.schedules.timezone) if cron else None,
        # A slow run is not joined by the next one; the later run is dropped, not queued up.
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
        tags=[STAGE_TAG],
        description=_first_paragraph(each),
    )
    assert isinstance(deployment, RunnerDeployment)  # a coroutine only inside an event loop
    return deployment


def _first_paragraph(each: Flow[..., Any]) -> str:
    """What a flow does; its parameters are described where they are set."""
    return " ".join(str(each.description or "").partition("\n\n")[0].split())


def register_deployments(pool: str) -> None:
    """Make the work pool if need be and put all deployments into it, the alarm's too."""
    alarm = make_alarm_deployment(pool)
    with get_client(sync_client=True) as client:
        with suppress(ObjectAlreadyExists):
            client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
        client.upsert_global_concurrency_limit_by_name(name="github", limit=1)
        ensure_automation(client, alarm)
    for deployment in make_deployments(load_config(load_settings().config), pool):
        deployment.apply()


def serve_deployments() -> None:
    """Set GitHub's concurrency limit and the alarm, then serve all until interrupted."""
    alarm = make_alarm_deployment()
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(name="github", limit=1)
        ensure_automation(client, alarm)
    deployments = make_deployments(load_config(load_settings().config))
    # The server ends with us; schedules paused on the way out would stay so at the next start.
    serve(*deployments, alarm, pause_on_shutdown=False)
