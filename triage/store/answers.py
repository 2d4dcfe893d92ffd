"""What reporters answered who were told that their failure is mended; kept apart from reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.store.among import among
from triage.store.life_tables import ReporterAnswerRow
from triage.store.tables import ReportRow
from triage.types import AnswerSays, ReporterAnswer
from triage.verification import AnswerCount

# Of several answers of one person the latest counts that says whether it works.
COUNTED = text(
    """
    SELECT theme_id, version, says, count(*) AS people
    FROM (
        SELECT DISTINCT ON (theme_member.theme_id, version, who)
               theme_member.theme_id, action.payload ->> 'version' AS version,
               coalesce(answer.person_hash, 'comment:' || answer.comment_id) AS who, answer.says
        FROM reporter_answer answer
        JOIN report USING (report_id)
        JOIN theme_member USING (report_id)
        JOIN issue_action action
          ON action.kind = 'tell'
         AND report.origin = 'github:' || action.repository
         AND report.external_id = action.repository || '#' || action.number
        ORDER BY 1, 2, 3, answer.says = :other, answer.said_at DESC
    ) latest
    GROUP BY 1, 2, 3
    """
)


def save_answers(
    session: Session, origin: str, answers: Mapping[str, Sequence[ReporterAnswer]]
) -> int:
    """Keep all answers on each report (by external id) as they are now; returns how many.

    What was said before and is there no more is forgotten; a report that is not stored has none.
    """
    ids = select(col(ReportRow.external_id), col(ReportRow.report_id)).where(
        col(ReportRow.origin) == origin, among(col(ReportRow.external_id), answers)
    )
    kept = 0
    for external_id, report_id in session.execute(ids).all():
        own = col(ReporterAnswerRow.report_id) == report_id
        session.execute(delete(ReporterAnswerRow).where(own))
        rows = [
            {
                "report_id": report_id,
                "comment_id": answer.comment_id,
                "person_hash": answer.person_hash,
                "says": answer.says.value,
                "said_at": answer.said_at,
            }
            for answer in answers[external_id]
        ]
        if rows:
            session.execute(insert(ReporterAnswerRow).on_conflict_do_nothing(), rows)
        kept += len(rows)
    return kept


def load_answer_counts(session: Session) -> dict[tuple[int, str], AnswerCount]:
    """By theme and the version that its reporters were told of: how many people said what."""
    found: dict[tuple[int, str], dict[str, int]] = {}
    for row in session.execute(COUNTED, {"other": AnswerSays.OTHER.value}):
        found.setdefault((row.theme_id, row.version), {})[row.says] = row.people
    return {
        key: AnswerCount(
            still_broken=said.get(AnswerSays.STILL_BROKEN.value, 0),
            works=said.get(AnswerSays.WORKS.value, 0),
            other=said.get(AnswerSays.OTHER.value, 0),
        )
        for key, said in found.items()
    }
