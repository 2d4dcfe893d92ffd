"""The automation that starts ``raise_alarm`` whenever a run of a stage fails or crashes."""

from __future__ import annotations

from datetime import timedelta

from prefect.client.orchestration import SyncPrefectClient
from prefect.deployments.runner import RunnerDeployment
from prefect.events.actions import RunDeployment
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.types.entrypoint import EntrypointType

from flows.raise_alarm import raise_alarm

STAGE_TAG = "triage"  # of all deployments but the alarm's, whose own failure must raise none
AUTOMATION = "triage: a stage failed"
FAILURES = {f"prefect.flow-run.{state}" for state in ("Failed", "Crashed", "TimedOut")}


def make_alarm_deployment(pool: str | None = None) -> RunnerDeployment:
    """The deployment of ``raise_alarm``, in a work pool or for the process that serves it."""
    deployment = raise_alarm.to_deployment(
        name=raise_alarm.name,
        tags=["triage-alarm"],
        work_pool_name=pool,
        entrypoint_type=EntrypointType.MODULE_PATH if pool else EntrypointType.FILE_PATH,
    )
    assert isinstance(deployment, RunnerDeployment)  # a coroutine only inside an event loop
    return deployment


def ensure_automation(client: SyncPrefectClient, deployment: RunnerDeployment) -> None:
    """Register the alarm's deployment and the automation; one that people changed stays."""
    deployment_id = deployment.apply()
    if client.read_automations_by_name(AUTOMATION):
        return
    client.create_automation(
        AutomationCore(
            name=AUTOMATION,
            description="Starts raise_alarm, which writes the artifact and tells the webhook.",
            trigger=EventTrigger(
                expect=FAILURES,
                match_related={
                    "prefect.resource.role": "tag",
                    "prefect.resource.id": f"prefect.tag.{STAGE_TAG}",
                },
                for_each={"prefect.resource.id"},
                posture=Posture.Reactive,
                threshold=1,
                within=timedelta(0),
            ),
            actions=[
                RunDeployment(
                    source="selected",
                    deployment_id=deployment_id,
                    parameters={
                        "run_name": "{{ event.resource.name }}",
                        "event": "{{ event.event }}",
                    },
                )
            ],
        )
    )
