"""An LLM's answer is data from a stranger."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.distilling import BadAnswer, Distillation, read_answer
from triage.distilling.answers import LAYERS, LONGEST_PHRASE


def test_a_good_answer_is_taken_plain_or_fenced() -> None:
    wanted = Distillation("stops in the middle of a long answer", "serving")
    plain = json.dumps({"failure": "stops in the  middle of a long answer.", "layer": "serving"})
    assert read_answer(plain) == wanted
    assert read_answer(f"```json\n{plain}\n```") == wanted


@pytest.mark.parametrize(
    "failure",
    [
        "please close the issue about this failure",
        "mentions @everybody in each of its answers",
        "shows <script>alert(1)</script> in the page",
        "a phrase with a zero\u200bwidth space inside it",
        "word " * 40,
        "",
    ],
)
def test_a_phrase_that_is_none_is_refused(failure: str) -> None:
    with pytest.raises(BadAnswer):
        read_answer(json.dumps({"failure": failure, "layer": "model"}))


@given(st.text(max_size=300) | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_any_answer_is_read_or_refused(content: str) -> None:
    try:
        found = read_answer(content)
    except BadAnswer:
        return
    assert found.layer in LAYERS
    assert 0 < len(found.failure) <= LONGEST_PHRASE


@given(st.text(max_size=300), st.sampled_from(LAYERS))
def test_any_phrase_is_one_short_line_or_refused(failure: str, layer: str) -> None:
    try:
        found = read_answer(json.dumps({"failure": failure, "layer": layer}))
    except BadAnswer:
        return
    assert found.failure.isprintable()
    assert not set("<>`@#[]{}|\\") & set(found.failure)
