"""An optional LLM says in few words what fails; the only room that knows of one."""

from triage.distilling.answers import BadAnswer, Distillation, read_answer
from triage.distilling.client import PROMPT_VERSION, Distiller, DistilOutcome

__all__ = [
    "PROMPT_VERSION",
    "BadAnswer",
    "DistilOutcome",
    "Distillation",
    "Distiller",
    "read_answer",
]
