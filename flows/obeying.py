"""Obey: commands in comments of people who may write here; one reaction is the answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from flows.desk import is_released, milestone_versions
from flows.hearing import SOMEBODY, Ear, chain_end, keep, say
from triage.filing import error_note, help_note
from triage.listening import (
    ChainEnd,
    Command,
    SeenComment,
    Word,
    duplicate_target,
    parse_commands,
)
from triage.listening.words import words_of_command
from triage.store.actions import COMMENT, EDIT, REACT, intend
from triage.store.heard import load_duplicates, save_duplicate, save_heard

WRITING_ROLES = frozenset({"admin", "maintain", "write"})


def take_comment(ear: Ear, comment: SeenComment, role: str) -> None:
    """Carry out what a comment says: one reaction as the answer, a comment only on error."""
    key, author = comment_key(comment), comment.author or SOMEBODY
    commands = parse_commands(comment.body) if comment.number in ear.filed else ()
    at = min(comment.updated_at, ear.now)
    if role not in WRITING_ROLES:
        ear.counts["not heard"] += 1
        outcome = f"not heard: the role of {author} here is {role}"
        if not save_heard(
            ear.session, ear.repository, key, comment.number, author=author, outcome=outcome, at=at
        ):
            return
        if commands:
            _react(ear, comment, "confused")
        return
    target = duplicate_target(comment.body, ear.repository)
    if target is not None and target != comment.number:
        save_duplicate(ear.session, ear.repository, comment.number, target, author=author, at=at)
    problems: list[str] = []
    for place, command in enumerate(commands):
        problems += _obey(ear, comment, command, f"{key}:{place}", author, at)
    if not save_heard(
        ear.session,
        ear.repository,
        key,
        comment.number,
        author=author,
        outcome="; ".join(problems) or "done",
        at=at,
    ):
        return
    ear.counts["commands"] += len(commands)
    if commands:
        _react(ear, comment, "confused" if problems else "+1")
    if problems:
        note = f"{ear.repository}#{comment.number} {key} error"
        body = error_note(problems, note, ear.workspace.marker_key)
        _comment(ear, comment.number, note, body)


def _obey(
    ear: Ear, comment: SeenComment, command: Command, key: str, author: str, at: datetime
) -> list[str]:
    if command.problem is not None:
        return [command.problem]
    number, reason = comment.number, command.reason or f"said on #{comment.number}"
    life = ear.filed[number].life
    words = list(words_of_command(command))
    if command.name == "help":
        note = f"{ear.repository}#{number} {key} help"
        _comment(ear, number, note, help_note(note, ear.workspace.marker_key))
    elif command.name == "merge":
        return _merge_wish(ear, number, command.arguments[0], author, at)
    elif command.name == "split":
        words = [Word("split", json.dumps(list(command.arguments)))]
    elif command.name == "claim":
        words, problem = _claim(ear, command.arguments[0])
        if problem:
            return [problem]
    elif command.name == "reopen":
        words = [Word("state", "open")]
        keep(ear, life.holding("state", author))
        _edit(ear, number, key, {"state": "open"}, expected="closed")
    elif command.name == "refresh":
        keep(ear, life.releasing("section"))
    elif command.name == "mute":
        keep(ear, life.holding("comments", author))
    elif command.name == "unmute":
        keep(ear, life.releasing("comments"))
    held = {"verdict", "capability", "priority", "owner"} & {word.field for word in words}
    for name in held:
        # the machine brings the issue in line with this word, whoever held the field before
        keep(ear, ear.filed[number].life.releasing(name))
    return say(ear, number, key, words, author, reason, at)


def _claim(ear: Ear, written: str) -> tuple[list[Word], str | None]:
    versions = milestone_versions(ear.workspace)
    version = ear.workspace.config.resolve_version(written) or versions.get(written)
    if version is None:
        return [], f"no version is called {written}; triage.yaml names them"
    if is_released(ear.workspace, version, ear.now):
        return [], f"{version} is released already; claim the one that is being made"
    return [Word("claim", version)], None


def _merge_wish(ear: Ear, number: int, target: str, author: str, at: datetime) -> list[str]:
    """Note which issue this one repeats; the merge follows once the chain's end is known."""
    if target.startswith("#"):
        wanted = int(target[1:])
    else:
        numbers = [n for n, each in ear.filed.items() if each.theme.name == target.upper()]
        if not numbers:
            return [f"{target} has no issue here; use `triage correct --merge-into`"]
        wanted = numbers[0]
    if wanted == number:
        return ["an issue cannot repeat itself"]
    edges = {n: t for n, (t, _, _) in load_duplicates(ear.session, ear.repository).items()}
    end = chain_end(ear, number, {**edges, number: wanted})
    if isinstance(end, ChainEnd):
        return [f"it cannot be merged into {target}: {end}"]
    save_duplicate(ear.session, ear.repository, number, wanted, author=author, at=at)
    return []


def _react(ear: Ear, comment: SeenComment, content: str) -> None:
    payload = {"comment_id": comment.comment_id, "content": content}
    key = f"react:{comment_key(comment)}"
    intend(ear.session, ear.repository, comment.number, key, REACT, payload, now=ear.now)


def _comment(ear: Ear, number: int, note: str, body: str) -> None:
    payload = {"note": note, "body": body}
    intend(ear.session, ear.repository, number, note, COMMENT, payload, now=ear.now)


def _edit(ear: Ear, number: int, key: str, fields: Mapping[str, str], *, expected: str) -> None:
    payload = {"fields": dict(fields), "expected": expected}
    intend(ear.session, ear.repository, number, key, EDIT, payload, now=ear.now)


def comment_key(comment: SeenComment) -> str:
    """A comment by its id and what it says to us: edited elsewhere it is the same one."""
    said = repr((parse_commands(comment.body), duplicate_target(comment.body, "")))
    digest = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"comment:{comment.comment_id}:{digest}"
