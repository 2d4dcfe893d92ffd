"""What a field of a record may hold, and how it is told when it holds something else."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from triage.types import Kind

# Longest values (characters) of what is indexed, counted or shown in tables; the texts proper
# (title, body, prompt, response) are bounded by the size of a record.
MAX_LENGTHS = {
    "id": 200,
    "source": 100,
    "model": 200,
    "environment": 4000,
    "language": 100,
    "url": 2000,
    "author": 500,
}
DEVELOPER_SOURCES = frozenset({"developer", "internal-eval"})
# Epoch numbers from 1e11 on are milliseconds: as seconds that is the year 5138.
MILLISECONDS_FROM = 1e11
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[+-]?\d{9,}(\.\d*)?", re.ASCII)


class WrongField(Exception):
    """A field of a record cannot be used."""

    def __init__(self, field: str, problem: str, remedy: str) -> None:
        self.field = field
        self.problem = problem
        self.remedy = remedy
        super().__init__(problem)


def parse_moment(value: object) -> datetime:
    """A date, datetime or epoch number as UTC; without a zone UTC is meant.

    Raises ``ValueError`` (or ``OverflowError``) for anything else.
    """
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        moment = _from_epoch(float(value))
    elif isinstance(value, str):
        written = value.strip()
        if _NUMBER.fullmatch(written):
            moment = _from_epoch(float(written))
        else:
            moment = datetime.fromisoformat(written.removesuffix(" UTC"))
    else:
        raise ValueError("neither text nor number")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _from_epoch(number: float) -> datetime:
    if abs(number) >= MILLISECONDS_FROM:
        return _EPOCH + timedelta(milliseconds=number)
    return _EPOCH + timedelta(seconds=number)


def is_absent(value: object) -> bool:
    """Whether a value says nothing: null, NaN or blank text."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, float) and math.isnan(value))


def read_text(fields: Mapping[str, object], name: str) -> str | None:
    """The text of a field; numbers count as text in every field but the body."""
    value = fields.get(name)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and name != "body":
        # pandas turns integer columns with gaps into floats: 12.0 is the id 12
        value = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    if not isinstance(value, str):
        raise WrongField(name, f"'{name}' is no text", "Write it as a text in quotes.")
    limit = MAX_LENGTHS.get(name)
    if limit is not None and len(value) > limit:
        raise WrongField(
            name,
            f"'{name}' has {len(value)} characters, at most {limit} are taken",
            "Shorten it, or move the text into 'body'.",
        )
    return well_formed(value) or None


def well_formed(text: str) -> str:
    """Half of a surrogate pair (an emoji cut in two) becomes U+FFFD: no database stores it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def read_kind(written: str | None, channel: str) -> Kind:
    """Who reports; where it is not written, the channel tells."""
    if written is None or not written.strip():
        return Kind.DEVELOPER if channel.casefold() in DEVELOPER_SOURCES else Kind.USER
    try:
        return Kind(written.strip().casefold())
    except ValueError as error:
        raise WrongField(
            "kind", "'kind' is neither user nor developer", "Write user or developer."
        ) from error


def read_rating(value: object) -> float | None:
    """The rating as a finite number."""
    if is_absent(value):
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError("no number")
        number = float(value)
    except (ValueError, OverflowError):
        number = math.inf
    if math.isnan(number):
        return None
    if math.isinf(number):
        raise WrongField("rating", "'rating' is no number", "Write a number such as 2 or 4.5.")
    return number
