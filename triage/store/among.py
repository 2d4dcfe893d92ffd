"""Whether a column's value is one of many, however many they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY


def among(column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """``column IN values``, as one array: PostgreSQL takes no more than 65,535 parameters.

    Of no values there is none that it is. Turn it round with ``~``.
    """
    found: ColumnElement[bool] = column == any_(literal(list(values), ARRAY(column.type)))
    return found
