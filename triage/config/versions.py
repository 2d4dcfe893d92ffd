"""How a written model name becomes an exact version: by alias or dated snapshot, never by guess."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date

MAX_NAME_LENGTH = 200
_SEPARATORS = re.compile(r"[\s_\-\u2010-\u2015]+")
_SNAPSHOT = re.compile(r"(?s)(?P<stem>.+?)[\s_@-](?P<y>\d{4})-?(?P<m>\d{2})-?(?P<d>\d{2})")


def version_key(written: str) -> str:
    """The form in which names are compared: no case, no spaces, hyphens or underscores.

    Between two digits a separator counts, so that ``corvane-4.1-1`` and ``corvane-4.11``
    stay apart. Compatibility characters (full width, no-break space) count as plain ones.
    """
    folded = unicodedata.normalize("NFKC", written).casefold().strip()
    parts = [part for part in _SEPARATORS.split(folded) if part]
    key = ""
    for part in parts:
        joint = "-" if key[-1:].isdigit() and part[0].isdigit() else ""
        key += joint + part
    return key


def alias_table(names: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Map the key of every version name and alias to the version's name."""
    return {
        version_key(alias): name
        for name, aliases in names.items()
        for alias in (name, *aliases)
        if version_key(alias)
    }


def resolve(written: str, aliases: Mapping[str, str]) -> str | None:
    """The version that ``written`` names exactly, else None.

    A written alias wins; otherwise a name that ends in a calendar date (``-20261012``,
    ``@2026-10-12``) is a snapshot of the version before the date.
    """
    if len(written) > MAX_NAME_LENGTH:
        return None
    found = aliases.get(version_key(written))
    if found is not None:
        return found
    snapshot = _SNAPSHOT.fullmatch(unicodedata.normalize("NFKC", written).strip())
    if snapshot is None or not _is_date(*(int(snapshot[part]) for part in ("y", "m", "d"))):
        return None
    return aliases.get(version_key(snapshot["stem"]))


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return year >= 2015
