"""What was forgotten is found again in whatever layout, by Python and by PostgreSQL alike."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.unit.test_filing_draft import REPORTS, THEME, drafted
from triage.database import Database
from triage.privacy.traces import needles_of, quotes, squeezed
from triage.store.columns import load_columns, squeezing
from triage.store.traces import Traces, as_word, search_traces

SAID = (
    "After the third retry @mira the *assistant* deleted `config.yml`, and then it said: "
    "“Everything is <fine>” - see https://forum.example/t/12 and #42. It never was fine at all!"
)
LAYOUTS = [
    SAID,
    SAID.upper(),
    SAID.replace(" ", "\n> "),
    SAID.replace(" ", "\u00a0\u200b "),
    "".join(f"\\{c}" if not c.isalnum() and c.isascii() else c for c in SAID),
    json.dumps(SAID),
    "参数里的对象变成了带引号的字符串,工具直接报错。",
    "\t\u3000x\ufeff\u2069y\u00ad-z~{}|^_`[]/:@!",
]


def test_python_and_postgresql_squeeze_alike(database: Database) -> None:
    wide = "".join(map(chr, [*range(1, 0x250), *range(0x2000, 0x2070), 0x3000, 0x4E2D, 0x1F600]))
    texts = [*LAYOUTS, wide]
    with database.session() as session:
        statement = text(f"SELECT {squeezing('said')} FROM unnest(CAST(:texts AS text[])) said")
        found = list(session.execute(statement, {"texts": texts}).scalars())
    assert found == [squeezed(each) for each in texts]


@pytest.mark.parametrize("layout", LAYOUTS[:6])
def test_a_sentence_is_found_in_every_layout(layout: str) -> None:
    pieces = needles_of([SAID]).pieces
    assert pieces
    assert quotes(layout, pieces)


def test_a_quoted_report_is_found_in_a_drafted_issue() -> None:
    reports = [replace(REPORTS[0], title=SAID[:80], body=SAID)]
    draft = drafted(reports=reports, theme=replace(THEME, text=replace(THEME.text, title=SAID)))
    pieces = needles_of([SAID]).pieces
    assert quotes(draft.body, pieces)
    assert quotes(draft.title, pieces)
    assert not quotes(drafted().body, pieces)


def test_a_text_without_a_telling_sentence_is_named_so() -> None:
    assert needles_of(["crash", ""]).is_short
    assert needles_of(["crash"]).pieces == ()
    assert not needles_of([SAID]).is_short


@settings(deadline=None)
@given(st.text(max_size=300))
def test_no_text_breaks_the_search_for_it(said: str) -> None:
    assert all(quotes(said, [piece]) for piece in needles_of([said]).pieces)


@pytest.mark.parametrize("name", ["A-1 (b)", "x+y", "fennwick/issues#12", "é.ñ", "a\\b", "[z]"])
def test_an_id_is_found_as_a_word_whatever_stands_in_it(database: Database, name: str) -> None:
    with database.session() as session:
        statement = text("SELECT said FROM unnest(CAST(:all AS text[])) said WHERE said ~ :name")
        texts = [f"see {name}.", f'"{name}"', f"x{name}", f"{name}0", f"{name}-7"]
        found = session.execute(statement, {"all": texts, "name": as_word(name)}).scalars()
        assert list(found) == texts[:2]


def test_every_table_that_can_hold_words_is_searched(database: Database) -> None:
    with database.session() as session:
        columns = list(load_columns(session))
        done = search_traces(session, Traces(("nothing",), ("nothing",), (1,), ()))
    words = {(column.table, column.name) for column in columns if column.holds_words}
    assert {(s.table, s.column) for s in done if s.kind == "text"} == words
    assert {(s.table, s.column) for s in done if s.kind == "vector"} == {
        (column.table, column.name) for column in columns if column.kind == "vector"
    }
