"""Reads a Dockerfile: its stages, each with its instructions. No engine is needed."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Instruction:
    """One instruction, for example RUN, and what follows it on its logical line."""

    word: str
    rest: str

    @property
    def items(self) -> list[str]:
        """The parts of a JSON array, or the words."""
        if self.rest.startswith("["):
            return [str(item) for item in json.loads(self.rest)]
        return shlex.split(self.rest)


@dataclass
class Stage:
    """One FROM: the image or stage that it begins with, its name, what follows."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, word: str) -> list[Instruction]:
        """Its instructions of a kind."""
        return [each for each in self.instructions if each.word == word]


def read_dockerfile(path: Path) -> list[Stage]:
    """The stages in their order."""
    stages: list[Stage] = []
    for line in _logical_lines(path.read_text("utf-8")):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            match = re.fullmatch(r"(\S+)(?: AS (\S+))?", rest.strip())
            assert match is not None, line
            stages.append(Stage(match[1], match[2] or ""))
        else:
            stages[-1].instructions.append(Instruction(word, rest.strip()))
    return stages


def _logical_lines(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [" ".join(line.split()) for line in joined.splitlines() if line.strip()]
