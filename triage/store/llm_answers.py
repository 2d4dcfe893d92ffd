"""An LLM's words for themes, its opinion on pairs, and what it gave no usable answer to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Text, any_, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlmodel import Session, col

from triage.store.tables import PairAnswerRow, ThemeRow, UnansweredRow, WordingRow
from triage.types import CitedSentence, PairAnswer, ThemeStatus, ThemeText, ThemeWording


def save_unanswered(
    session: Session, reasons: Mapping[str, str], *, prompt_version: str, llm_model: str
) -> None:
    """Count one more run without a usable answer for each question (hash to reason)."""
    row = {"prompt_version": prompt_version, "llm_model": llm_model, "runs": 1}
    rows = [{**row, "question_hash": key, "reason": why} for key, why in sorted(reasons.items())]
    if not rows:
        return
    statement = insert(UnansweredRow)
    again = statement.on_conflict_do_update(
        index_elements=["prompt_version", "llm_model", "question_hash"],
        set_={
            "runs": UnansweredRow.runs + 1,
            "reason": statement.excluded.reason,
            "asked_at": func.now(),
        },
    )
    session.execute(again, rows)


def load_resting(
    session: Session, *, prompt_version: str, llm_model: str, most_runs: int, since: datetime
) -> set[str]:
    """Hashes of the questions without a usable answer in ``most_runs`` runs, asked ``since``."""
    statement = select(col(UnansweredRow.question_hash)).where(
        col(UnansweredRow.prompt_version) == prompt_version,
        col(UnansweredRow.llm_model) == llm_model,
        col(UnansweredRow.runs) >= most_runs,
        col(UnansweredRow.asked_at) >= since,
    )
    return set(session.execute(statement).scalars())


def save_wording(
    session: Session,
    material_hash: str,
    wording: ThemeWording,
    *,
    prompt_version: str,
    llm_model: str,
) -> None:
    """Keep how a theme was worded; one that is there stays."""
    values = {
        "prompt_version": prompt_version,
        "llm_model": llm_model,
        "material_hash": material_hash,
        "title": wording.title,
        "sentences": [asdict(sentence) for sentence in wording.sentences],
    }
    session.execute(insert(WordingRow).values(values).on_conflict_do_nothing())


def load_wordings(
    session: Session, material_hashes: Collection[str], *, prompt_version: str, llm_model: str
) -> dict[str, ThemeWording]:
    """The wordings of this prompt and model, by the hash of what was asked about."""
    statement = select(
        col(WordingRow.material_hash), col(WordingRow.title), col(WordingRow.sentences)
    ).where(
        col(WordingRow.prompt_version) == prompt_version,
        col(WordingRow.llm_model) == llm_model,
        col(WordingRow.material_hash) == any_(literal(list(material_hashes), ARRAY(Text))),
    )
    return {
        key: ThemeWording(
            title, tuple(CitedSentence(s["text"], tuple(s["report_ids"])) for s in sentences)
        )
        for key, title, sentences in session.execute(statement)
    }


def apply_wording(session: Session, theme_id: int, text: ThemeText) -> bool:
    """Give an open theme a title and summary; False where it was described anew meanwhile."""
    statement = (
        update(ThemeRow)
        .where(
            col(ThemeRow.theme_id) == theme_id,
            col(ThemeRow.status) == ThemeStatus.OPEN,
            col(ThemeRow.exemplar_ids) == list(text.exemplar_ids),
        )
        .values(title=text.title, summary=text.summary, worded_by=text.worded_by)
        .returning(col(ThemeRow.theme_id))
    )
    return session.execute(statement).first() is not None


def save_pair_answer(
    session: Session,
    hashes: tuple[str, str],
    answer: PairAnswer,
    *,
    prompt_version: str,
    llm_model: str,
) -> None:
    """Keep the answer for two groups of texts (their hashes, in whichever order)."""
    first, second = sorted(hashes)
    values = {
        "prompt_version": prompt_version,
        "llm_model": llm_model,
        "first_hash": first,
        "second_hash": second,
        **asdict(answer),
    }
    session.execute(insert(PairAnswerRow).values(values).on_conflict_do_nothing())


def load_pair_answers(
    session: Session,
    pairs: Collection[tuple[str, str]],
    *,
    prompt_version: str,
    llm_model: str,
) -> dict[tuple[str, str], PairAnswer]:
    """Known answers by pair of hashes, the lower first."""
    columns = (col(PairAnswerRow.first_hash), col(PairAnswerRow.second_hash))
    wanted = sorted({(min(pair), max(pair)) for pair in pairs})
    statement = select(*columns, col(PairAnswerRow.same_fix), col(PairAnswerRow.because)).where(
        col(PairAnswerRow.prompt_version) == prompt_version,
        col(PairAnswerRow.llm_model) == llm_model,
        tuple_(*columns).in_(wanted),
    )
    return {
        (first, second): PairAnswer(same_fix, because)
        for first, second, same_fix, because in session.execute(statement)
    }
