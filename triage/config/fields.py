"""The small written forms of the configuration: logins, repositories, globs, cron lines."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# GitHub: 39 characters, single hyphens inside; enterprise-managed accounts add `_company`.
LOGIN = re.compile(r"(?=.{1,39}$)[A-Za-z0-9]+(-[A-Za-z0-9]+)*(_[A-Za-z0-9]+)?")
REPOSITORY = re.compile(r"(?=.{3,140}$)[A-Za-z0-9][A-Za-z0-9_-]*/(?!\.{1,2}$)[\w.-]+", re.ASCII)
CRON_WORDS = re.compile(
    r"(?:[0-9*,/-]|\b(?:sun|mon|tue|wed|thu|fri|sat|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"\b)+",
    re.IGNORECASE,
)


def refusal(problem: str, remedy: str) -> PydanticCustomError:
    """A validation error that carries its own remedy to the loader."""
    return PydanticCustomError(
        "refused", "{problem}. {remedy}", {"problem": problem, "remedy": remedy}
    )


def _text(value: str) -> str:
    if not value.strip():
        raise refusal("is empty", "Write some text, or leave the key out.")
    return value.strip()


def _slug(value: str) -> str:
    if not SLUG.fullmatch(value):
        raise refusal(
            f"'{value}' is not an id", "Use lower-case letters, digits and single hyphens."
        )
    return value


def _login(value: str) -> str:
    if not LOGIN.fullmatch(value):
        raise refusal(
            f"'{value}' is not a GitHub login",
            "Write the account's name without '@' (a team cannot be assigned to an issue).",
        )
    return value


def _repository(value: str) -> str:
    if not REPOSITORY.fullmatch(value):
        raise refusal(f"'{value}' is not a repository", "Write it as owner/name, without a URL.")
    return value


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        remedy = "Write it as https://host; what lets us in comes from the environment."
        raise refusal("is not a web address, or holds a login", remedy)
    return value.rstrip("/")


def _cron(value: str) -> str:
    """Five fields of digits, names and ``* , - /``: what every cron reader understands alike."""
    words = value.split()
    remedy = "Write minute hour day month weekday, for example '10 * * * *', or null."
    if len(words) != 5 or not all(CRON_WORDS.fullmatch(word) for word in words):
        raise refusal(f"'{value}' is not a cron schedule of five fields", remedy)
    try:
        next(CronSim(value, datetime(2026, 1, 1)))
    except (CronSimError, ValueError) as error:
        raise refusal(f"'{value}' is not a cron schedule ({error})".lower(), remedy) from error
    except StopIteration:
        raise refusal(f"'{value}' never comes due", remedy) from None
    return " ".join(words)


@lru_cache(maxsize=64)
def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise refusal(
            f"'{value}' is not a timezone", "Use an IANA name such as UTC or Europe/Paris."
        ) from None
    return value


Text = Annotated[str, AfterValidator(_text)]
Slug = Annotated[str, AfterValidator(_slug)]
Login = Annotated[str, AfterValidator(_login)]
Repository = Annotated[str, AfterValidator(_repository)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
Cron = Annotated[str, AfterValidator(_cron)]
Timezone = Annotated[str, AfterValidator(_timezone)]
