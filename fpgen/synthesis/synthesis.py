"""The two halves of a synthesis run: Verilog to generic gates, and generic gates to library cells."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fpgen.base.cache import digest
from fpgen.base.errors import RunFailure

from . import yosys

# ABC's commands that take a wire load into account on request.
_TIMES = re.compile(r"(buffer|upsize|dnsize|stime)\b")


@dataclass(frozen=True)
class Mapped:
    """A mapped netlist.

    Attributes
    ----------
    verilog : str
        Structural Verilog, library cells only.
    abc_delay_ps : float or None
        ABC's last `stime` figure; None where the engine swallows ABC's messages.
    seconds : float
        Wall time.
    """

    verilog: str
    abc_delay_ps: float | None
    seconds: float


def is_rtlil(text: str) -> bool:
    """Whether a design's text is Yosys' RTLIL rather than Verilog."""
    return re.match(r"(\s*(#.*)?\n)*(autoidx |attribute \\|module \\)", text) is not None


def prepare(
    verilog: str,
    top: str,
    options: str,
    liberty: Path,
    engine: yosys.Engine,
    *,
    dont_use: Sequence[str] = (),
    timeout: float = yosys.LIMIT_S,
) -> str:
    """Generic gates with the library's flip-flops, as RTLIL text.

    RTLIL text is taken as well as Verilog. A flip-flop is named after its register, `acc[3]_reg`. Power-on values
    are dropped: cells have none.

    Raises
    ------
    RunFailure
        When Yosys rejects the text (its log is quoted).
    """
    avoid = "".join(f" -dont_use {name}" for name in dont_use)
    script = [
        "read_rtlil design.v" if is_rtlil(verilog) else "read_verilog -sv design.v",
        f"synth {options} -top {top}",
        "setattr -unset init w:*",
        "rename -wire -suffix _reg t:$_*DFF*",
        f"dfflibmap -liberty cells.lib{avoid}",
        "opt -purge",
        "write_rtlil gates.il",
    ]
    done = yosys.run_script(engine, script, {"design.v": verilog, "cells.lib": liberty}, ["gates.il"], timeout=timeout)
    return done.files["gates.il"]


def abc_script(script: Sequence[str], target_ps: float, *, wire_load: bool = False) -> str:
    """The text of an ABC script for one target.

    Parameters
    ----------
    script : sequence of str
        Commands with `{D}` for the target.
    target_ps : float
    wire_load : bool
        Let the commands that time anything count the library's default wire load (ABC's `-c`).
    """
    lines = [command.replace("{D}", f"-D {target_ps:g}") for command in script]
    if wire_load:
        lines = [f"{line} -c" if _TIMES.match(line) and " -c" not in line else line for line in lines]
    return "\n".join(lines) + "\n"


def gates_hash(rtlil: str) -> str:
    """Hash of an RTLIL text that does not see Yosys' running numbers and source attributes."""
    text = re.sub(r"^(#|autoidx|\s*attribute \\src).*$", "", rtlil, flags=re.MULTILINE)
    return digest(re.sub(r"\$\d+", "$", text))


def map_cells(
    gates: str,
    top: str,
    script: Sequence[str] | None,
    target_ps: float,
    liberty: Path,
    engine: yosys.Engine,
    *,
    driving_cell: str | None,
    output_load_ff: float,
    dont_use: Sequence[str] = (),
    seed: int = 0,
    wire_load: bool = False,
    timeout: float = yosys.LIMIT_S,
) -> Mapped:
    """Map generic gates to library cells with ABC.

    Parameters
    ----------
    gates : str
        From `prepare`.
    script : sequence of str or None
        ABC commands with `{D}` for the target; None is Yosys' default script.
    target_ps : float
        Delay asked for, ps.
    driving_cell, output_load_ff
        The constraints that ABC's sizing and timing see.
    seed : int
        Above 0: internal names are scrambled first, which gives another sample of the same synthesis.
    wire_load : bool
        See `abc_script`.

    Raises
    ------
    RunFailure
        When Yosys or ABC fails, or cells without a library counterpart are left.
    """
    drive = f"set_driving_cell {driving_cell}\n" if driving_cell else ""
    files: dict[str, str | Path] = {
        "gates.il": gates,
        "cells.lib": liberty,
        "abc.constr": f"{drive}set_load {output_load_ff:g} [all_outputs]\n",
    }
    command = f"abc -liberty cells.lib -constr abc.constr -D {target_ps:g}"
    if script is not None:
        files["abc.script"] = abc_script(script, target_ps, wire_load=wire_load)
        command += " -script abc.script"
    command += "".join(f" -dont_use {name}" for name in dont_use)
    scramble = (
        [
            f"rename -scramble-name -seed {seed} w:$* c:$*",
            "write_rtlil -sort seed.il",
            "design -reset",
            "read_rtlil seed.il",
        ]
        if seed
        else []
    )
    commands = [
        "read_rtlil gates.il",
        *scramble,
        command,
        "opt_clean -purge",
        "write_verilog -noattr -noexpr mapped.v",
        "tee -o stat.json stat -json",
    ]
    done = yosys.run_script(engine, commands, files, ["mapped.v", "stat.json"], timeout=timeout)
    figures = json.loads(done.files["stat.json"])["design"]
    left = [name for name in figures["num_cells_by_type"] if name.startswith("$")]
    if left:
        raise RunFailure(
            f"{top}: Yosys left cells that the library does not have: {', '.join(left)}"
            + ("; it has no such flip-flop" if any("FF" in name for name in left) else "")
        )
    delays = re.findall(r"Delay =\s*([\d.]+) ps", done.log)
    return Mapped(done.files["mapped.v"], float(delays[-1]) if delays else None, done.seconds)
