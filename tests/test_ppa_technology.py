"""Technologies: the built-in tables, any Liberty file, and how far the two are apart."""

import pytest
from ppa_helpers import LIBERTY, SMALL_LIBERTY, fresh_cache, needs_liberty

from benchmarks import library_accuracy as accuracy
from fpgen.base.errors import UsageError
from fpgen.base.resources import resource_dir
from fpgen.library import celltable, liberty, technology

__all__ = ["fresh_cache"]

FULL = {"fpgen45": ("nangate45_typ.lib.gz", "BUF_X2"), "fpgen7": ("asap7_rvt_tt.lib.gz", "BUFx2_ASAP7_75t_R")}

# Variants of inverters and NANDs that only a flow without delay targets picks: as large as the next size, half the
# drive (see docs/technology.md).
WEAK = ["INVxp*", "NAND2xp33*", "NOR2xp67*", "MAJIxp5*"]


@pytest.mark.parametrize("name", ["fpgen45", "fpgen7"])
def test_table_is_what_the_liberty_says(name):
    table = celltable.read(resource_dir("synth") / "tech" / f"{name}.toml")
    library = liberty.from_text(celltable.to_liberty(table), power=True)
    assert library.flipflops() and library.buffers() and library.nand2_area > 0
    for cell in table.cells:
        found = library.cells[cell.name]
        assert found.area == pytest.approx(cell.area_um2) and found.leakage == pytest.approx(cell.leakage_nw)
        assert {pin: found.pins[pin].rise_cap for pin in found.inputs} == pytest.approx(dict(cell.input_cap_ff))
        assert found.power[-1].rise.at(10, 2) == pytest.approx(cell.energy_fj)
        for arc, given in zip(found.arcs, cell.arcs, strict=True):
            d0, d_slew, d_load, s0, s_slew, s_load = given.rise
            assert arc.rise_delay.at(33, 2.5) == pytest.approx(d0 + d_slew * 33 + d_load * 2.5, rel=1e-3)
            assert arc.rise_slew.at(33, 2.5) == pytest.approx(s0 + s_slew * 33 + s_load * 2.5, rel=1e-3)
        if cell.flipflop:
            assert found.setups[0].rise.at(20, 0) == pytest.approx(cell.setup_ps)
            energies = [(item.pin, item.rise.at(10, 0), item.fall.at(10, 0)) for item in found.power[:3]]
            rise, fall, other = cell.clock_energy_fj
            assert energies == [("ck", rise, fall), ("ck", 0, other), ("d", cell.data_energy_fj, cell.data_energy_fj)]


def test_nobody_takes_the_cells_for_a_pdk():
    for name in technology.names():
        for cell in technology.load(name).library.cells:
            assert cell == cell.lower() and "asap7" not in cell and not cell.startswith(("sky130", "sg13g2"))


def test_damaged_table(tmp_path):
    text = (resource_dir("synth") / "tech" / "fpgen45.toml").read_text()
    for broken, said in (
        (text[:1000], "cannot be read"),
        (text.replace("area_um2", "aera", 1), "area_um2"),
        (text.replace("sense = 1", "sense = 7", 1), "sense"),
    ):
        path = tmp_path / "t.toml"
        path.write_text(broken)
        with pytest.raises(UsageError, match=said):
            celltable.read(path)


def test_designs_to_compare_on():
    some = accuracy.designs("mul6", "add e2m1 e2m1 -> e2m1 rne")
    assert list(some) == ["mul6", "add e2m1 e2m1 -> e2m1 rne"] and all("module d" in text for text in some.values())
    with pytest.raises(UsageError, match="operation: got mul7"):
        accuracy.designs("mul7")


def test_from_liberty_refusals(tmp_path, fresh_cache):
    path = tmp_path / "small.lib"
    path.write_text(SMALL_LIBERTY)
    with pytest.raises(UsageError, match="has no usable buffer"):
        technology.from_liberty(path)
    with pytest.raises(UsageError, match="driving cell: got 'BUF'; expected a cell of the library"):
        technology.from_liberty(path, driving_cell="BUF")
    with pytest.raises(UsageError, match="output load"):
        technology.from_liberty(path, driving_cell="INV", output_load_ff=-1)
    path.write_text(SMALL_LIBERTY.replace("function", "comment"))
    with pytest.raises(UsageError, match="no usable inverter whose function it states"):
        technology.from_liberty(path, driving_cell="INV")
    path.write_text(SMALL_LIBERTY.replace("(A B)'", "(A C)'"))
    with pytest.raises(UsageError, match="has no usable two-input NAND"):
        technology.from_liberty(path, driving_cell="INV")
    path.write_text(
        SMALL_LIBERTY.replace(
            "  cell (NAND)",
            """  cell (ODD) { area : 1;
      pin (A) { direction : input; } pin (Y) { direction : output; function : "A C"; } }
    cell (NAND)""",
        )
    )
    with pytest.raises(UsageError, match="of ODD/Y names C; the cell's pins are A, Y"):
        technology.from_liberty(path, driving_cell="INV")
    path.write_text(SMALL_LIBERTY)
    assert technology.from_liberty(path, driving_cell="INV", dont_use=["N*"]).dont_use == ("NAND",)


@needs_liberty
@pytest.mark.parametrize(
    ("name", "driver"),
    [
        ("nangate45_typ", "BUF_X2"),
        ("asap7_rvt_tt", "BUFx2_ASAP7_75t_R"),
        ("sky130hd_tt", "sky130_fd_sc_hd__buf_2"),
        ("ihp_sg13g2_typ_1p20V_25C", "sg13g2_buf_2"),
    ],
)
def test_default_driver(name, driver):
    assert technology.from_liberty(LIBERTY / f"{name}.lib.gz").driving_cell == driver


@needs_liberty
@pytest.mark.parametrize("name", ["fpgen45", pytest.param("fpgen7", marks=pytest.mark.full)])
def test_distance_from_the_full_library(name):
    """A slice of what `docs/technology.md` states; single points are as noisy as synthesis is."""
    file, driver = FULL[name]
    full = technology.from_liberty(LIBERTY / file, driving_cell=driver, dont_use=WEAK)
    texts = accuracy.designs("add16", "mul8", "fma e5m2 e5m2 e5m2 -> e5m2 rne")
    found = accuracy.compare(technology.load(name), full, texts=texts, recipes=["balanced"], engine="auto")
    assert len(found.labels) == 15
    assert abs(found.errors(found.area)).mean() < 0.06 and abs(found.errors(found.delay)).mean() < 0.06
    assert found.same_order(found.area) > 0.9 and found.same_order(found.delay) > 0.9
