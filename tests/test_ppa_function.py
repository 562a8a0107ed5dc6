"""Boolean functions as libraries write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fpgen.library.function import compile_function, truth_table


@pytest.mark.parametrize(
    ("text", "pins", "table"),
    [
        ("!(A & B)", "AB", 0b0111),
        ("(A B)'", "AB", 0b0111),
        ("A*B", "AB", 0b1000),
        ("A + B'", "AB", 0b1011),
        ("A ^ B", "AB", 0b0110),
        ("!A ^ B", "AB", 0b1001),
        ("A | B & C", "ABC", 0b11101010),
        ("1", "", 1),
        ("0", "", 0),
        ("((S * B) + (A * !S))", "ABS", 0b11001010),
        ("A''", "A", 0b10),
        ("A B C", "ABC", 0b10000000),
        ("!" * 500 + "A" + "'" * 301, "A", 0b01),
        ("+".join(["A"] * 400), "A", 0b10),
        ("(!(" * 20 + "A" + "))'" * 20, "A", 0b10),
    ],
)
def test_truth_tables(text, pins, table):
    assert truth_table(text, list(pins)) == table


@pytest.mark.parametrize(
    "text", ["", "A &", "(A", "A)", "& A", "A $ B", "A B +", "(" * 100 + "A" + ")" * 100, " ".join(["A"] * 2000)]
)
def test_no_function(text):
    with pytest.raises(ValueError):
        compile_function(text)


def test_unknown_pin():
    with pytest.raises(ValueError, match="got C; expected the pins A, B"):
        truth_table("A & C", ["A", "B"])


@given(st.text(alphabet="AB01!'&|^*+() ", max_size=30))
def test_any_text_is_refused_or_read(text):
    try:
        table = truth_table(text, ["A", "B"])
    except ValueError:
        return
    assert 0 <= table < 16
