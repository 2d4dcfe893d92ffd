"""What the configuration promises: checked values, exact versions, errors that say what to do."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from triage.config.checks import IN_PIPELINE
from triage.config.loader import default_text, load_config, parse_config, write_default_config
from triage.config.model import Policy, Schedules, TriageConfig
from triage.errors import ConfigError
from triage.types import Kind, Report

SMALL = """\
family:
  title: Corvane
  lab: Fennwick
  versions:
    - name: corvane-4.2
      aliases: [Corvane 4.2]
      released: 2026-10-12
    - name: corvane-4.3
      next: true
triage_owner: triage-duty
capabilities:
  - id: tool-use
    title: Tool use
    description: Calling tools.
    examples: [Calls nothing]
    owners: [tools-lead]
"""
TWELVE_CAPABILITIES = [
    "tool-use",
    "coding",
    "long-horizon",
    "instruction-following",
    "safety-alignment",
    "reasoning",
    "environment-adaptation",
    "multilingual",
    "conversation",
    "multimodal",
    "serving",
    "documentation",
]


def parse(text: str) -> TriageConfig:
    return parse_config(text, "triage.yaml")


def failure(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return str(caught.value)


def report(**fields: object) -> Report:
    base: dict[str, object] = {
        "report_id": 1, "external_id": "a", "origin": "files", "channel": "user",
        "kind": Kind.USER, "created_at": datetime(2026, 11, 1, tzinfo=UTC), "title": "",
        "body": "b", "failure_text": "b", "fingerprint": "f", "reporter": "r",
    }  # fmt: skip
    return Report(**{**base, **fields})  # type: ignore[arg-type]


# ------------------------------------------------------------------ the built-in default


def test_the_default_has_the_twelve_capabilities_each_with_owner_and_five_examples() -> None:
    config = load_config(None)
    assert [capability.id for capability in config.capabilities] == TWELVE_CAPABILITIES
    assert all(capability.owners for capability in config.capabilities)
    assert all(len(capability.examples) >= 5 for capability in config.capabilities)
    assert config.warnings() == []
    assert config.policy.dry_run is True


def test_the_default_file_names_every_policy_key_and_schedule_with_the_models_default() -> None:
    written = YAML(typ="safe", pure=True).load(default_text())
    assert set(written["policy"]) == set(Policy.model_fields)
    assert set(written["schedules"]) == set(Schedules.model_fields)
    config = load_config(None)
    assert config.policy == Policy()
    assert config.schedules == Schedules()


def test_every_policy_key_of_the_default_file_is_explained_on_its_line() -> None:
    lines = default_text().splitlines()
    for key in Policy.model_fields:
        line = next(line for line in lines if line.startswith(f"  {key}:"))
        assert re.search(r"# \S+", line), key


def test_init_writes_the_default_and_refuses_to_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "new" / "triage.yaml"
    write_default_config(path)
    assert load_config(path) == load_config(None)
    path.write_text("mine")
    with pytest.raises(ConfigError, match="not overwritten"):
        write_default_config(path)
    assert path.read_text() == "mine"


def test_init_into_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="folder that you may write"):
        write_default_config(tmp_path / "file" / "triage.yaml")


# ------------------------------------------------------------------ versions


@pytest.mark.parametrize(
    ("written", "version"),
    [
        ("corvane-4.2", "corvane-4.2"),
        ("Corvane 4.2", "corvane-4.2"),
        ("  CORVANE_4.2-PRO ", "corvane-4.2"),
        ("corvane\u00a04.1", "corvane-4.1"),
        ("corvane\u20114.1", "corvane-4.1"),
        ("c 4.1", "corvane-4.1"),
        ("corvane-latest", "corvane-4.2"),
        ("corvane-4.3", "corvane-4.3"),
        ("corvane-4.2-20261012", "corvane-4.2"),
        ("Corvane 4.2 2026-10-12", "corvane-4.2"),
        ("corvane-4.2@20261012", "corvane-4.2"),
        ("corvane-4.2-20261399", None),
        ("corvane-4.2-00000101", None),
        ("corvane-9.9-20261012", None),
        ("Corvane 4.2 in Loomcode", None),
        ("corvane-4", None),
        ("corvane-4.2.1", None),
        ("corvane-4.22", None),
        ("corvane-42", None),
        ("4.2", None),
        ("", None),
        (" - ", None),
    ],
)
def test_a_written_model_resolves_only_by_exact_alias_or_dated_snapshot(
    written: str, version: str | None
) -> None:
    assert load_config(None).resolve_version(written) == version


def test_a_separator_between_digits_keeps_versions_apart() -> None:
    text = SMALL.replace("Corvane 4.2]", "c-4.1-1]").replace("name: corvane-4.3", "name: c-4.11")
    config = parse(text)
    assert config.resolve_version("C 4.1 1") == "corvane-4.2"
    assert config.resolve_version("C 4.11") == "c-4.11"


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_no_text_makes_the_resolver_fail_or_invent_a_version(written: str) -> None:
    config = load_config(None)
    names = {version.name for version in config.versions}
    assert config.resolve_version(written) in names | {None}


def test_versions_stand_in_release_order_with_the_next_one_last() -> None:
    config = load_config(None)
    assert [version.name for version in config.versions] == [
        "corvane-4.1", "corvane-4.2", "corvane-4.3",
    ]  # fmt: skip
    assert config.next_version.name == "corvane-4.3"
    assert config.next_version.milestone_title == "corvane-4.3"


# ------------------------------------------------------------------ owners and rules


def test_a_capability_without_owner_falls_back_and_is_warned_about() -> None:
    config = parse(SMALL.replace("    owners: [tools-lead]\n", ""))
    assert config.owner_of("tool-use") == "triage-duty"
    assert any("'tool-use' has no owner" in warning for warning in config.warnings())
    assert parse(SMALL).owner_of("tool-use") == "tools-lead"


def test_scheduling_the_pipeline_and_its_stages_is_warned_about() -> None:
    config = parse(SMALL + "schedules: {pipeline: '5 * * * *'}\n")
    assert any("twice" in warning for warning in config.warnings())
    alone = ", ".join(f"{stage}: null" for stage in sorted(IN_PIPELINE))
    config = parse(SMALL + f"schedules: {{pipeline: '5 * * * *', {alone}}}\n")
    assert config.schedules.report is not None
    assert not any("twice" in warning for warning in config.warnings())


# ------------------------------------------------------------------ wrong files


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("    title: Tool use", "    titel: Tool use", ["line 13", "titel", "mean 'title'"]),
        ("triage_owner:", "triage_ower:", ["line 10", "triage_ower", "mean 'triage_owner'"]),
        ("    title: Tool use\n", "", ["line 12", "capabilities[0].title", "is missing"]),
        ("    title: Tool use", "    title: 12", ["line 13", "valid string", "in quotes"]),
        ("owners: [tools-lead]", "owners: tools-lead", ["line 16", "Write a list"]),
        ("owners: [tools-lead]", "owners: ['@tools']", ["line 16", "owners[0]", "without '@'"]),
        ("owners: [tools-lead]", "owners: [org/team]", ["line 16", "GitHub login"]),
        ("id: tool-use", "id: Tool Use", ["line 12", "lower-case"]),
        ("title: Tool use", "title: '  '", ["line 13", "is empty"]),
        ("released: 2026-10-12", "released: soon", ["line 7", "YYYY-MM-DD"]),
        ("released: 2026-10-12", "released: 2026-02-30", ["line 7", "YYYY-MM-DD"]),
        ("      released: 2026-10-12\n", "", ["line 5", "no release date", "Add `released"]),
        ("next: true", "next: yes", ["line 9", "true or false"]),
        ("next: true", "released: 2026-11-01", ["no versions are marked", "exactly one"]),
        ("released: 2026-10-12", "next: true", ["line 8", "2 versions are marked"]),
        ("next: true", "next: true\n      released: 2026-11-01", ["line 10", "released at once"]),
        ("name: corvane-4.3", "name: CORVANE_4.2", ["line 8", "already names 'corvane-4.2'"]),
        (
            "      next: true",
            "      next: true\n      aliases: [x, corvane 4.2]",
            ["line 10", "aliases[1]", "already names", "one version only"],
        ),
        ("title: Corvane\n", "title: Corvane\n  title: Other\n", ["line 3", "already in line 2"]),
        ("family:", "family: !python/object:os.system", ["tag", "not allowed"]),
        ("  title: Corvane", "\ttitle: Corvane", ["line 2", "spaces"]),
        ("title: Corvane", "title: Corvane: new", ["line 2", "YAML"]),
        ("[Corvane 4.2]", "[Corvane 4.2", ["YAML", "Check this line"]),
        ("lab: Fennwick", "lab: Fenn\x07wick", ["line 3", "YAML forbids"]),
        ("lab: Fennwick", "lab: *nothing", ["line 3", "undefined alias"]),
    ],
)
def test_a_wrong_file_gets_line_field_and_remedy(old: str, new: str, told: list[str]) -> None:
    assert old in SMALL
    message = failure(SMALL.replace(old, new, 1))
    assert message.startswith("Reading triage.yaml: ")
    for part in told:
        assert part in message


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("rules: [{capability: tool-us, model: x}]", ["line 17", "mean 'tool-use'"]),
        ("rules: [{capability: tool-use}]", ["line 17", "no condition"]),
        ("policy: {min_reporter: 2}", ["line 17", "mean 'min_reporters'"]),
        ("policy: {min_reporters: 0}", ["greater than or equal to 1"]),
        ("policy: {min_reporters: '3'}", ["without quotes"]),
        ("policy: {min_reporters: true}", ["number"]),
        ("policy: {flip_probability: 0.6}", ["line 17", "Keep them apart"]),
        ("policy: {min_coherence: .nan}", ["line 17"]),
        ("github: {repository: 'https://github.com/a/b'}", ["owner/name"]),
        ("github: {repository: a/..}", ["owner/name"]),
        ("sources: {github: [{repository: a/b}, {repository: A/b}]}", ["there twice"]),
        ("sources: {github: [{repository: a/b, kind: tester}]}", ["'user' or 'developer'"]),
        ("sources: {huggingface: [{repository: corvane}]}", ["owner/name"]),
        ("sources: {huggingface: [{repository: a/b, type: modle}]}", ["'model', 'dataset'"]),
        ("sources: {inspect: [{folder: logs}, {folder: logs}]}", ["there twice"]),
        ("sources: {langfuse: {host: langfuse.example}}", ["line 17", "https://host"]),
        ("sources: {langfuse: {host: 'https://[::'}}", ["line 17", "https://host"]),
        ("intake: {max_bytes: 10}", ["greater than or equal to 1000"]),
        ("schedules: {collect: hourly}", ["line 17", "five fields"]),
        ("schedules: {collect: 61 * * * *}", ["bad minute"]),
        ("schedules: {collect: 0 0 31 2 *}", ["schedules.collect"]),
        ("schedules: {collect: 0 0 * * * *}", ["five fields"]),
        ("schedules: {collect: '@hourly'}", ["five fields"]),
        ("schedules: {timezone: Mars/Base}", ["IANA"]),
        ("rules: [{capability: tool-use, model: x}, 3]", ["rules[1]", "`key: value` lines"]),
        ("policy: 3", ["`key: value` lines"]),
        ("---\nother: 1", ["second `---`"]),
    ],
)
def test_a_wrong_section_gets_line_field_and_remedy(section: str, told: list[str]) -> None:
    message = failure(SMALL + section + "\n")
    for part in told:
        assert part in message


def test_a_login_in_a_web_address_is_refused_and_not_repeated() -> None:
    section = "sources: {langfuse: {host: 'https://us:hush-hush@langfuse.example'}}"
    message = failure(SMALL + section + "\n")
    assert "holds a login" in message
    assert "hush-hush" not in message


def test_a_capability_id_given_twice_is_refused() -> None:
    twice = SMALL + "  - {id: tool-use, title: Again, description: Again.}\n"
    assert "line 17, capabilities[1].id: the capability 'tool-use' is there twice" in failure(twice)


def test_a_file_without_capabilities_is_refused() -> None:
    head = SMALL[: SMALL.index("capabilities:")]
    assert "line 11, capabilities: the list is empty" in failure(head + "capabilities: []\n")


def test_several_errors_are_told_at_once_in_the_order_of_the_file_ten_at_most() -> None:
    message = failure(SMALL.replace("title: Tool use", "titel: T").replace("lab:", "labor:"))
    assert "4 problems" in message
    assert message.index("line 3, family.labor") < message.index("line 13, capabilities[0].titel")
    many = SMALL + "".join(f"unknown_{number}: 1\n" for number in range(14))
    assert failure(many).count("the key is not known") == 10
    assert "and 4 more" in failure(many)


GITHUB_TOKEN = "ghp_" + "Zk3vQ9" * 6


@pytest.mark.parametrize(
    ("section", "variable"),
    [
        ("github: {token: hush-hush}", "TRIAGE_GITHUB_TOKEN"),
        ("github: {private_key: hush-hush}", "TRIAGE_GITHUB_APP_PRIVATE_KEY"),
        ("llm: {api_key: hush-hush}", "TRIAGE_LLM_API_KEY"),
        ("llm: {API-Key: hush-hush}", "TRIAGE_LLM_API_KEY"),
        ("database: {password: hush-hush}", "TRIAGE_DATABASE_URL"),
        ("sources: {langfuse: {secret_key: hush-hush}}", "TRIAGE_LANGFUSE_SECRET_KEY"),
        ("sources: {langfuse: {host: sk-lf-hush-hush}}", "TRIAGE_LANGFUSE_SECRET_KEY"),
        ("sources: {huggingface: [{hf_token: hush-hush}]}", "TRIAGE_HF_TOKEN"),
        (f"github: {{repository: {GITHUB_TOKEN}}}", "TRIAGE_GITHUB_TOKEN"),
        ("url: postgresql://triage:hush-hush@db.example/x", "TRIAGE_DATABASE_URL"),
        (f"anything: [a, '-----BEGIN RSA PRIVATE KEY----- {GITHUB_TOKEN}']", "TRIAGE_"),
    ],
)
def test_a_secret_in_the_file_is_refused_with_its_variable_and_never_repeated(
    section: str, variable: str
) -> None:
    message = failure(SMALL + section + "\n")
    assert "line 17" in message
    assert variable in message
    assert "hush-hush" not in message
    assert GITHUB_TOKEN not in message


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"# only a comment\n", "is empty"),
        (b"- a\n- b\n", "`key: value` lines"),
        (SMALL.encode("utf-16"), "line 1: is not UTF-8"),
        (SMALL.replace("Fennwick", "F\xe9nwick").encode("latin-1"), "line 3: is not UTF-8"),
        (b"#" * 1_000_001, "larger than 1 MB"),
        (b"[" * 500, "nested too deeply"),
        (b"a: &a [*a, *a]\n", "line 1: is nested too deeply"),
    ],
    ids=["empty", "comment", "list", "utf-16", "latin-1", "huge", "deep", "recursive"],
)
def test_a_file_that_is_no_configuration_is_refused(
    tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / "triage.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_alias_bomb_is_refused_instead_of_unfolded() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 12)
    )
    assert "unfold into as many" in failure(bomb)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.yaml", tmp_path):
        with pytest.raises(ConfigError, match=f"Reading {re.escape(str(path))}.*triage init"):
            load_config(path)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "triage.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.encode())
    assert load_config(path) == parse(SMALL)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), st.text(alphabet="abc:- \n\t[]{}&*!#|>'\"%@`,?~=<0.x_\x00\x85\ufeff")))
def test_no_text_makes_the_loader_raise_anything_but_a_config_error(text: str) -> None:
    with pytest.raises(ConfigError):
        parse(text)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_edit_of_a_good_file_makes_the_loader_raise_anything_else(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(SMALL)))
    end = data.draw(st.integers(start, min(start + 20, len(SMALL))))
    edited = SMALL[:start] + data.draw(st.text(max_size=8)) + SMALL[end:]
    try:
        parse(edited)
    except ConfigError as error:
        assert error.remedy  # noqa: PT017 (most edits fail, some do not)
