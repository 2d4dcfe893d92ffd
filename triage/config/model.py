"""The configuration as frozen, checked values; what each key means stands in ``default.yaml``."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import cached_property
from pathlib import PurePath
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from triage.config.checks import config_problems, config_warnings
from triage.config.fields import (
    Cron,
    Login,
    Repository,
    Slug,
    Text,
    Timezone,
    WebAddress,
    refusal,
)
from triage.config.versions import alias_table, resolve
from triage.types import Kind

Share = Annotated[float, Field(ge=0, le=1, strict=True)]
Day = Annotated[date, Field(strict=True)]
Count = Annotated[int, Field(ge=1, le=10_000, strict=True)]


ThemeName = Annotated[str, Field(pattern=r"^T[1-9][0-9]{0,17}$")]


class Section(BaseModel):
    """A part of the file: immutable, and every key in it must be known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelVersion(Section):
    """One exact snapshot of the model family, released or (``next``) in the making."""

    name: Text
    aliases: tuple[Text, ...] = ()
    released: Day | None = None
    next: Annotated[bool, Field(strict=True)] = False
    planned: Day | None = None
    milestone: Text | None = None

    @property
    def milestone_title(self) -> str:
        """Title of the milestone that this version's issues get."""
        return self.milestone or self.name


class ModelFamily(Section):
    """The models whose failures are collected."""

    title: Text
    lab: Text
    versions: tuple[ModelVersion, ...]


class Capability(Section):
    """A part of the model's abilities that somebody owns."""

    id: Slug
    title: Text
    description: Text
    examples: tuple[Text, ...] = ()
    owners: tuple[Login, ...] = ()
    formerly: tuple[Slug, ...] = ()
    parent: Slug | None = None


class Absence(Section):
    """Days, both included, on which somebody takes nothing new."""

    login: Login
    since: Day
    until: Day

    @model_validator(mode="after")
    def _ends_after_it_began(self) -> Self:
        if self.until < self.since:
            raise refusal("the absence ends before it begins", "Swap `since` and `until`.")
        return self


class RoutingRule(Section):
    """Globs that must all match a report, and the capability they give; see ``routing.Rule``."""

    capability: Slug
    environment: Text | None = None
    model: Text | None = None
    source: Text | None = None
    url: Text | None = None
    error: Text | None = None

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if not self.model_dump(exclude={"capability"}, exclude_none=True):
            raise refusal(
                "the rule says no condition",
                "Add at least one of environment, model, source, url, error.",
            )
        return self


class FilesSource(Section):
    """The drop folder, relative to ``TRIAGE_HOME`` unless absolute."""

    inbox: Text = "inbox"

    @field_validator("inbox")
    @classmethod
    def _stays_inside(cls, value: str) -> str:
        if ".." in PurePath(value).parts:
            raise refusal(
                "the folder leads out of where it begins (`..`)",
                "Name a folder below TRIAGE_HOME, or an absolute path.",
            )
        return value


class GitHubSource(Section):
    """A repository whose issues are read as reports."""

    repository: Repository
    labels: tuple[Text, ...] = ()
    kind: Kind = Kind.USER
    tell_reporters: Annotated[bool, Field(strict=True)] = False

    @property
    def origin(self) -> str:
        """Name of this source in the database."""
        return f"github:{self.repository}"


class RepositoryKind(StrEnum):
    """What a repository on the Hugging Face Hub holds."""

    MODEL = "model"
    DATASET = "dataset"
    SPACE = "space"


class HuggingFaceSource(Section):
    """A repository on the Hugging Face Hub whose discussions are read as reports."""

    repository: Repository
    type: RepositoryKind = RepositoryKind.MODEL
    kind: Kind = Kind.USER


class LangfuseSource(Section):
    """A Langfuse project whose low scores are read as reports."""

    host: WebAddress
    scores: tuple[Text, ...] = ()
    at_most: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    categories: tuple[Text, ...] = ()
    kind: Kind = Kind.USER

    @property
    def origin(self) -> str:
        """Name of this source in the database."""
        return f"langfuse:{self.host.partition('://')[2]}"


class InspectSource(Section):
    """A folder of Inspect logs, relative to ``TRIAGE_HOME`` unless absolute."""

    folder: Text
    scorer: Text | None = None
    pass_from: Annotated[float, Field(allow_inf_nan=False)] = 0.5

    @property
    def origin(self) -> str:
        """Name of this source in the database."""
        return f"inspect:{self.folder}"


class LmEvalSource(Section):
    """A folder of lm-evaluation-harness logs, relative to ``TRIAGE_HOME`` unless absolute."""

    folder: Text
    metric: Text | None = None
    pass_from: Annotated[float, Field(allow_inf_nan=False)] = 0.5

    @property
    def origin(self) -> str:
        """Name of this source in the database."""
        return f"lm-eval:{self.folder}"


class Sources(Section):
    """Where reports come from."""

    files: FilesSource | None = FilesSource()
    github: tuple[GitHubSource, ...] = ()
    huggingface: tuple[HuggingFaceSource, ...] = ()
    langfuse: LangfuseSource | None = None
    inspect: tuple[InspectSource, ...] = ()
    lm_eval: tuple[LmEvalSource, ...] = ()


class IntakeConfig(Section):
    """What `triage intake` lets in; each token has a rate of its own."""

    max_reports_per_request: Annotated[int, Field(ge=1, le=1000, strict=True)] = 100
    max_bytes: Annotated[int, Field(ge=1_000, le=16_000_000, strict=True)] = 2_000_000
    reports_per_second: Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)] = 100.0
    burst: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] = 1000


class Policy(Section):
    """The numbers behind joining, clustering, deciding and filing."""

    dry_run: Annotated[bool, Field(strict=True)] = True
    max_new_issues_per_run: Annotated[int, Field(ge=0, le=100, strict=True)] = 5
    min_reporters: Count = 3
    min_coherence: Share = 0.5
    join_similarity: Share = 0.3
    min_cluster_size: Annotated[int, Field(ge=2, le=1000, strict=True)] = 4
    recluster_growth: Annotated[float, Field(ge=1.01, le=100, strict=True)] = 1.1
    seed: Annotated[int, Field(ge=0, lt=2**32, strict=True)] = 0
    canary_share: Share = 0.8
    verdict_probability: Annotated[float, Field(ge=0.5, lt=1, strict=True)] = 0.67
    flip_probability: Annotated[float, Field(ge=0.5, lt=1, strict=True)] = 0.8
    min_route_margin: Share = 0.05


class Recurrence(StrEnum):
    """What happens to a failure that was mended and came back: never both."""

    REOPEN = "reopen"
    NEW_ISSUE = "new-issue"


class Releases(Section):
    """How releases are judged, and what follows from it."""

    recurrence: Recurrence = Recurrence.REOPEN
    unclaimed_days: Count = 30
    soak_days: Count = 14
    min_requests: Annotated[int, Field(ge=1, strict=True)] = 10_000
    min_reports: Count = 30
    opposites: tuple[tuple[ThemeName, ThemeName], ...] = ()
    exposure_query: Text | None = None
    max_told_per_run: Annotated[int, Field(ge=0, le=1000, strict=True)] = 20


class GitHubTarget(Section):
    """Where issues are filed, and how their labels are called."""

    repository: Repository | None = None
    capability_label_prefix: Annotated[str, Field(max_length=30)] = "capability: "
    priority_label_prefix: Annotated[str, Field(max_length=30)] = "priority: "
    extra_labels: tuple[Text, ...] = ()


class Privacy(Section):
    """Whose words are shown where, and for how long they are kept."""

    min_reporters: Count = 3
    private_repository: Repository | None = None
    sensitive_capabilities: tuple[Slug, ...] = ()
    sensitive_labels: tuple[Text, ...] = ()
    keep_text_days: Count | None = None
    keep_audit_days: Annotated[int, Field(ge=30, le=10_000, strict=True)] | None = None


class Schedules(Section):
    """When each stage runs; null means not by the clock."""

    timezone: Timezone = "UTC"
    pipeline: Cron | None = None
    collect: Cron | None = "0 * * * *"
    embed: Cron | None = "10 * * * *"
    theme: Cron | None = "20 * * * *"
    decide: Cron | None = "30 * * * *"
    route: Cron | None = "35 * * * *"
    file: Cron | None = "40 * * * *"
    learn: Cron | None = "15 2 * * *"
    sync: Cron | None = "50 * * * *"
    verify: Cron | None = "5 6 * * *"
    recluster: Cron | None = "50 3 * * sun"
    expire: Cron | None = "30 4 * * *"
    report: Cron | None = "55 * * * *"
    digest: Cron | None = "30 7 * * mon"

    def by_stage(self) -> dict[str, str]:
        """The cron line of every stage that has one."""
        return self.model_dump(exclude={"timezone"}, exclude_none=True)


class TriageConfig(Section):
    """Everything that ``triage.yaml`` says; made by ``load_config``."""

    family: ModelFamily
    triage_owner: Login
    capabilities: tuple[Capability, ...]
    absences: tuple[Absence, ...] = ()
    rules: tuple[RoutingRule, ...] = ()
    sources: Sources = Sources()
    intake: IntakeConfig = IntakeConfig()
    policy: Policy = Policy()
    github: GitHubTarget = GitHubTarget()
    releases: Releases = Releases()
    schedules: Schedules = Schedules()
    privacy: Privacy = Privacy()

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        problems = config_problems(self)
        if problems:
            told = "; ".join(f"{problem.field}: {problem.problem}" for problem in problems)
            raise PydanticCustomError("parts_do_not_fit", "{told}", {"told": told, "all": problems})
        return self

    def warnings(self) -> list[str]:
        """What is allowed but probably not meant."""
        return config_warnings(self)

    @property
    def versions(self) -> tuple[ModelVersion, ...]:
        """All versions in release order, the next one last."""
        return tuple(sorted(self.family.versions, key=lambda one: one.released or date.max))

    def version_before(self, name: str) -> ModelVersion | None:
        """The released version before this one, None where it is the first or unknown."""
        released = [version for version in self.versions if version.released]
        places = [at for at, version in enumerate(released) if version.name == name]
        return released[places[0] - 1] if places and places[0] > 0 else None

    @property
    def next_version(self) -> ModelVersion:
        """The version that is being made: its milestone collects the issues."""
        return next(version for version in self.family.versions if version.next)

    def resolve_version(self, written: str) -> str | None:
        """The exact version that a reporter's words name (see ``versions.resolve``), else None."""
        return resolve(written, self._aliases)

    def capability(self, capability_id: str) -> Capability | None:
        """The capability with this id, None where the file has none."""
        return next((one for one in self.capabilities if one.id == capability_id), None)

    def owner_of(self, capability_id: str) -> str:
        """First owner of a capability, the triage owner where it has none or is unknown."""
        found = self.capability(capability_id)
        return found.owners[0] if found and found.owners else self.triage_owner

    def capabilities_by_owner(self) -> dict[str, list[str]]:
        """The capabilities that each owner has, first or as a backup; the triage owner too."""
        found: dict[str, list[str]] = {}
        for capability in self.capabilities:
            for login in capability.owners:
                found.setdefault(login, []).append(capability.id)
        found.setdefault(self.triage_owner, []).append("what nobody owns")
        return found

    def away_until(self, day: date) -> dict[str, str]:
        """Who is away on a day, and until when."""
        return {
            absence.login: str(absence.until)
            for absence in self.absences
            if absence.since <= day <= absence.until
        }

    @cached_property
    def _aliases(self) -> dict[str, str]:
        return alias_table({version.name: version.aliases for version in self.family.versions})
