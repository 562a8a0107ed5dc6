"""The examples of docs/*.md run as they stand and print what the pages say."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest

import fpgen

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize(
    ("page", "examples", "outputs"), [("emulation", 2, 1), ("blocks", 1, 1), ("index", 1, 1), ("values", 2, 2)]
)
def test_examples_print_what_the_page_says(page, examples, outputs):
    """What is printed stands in the block without a language behind the example."""
    text = (DOCS / f"{page}.md").read_text()
    blocks = re.findall(r"```(\w*)\n(.*?)```", text, re.S)
    ran = said = 0
    for at, (language, code) in enumerate(blocks):
        if language != "python":
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, {})
        ran += 1
        if at + 1 < len(blocks) and not blocks[at + 1][0]:
            assert printed.getvalue() == blocks[at + 1][1]
            said += 1
        else:
            assert not printed.getvalue()
    assert (ran, said) == (examples, outputs)


def test_the_block_worked_out_by_hand_is_what_the_models_make_of_it():
    """The table of docs/blocks.md, number by number, against the unit; ties are where the page says."""
    text = (DOCS / "blocks.md").read_text().replace("\N{MINUS SIGN}", "-")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text[text.index("| number |") :].split("\n\n")[0].splitlines()[2:]
    ]
    assert len(rows) == 8
    numbers = np.array([float(row[0]) for row in rows], dtype=np.float32)
    element = fpgen.parse_format("e2m1")
    for policy, exponent, cells in (("floor", 0, slice(1, 4)), ("rceil", 1, slice(4, 7))):
        unit = fpgen.BlockQuantize(source="fp32", block="e2m1@e8m0/8", policy=policy)
        found = unit.compute(numbers.view(np.uint32))
        assert int(found.scales) == 127 + exponent
        for number, code, row in zip(numbers.tolist(), found.codes.tolist(), rows, strict=True):
            quotient, chosen, value = row[cells]
            said, _, tie = quotient.partition(", ")
            assert float(said) == pytest.approx(number / 2**exponent, rel=1e-6)
            assert [float(cell) for cell in chosen.split(", ")] == [float(element.value(code)), code]
            assert float(value) == float(element.value(code)) * 2**exponent
            values = {float(element.value(other)) for other in range(16)}
            least = min(abs(float(said) - value) for value in values)
            nearest = [value for value in values if abs(float(said) - value) == least]
            assert (tie == "a tie") == (len(nearest) == 2)
