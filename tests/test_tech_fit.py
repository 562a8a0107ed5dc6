"""The cell tables come from `synth/fitting/fit.py` and `from_fit.py`, and from nothing else."""

import json
import runpy
import subprocess
import sys
import tomllib

import numpy as np
import pytest
from ppa_helpers import LIBERTY, SHARED, SMALL_LIBERTY, needs_liberty

from fpgen.base.errors import UsageError
from fpgen.base.resources import resource_dir
from fpgen.library import liberty

TECH = resource_dir("synth") / "tech"
FITTING = resource_dir("synth") / "fitting"
FIT = runpy.run_path(str(FITTING / "fit.py"), run_name="fit")
FULL = {"fpgen45": "nangate45_typ", "fpgen7": "asap7_rvt_tt"}


def test_a_plane_is_found_and_relative_errors_are_kept_small():
    grid = FIT["Grid"]((5.0, 10.0, 40.0), (1.0, 2.0, 8.0))
    x, y = np.meshgrid(grid.slews, grid.loads, indexing="ij")
    found, rms = FIT["plane"](3 + 0.25 * x + 2 * y, grid)
    assert found == pytest.approx([3, 0.25, 2]) and rms == pytest.approx(0, abs=1e-9)
    bent = 3 + 0.25 * x + 2 * y + 0.1 * y * y
    errors = []
    for relative in (False, True):
        c0, c1, c2 = FIT["plane"](bent, FIT["Grid"](grid.slews, grid.loads, relative))[0]
        left = c0 + c1 * x + c2 * y - bent
        errors.append([np.square(left / bent).sum(), np.square(left).sum()])
    assert errors[1][0] < 0.9 * errors[0][0] and errors[0][1] < 0.9 * errors[1][1]


def test_cells_that_cannot_be_fitted(tmp_path):
    library = liberty.from_text(SMALL_LIBERTY.replace('function : "!A";', ""))
    grid = FIT["Grid"]((0.0, 100.0), (1.0, 3.0))
    with pytest.raises(UsageError, match="the cell INV; gates and flip-flops with an output"):
        FIT["fit_cell"](library.cells["INV"], grid)
    found = FIT["fit_cell"](library.cells["DFF"], grid)
    assert found["setup_ps"] == 50 and [arc["type"] for arc in found["arcs"]] == ["rising_edge"]
    path = tmp_path / "small.lib"
    path.write_text(SMALL_LIBERTY)
    for arguments, code in (([str(path), "NAND"], 0), ([str(path), "NOR"], 1), ([str(tmp_path), "NAND"], 2)):
        done = subprocess.run(
            [sys.executable, FITTING / "fit.py", *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == code and (done.stderr == "") == (code == 0) and "Traceback" not in done.stderr


@needs_liberty
@pytest.mark.skipif(not (SHARED / "tech").is_dir(), reason="no reference fits beside the checkout")
@pytest.mark.parametrize(("name", "file"), [("fpgen45", "nangate45_fit.json"), ("fpgen7", "asap7_fit.json")])
def test_fits_agree_with_others(name, file):
    """Of the same cells over the same grid, by absolute error."""
    given = json.loads((SHARED / "tech" / file).read_text())
    library = liberty.load(LIBERTY / f"{FULL[name]}.lib.gz")
    grid = FIT["Grid"](tuple(given["grid"]["input_slew_ps"]), tuple(given["grid"]["load_fF"]))
    for cell in given["cells"]:
        found = FIT["fit_cell"](library.cells[cell["cell"]], grid)
        assert found["area_um2"] == cell["area_um2"] and found.get("setup_ps") == cell.get("setup_ps")
        assert found["input_cap_fF"] == pytest.approx(cell["input_cap_fF"], abs=1e-3)
        arcs = {(arc["pin"], arc["sense"]): arc for arc in found["arcs"]}
        for arc in cell["arcs"]:
            for edge in ("rise", "fall"):
                ours = arcs[arc["pin"], arc["sense"]][edge]
                assert ours["delay_ps"] + ours["slew_ps"] == pytest.approx(
                    arc[edge]["delay_ps"] + arc[edge]["slew_ps"], abs=0.02
                )


@needs_liberty
@pytest.mark.parametrize("name", FULL)
def test_the_tables_are_what_the_scripts_print(tmp_path, name):
    path = TECH / f"{name}.toml"
    table = tomllib.loads(path.read_text())
    full = str(LIBERTY / f"{FULL[name]}.lib.gz")
    fitted = subprocess.run(
        [sys.executable, FITTING / "fit.py", full, name], capture_output=True, text=True, check=True
    )
    (tmp_path / "fit.json").write_text(fitted.stdout)
    done = subprocess.run(
        [
            sys.executable,
            FITTING / "from_fit.py",
            name,
            tmp_path / "fit.json",
            "--label",
            table["class"],
            "--drive",
            table["driving_cell"],
            "--load",
            str(table["output_load_ff"]),
            "--max-slew",
            str(table["max_slew_ps"]),
            "--slews",
            ",".join(map(str, table["slews_ps"])),
            "--library",
            full,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == path.read_text()
    assert 45 <= len(table["cell"]) <= 60
