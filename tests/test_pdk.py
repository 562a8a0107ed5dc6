"""PDKs found by name: directory trees as they are installed, with a small library in them."""

import gzip

import pytest
from click.testing import CliRunner
from ppa_helpers import LIBERTY, fresh_cache, needs_liberty

from fpgen.base.errors import UsageError
from fpgen.command import cli
from fpgen.library import pdk, technology

__all__ = ["fresh_cache"]

TREE = {
    "sky130A": [
        "sky130_fd_sc_hd/lib/sky130_fd_sc_hd__tt_025C_1v80.lib",
        "sky130_fd_sc_hd/lib/sky130_fd_sc_hd__ss_100C_1v60.lib",
        "sky130_fd_sc_hd/lib/sky130_fd_sc_hd__tt_100C_1v80.lib",
        "sky130_fd_sc_hvl/lib/sky130_fd_sc_hvl__tt_025C_3v30.lib",
        "sky130_fd_sc_hvl/lib/sky130_fd_sc_hvl__tt_025C_2v64_lv1v80.lib",
    ],
    "gf180mcuC": [
        "gf180mcu_fd_sc_mcu7t5v0/lib/gf180mcu_fd_sc_mcu7t5v0__tt_025C_5v00.lib",
        "gf180mcu_fd_sc_mcu7t5v0/lib/gf180mcu_fd_sc_mcu7t5v0__tt_025C_3v30.lib",
        "gf180mcu_fd_sc_mcu9t5v0/lib/gf180mcu_fd_sc_mcu9t5v0__tt_025C_5v00.lib",
    ],
    "ihp-sg13g2": [
        "sg13g2_stdcell/lib/sg13g2_stdcell_typ_1p20V_25C.lib",
        "sg13g2_stdcell/lib/sg13g2_stdcell_slow_1p08V_125C.lib",
        "sg13g2_io/lib/sg13g2_io_typ_1p2V_3p3V_25C.lib",
    ],
    "other": ["one/lib/one_nom_0p70V_25C.lib", "one/lib/one_max_0p77V_0C.lib"],
}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A `PDK_ROOT` with every PDK of `TREE`."""
    place = tmp_path / "pdks"
    text = technology.load().liberty.read_text()
    for name, files in TREE.items():
        for file in files:
            path = place / name / "libs.ref" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    tech = place / "sky130A" / "libs.tech" / "openlane" / "sky130_fd_sc_hd"
    tech.mkdir(parents=True)
    (tech / "no_synth.cells").write_text("# not these\nxor2_x1\n\noai2*\n")
    monkeypatch.setenv("PDK_ROOT", str(place))
    return place


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("sky130A", "sky130A/sky130_fd_sc_hd/tt_025C_1v80"),
        ("sky130A/sky130_fd_sc_hd/ss_100C_1v60", None),
        ("sky130A/sky130_fd_sc_hvl", "sky130A/sky130_fd_sc_hvl/tt_025C_3v30"),
        ("gf180mcuC", "gf180mcuC/gf180mcu_fd_sc_mcu7t5v0/tt_025C_5v00"),
        ("gf180mcuC/gf180mcu_fd_sc_mcu9t5v0", "gf180mcuC/gf180mcu_fd_sc_mcu9t5v0/tt_025C_5v00"),
        ("ihp-sg13g2", "ihp-sg13g2/sg13g2_stdcell/typ_1p20V_25C"),
        ("other", "other/one/nom_0p70V_25C"),
    ],
)
def test_typical_corner_by_name(root, name, found):
    library = pdk.find(name)
    assert library.name == (found or name)
    assert library.liberty.is_file() and library.liberty.is_relative_to(root)


def test_technology_of_a_pdk(root, fresh_cache):
    tech = technology.load("sky130A")
    assert tech.name == "sky130A/sky130_fd_sc_hd/tt_025C_1v80" and tech.driving_cell == "buf_x2"
    assert "xor2_x1" in tech.dont_use and any(cell.startswith("oai2") for cell in tech.dont_use)
    assert "nand2_x1" not in tech.dont_use and technology.load("ihp-sg13g2").dont_use == ()


def test_versions_that_are_not_enabled(root):
    (root / "volare" / "sky130" / "versions" / "abc").mkdir(parents=True)
    (root / "sky130A").rename(root / "volare" / "sky130" / "versions" / "abc" / "sky130A")
    assert "sky130A" in pdk.names() and "volare" in str(pdk.find("sky130A").liberty)
    second = root / "ciel" / "sky130" / "versions" / "def" / "sky130A" / "libs.ref"
    second.mkdir(parents=True)
    with pytest.raises(UsageError, match="2 versions of it and none is enabled"):
        pdk.find("sky130A")
    (root / "sky130A").symlink_to(root / "volare" / "sky130" / "versions" / "abc" / "sky130A")
    assert pdk.find("sky130A").liberty.is_relative_to(root / "sky130A")


def test_packed_library(root):
    path = pdk.find("other").liberty
    path.with_suffix(".lib.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert pdk.find("other").liberty.name == "one_nom_0p70V_25C.lib.gz"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sky130B", "has no PDK of that name with a directory libs.ref; expected one of gf180mcuC"),
        (
            "sky130A/sky130_fd_sc_ms",
            "got the cell library sky130_fd_sc_ms of .*; expected one of sky130_fd_sc_hd, sky130_fd_sc_hvl",
        ),
        ("sky130A/sky130_fd_sc_hd/tt", "ss_100C_1v60, tt_025C_1v80, tt_100C_1v80"),
        ("sky130A/", "expected PDK, PDK/LIBRARY or PDK/LIBRARY/CORNER"),
        ("sky130A/a/b/c", "expected PDK, PDK/LIBRARY"),
        ("sky130A/../x", "expected PDK, PDK/LIBRARY"),
        (
            "tsmc3",
            "technology: got 'tsmc3'; expected one of fpgen45, fpgen7; below PDK_ROOT, gf180mcuC, ihp-sg13g2, other",
        ),
    ],
)
def test_refusals(root, name, said):
    with pytest.raises(UsageError, match=said):
        technology.load(name)


def test_corners_that_cannot_be_told_apart(root):
    (root / "other/libs.ref/one/lib/one_typ_25C.lib").write_text("")
    with pytest.raises(UsageError, match="has 2 corners that look typical; expected one of"):
        pdk.find("other")
    for path in (root / "gf180mcuC").rglob("*7t5v0*.lib"):
        path.rename(path.with_name("x.txt"))
    assert pdk.find("gf180mcuC").name.startswith("gf180mcuC/gf180mcu_fd_sc_mcu9t5v0")
    (root / "ihp-sg13g2/libs.ref/sg13g2_stdcell").rename(root / "ihp-sg13g2/libs.ref/odd")
    with pytest.raises(UsageError, match="expected one of ihp-sg13g2/odd, ihp-sg13g2/sg13g2_io"):
        pdk.find("ihp-sg13g2")


def test_a_pdk_without_liberty_files(root):
    (root / "bare/libs.ref/one/lib").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"bare has no Liberty file libs.ref/LIBRARY/lib/[*].lib"):
        technology.load("bare")


def test_without_a_root(monkeypatch, tmp_path):
    monkeypatch.delenv("PDK_ROOT", raising=False)
    with pytest.raises(UsageError, match="with PDK_ROOT set, also sky130A"):
        technology.load("sky130A")
    with pytest.raises(UsageError, match="PDK_ROOT is not set"):
        pdk.find("sky130A")
    monkeypatch.setenv("PDK_ROOT", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="not a directory"):
        technology.load("sky130A")


@needs_liberty
def test_command_with_a_real_library(tmp_path, monkeypatch, fresh_cache):
    place = tmp_path / "ihp-sg13g2" / "libs.ref" / "sg13g2_stdcell" / "lib"
    place.mkdir(parents=True)
    (place / "sg13g2_stdcell_typ_1p20V_25C.lib").write_bytes(
        gzip.decompress((LIBERTY / "ihp_sg13g2_typ_1p20V_25C.lib.gz").read_bytes())
    )
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    done = CliRunner().invoke(cli.main, ["ppa", "add e4m3fn e4m3fn -> e4m3fn rne stages=1", "--tech", "ihp-sg13g2"])
    assert done.exit_code == 0 and "ihp-sg13g2/sg13g2_stdcell/typ_1p20V_25C" in done.output, done.output
