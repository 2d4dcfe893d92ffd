"""Listening: what people said and did on an issue, as words that outrank the machine. No I/O.

``commands`` reads slash commands, ``changes`` tells what differs from what is known, ``duplicates``
follows "duplicate of" to its end, ``words`` turns all of it into corrections; ``answers`` reads
what reporters say to whom it was told that their failure is mended.
"""

from triage.listening.answers import what_answer_says
from triage.listening.changes import Change, ChangeKind, attribute, find_changes, label_renames
from triage.listening.commands import HELP, Command, parse_commands
from triage.listening.duplicates import ChainEnd, duplicate_target, follow_chain
from triage.listening.values import (
    IssueFacts,
    Label,
    SeenComment,
    SeenEvent,
    SeenIssue,
)
from triage.listening.words import LabelNames, Word, words_of

__all__ = [
    "HELP",
    "ChainEnd",
    "Change",
    "ChangeKind",
    "Command",
    "IssueFacts",
    "Label",
    "LabelNames",
    "SeenComment",
    "SeenEvent",
    "SeenIssue",
    "Word",
    "attribute",
    "duplicate_target",
    "find_changes",
    "follow_chain",
    "label_renames",
    "parse_commands",
    "what_answer_says",
    "words_of",
]
