"""Alarm: tell people that a stage failed. Prefect's automation starts it, see ``alarms``."""

from __future__ import annotations

from prefect import flow

from flows.showing import show_page
from flows.stages import problem_of
from triage.errors import TriageError
from triage.sending import send_message
from triage.settings import Settings, load_settings
from triage.store.operation import StageHistory, load_histories
from triage.workspace import open_workspace


def describe_failures(run_name: str, event: str) -> str:
    """What failed, and how every stage that has a failure stands; no text of a report."""
    lines = [f"{run_name}: {event.rpartition('.')[2].lower()}"]
    try:
        with open_workspace() as workspace, workspace.database.session() as session:
            histories = load_histories(session)
    except TriageError as error:
        return "\n".join([*lines, problem_of(error)])
    return "\n".join([*lines, *(_line(h) for h in histories.values() if h.failures_since)])


def _line(history: StageHistory) -> str:
    last = history.succeeded_at
    since = f"since {last:%Y-%m-%d %H:%M} UTC" if last else "and never succeeded"
    return f"{history.stage} failed {history.failures_since} times {since}: {history.problem}"


def send_alarm(settings: Settings, message: str) -> bool:
    """Send it to ``TRIAGE_ALARM_WEBHOOK_URL``; False where none is set."""
    if settings.alarm_webhook_url is None:
        return False
    send_message(settings.alarm_webhook_url, "A stage failed", message)
    return True


@flow(name="raise_alarm", flow_run_name="raise_alarm")
def raise_alarm(run_name: str = "a run", event: str = "failed") -> str:
    """Say that a run failed: as the artifact ``alarm`` and to the webhook that is set.

    Args:
        run_name: The flow run that failed.
        event: What Prefect said of it, for example prefect.flow-run.Failed.
    """
    message = describe_failures(run_name, event)
    show_page("alarm", message.replace("\n", "\n\n"), "The last failure of a stage")
    send_alarm(load_settings(), message)
    return message
