"""An LLM's phrases for the failures of reports, by prompt version, model and text."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Text, any_, exists, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on, insert
from sqlmodel import Session, col

from triage.store.among import among
from triage.store.tables import DistillationRow, ReportRow


@dataclass(frozen=True, slots=True)
class StoredDistillation:
    """The failure of a text in few words, and the layer at fault, as an LLM answered."""

    failure: str
    layer: str


def load_undistilled(session: Session, *, prompt_version: str, llm_model: str) -> list[str]:
    """Fingerprints of reports that have no phrase yet, newest first; repeats are left out."""
    fingerprint = col(ReportRow.fingerprint)
    known = exists().where(
        col(DistillationRow.prompt_version) == prompt_version,
        col(DistillationRow.llm_model) == llm_model,
        col(DistillationRow.fingerprint) == fingerprint,
    )
    statement = (
        select(fingerprint)
        .where(~known, col(ReportRow.duplicate_of).is_(None), col(ReportRow.failure_text) != "")
        .group_by(fingerprint)
        .order_by(func.max(col(ReportRow.created_at)).desc(), fingerprint)
    )
    return list(session.execute(statement).scalars())


def load_whole_texts(session: Session, fingerprints: Collection[str]) -> dict[str, str]:
    """Title and body, unshortened, of the first report of each fingerprint."""
    statement = (
        select(col(ReportRow.fingerprint), col(ReportRow.title), col(ReportRow.body))
        .ext(distinct_on(col(ReportRow.fingerprint)))
        .where(among(col(ReportRow.fingerprint), fingerprints))
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
    session: Session,
    *,
    prompt_version: str,
    llm_model: str,
    fingerprints: Collection[str] | None = None,
) -> dict[str, StoredDistillation]:
    """The answers of this prompt and model, by fingerprint; all of them without fingerprints."""
    statement = select(
        col(DistillationRow.fingerprint), col(DistillationRow.failure), col(DistillationRow.layer)
    ).where(
        col(DistillationRow.prompt_version) == prompt_version,
        col(DistillationRow.llm_model) == llm_model,
    )
    if fingerprints is not None:
        statement = statement.where(
            col(DistillationRow.fingerprint) == any_(literal(list(fingerprints), ARRAY(Text)))
        )
    return {
        fingerprint: StoredDistillation(failure, layer)
        for fingerprint, failure, layer in session.execute(statement)
    }


def load_distillations_of(
    session: Session, fingerprint: str
) -> list[tuple[str, StoredDistillation]]:
    """Every answer about one text with the model that gave it, oldest first."""
    statement = (
        select(DistillationRow)
        .where(col(DistillationRow.fingerprint) == fingerprint)
        .order_by(col(DistillationRow.answered_at), col(DistillationRow.llm_model))
    )
    return [
        (row.llm_model, StoredDistillation(row.failure, row.layer))
        for row in session.execute(statement).scalars()
    ]
