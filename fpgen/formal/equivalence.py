"""Proof that two designs compute the same: RTL against RTL, or a mapped netlist against its RTL.

Registers of the same name are cut open on both sides (the output becomes an input, the input an output), so that
pipelined designs become combinational; the miter of the two is simplified by ABC's `ifraig`, and what is left is
given to a SAT solver. What is thereby proven, by induction over the clocks: from equal states the two have equal
outputs, and equal states after the clock. A register that only one side has, because mapping found it constant or the
same as another one, counts as that constant or that other one, and keeping it so is part of what is proven. Power-on
values are not compared, and clocks are taken as the same. `failed` means states and inputs with different outputs or
next states; whether such a state is ever reached is not asked. A multiplier is only proven against one of the same
architecture.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from fpgen.base import processes
from fpgen.base.errors import RunFailure, UsageError
from fpgen.library.liberty import functions_file, load
from fpgen.synthesis import yosys
from fpgen.synthesis.synthesis import is_rtlil
from fpgen.timing.structural_write import signals_only

from .proof import LIMIT_S, Proof

FORMATS = ("verilog", "rtlil")

# Random states in which a register that the other side lacks is looked at.
_STATES = 4096
_ONES = (1 << _STATES) - 1
_GATES: dict[str, Callable[[Mapping[str, int]], int]] = {
    "$_BUF_": lambda v: v["A"],
    "$_NOT_": lambda v: ~v["A"],
    "$_AND_": lambda v: v["A"] & v["B"],
    "$_NAND_": lambda v: ~(v["A"] & v["B"]),
    "$_OR_": lambda v: v["A"] | v["B"],
    "$_NOR_": lambda v: ~(v["A"] | v["B"]),
    "$_XOR_": lambda v: v["A"] ^ v["B"],
    "$_XNOR_": lambda v: ~(v["A"] ^ v["B"]),
    "$_ANDNOT_": lambda v: v["A"] & ~v["B"],
    "$_ORNOT_": lambda v: v["A"] | ~v["B"],
    "$_MUX_": lambda v: v["A"] & ~v["S"] | v["B"] & v["S"],
}


def prove_equal(
    gold: str,
    gate: str,
    top: str,
    *,
    gold_format: str | None = None,
    gate_format: str | None = None,
    liberty: Path | str | None = None,
    gold_options: str = "-flatten",
    engine: str | None = None,
    timeout: float = LIMIT_S,
) -> Proof:
    """Prove two designs with the same ports equal.

    Parameters
    ----------
    gold, gate : str
        Texts with the module `top`.
    gold_format, gate_format : str, optional
        `verilog` or `rtlil`; default: as the text looks.
    liberty : path, optional
        Library of the cells in `gate`, when it is a mapped netlist; its power pins, and cells without signal pins,
        do not count.
    gold_options : str
        Options of Yosys' `synth` for the RTL; a netlist made with `-booth` is proven against RTL read with it.
    engine : str, optional
        See `fpgen.synthesis.yosys.select`.
    timeout : float
        Seconds of processor time for the whole proof.

    Raises
    ------
    UsageError
        For an unknown format, or a limit that is not positive.
    RunFailure
        When a text cannot be read, or the ports differ.
    """
    if liberty is not None and _format(gate, gate_format) == "verilog":
        gate = _signals_only(gate, top, liberty)
    sides = {"gold": (gold, _format(gold, gold_format)), "gate": (gate, _format(gate, gate_format))}
    tool = yosys.select(engine)
    files: dict[str, str | Path] = {f"{side}.txt": text for side, (text, _) in sides.items()}
    script = []
    for side, (_, form) in sides.items():
        mapped = side == "gate" and liberty is not None
        if mapped:
            script.append("read_liberty -ignore_miss_func cells.lib")
            files["cells.lib"] = functions_file(liberty) if liberty is not None else ""
        # Registers of a mapped netlist stay as they are, used or not (nets without their own name aside: the
        # second output of a flip-flop); those of RTL are optimised as they were for mapping.
        script += [
            f"read_rtlil {side}.txt" if form == "rtlil" else f"read_verilog -sv {side}.txt",
            *(
                [
                    f"hierarchy -check -top {top}",
                    "proc",
                    f"setattr -set keep 1 {top}/w:* {top}/w:_*_ %d",
                    "flatten",
                    "techmap",
                ]
                if mapped
                else [f"synth {gold_options} -noabc -top {top}"]
            ),
            "setattr -unset init w:*",
            "async2sync",
            "dfflegalize -cell $_DFF_P_ x",
            *(["opt_expr", "opt_merge"] if mapped else []),
            "opt_clean",
            f"rename {top} {side}",
            f"write_json {side}.json",
            "design -reset",
        ]
    seconds, registers = 0.0, 0
    yosys.check_limit(timeout)
    try:
        read = yosys.run_script(tool, script, files, ["gold.json", "gate.json"], timeout=timeout)
        seconds = read.processor_seconds
        designs = {side: json.loads(read.files[f"{side}.json"]) for side in sides}
        free, registers, whole = _cut_registers(designs["gold"]["modules"]["gold"], designs["gate"]["modules"]["gate"])
        alone = f"registers without a counterpart: {free}"
        if not whole:
            return Proof("inconclusive", registers, seconds, alone)
        script = [
            "read_json gold.json",
            "read_json gate.json",
            "miter -equiv -flatten -make_outputs gold gate miter",
            "hierarchy -top miter",
            "techmap",
            "opt -full",
            "abc -script +strash;ifraig",
            "opt -full",
            "tee -o sat.log sat -prove trigger 0 -show-inputs miter",
        ]
        solved = yosys.run_script(
            tool,
            script,
            {f"{side}.json": json.dumps(design) for side, design in designs.items()},
            ["sat.log"],
            timeout=max(timeout - seconds, 0.01),
        )
    except yosys.Timeout:
        return Proof("timed out", registers, timeout, str(processes.OutOfTime("the proof", timeout, yosys.REMEDY)))
    seconds += solved.processor_seconds
    said = solved.files["sat.log"]
    if "no model found: SUCCESS" in said:
        return Proof("proven", registers, seconds)
    if "model found: FAIL" in said and free:
        return Proof("inconclusive", registers, seconds, alone)
    if "model found: FAIL" in said:
        values = re.findall(r"^\s+\\in_(\S+)\s+\S+\s+\S+\s+([01x]+)\s*$", said, re.MULTILINE)
        return Proof("failed", registers, seconds, ", ".join(f"{name} = {value}" for name, value in values))
    raise RunFailure(f"Yosys' solver gave no answer; it said:\n{said[-500:]}")


def _format(text: str, given: str | None) -> str:
    if given is None:
        return "rtlil" if is_rtlil(text) else "verilog"
    if given not in FORMATS:
        raise UsageError(f"format: got {given!r}; expected one of {', '.join(FORMATS)}")
    return given


def _signals_only(text: str, top: str, liberty: Path | str) -> str:
    """A mapped netlist without power pins and physical cells; what is not structural Verilog is left to Yosys."""
    try:
        return signals_only(text, top, load(liberty))
    except RunFailure:
        return text


@dataclass(frozen=True)
class _Register:
    """A flip-flop of one side: its cell, data bit, output bit, clock's name, and whether its name is inverted."""

    cell: str
    data: Any
    output: Any
    clock: str
    inverted: bool


class _Side:
    """One design as JSON, with its registers by name.

    Registers are those of public nets: by every name of the output, through an inverter where a cell inverts. A mapped
    flip-flop also has the name that its register had (see `synthesis.prepare`), where its net has lost it.
    """

    def __init__(self, module: dict[str, Any]) -> None:
        self.module = module
        self.last = max(
            (bit for item in module["netnames"].values() for bit in item["bits"] if isinstance(bit, int)), default=1
        )
        self.bits: dict[str, Any] = {}
        names: dict[Any, list[str]] = {}
        for net, item in module["netnames"].items():
            low, count = item.get("offset", 0), len(item["bits"])
            for index, bit in enumerate(item["bits"]):
                name = f"{net}[{low + (count - 1 - index if item.get('upto') else index)}]"
                self.bits[name] = bit
                names.setdefault(bit, []).append(name)
        ports = {bit: port for port, item in module["ports"].items() for bit in item["bits"]}
        self.inverse: dict[Any, list[Any]] = {}
        self.inverted_by: dict[Any, Any] = {}
        for item in module["cells"].values():
            if item["type"] == "$_NOT_":
                source, target = (item["connections"][pin][0] for pin in "AY")
                self.inverse.setdefault(source, []).append(target)
                self.inverted_by[target] = source
        self.drivers = {
            item["connections"]["Y"][0]: item
            for item in module["cells"].values()
            if len(item["connections"].get("Y", ())) == 1
        }
        self.registers: dict[str, _Register] = {}
        self.names: dict[str, list[str]] = {}
        for cell, item in module["cells"].items():
            if not item["type"].startswith("$_DFF"):
                continue
            self.names[cell] = []
            if item["type"] != "$_DFF_P_":
                continue
            pins = {pin: bits[0] for pin, bits in item["connections"].items()}
            clock = ports.get(pins["C"], "?")
            known = [(name, False) for name in names.get(pins["Q"], ())]
            known += [(name, True) for bit in self.inverse.get(pins["Q"], ()) for name in names.get(bit, ())]
            kept = re.match(r"\$flatten\\(.*)_reg\s*\.\$", cell)
            if kept is not None:
                known.append((kept[1] if kept[1].endswith("]") else f"{kept[1]}[0]", False))
            for name, inverted in known:
                if self.registers.setdefault(name, _Register(cell, pins["D"], pins["Q"], clock, inverted)).cell == cell:
                    self.names[cell].append(name)

    def new_bit(self) -> int:
        self.last += 1
        return self.last

    def inverter(self, source: Any, target: Any = None) -> Any:
        """The inverse of a bit, as a new one or at `target`."""
        target = self.new_bit() if target is None else target
        self.module["cells"][f"cut_not_{self.new_bit()}"] = {
            "hide_name": 0,
            "type": "$_NOT_",
            "parameters": {},
            "attributes": {},
            "port_directions": {"A": "input", "Y": "output"},
            "connections": {"A": [source], "Y": [target]},
        }
        return target

    def buffer(self, source: Any, target: Any) -> None:
        """Let a bit drive another one."""
        self.inverter(self.inverter(source), target)

    def free(self, name: str, register: _Register) -> None:
        """Replace a flip-flop's output by an input port."""
        del self.module["cells"][register.cell]
        self.port(f"cut_q_{name}", "input", register.output)

    def port(self, name: str, direction: str, bit: Any) -> None:
        self.module["ports"][name] = {"direction": direction, "bits": [bit]}
        self.module["netnames"][name] = {"hide_name": 0, "bits": [bit], "attributes": {}}

    def cut(self, name: str, register: _Register) -> tuple[Any, Any]:
        """Replace a flip-flop by an input port (its output) and an output port (its data); the two bits, as named."""
        del self.module["cells"][register.cell]
        state, data = register.output, register.data
        if register.inverted:
            state, data = self.new_bit(), self.inverter(data)
            self.inverter(state, register.output)
        self.port(f"cut_q_{name}", "input", state)
        self.port(f"cut_d_{name}", "output", data)
        return state, data


def _looks_constant(side: _Side, register: _Register) -> str | None:
    """`0` or `1` where a register's data have that value in many random states, else None."""
    known: dict[Any, int] = {"0": 0, "1": _ONES}
    random = Random(1)
    waiting = [register.data]
    while waiting:
        bit = waiting[-1]
        driver = side.drivers.get(bit)
        if bit in known:
            waiting.pop()
        elif driver is None or driver["type"] not in _GATES:
            known[bit] = random.getrandbits(_STATES)
        else:
            inputs = [bits[0] for pin, bits in driver["connections"].items() if pin != "Y"]
            missing = [item for item in inputs if item not in known]
            if missing:
                waiting += missing
                continue
            pins = {pin: known[bits[0]] for pin, bits in driver["connections"].items() if pin != "Y"}
            known[bit] = _GATES[driver["type"]](pins) & _ONES
    return {0: "0", _ONES: "1"}.get(known[register.data])


def _cut_registers(gold: dict[str, Any], gate: dict[str, Any]) -> tuple[str, int, bool]:
    """Cut the registers of both modules, in place.

    A register that only one side has is replaced by what the other side has in its place: a constant, or one of its
    other registers; then its data have to be equal to that. Where the other side has lost its name as well, it is a
    constant if its data look like one, and is free to have any value otherwise: what is then proven is proven for
    every value, and a failure is not an answer.

    Returns
    -------
    tuple of (str, int, bool)
        Names of the free registers; the number cut; whether all could be cut.
    """
    sides = _Side(gold), _Side(gate)
    done: tuple[dict[str, str], dict[str, str]] = ({}, {})  # cell -> the name it is paired under
    for name, register in sides[0].registers.items():
        other = sides[1].registers.get(name)
        if other is None or other.clock != register.clock or register.cell in done[0] or other.cell in done[1]:
            continue
        done[0][register.cell], done[1][other.cell] = name, name
    left = [[cell for cell in side.names if cell not in known] for side, known in zip(sides, done, strict=True)]
    stuck = [cell for side, cells in zip(sides, left, strict=True) for cell in cells if not side.names[cell]]
    if stuck:
        return ", ".join(stuck[:8]), len(done[0]), False
    twins = [{cell: _twin(sides[k], sides[1 - k], done[1 - k], cell) for cell in left[k]} for k in (0, 1)]
    cuts = [
        {name: side.cut(name, side.registers[name]) for name in known.values()}
        for side, known in zip(sides, done, strict=True)
    ]
    free = []
    for k in (0, 1):
        side, there = sides[k], sides[1 - k]
        for cell, twin in twins[k].items():
            own = min(side.names[cell], key=len) if twin is None else twin[0]
            register = side.registers[own]
            if twin is None:
                free.append(own)
                side.free(own, register)
                there.port(f"cut_q_{own}", "input", there.new_bit())
                continue
            _, what, inverted = twin
            del side.module["cells"][cell]
            # What the register is, and what its data must be: on this side, and on the other one.
            state, data = (what, what) if what in ("0", "1") else (cuts[k][what][0], cuts[1 - k][what][1])
            side.buffer(_negated(side, state) if inverted != register.inverted else state, register.output)
            side.port(f"cut_d_{own}", "output", _negated(side, register.data) if register.inverted else register.data)
            there.port(f"cut_d_{own}", "output", _negated(there, data) if inverted else data)
    return ", ".join(free[:8]), sum(len(side.names) for side in sides) - len(done[0]), True


def _negated(side: _Side, bit: Any) -> Any:
    return {"0": "1", "1": "0"}[bit] if isinstance(bit, str) else side.inverter(bit)


def _twin(side: _Side, other: _Side, paired: dict[str, str], cell: str) -> tuple[str, str, bool] | None:
    """What the other side has under a name of a register: (the name, a constant or a pair's name, inverted)."""
    states = {other.registers[name].output: (name, other.registers[name].inverted) for name in paired.values()}
    for name in side.names[cell]:
        bit = other.bits.get(name)
        if bit in ("0", "1"):
            return name, bit, False
        if bit in states:
            return name, *states[bit]
        if other.inverted_by.get(bit) in states:
            twin, inverted = states[other.inverted_by[bit]]
            return name, twin, not inverted
    if all(name not in other.bits for name in side.names[cell]):
        name = side.names[cell][0]
        register = side.registers[name]
        value = _looks_constant(side, register)
        return None if value is None else (name, _negated(side, value) if register.inverted else value, False)
    return None
