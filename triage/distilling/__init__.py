"""An optional LLM puts failures into words; the only room that knows of one."""

from triage.distilling.answers import Distillation, read_answer
from triage.distilling.asking import Asker, Unanswered
from triage.distilling.budget import Budget
from triage.distilling.configured import check_endpoint, open_asker
from triage.distilling.endpoint import Endpoint
from triage.distilling.pairs import group_hash, read_pair_answer
from triage.distilling.plain import BadAnswer
from triage.distilling.questions import (
    FAILURE_PROMPT,
    PAIR_PROMPT,
    WORDING_PROMPT,
    Question,
    failure_question,
    pair_question,
    wording_question,
)
from triage.distilling.wordings import ThemeMaterial, read_wording

__all__ = [
    "FAILURE_PROMPT",
    "PAIR_PROMPT",
    "WORDING_PROMPT",
    "Asker",
    "BadAnswer",
    "Budget",
    "Distillation",
    "Endpoint",
    "Question",
    "ThemeMaterial",
    "Unanswered",
    "check_endpoint",
    "failure_question",
    "group_hash",
    "open_asker",
    "pair_question",
    "read_answer",
    "read_pair_answer",
    "read_wording",
    "wording_question",
]
