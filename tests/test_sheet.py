"""Tables on terminals of any width: what may be broken, and what never is."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from fpgen.command.sheet import Sheet
from fpgen.command.show_points import _brief

FIGURES = ["target ps", "area um2", "NAND2 eq.", "delay ps", "ADP/1e6", "cells", "registers", "depth"]
POINT = ["balanced/plain/dch-map", "1795", "3421.8", "4288", "700", "2.3946", "2497", "270", "17", "timed out (300 s)"]
ENERGY = ["energy pJ/op", "internal", "switching", "registers", "clock", "glitches", "leakage"]


def shown(sheet, width):
    out = Console(file=io.StringIO(), width=width, color_system=None)
    out.print(sheet, crop=False)
    return [line.rstrip() for line in out.file.getvalue().splitlines() if line.strip()]


def points():
    return Sheet(["recipe", *FIGURES, "proof"], [POINT], right=FIGURES)


def test_a_wide_terminal_has_a_line_a_row():
    lines = shown(points(), 180)
    assert len(lines) == 3
    assert lines[0].endswith(
        "target ps   area um2   NAND2 eq.   delay ps   ADP/1e6   cells   registers   depth   proof"
    )


@pytest.mark.parametrize("width", [80, 100, 120])
def test_points_fit_common_terminals_with_every_figure_whole(width):
    """At 80 columns `fpgen ppa` once left out recipe and proof and cut `energy` and `25.4 uW` short."""
    lines = shown(points(), width)
    assert max(map(len, lines)) <= width
    words = " ".join(lines).split()
    assert set(POINT[1:9]) <= set(words) and {"timed", "out", "(300", "s)"} <= set(words)
    energy = Sheet(
        ["recipe", "target ps", *ENERGY],
        [[POINT[0], "1", "8.906 ± 0.017", "1.501", "1.653", "1.177", "2.241", "2.334", "72.25 uW"]],
        right=["target ps", *ENERGY],
    )
    lines = shown(energy, width)
    assert max(map(len, lines)) <= width
    assert any("8.906 ± 0.017" in line and line.endswith("72.25 uW") for line in lines)


def test_names_of_an_fpga_netlist_keep_their_ends():
    name = "unit.result_LUT4_Z_10_D_CCU2C_S1_B1_LUT4_Z_D_CCU2C_S1_B0_CCU2C_A1_COUT"
    assert len(_brief(name)) == 44 and _brief(name).startswith("unit.") and _brief(name).endswith("CCU2C_A1_COUT")
    assert _brief("drive[29]") == "drive[29]"


def test_too_narrow_for_the_figures_goes_beyond_the_edge():
    lines = shown(points(), 30)
    assert max(map(len, lines)) > 30 and set(POINT[1:9]) <= set(" ".join(lines).split())


def test_cells_that_are_kept_are_broken_last():
    label = "fmt=e4m3fn, stages=1, multiplier=array"
    sheet = Sheet(
        ["", "parameters", "unit"],
        [["1", label, "multiply e4m3fn e4m3fn -> bf16 rne stages=1"]],
        right=[""],
        keep=["parameters"],
    )
    assert any(label in line for line in shown(sheet, 80))
    assert not any(label in line for line in shown(sheet, 40)) and max(map(len, shown(sheet, 40))) <= 40


@given(
    st.lists(st.tuples(st.text("ab /-", max_size=40), st.from_regex(r"[0-9]{1,12}", fullmatch=True)), max_size=4),
    st.integers(1, 100),
)
def test_no_figure_is_ever_cut(rows, width):
    words = " ".join(shown(Sheet(["name of it", "a figure"], rows, right=["a figure"]), width)).split()
    assert all(words.count(figure) == [other for _, other in rows].count(figure) for _, figure in rows)
