"""Reads and writes ``triage.yaml``: every error names the file, the line, the field, the remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from triage.config.checks import ConfigProblem, Place, did_you_mean
from triage.config.document import Document, DocumentError, parse_document
from triage.config.model import TriageConfig
from triage.config.secrets import secret_problems
from triage.errors import ConfigError

MAX_BYTES = 1_000_000
MAX_PROBLEMS = 10
_SECTION_TYPES = frozenset({"model_type", "dict_type", "model_attributes_type"})
WRITE_DEFAULT = "Write the annotated default with `triage init`, and edit that."


def load_config(path: Path | None) -> TriageConfig:
    """The configuration in ``path``, or the built-in default where None.

    Raises ``ConfigError`` with up to ten problems at once.
    """
    if path is None:
        return _default_config()
    return parse_config(_read_text(path), str(path))


def write_default_config(path: Path) -> None:
    """Write the annotated default; raises ``ConfigError`` where anything is there already."""
    attempted = f"Writing {path}"
    try:
        if path.exists():
            remedy = "Move what is there out of the way, or name another path."
            raise ConfigError(attempted, "it exists already and is not overwritten", remedy)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as handle:
            handle.write(default_text())
    except OSError as error:
        raise ConfigError(
            attempted, error.strerror or str(error), "Name a path in a folder that you may write."
        ) from error


def default_text() -> str:
    """The annotated default configuration, as ``triage init`` writes it."""
    return (files("triage.config") / "default.yaml").read_text(encoding="utf-8")


def parse_config(text: str, name: str) -> TriageConfig:
    """Check the text of a configuration; ``name`` is how errors call it."""
    try:
        document = parse_document(text)
    except DocumentError as error:
        where = f"line {error.line}: " if error.line else ""
        raise ConfigError(f"Reading {name}", where + error.problem, error.remedy) from error
    secrets = secret_problems(document)
    if secrets:  # nothing else is told: another message might repeat the secret
        raise _config_error(name, document, secrets)
    config: TriageConfig | None = None
    problems = list(document.problems)
    try:
        config = TriageConfig.model_validate(document.content)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        problems += [problem for detail in details for problem in _problems(detail)]
    if config is None or problems:
        raise _config_error(name, document, problems)
    return config


@lru_cache(maxsize=1)
def _default_config() -> TriageConfig:
    return parse_config(default_text(), "the built-in triage.yaml")


def _read_text(path: Path) -> str:
    attempted = f"Reading {path}"
    try:
        with path.open("rb") as handle:
            content = handle.read(MAX_BYTES + 1)
    except OSError as error:
        problem = error.strerror or str(error)
        remedy = f"Set TRIAGE_CONFIG to a file that is there. {WRITE_DEFAULT}"
        raise ConfigError(attempted, problem, remedy) from error
    if len(content) > MAX_BYTES:
        remedy = "Keep capabilities and rules short; reports belong into sources."
        raise ConfigError(attempted, "is larger than 1 MB", remedy)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        remedy = "Save it as UTF-8."
        raise ConfigError(attempted, f"line {line}: is not UTF-8 text", remedy) from error


def _config_error(name: str, document: Document, problems: list[ConfigProblem]) -> ConfigError:
    def placed(problem: ConfigProblem) -> str:
        line = document.line_of(problem.place)
        where = [f"line {line}"] if line else []
        where += [problem.field.removesuffix(".again")] if problem.place else []
        return ", ".join(where) + (": " if where else "") + problem.problem.rstrip(".")

    attempted = f"Reading {name}"
    problems = sorted(problems, key=lambda one: document.line_of(one.place) or 0)
    if len(problems) == 1:
        return ConfigError(attempted, placed(problems[0]), problems[0].remedy)
    told = [f"{placed(one)}. {one.remedy}" for one in problems[:MAX_PROBLEMS]]
    more = len(problems) - len(told)
    told += [f"and {more} more"] if more else []
    listing = "".join(f"\n  {line}" for line in told)
    remedy = f"Mend these lines and try again:{listing}"
    return ConfigError(attempted, f"{len(problems)} problems", remedy)


def _problems(detail: ErrorDetails) -> Iterable[ConfigProblem]:
    """A pydantic error as problems with a remedy each."""
    place: Place = detail["loc"]
    context: Mapping[str, Any] = detail.get("ctx", {})
    if detail["type"] == "parts_do_not_fit":
        return list(context["all"])
    if detail["type"] == "refused":
        return [ConfigProblem(place, context["problem"], context["remedy"])]
    if detail["type"] == "extra_forbidden":
        known = _known_keys(place[:-1])
        return [ConfigProblem(place, "the key is not known", did_you_mean(str(place[-1]), known))]
    if detail["type"] == "missing":
        return [ConfigProblem(place, "is missing", f"Add the key `{place[-1]}`.")]
    message = detail["msg"].replace("Input should", "should")
    if detail["type"] in _SECTION_TYPES:
        message = "should hold keys and values"
    return [ConfigProblem(place, message, _remedy(detail["type"]))]


def _remedy(error_type: str) -> str:
    if error_type == "string_type":
        return "Write one text; put a number, a date or true in quotes."
    if error_type == "bool_type":
        return "Write true or false."
    if error_type in {"int_type", "float_type"}:
        return "Write a number, without quotes."
    if error_type in _SECTION_TYPES:
        return "Write `key: value` lines below this key, indented."
    if error_type == "tuple_type":
        return "Write a list: one `- item` a line, or [a, b]."
    if error_type.startswith("date"):
        return "Write a date as YYYY-MM-DD, without quotes."
    return "`triage init` writes a file in which each key is explained."


def _known_keys(place: Place) -> list[str]:
    model: Any = TriageConfig
    for part in place:
        if isinstance(part, str):
            model = _model_in(model.model_fields[part].annotation)
    return list(model.model_fields)


def _model_in(annotation: Any) -> Any:
    """The section class inside ``X``, ``X | None`` or ``tuple[X, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(found for arg in get_args(annotation) if (found := _model_in(arg)) is not None)
