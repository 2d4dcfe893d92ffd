"""Every column of the database that can hold words, ids or vectors, as the database itself says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

from triage.privacy.traces import SQUEEZED_OUT

COLUMNS = text(
    """
    SELECT c.relname AS table_name, a.attname AS column_name,
           format_type(a.atttypid, NULL) AS kind,
           EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary
                   AND a.attnum = ANY(i.indkey)) AS is_key
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
    WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum
    """
)
_WORDS = {"text", "character varying", "character", "json", "jsonb", "text[]", "bytea"}
_JSON = {"json", "jsonb"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its table, PostgreSQL's name of its type, whether it is part of the key."""

    table: str
    name: str
    kind: str
    is_key: bool

    @property
    def holds_words(self) -> bool:
        """Whether texts can stand in it: text, JSON, arrays of text, bytes."""
        return self.kind in _WORDS

    @property
    def quoted(self) -> str:
        """The name as it is written in a statement."""
        return '"' + self.name.replace('"', '""') + '"'

    @property
    def place(self) -> str:
        """The table's name as it is written in a statement."""
        return '"' + self.table.replace('"', '""') + '"'

    def as_text(self) -> str:
        """The expression of its content as one text; bytes as the characters they stand for."""
        if self.kind == "bytea":
            return f"encode({self.quoted}, 'escape')"
        if self.kind in _JSON:
            # written-out line breaks and quotes would put a letter into the middle of a sentence
            return rf"regexp_replace({self.quoted}::text, '\\[nrtbf\"\\/]', ' ', 'g')"
        return f"{self.quoted}::text"


def squeezing(expression: str) -> str:
    """The expression of a text squeezed as ``privacy.squeezed`` does it."""
    characters = SQUEEZED_OUT.encode("unicode_escape").decode().replace("\\x", "\\u00")
    lowered = f"translate({expression}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')"
    return f"regexp_replace({lowered}, '[{characters}]+', '', 'g')"


def load_columns(session: Session) -> Iterator[Column]:
    """All columns of all tables of ours, whatever was added since."""
    for row in session.execute(COLUMNS):
        yield Column(row.table_name, row.column_name, row.kind, row.is_key)
