"""What must hold between the parts of a configuration: ids, aliases, versions, rules."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triage.config.versions import version_key

if TYPE_CHECKING:
    from triage.config.model import ModelVersion, TriageConfig

Place = tuple[str | int, ...]
# What a run of the pipeline does; the other flows have no part in it.
IN_PIPELINE = frozenset({"collect", "embed", "theme", "decide", "route", "file"})


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing that is wrong: its place in the file's tree, what, and what to do."""

    place: Place
    problem: str
    remedy: str

    @property
    def field(self) -> str:
        """The place as people write it, ``capabilities[3].owners``."""
        return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in self.place).lstrip(".")


def did_you_mean(written: str, known: Iterable[str]) -> str:
    """A sentence that proposes the nearest known word, or lists them."""
    words = list(known)
    near = difflib.get_close_matches(written.casefold(), words, n=1, cutoff=0.6)
    return f"Did you mean '{near[0]}'?" if near else f"Known are: {', '.join(words)}."


def config_problems(config: TriageConfig) -> list[ConfigProblem]:
    """Everything that makes the parts contradict each other, in the order of the file."""
    return [
        *_version_problems(config.family.versions),
        *_alias_problems(config.family.versions),
        *_capability_problems(config),
        *_policy_problems(config),
        *_source_problems(config),
        *_privacy_problems(config),
    ]


def config_warnings(config: TriageConfig) -> list[str]:
    """What is allowed but probably not meant, one sentence each."""
    found = [
        f"Capability '{capability.id}' has no owner: its issues go to {config.triage_owner}."
        for capability in config.capabilities
        if not capability.owners
    ]
    found += [
        f"Capability '{capability.id}' has no examples: only its description guides the routing."
        for capability in config.capabilities
        if not capability.examples
    ]
    upcoming = config.next_version
    releases = [version.released for version in config.family.versions if version.released]
    if upcoming.planned and releases and upcoming.planned <= max(releases):
        found.append(f"'{upcoming.name}' is planned before the latest release ({max(releases)}).")
    if config.schedules.pipeline and config.schedules.by_stage().keys() & IN_PIPELINE:
        found.append("The pipeline and single stages are both scheduled: stages will run twice.")
    return found


def _version_problems(versions: tuple[ModelVersion, ...]) -> Iterator[ConfigProblem]:
    upcoming = [index for index, version in enumerate(versions) if version.next]
    if len(upcoming) != 1:
        yield ConfigProblem(
            ("family", "versions", *upcoming[1:2]),
            f"{len(upcoming) or 'no'} versions are marked `next: true`",
            "Mark exactly one: the version that is being made and that issues are filed for.",
        )
    for index, version in enumerate(versions):
        place: Place = ("family", "versions", index)
        if version.next and version.released:
            yield ConfigProblem(
                (*place, "released"),
                f"'{version.name}' is the next version and released at once",
                "Use `planned` for it, or drop its `next: true`.",
            )
        if not version.next and version.released is None:
            yield ConfigProblem(
                place,
                f"'{version.name}' has no release date",
                "Add `released: YYYY-MM-DD`.",
            )


def _alias_problems(versions: tuple[ModelVersion, ...]) -> Iterator[ConfigProblem]:
    taken: dict[str, int] = {}
    for index, version in enumerate(versions):
        place: Place = ("family", "versions", index)
        names = [((*place, "name"), version.name)]
        names += [((*place, "aliases", at), alias) for at, alias in enumerate(version.aliases)]
        for where, name in names:
            key = version_key(name)
            if not key:
                yield ConfigProblem(where, f"'{name}' holds no letter or digit", "Write a name.")
            elif taken.setdefault(key, index) != index:
                yield ConfigProblem(
                    where,
                    f"'{name}' already names '{versions[taken[key]].name}'",
                    "Give it to one version only (case, spaces and hyphens do not count).",
                )


def _capability_problems(config: TriageConfig) -> Iterator[ConfigProblem]:
    known: set[str] = set()
    if not config.capabilities:
        yield ConfigProblem(("capabilities",), "the list is empty", "Add at least one capability.")
    for index, capability in enumerate(config.capabilities):
        if capability.id in known:
            yield ConfigProblem(
                ("capabilities", index, "id"),
                f"the capability '{capability.id}' is there twice",
                "Merge the two, or give one another id.",
            )
        known.add(capability.id)
    former = {old for capability in config.capabilities for old in capability.formerly}
    yield from _kinship_problems(config, known)
    for index, rule in enumerate(config.rules):
        if rule.capability not in known | former:
            yield ConfigProblem(
                ("rules", index, "capability"),
                f"no capability is called '{rule.capability}'",
                did_you_mean(rule.capability, sorted(known)),
            )


def _kinship_problems(config: TriageConfig, known: set[str]) -> Iterator[ConfigProblem]:
    for index, capability in enumerate(config.capabilities):
        if capability.id in capability.formerly:
            yield ConfigProblem(
                ("capabilities", index, "formerly"),
                f"'{capability.id}' was formerly itself",
                "Leave the capability's own id out.",
            )
        if capability.parent is not None and capability.parent not in known - {capability.id}:
            yield ConfigProblem(
                ("capabilities", index, "parent"),
                f"no other capability is called '{capability.parent}'",
                did_you_mean(capability.parent, sorted(known - {capability.id})),
            )


def _policy_problems(config: TriageConfig) -> Iterator[ConfigProblem]:
    policy = config.policy
    if policy.flip_probability <= policy.verdict_probability:
        yield ConfigProblem(
            ("policy", "flip_probability"),
            "is not above verdict_probability",
            "Keep them apart, else a verdict flips back and forth.",
        )


def _source_problems(config: TriageConfig) -> Iterator[ConfigProblem]:
    sources = config.sources
    named: dict[str, list[tuple[str, str]]] = {
        "github": [("repository", one.repository) for one in sources.github],
        "huggingface": [
            ("repository", f"{one.type} {one.repository}") for one in sources.huggingface
        ],
        "inspect": [("folder", one.folder) for one in sources.inspect],
        "lm_eval": [("folder", one.folder) for one in sources.lm_eval],
    }
    for kind, entries in named.items():
        known: set[str] = set()
        for index, (field, name) in enumerate(entries):
            if name.casefold() in known:
                yield ConfigProblem(
                    ("sources", kind, index, field),
                    f"'{name}' is there twice",
                    "Merge the two entries.",
                )
            known.add(name.casefold())


def _privacy_problems(config: TriageConfig) -> Iterator[ConfigProblem]:
    known = sorted({capability.id for capability in config.capabilities})
    for index, name in enumerate(config.privacy.sensitive_capabilities):
        if name not in known:
            yield ConfigProblem(
                ("privacy", "sensitive_capabilities", index),
                f"no capability is called '{name}'",
                did_you_mean(name, known),
            )
    private, public = config.privacy.private_repository, config.github.repository
    if private and public and private.casefold() == public.casefold():
        yield ConfigProblem(
            ("privacy", "private_repository"),
            "is the repository that all other issues go to",
            "Name another one, that only those may read who may read sensitive reports.",
        )
