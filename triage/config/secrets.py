"""Finds secrets that somebody wrote into the configuration, where they do not belong."""

from __future__ import annotations

import re
from collections.abc import Iterator

from triage.config.checks import ConfigProblem, Place
from triage.config.document import Document

_KEYS = {
    "token": "TRIAGE_GITHUB_TOKEN",
    "githubtoken": "TRIAGE_GITHUB_TOKEN",
    "accesstoken": "TRIAGE_GITHUB_TOKEN",
    "authtoken": "TRIAGE_GITHUB_TOKEN",
    "privatekey": "TRIAGE_GITHUB_APP_PRIVATE_KEY",
    "githubappprivatekey": "TRIAGE_GITHUB_APP_PRIVATE_KEY",
    "apikey": "TRIAGE_LLM_API_KEY",
    "llmapikey": "TRIAGE_LLM_API_KEY",
    "secret": "TRIAGE_HASH_KEY",
    "hashkey": "TRIAGE_HASH_KEY",
    "secretkey": "TRIAGE_LANGFUSE_SECRET_KEY",
    "hftoken": "TRIAGE_HF_TOKEN",
    "password": "TRIAGE_DATABASE_URL",
    "passwd": "TRIAGE_DATABASE_URL",
    "databaseurl": "TRIAGE_DATABASE_URL",
}
_VALUES = (
    (re.compile(r"\b(gh[opsur]_\w{16,}|github_pat_\w{16,})"), "TRIAGE_GITHUB_TOKEN"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"), "TRIAGE_GITHUB_APP_PRIVATE_KEY"),
    (re.compile(r"\bsk-lf-[\w-]{8,}"), "TRIAGE_LANGFUSE_SECRET_KEY"),
    (re.compile(r"\bhf_\w{20,}"), "TRIAGE_HF_TOKEN"),
    (re.compile(r"\bsk-[\w-]{16,}"), "TRIAGE_LLM_API_KEY"),
    (re.compile(r"\bpostgres(ql)?(\+\w+)?://[^\s/@]*:[^\s/@]*@"), "TRIAGE_DATABASE_URL"),
)


def secret_problems(document: Document) -> list[ConfigProblem]:
    """One problem for each secret, naming the environment variable; never the value."""
    found = dict(_by_key(document))
    for place, text in document.strings():
        for pattern, variable in _VALUES:
            if pattern.search(text):
                found.setdefault(place, variable)
    return [
        ConfigProblem(
            place,
            "is a secret, and secrets come from the environment only",
            f"Delete it here, set {variable} instead, and renew it if this file was shared.",
        )
        for place, variable in found.items()
    ]


def _by_key(document: Document) -> Iterator[tuple[Place, str]]:
    for place in document.lines:
        key = place[-1] if place else 0
        if isinstance(key, str):
            variable = _KEYS.get(re.sub(r"[\W_]", "", key.casefold()))
            if variable:
                yield place, variable
