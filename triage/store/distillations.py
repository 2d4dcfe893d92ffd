"""Answers of an LLM by prompt version, model and text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.store.tables import DistillationRow, ReportRow


@dataclass(frozen=True, slots=True)
class StoredDistillation:
    """The failure of a text in few words, and the layer at fault, as an LLM answered."""

    failure: str
    layer: str


def load_undistilled(session: Session, *, prompt_version: str, llm_model: str) -> dict[str, str]:
    """Fingerprint to the whole text (title and body) of reports that were not asked about yet."""
    known = exists().where(
        col(DistillationRow.prompt_version) == prompt_version,
        col(DistillationRow.llm_model) == llm_model,
        col(DistillationRow.fingerprint) == col(ReportRow.fingerprint),
    )
    statement = (
        select(col(ReportRow.fingerprint), col(ReportRow.title), col(ReportRow.body))
        .distinct(col(ReportRow.fingerprint))
        .where(~known, col(ReportRow.duplicate_of).is_(None))
        .order_by(col(ReportRow.fingerprint), col(ReportRow.report_id))
    )
    return {
        fingerprint: f"{title}\n\n{body}" if title else body
        for fingerprint, title, body in session.execute(statement)
    }


def save_distillations(
    session: Session,
    answers: Mapping[str, StoredDistillation],
    *,
    prompt_version: str,
    llm_model: str,
) -> None:
    """Keep answers by fingerprint; one that is there stays."""
    rows = [
        {
            "prompt_version": prompt_version,
            "llm_model": llm_model,
            "fingerprint": fingerprint,
            "failure": answer.failure,
            "layer": answer.layer,
        }
        for fingerprint, answer in answers.items()
    ]
    if rows:
        session.execute(insert(DistillationRow).on_conflict_do_nothing(), rows)


def load_distillations(
    session: Session, *, prompt_version: str, llm_model: str
) -> dict[str, StoredDistillation]:
    """Every answer of this prompt and model, by fingerprint."""
    statement = select(
        col(DistillationRow.fingerprint), col(DistillationRow.failure), col(DistillationRow.layer)
    ).where(
        col(DistillationRow.prompt_version) == prompt_version,
        col(DistillationRow.llm_model) == llm_model,
    )
    return {
        fingerprint: StoredDistillation(failure, layer)
        for fingerprint, failure, layer in session.execute(statement)
    }
