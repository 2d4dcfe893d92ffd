"""The README against the code: its commands, stages, variables and benchmarks."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import pytest
import typer
from prefect import Flow
from typer.main import get_command

from flows.deployments import FLOWS
from flows.pipeline import run_stages
from tests.readme import ROOT, code_blocks, prose, spans, table, variants
from triage.cli import app
from triage.settings import Settings
from triage.store.operation import STAGES

SOURCES = [path for name in ("triage", "flows", "migrations") for path in (ROOT / name).rglob("*")]
VARIABLE = re.compile(r"TRIAGE_[A-Z_]*[A-Z]\b")
VARIABLES = {f"TRIAGE_{name.upper()}" for name in Settings.model_fields}
STAGE, COMMAND, SETTING = table("stage"), table("command"), table("variable")


@cache
def commands() -> dict[str, Any]:
    """Every command of the command line by what is typed after ``triage``."""

    def within(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield " ".join(words), command
            return
        for name, each in inner.items():
            yield from within(each, (*words, name))

    return dict(within(get_command(app), ()))


def named(words: list[str]) -> str:
    """The command that words begin with."""
    found = [name for name in commands() if words[: len(name.split())] == name.split()]
    assert found, f"there is no command {' '.join(words)!r}"
    return found[0]


def parse(words: list[str], *, is_whole: bool) -> str:
    """Read words after ``triage`` as the command line does; returns the command's name."""
    name = named(words)
    try:
        commands()[name].make_context(f"triage {name}", words[len(name.split()) :])
    except typer.BadParameter as error:
        # prose may name a command without what it wants
        if is_whole or type(error).__name__ != "MissingParameter":
            raise
    return name


def options(name: str) -> set[str]:
    return {word for each in commands()[name].params for word in (*each.opts, *each.secondary_opts)}


def lines_of_blocks() -> list[str]:
    lines = "".join(code_blocks("sh")).replace("\\\n", " ").splitlines()
    return [line.partition("  #")[0].rpartition("&& ")[2].strip() for line in lines]


@pytest.mark.parametrize("row", COMMAND, ids=lambda row: row[0])
def test_each_command_of_the_table_is_read_as_it_stands_there(row: list[str]) -> None:
    names = {
        parse(words[1:], is_whole=True)
        for synopsis in spans(row[0])
        for words in variants(synopsis)
    }
    known = set().union(*(options(name) for name in names))
    told = [words for span in spans(row[1]) if span.startswith("-") for words in variants(span)]
    assert {words[0] for words in told} <= known


def test_the_table_holds_every_command() -> None:
    told = [
        named(words[1:])
        for row in COMMAND
        for span in spans(row[0])
        for words in variants(span)[:1]
    ]
    assert sorted(told) == sorted(commands())


def test_commands_elsewhere_exist_with_their_options() -> None:
    told = [line for line in lines_of_blocks() if re.match(r"(\.venv/bin/)?triage ", line)]
    assert len(told) == 7
    for line in told:
        parse(line.split()[1:], is_whole=True)
    for span in spans(prose()):
        if span.startswith("triage "):
            for words in variants(span):
                parse(words[1:], is_whole=False)


@pytest.mark.parametrize("wrong", ["triage ingst x", "triage run --fil", "triage themes 3"])
def test_a_command_that_is_not_there_is_noticed(wrong: str) -> None:
    with pytest.raises(Exception, match=r"(?i)no command|no such option|unexpected extra"):
        parse(wrong.split()[1:], is_whole=True)


@pytest.mark.parametrize("row", STAGE, ids=lambda row: row[0])
def test_each_stage_has_the_flow_and_the_modules_that_the_table_names(row: list[str]) -> None:
    stage, (name,), core, edges = row[0], spans(row[1]), spans(row[2]), spans(row[3])
    flow = getattr(importlib.import_module(f"flows.{name}"), name)
    assert isinstance(flow, Flow)
    assert (flow.name, FLOWS[stage]) == (name, flow)
    reached = rooms_reached(f"flows.{name}")
    for room in (*core, *edges):
        importlib.import_module(f"triage.{room}")
        assert room in reached, f"{name} never comes to triage.{room}"


def test_the_table_holds_every_stage_by_the_name_that_stops_it() -> None:
    assert sorted(row[0] for row in STAGE) == sorted(STAGES)
    assert {row[0] for row in STAGE} == set(FLOWS) - {"pipeline"}


def rooms_reached(module: str) -> set[str]:
    """The rooms of ``triage`` that a flow and what it imports of ``flows`` import."""
    rooms, seen, waiting = set(), set(), [module]
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        tree = ast.parse((ROOT / (here.replace(".", "/") + ".py")).read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                first, _, rest = node.module.partition(".")
                if first == "flows":
                    waiting.append(node.module)
                elif first == "triage":
                    names = [rest] if rest else [alias.name for alias in node.names]
                    rooms |= {name.partition(".")[0] for name in names}
    return rooms


def test_the_diagram_shows_stages_in_their_order() -> None:
    (diagram,) = code_blocks("mermaid")
    plain = re.sub(r"\|[^|]*\|", " ", diagram.partition("\n")[2])
    labelled = set(re.findall(r"(\w+)\[", plain))
    drawn = set(re.findall(r"[a-z]\w*", re.sub(r"\[\(?[^\]]*\]", " ", plain))) - labelled
    assert drawn <= set(STAGES)
    source = inspect.getsource(run_stages)
    order = re.findall(r'^        "(\w+)": lambda', source, re.MULTILINE)
    assert " --> ".join(order) in plain
    assert set(order) <= drawn


def variables(text: str) -> set[str]:
    """The variables in backticks, also what an ellipsis stands before."""
    found = set()
    for span in spans(text):
        if span.startswith("…_"):
            (whole,) = (name for name in VARIABLES if name.endswith(span.removeprefix("…")))
            found.add(whole)
        elif VARIABLE.fullmatch(span):
            found.add(span)
    return found


def test_the_table_holds_every_variable_that_is_read() -> None:
    assert variables("".join(f"{row[0]} {row[1]}" for row in SETTING)) == VARIABLES


def test_no_other_variable_is_named_or_read_in_the_code() -> None:
    texts = [path.read_text("utf-8") for path in SOURCES if path.suffix in {".py", ".yaml"}]
    read = {name.removesuffix("_FILE") for text in texts for name in VARIABLE.findall(text)}
    assert "TRIAGE_GITHUB_TOKEN" in read
    assert read <= VARIABLES
    of_tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))
    for name in set(VARIABLE.findall(prose())) - VARIABLES:
        assert f'os.environ.get("{name}"' in of_tests, name


def test_the_defaults_of_the_table_are_those_of_the_settings() -> None:
    told = {name: row[1] for row in SETTING for name in variables(row[0])}
    for name in ("max_requests_per_run", "max_seconds_per_run", "max_pairs_per_run", "concurrency",
                 "timeout_seconds"):  # fmt: skip
        default = Settings.model_fields[f"llm_{name}"].default
        assert re.search(rf"\b{default:,.0f}\b", told[f"TRIAGE_LLM_{name.upper()}"]), name
    assert Settings.model_fields["llm_max_tokens_per_run"].default is None
    backends = set(get_args(Settings.model_fields["embedding_backend"].annotation))
    assert set(spans(told["TRIAGE_EMBEDDING_BACKEND"])) == backends


def test_every_benchmark_exists_and_takes_what_is_given_to_it() -> None:
    told = [span.split()[2:] for span in spans(prose()) if span.startswith("python -m ")]
    assert len(told) >= 8
    for module, *rest in told:
        path = ROOT / (module.replace(".", "/") + ".py")
        assert '__name__ == "__main__"' in path.read_text("utf-8"), module
        wanted = {word.strip("[]") for word in rest if word.strip("[]").startswith("-")}
        if wanted:
            command = [sys.executable, "-m", module, "--help"]
            environment = {**os.environ, "COLUMNS": "200"}
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
            )
            assert wanted <= set(re.findall(r"--[\w-]+", done.stdout)), module
