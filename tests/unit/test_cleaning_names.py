"""Product names do not decide which reports are alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.cleaning import without_names


@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        ("Corvane-2 loops in Quillpad.", ["Corvane-2", "Quillpad 4.2 on Linux"], "it loops in it."),
        ("quillpad hangs", ["Quillpad"], "it hangs"),
        ("The quill pads are fine", ["Quill"], "The it pads are fine"),
        ("Quillpads are fine", ["Quillpad"], "Quillpads are fine"),
        ("on it, in the app", ["app for it"], "on it, in the app"),
        ("霜桥-9B 一直重复", ["霜桥-9B"], " 一直重复"),
        ("a (b) [c", ["(b) [c", None, ""], "a it"),
        ("nothing said", [None, None], "nothing said"),
    ],
)
def test_names_and_their_telling_words_go(
    text: str, names: list[str | None], expected: str
) -> None:
    assert without_names(text, names) == expected


@given(st.text(max_size=200), st.lists(st.text(max_size=40) | st.none(), max_size=3))
def test_no_text_and_no_name_breaks_it(text: str, names: list[str | None]) -> None:
    without_names(text, names)
