"""The README against the code: whatever stands in backticks, each link, and some figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from flows.deployments import FLOWS
from tests.integration.test_readme import VARIABLE, VARIABLES, commands, options
from tests.readme import ROOT, anchors, links, prose, section, spans
from triage.clustering.consensus import CONSENSUS, RUNS
from triage.config.model import TriageConfig
from triage.listening import parse_commands
from triage.listening.words import VERDICT_LABELS
from triage.settings import Settings
from triage.sources.records import FIELDS
from triage.store.operation import LLM, STAGES

# What belongs to others, examples of what people write, and fields of files that people bring.
ELSEWHERE = {
    "https://", "https://host/v1", "mailto://…", "*", "owner/name", "name=token …", "none", "dask",
    "Idempotency-Key", "version", "day", "requests", "channel", "layer", "capability",
    "priority: …", "capability: …", "inbox/done", "triage.yaml", "--strict",
    "pip-audit --strict --no-deps --disable-pip -r .constraints.txt",
}  # fmt: skip
# Written and read by tests and benchmarks alone.
OF_TESTS = {"TRIAGE_TEST_DATABASE_URL", "TRIAGE_BENCHMARK_DATA"}


def test_every_key_of_the_configuration_stands_in_the_shipped_file() -> None:
    shipped = (ROOT / "triage" / "config" / "default.yaml").read_text("utf-8")
    keys = config_keys()
    assert {"privacy.min_reporters", "sources.github.tell_reporters", "formerly"} <= keys
    for key in YAML(typ="safe", pure=True).load(shipped):
        assert key in keys
    for key in keys:
        assert "." in key or re.search(rf"\b{key}\b", shipped), f"{key} is not explained"


@pytest.mark.parametrize("span", sorted(set(spans(prose()))))
def test_whatever_stands_in_backticks_is_known(span: str) -> None:
    assert is_known(span)


@pytest.mark.parametrize(
    "wrong",
    ["privacy.min_reporter", "/triage verdic fundamental", "TRIAGE_HOUSE", "run --rm docter",
     "docker/secret.sh", "--splitt REPORT", "colect_reports", "id, sauce"],
)  # fmt: skip
def test_what_is_not_there_is_not_known(wrong: str) -> None:
    assert not is_known(wrong)


def test_every_link_leads_somewhere() -> None:
    assert len(links()) >= 3
    for target in links():
        place, _, anchor = target.partition("#")
        assert not place or place.startswith("https://") or (ROOT / place).exists(), target
        assert place or anchor in anchors(), target


def test_figures_in_the_text_are_those_of_the_code() -> None:
    words = " ".join(prose().split())
    assert f"Up to {CONSENSUS:,} reports are clustered sixteen times" in words
    assert RUNS == 16
    intake, served = (
        {each.name: each.default for each in commands()[name].params} for name in ("intake", "up")
    )
    assert f"port {served['port']}" in section("Schedules and the Prefect UI")
    over_http = section("Reports over HTTP")
    most = TriageConfig.model_fields["intake"].default.max_reports_per_request
    assert over_http.count(f"127.0.0.1:{intake['port']}/") == 2
    assert f"an array of up to {most}" in over_http


def is_known(span: str) -> bool:
    """Whether the code, the repository or ``ELSEWHERE`` has what stands in backticks."""
    if span.startswith(("triage ", "python -m ")):
        return True  # parsed whole by test_readme.py
    if span.startswith("/triage "):
        written = span.replace("#n", "#1").replace("…", "of this")
        return parse_commands(written)[0].problem is None
    if span.startswith("-") and span not in ELSEWHERE:
        option = span.split()[0]
        every = set().union(*(options(name) for name in commands()))
        return option in every or f'add_argument("{option}"' in _benchmarks()
    if span.startswith(("docker compose ", "run --rm ", "up -d ")):
        return _is_for_compose(span)
    if "TRIAGE_" in span:
        return set(VARIABLE.findall(span)) <= VARIABLES | OF_TESTS
    if span.startswith("…_"):
        return any(name.endswith(span.removeprefix("…")) for name in VARIABLES)
    if ("/" in span or span.endswith(".py")) and (ROOT / span.split()[0]).exists():
        return True
    words = re.sub(r" \(.*?\)", "", span).split(", ")
    return all(word in names() for word in words) or span.partition(": ")[0] in config_keys()


@cache
def names() -> frozenset[str]:
    """Single words that mean something: fields, flows, rooms, stages, artifacts, labels …"""
    flows = "".join(path.read_text("utf-8") for path in (ROOT / "flows").glob("*.py"))
    artifacts = re.findall(r'show_(?:table|page)\(\s*"(\w+)"', flows)
    rooms = {path.stem for path in (ROOT / "triage").iterdir()}
    backends = get_args(Settings.model_fields["embedding_backend"].annotation)
    return frozenset(
        {*FIELDS, *STAGES, LLM, *VERDICT_LABELS, *rooms, *backends, *artifacts, *commands()}
        | {flow.name for flow in FLOWS.values()}
        | ELSEWHERE
    )


def _benchmarks() -> str:
    return "".join(path.read_text("utf-8") for path in (ROOT / "tests/benchmarks").glob("*.py"))


def _is_for_compose(span: str) -> bool:
    text = (ROOT / "docker" / "compose.yaml").read_text("utf-8")
    services = YAML(typ="safe", pure=True).load(text)["services"]
    files = re.findall(r"-f (\S+)", span)
    called = re.findall(r"(?:run --rm |--scale )(\w+)", span)
    return all((ROOT / file).exists() for file in files) and set(called) <= set(services)


@cache
def config_keys() -> frozenset[str]:
    """Every key of triage.yaml: whole with dots, and its last part alone."""

    def below(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for name, field in model.model_fields.items():
            yield (*path, name)
            for part in _models(field.annotation):
                yield from below(part, (*path, name))

    paths = list(below(TriageConfig, ()))
    return frozenset({".".join(path) for path in paths} | {path[-1] for path in paths})


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
