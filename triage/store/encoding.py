"""A cleaned report as text and back; imports no database, so that cleaning processes stay small."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from triage.types import CleanReport, Kind

_TUPLES = ("error_signatures", "shingle_bands", "supporter_hashes")


def encode_report(report: CleanReport) -> str:
    """The report as one line of JSON."""
    values = {name: getattr(report, name) for name in CleanReport.__dataclass_fields__}
    values["created_at"] = report.created_at.isoformat()
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False)


def decode_report(text: str) -> CleanReport:
    """The report that ``encode_report`` wrote."""
    values: dict[str, Any] = json.loads(text)
    values["kind"] = Kind(values["kind"])
    values["created_at"] = datetime.fromisoformat(values["created_at"])
    for name in _TUPLES:
        values[name] = tuple(values[name])
    return CleanReport(**values)
