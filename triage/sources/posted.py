"""Records in the body of a request: one object, or an array of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime

from triage.errors import IntakeError
from triage.sources.json_format import JsonObject, decode_json
from triage.sources.records import Flaw, Record, RecordIntake
from triage.sources.values import is_absent
from triage.types import RawReport, Rejection

_ATTEMPTED = "Reading the request"


def read_posted(
    body: bytes,
    *,
    origin: str,
    channel: str,
    received_at: datetime,
    redact: Callable[[str], str],
    max_reports: int,
) -> tuple[bool, list[RawReport | Rejection]]:
    """Whether the body is a batch, and each of its records as a report or why it is none.

    A record without a ``source`` gets ``channel``. Raises ``IntakeError`` where the body as a whole
    cannot be read; its words quote nothing of it.
    """
    value = _decoded(body)
    is_batch = isinstance(value, list)
    items = value if isinstance(value, list) else [value]
    if not items:
        raise IntakeError(_ATTEMPTED, "the batch is empty", "Send at least one report.")
    if len(items) > max_reports:
        remedy = f"Send at most {max_reports} reports in a request."
        raise IntakeError(_ATTEMPTED, f"the batch has {len(items)} reports", remedy)
    intake = RecordIntake(origin, received_at, redact)
    whole = hashlib.sha256(body).hexdigest()
    return is_batch, [
        intake.take(_record(item, place, whole, channel)) for place, item in enumerate(items)
    ]


def _decoded(body: bytes) -> object:
    try:
        return decode_json(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        problem = f"byte {error.start + 1} is not UTF-8"
        raise IntakeError(_ATTEMPTED, problem, "Send JSON in UTF-8.") from error
    except json.JSONDecodeError as error:
        problem = f"it is no valid JSON at line {error.lineno}, character {error.colno}"
        raise IntakeError(_ATTEMPTED, problem, "Send one object, or an array of them.") from error
    except (ValueError, RecursionError) as error:
        raise IntakeError(_ATTEMPTED, "its JSON is nested too deeply", "Flatten it.") from error


def _record(item: object, place: int, whole: str, channel: str) -> Record | Flaw:
    # The same request sent again names the same record, so that it is listed once.
    digest = hashlib.sha256(f"{whole} {place}".encode()).hexdigest()
    where = f"posted report {place}"
    if not isinstance(item, JsonObject):
        remedy = 'Send an object such as {"body": "…"}.'
        return Flaw(where, "is no JSON object", remedy, "", digest, field="report")
    source = {"source": channel} if is_absent(item.get("source")) else {}
    return Record(where, {**item, **source}, digest, item.repeated)
