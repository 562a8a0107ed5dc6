"""Proof that two designs compute the same: RTL against RTL, or a mapped netlist against its RTL.

Registers of the same name are cut open on both sides (the output becomes an input, the input an output), so that
pipelined designs become combinational; the miter of the two is simplified by ABC's `ifraig`, and what is left is
given to a SAT solver. Registers are thereby shown equal cycle by cycle from equal states; power-on values are
not compared. A multiplier is only proven against one of the same architecture.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fpgen.errors import RunFailure, UsageError
from fpgen.ppa import yosys
from fpgen.ppa.liberty import plain_file
from fpgen.ppa.synthesis import is_rtlil

FORMATS = ("verilog", "rtlil")


@dataclass(frozen=True)
class Proof:
    """What came of it.

    Attributes
    ----------
    status : str
        `proven`; `failed`; `timed out`; or `inconclusive`, when registers of the two sides do not correspond.
    registers : int
        Register bits that were cut open.
    seconds : float
    detail : str
        Inputs on which the two differ, or the registers without a counterpart; else empty.
    """

    status: str
    registers: int
    seconds: float
    detail: str = ""


def prove_equal(gold: str, gate: str, top: str, *, gold_format: str | None = None, gate_format: str | None = None,
                liberty: Path | str | None = None, gold_options: str = "-flatten", engine: str | None = None,
                timeout: float = 120.0) -> Proof:
    """Prove two designs with the same ports equal.

    Parameters
    ----------
    gold, gate : str
        Texts with the module `top`.
    gold_format, gate_format : str, optional
        `verilog` or `rtlil`; default: as the text looks.
    liberty : path, optional
        Library of the cells in `gate`, when it is a mapped netlist.
    gold_options : str
        Options of Yosys' `synth` for the RTL; a netlist made with `-booth` is proven against RTL read with it.
    engine : str, optional
        See `fpgen.ppa.yosys.select`.
    timeout : float
        Seconds for the whole proof.

    Raises
    ------
    UsageError
        For an unknown format.
    RunFailure
        When a text cannot be read, or the ports differ.
    """
    sides = {"gold": (gold, _format(gold, gold_format)), "gate": (gate, _format(gate, gate_format))}
    tool = yosys.select(engine)
    files: dict[str, str | Path] = {f"{side}.txt": text for side, (text, _) in sides.items()}
    script = []
    for side, (_, form) in sides.items():
        mapped = side == "gate" and liberty is not None
        if mapped:
            script.append("read_liberty -ignore_miss_func cells.lib")
            files["cells.lib"] = plain_file(liberty) if liberty is not None else ""
        script += [f"read_rtlil {side}.txt" if form == "rtlil" else f"read_verilog -sv {side}.txt",
                   f"synth {'-flatten' if mapped else gold_options} -noabc -top {top}",
                   "setattr -unset init w:*", "async2sync", "dfflegalize -cell $_DFF_P_ x", "opt_clean",
                   f"rename {top} {side}", f"write_json {side}.json", "design -reset"]
    seconds = 0.0
    try:
        read = yosys.run(tool, script, files, ["gold.json", "gate.json"], timeout=timeout)
        seconds = read.seconds
        designs = {side: json.loads(read.files[f"{side}.json"]) for side in sides}
        unmatched, registers = _cut_registers(designs["gold"]["modules"]["gold"], designs["gate"]["modules"]["gate"])
        if unmatched:
            return Proof("inconclusive", registers, seconds, f"registers without a counterpart: {unmatched}")
        script = ["read_json gold.json", "read_json gate.json",
                  "miter -equiv -flatten -make_outputs gold gate miter", "hierarchy -top miter", "techmap",
                  "opt -full", "abc -script +strash;ifraig", "opt -full",
                  "tee -o sat.log sat -prove trigger 0 -show-inputs miter"]
        solved = yosys.run(tool, script, {f"{side}.json": json.dumps(design) for side, design in designs.items()},
                           ["sat.log"], timeout=max(timeout - seconds, 1.0))
    except yosys.Timeout:
        return Proof("timed out", 0, timeout)
    seconds += solved.seconds
    said = solved.files["sat.log"]
    if "no model found: SUCCESS" in said:
        return Proof("proven", registers, seconds)
    if "model found: FAIL" in said:
        values = re.findall(r"^\s+\\in_(\S+)\s+\S+\s+\S+\s+([01x]+)\s*$", said, re.MULTILINE)
        return Proof("failed", registers, seconds, ", ".join(f"{name} = {value}" for name, value in values))
    raise RunFailure(f"Yosys' solver gave no answer; it said:\n{said[-500:]}")


def _format(text: str, given: str | None) -> str:
    if given is None:
        return "rtlil" if is_rtlil(text) else "verilog"
    if given not in FORMATS:
        raise UsageError(f"no format {given!r}; there are {', '.join(FORMATS)}")
    return given


@dataclass(frozen=True)
class _Register:
    """A flip-flop of one side: its cell, data bit, output bit, clock's name, and whether its name is inverted."""

    cell: str
    data: Any
    output: Any
    clock: str
    inverted: bool


def _cut_registers(gold: dict[str, Any], gate: dict[str, Any]) -> tuple[str, int]:
    """Cut the registers that both modules have, in place; names of those that one lacks, and the number cut."""
    ours, theirs = _registers(gold), _registers(gate)
    pairs: dict[str, tuple[_Register, _Register]] = {}
    done: tuple[set[str], set[str]] = (set(), set())
    for name, register in ours.items():
        other = theirs.get(name)
        if other is None or other.clock != register.clock or register.cell in done[0] or other.cell in done[1]:
            continue
        pairs[name] = (register, other)
        done[0].add(register.cell)
        done[1].add(other.cell)
    left = [name for side, known in zip((ours, theirs), done, strict=True) for name, register in side.items()
            if register.cell not in known]
    hidden = [cell for module, side, known in zip((gold, gate), (ours, theirs), done, strict=True)
              for cell, item in module["cells"].items() if item["type"].startswith("$_DFF")
              and cell not in known and cell not in {register.cell for register in side.values()}]
    for module, index in ((gold, 0), (gate, 1)):
        for name, pair in pairs.items():
            _cut(module, name, pair[index])
    return ", ".join(list(dict.fromkeys([*left, *hidden]))[:8]), len(pairs)


def _registers(module: Mapping[str, Any]) -> dict[str, _Register]:
    """Flip-flops by every name of their output, of public nets; through an inverter where a cell inverts."""
    names: dict[Any, list[str]] = {}
    for net, item in module["netnames"].items():
        for index, bit in enumerate(item["bits"]):
            names.setdefault(bit, []).append(f"{net}[{index + item.get('offset', 0)}]")
    ports = {bit: port for port, item in module["ports"].items() for bit in item["bits"]}
    inverse: dict[Any, list[Any]] = {}
    for item in module["cells"].values():
        if item["type"] == "$_NOT_":
            inverse.setdefault(item["connections"]["A"][0], []).append(item["connections"]["Y"][0])
    found: dict[str, _Register] = {}
    for cell, item in module["cells"].items():
        if item["type"] != "$_DFF_P_":
            continue
        pins = {pin: bits[0] for pin, bits in item["connections"].items()}
        clock = ports.get(pins["C"], "?")
        for output, inverted in [(pins["Q"], False), *((bit, True) for bit in inverse.get(pins["Q"], ()))]:
            for name in names.get(output, ()):
                found.setdefault(name, _Register(cell, pins["D"], pins["Q"], clock, inverted))
        # A mapped flip-flop keeps its register's name (see `synthesis.prepare`) even where its net does not.
        kept = re.match(r"\$flatten\\(.*)_reg\s*\.\$", cell)
        if kept is not None:
            name = kept[1] if kept[1].endswith("]") else f"{kept[1]}[0]"
            found.setdefault(name, _Register(cell, pins["D"], pins["Q"], clock, False))
    return found


def _cut(module: dict[str, Any], name: str, register: _Register) -> None:
    """Replace a flip-flop by an input port (its output) and an output port (its data)."""
    del module["cells"][register.cell]
    state, data = register.output, register.data
    if register.inverted:
        top = 1 + max((bit for item in module["netnames"].values() for bit in item["bits"] if isinstance(bit, int)),
                      default=1)
        for source, target, label in ((top, register.output, "q"), (register.data, top + 1, "d")):
            module["cells"][f"cut_{label}_{name}"] = {
                "hide_name": 0, "type": "$_NOT_", "parameters": {}, "attributes": {},
                "port_directions": {"A": "input", "Y": "output"}, "connections": {"A": [source], "Y": [target]}}
        state, data = top, top + 1
    for label, direction, bit in (("q", "input", state), ("d", "output", data)):
        port = f"cut_{label}_{name}"
        module["ports"][port] = {"direction": direction, "bits": [bit]}
        module["netnames"][port] = {"hide_name": 0, "bits": [bit], "attributes": {}}
