"""Sends a message to a chat's webhook or by e-mail; the address is a secret and never told."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

import apprise
import requests
from pydantic import SecretStr

from triage.errors import TriageError

TIMEOUT_SECONDS = 20
# Any other scheme is a service of the library Apprise: mailto(s)://, slack://, msteams:// ...
WEBHOOK_SCHEMES = ("https", "http")


class SendingError(TriageError):
    """A message was not taken, or nobody knows whether it was."""


def send_message(target: SecretStr, subject: str, text: str) -> None:
    """Send a plain text. Raises ``SendingError`` unless the other side said that it took it.

    ``target`` is the address of a webhook that takes Slack's JSON (``https://``; ``http://`` on
    this machine alone), or an address of Apprise's.
    """
    address = target.get_secret_value()
    if urlsplit(address).scheme.lower() in WEBHOOK_SCHEMES:
        _post(address, subject, text)
        return
    # Its own log would tell an address that it cannot read, secrets included.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    messenger = apprise.Apprise()
    if not messenger.add(address):
        raise _failed("the address is of no kind that is known", _how())
    taken = messenger.notify(body=text, title=subject, body_format=apprise.NotifyFormat.TEXT)
    if not taken:
        raise _failed("the other side did not take it", "The next run tries again.")


def _post(address: str, subject: str, text: str) -> None:
    parts = urlsplit(address)
    if parts.scheme.lower() == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise _failed("the address is not encrypted", "Use one with https://.")
    escaped = f"*{_slack(subject)}*\n{_slack(text)}"
    try:
        answer = requests.post(
            address,
            json={"text": escaped, "unfurl_links": False, "unfurl_media": False},
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        # Only its kind is told, and no cause is kept: the message of the library holds the address.
        raise _failed(f"{type(error).__name__}", "The next run tries again.") from None
    if not answer.ok or answer.is_redirect:
        raise _failed(f"the webhook answered {answer.status_code}", "See who owns the webhook.")


def _slack(text: str) -> str:
    """What Slack asks to be escaped; without it <!channel> would call everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _how() -> str:
    return "Give the https:// address of a webhook, or an address of Apprise's."


def _failed(problem: str, remedy: str) -> SendingError:
    return SendingError("Sending a message", problem, remedy)
