"""Who may post: bearer tokens, of which only hashes are kept, each naming its source."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from triage.config.fields import SLUG
from triage.errors import SettingsError
from triage.settings import Settings

FILE = "intake.tokens"
PREFIX = "sha256:"
SHORTEST = 20  # characters; `triage token` makes 43
_LINE = re.compile(rf"(?P<name>\S+)\s+{PREFIX}(?P<digest>[0-9a-f]{{64}})")
_REMEDY = "Each line is NAME sha256:HASH, as `triage token NAME` writes it."


class Tokens:
    """The hashes of all tokens, by the source that each names."""

    def __init__(self, digests: Mapping[str, bytes]) -> None:
        self._digests = dict(digests)

    def __len__(self) -> int:
        return len(self._digests)

    def source_of(self, authorization: str | None) -> str | None:
        """The source that an ``Authorization`` header's token names, else None.

        Every hash is compared, each in constant time, so that the time taken tells nothing.
        """
        scheme, _, token = (authorization or "").partition(" ")
        digest = _digest(token.strip())
        found = None
        for name, known in self._digests.items():
            if hmac.compare_digest(known, digest):
                found = name
        return found if scheme.casefold() == "bearer" else None


def load_tokens(settings: Settings) -> Tokens:
    """Tokens of the environment and hashes of the file.

    Raises ``SettingsError`` for what cannot be read, and where there is none at all: an intake
    without tokens would let anybody in.
    """
    digests: dict[str, bytes] = {}
    for name, digest in (*_from_environment(settings), *_from_file(token_file(settings))):
        if name in digests:
            raise SettingsError(
                "Reading the intake's tokens", f"'{name}' has two tokens", "Rename one of them."
            )
        digests[name] = digest
    if not digests:
        raise SettingsError(
            "Starting the intake",
            "there is no token, and nobody may post without one",
            "Make one with `triage token NAME`; NAME is the source that uses it.",
        )
    return Tokens(digests)


def token_file(settings: Settings) -> Path:
    """Where the hashes stand."""
    return settings.intake_tokens_file or settings.home / FILE


def add_token(path: Path, name: str) -> str:
    """Make a token, note its hash in the file, and return it; it is stored nowhere.

    Raises ``SettingsError`` where the name has one already, or is no id.
    """
    if name in dict(_from_file(path)):
        raise SettingsError(
            f"Making a token for '{name}'",
            f"{path} has one already",
            "Choose another name, or delete its line first: its token is then void.",
        )
    _check_name(name, f"Making a token for '{name}'")
    token = secrets.token_urlsafe(32)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = f"{name} {PREFIX}{_digest(token).hex()}\n".encode()
    descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "ab") as stream:
        stream.write(line)
    return token


def _from_environment(settings: Settings) -> Iterator[tuple[str, bytes]]:
    if settings.intake_tokens is None:
        return
    attempted = "Reading TRIAGE_INTAKE_TOKENS"
    for entry in settings.intake_tokens.get_secret_value().replace(",", " ").split():
        name, _, token = entry.partition("=")
        _check_name(name if token else "", attempted)
        if len(token) < SHORTEST:
            problem = f"the token of '{name}' has fewer than {SHORTEST} characters"
            raise SettingsError(attempted, problem, "Use a long random one.")
        yield name, _digest(token)


def _from_file(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or "it is not UTF-8"
        raise SettingsError(f"Reading {path}", problem, _REMEDY) from error
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise SettingsError(f"Reading {path} line {number}", "it is no token", _REMEDY)
        _check_name(found["name"], f"Reading {path} line {number}")
        yield found["name"], bytes.fromhex(found["digest"])


def _check_name(name: str, attempted: str) -> None:
    if not SLUG.fullmatch(name):
        remedy = "Write NAME=TOKEN; a name has lower-case letters, digits and single hyphens."
        raise SettingsError(attempted, "a token's name is no id", remedy)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
