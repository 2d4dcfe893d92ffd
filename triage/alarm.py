"""Tells a team's chat that something failed: one message to a webhook, as Slack reads it."""

from __future__ import annotations

import requests

from triage.errors import TriageError
from triage.settings import Settings

TIMEOUT_SECONDS = 20


class AlarmError(TriageError):
    """An alarm could not be delivered; it stands in the Prefect UI all the same."""


def send_alarm(settings: Settings, message: str) -> bool:
    """Post the message to ``TRIAGE_ALARM_WEBHOOK_URL``; False where none is set.

    Raises ``AlarmError``, which does not name the address: it is a secret.
    """
    if settings.alarm_webhook_url is None:
        return False
    attempted = "Sending an alarm"
    remedy = "Set TRIAGE_ALARM_WEBHOOK_URL to an address that takes a JSON object with `text`."
    try:
        response = requests.post(
            settings.alarm_webhook_url.get_secret_value(),
            json={"text": message},
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except (requests.RequestException, ValueError) as error:
        raise AlarmError(attempted, f"no answer ({type(error).__name__})", remedy) from None
    if response.status_code >= 300:
        raise AlarmError(attempted, f"the answer was HTTP {response.status_code}", remedy)
    return True
