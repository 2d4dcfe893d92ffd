"""Results of probes by theme and version, as evaluations gave them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.probes import Probe
from triage.store.life_tables import ProbeResultRow
from triage.verification import ProbeRuns

PROBES = text(
    """
    SELECT report.external_id AS name, 'T' || theme_member.theme_id AS theme, report.prompt,
           report.response, report.environment, report.model_version, theme.title AS expected
    FROM report JOIN theme_member USING (report_id) JOIN theme USING (theme_id)
    WHERE report.prompt IS NOT NULL AND report.duplicate_of IS NULL AND theme.status = 'open'
      AND theme_member.is_core
    ORDER BY theme_member.theme_id, report.report_id
    """
)


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """How often a probe of a theme failed on a version, in so many runs."""

    theme_id: int
    version: str
    probe: str
    runs: int
    failures: int


def load_probes(session: Session) -> list[Probe]:
    """A probe of every report that carries a prompt and stands in an open theme, in order."""
    return [Probe(*row) for row in session.execute(PROBES)]


def save_probe_results(session: Session, results: Iterable[ProbeResult]) -> int:
    """Store results; the same theme, version and probe again replaces them. Returns how many."""
    values = [
        {
            "theme_id": one.theme_id,
            "version": one.version,
            "probe": one.probe,
            "runs": one.runs,
            "failures": one.failures,
        }
        for one in results
    ]
    for value in values:
        counts = {
            "runs": value["runs"], "failures": value["failures"], "read_at": func.now()
        }  # fmt: skip
        statement = insert(ProbeResultRow).values(**value)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["theme_id", "version", "probe"], set_=counts
            )
        )
    return len(values)


def load_probe_runs(session: Session) -> dict[tuple[int, str], ProbeRuns]:
    """The results by theme and version."""
    row = ProbeResultRow
    statement = select(row).order_by(col(row.theme_id), col(row.version), col(row.probe))
    grouped: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for found in session.execute(statement).scalars():
        grouped.setdefault((found.theme_id, found.version), []).append((found.failures, found.runs))
    return {
        key: ProbeRuns(tuple(f for f, _ in pairs), tuple(r for _, r in pairs))
        for key, pairs in grouped.items()
    }
