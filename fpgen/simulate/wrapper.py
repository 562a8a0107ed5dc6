"""The Verilog around a unit: streams that read vectors from files, and probes for one-vector-a-clock tests.

A stream is self-contained: its own clock, its own file, `LANES` copies of the
unit in lockstep. It idles until `start`, then::

      clk  ____/~~~~\\____/~~~~\\____
      row  X======X=========X=======     a row is read while clk is low
               ^sample   ^sample         outputs are compared just before the rising edge

Accepted rows queue what they expect; each valid output takes the oldest. Nothing
here depends on the arithmetic: the expectations come with the vectors.

A lane is a module with the unit and its input registers inside, which the stream
writes from outside. So all lanes are the same function of their own variables, and
Verilator (with an option not to inline them) compiles that function once, not once a lane.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from fpgen.base.text_template import filled, template_beside
from fpgen.units.axis import instance
from fpgen.units.base import Unit
from fpgen.units.options import Handshake
from fpgen.units.ports import Port, Role
from fpgen.vectors.layout import Layout, field_bytes

TOP = "fpgen_harness"
LOG_LIMIT = 64

#: What starts a stream. An input is random until cocotb drives it: a level or an edge would start some by themselves.
START = 0x600DF00D

#: Statements of a stream: its reset, and, with a handshake, pauses on both sides by a random bit each.
_RESET = """\
    rst = 1; tick = 1; repeat (4) begin #1 clk = 1; #1 clk = 0; end
    rst = 0;"""
_GAPS = """\
      noise = {noise[30:0], noise[31] ^ noise[21] ^ noise[1] ^ noise[0]};
      in_valid = full && !(cycle < gap_cycles && noise[4]);
      out_ready = !(cycle < gap_cycles && noise[15]);
      cycle = cycle + 1;"""


def lanes_for(unit: Unit, verilog: str) -> int:
    """Lanes that pay: many for small units; in large ones a lane takes so long that the others hardly speed it up."""
    width = sum(port.width for port in unit.ports if port.travels_in)
    size = len(verilog)
    most = 16 if size < 20_000 else 8 if size < 60_000 else 4
    if any(port.shape for port in unit.ports):  # rows get wide as well, and a build takes as long as what it compiles
        most = min(most, 4 if size < 100_000 else 1)
    return min(most, 1 << width)


def harness(units: Sequence[Unit], lanes: Sequence[int], *, probes: bool = True) -> str:
    """The text of module `TOP` and of the streams below it, for any number of units.

    Ports of the top, for unit i: ``start_i`` in (`START` starts it); ``done_i``, ``rows_i``, ``mismatches_i``,
    ``errors_i`` out; with `probes`, every pin of the unit as ``u{i}_{pin}`` (and ``u{i}_clk`` in any case). Inputs of
    a probe take effect on the falling edge of its clock.
    """
    ports, body = [], []
    for i, unit in enumerate(units):
        ports.append(_pin("input", "[31:0] ", f"start_{i}"))
        ports += [_pin("output", "[63:0] ", f"{name}_{i}") for name in ("rows", "mismatches", "errors")]
        ports.append(_pin("output", "", f"done_{i}"))
        body.append(
            f"  fpgen_stream_{i} stream_{i} (.start(start_{i}), .done(done_{i}), .rows(rows_{i}), "
            f".mismatches(mismatches_{i}), .errors(errors_{i}));\n"
        )
        if probes:
            pins, text = _probe(i, unit)
            ports += pins
            body.append(text)
    streams = "\n".join(
        _lane(i, unit) + "\n" + _stream(i, unit, Layout.of(unit, lanes[i])) for i, unit in enumerate(units)
    )
    return (
        f"/* verilator lint_off WIDTH */\nmodule {TOP} (\n"
        + ",\n".join(ports)
        + "\n);\n"
        + "".join(body)
        + "endmodule\n\n"
        + streams
    )


def _pin(direction: str, vector: str, name: str) -> str:
    access = "public_flat_rw" if direction == "input" else "public_flat_rd"
    return f"  {direction} wire {vector}{name} /*verilator {access}*/"


def _vector(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""


def lane_module(i: int) -> str:
    """Name of the module that holds one copy of unit i."""
    return f"fpgen_lane_{i}"


def _lane(i: int, unit: Unit) -> str:
    """Module `fpgen_lane_i`: unit i behind registers named as its inputs; its outputs are ports."""
    inputs = [port for port in unit.ports if port.is_input and port.role is not Role.CLOCK]
    outputs = [port for port in unit.ports if not port.is_input]
    pins = ["input wire clk"] + [f"output wire {_vector(port.width)}{port.name}" for port in outputs]
    registers = "".join(f"  reg {_vector(port.width)}{port.name};\n" for port in inputs)
    return f"module {lane_module(i)} ({', '.join(pins)});\n{registers}{_instance(unit)}endmodule\n"


def _instance(unit: Unit) -> str:
    """The unit, connected to nets with the names of its ports; behind its AXI4-Stream wrapper, if it has one."""
    module, pins, nets = instance(unit)
    wires = "".join(f"  wire {_vector(width)}{name};\n" for name, width in nets)
    connections = ", ".join(f".{pin}({expression})" for pin, expression in pins)
    return f"{wires}  {module} unit ({connections});\n"


def _probe(i: int, unit: Unit) -> tuple[list[str], str]:
    """Pins and text of the copy of unit i that cocotb drives itself."""
    pins, connections, updates = [_pin("input", "", f"u{i}_clk")], [f".clk(u{i}_clk)"], []
    for port in unit.ports:
        if port.role is Role.CLOCK:
            continue
        pins.append(_pin("input" if port.is_input else "output", _vector(port.width), f"u{i}_{port.name}"))
        if port.is_input:
            # Not directly: logic that hangs on a top-level pin is evaluated at every step of the simulation.
            updates.append(f"u{i}.{port.name} <= u{i}_{port.name};")
        else:
            connections.append(f".{port.name}(u{i}_{port.name})")
    return pins, (
        f"  {lane_module(i)} u{i} ({', '.join(connections)});\n"
        f"  always @(negedge u{i}_clk) begin {' '.join(updates)} end\n"
    )


def _stream(i: int, unit: Unit, layout: Layout) -> str:
    """Module `fpgen_stream_i`."""
    latency, lanes = unit.latency, layout.lanes
    has = {port.name for port in unit.ports}
    kind: Handshake = unit.handshake
    match kind:
        case Handshake.NONE:
            handshake = back_pressure = False
        case Handshake.VALID:
            handshake, back_pressure = True, False
        case Handshake.READY | Handshake.AXIS:
            handshake = back_pressure = True
        case unknown:
            assert_never(unknown)
    want_bits = 8 * lanes * layout.out_bytes
    depth = 1 << (latency + 4).bit_length()
    queued = latency > 0 or handshake
    outputs = [(lane, port) for lane, port, _ in layout.slices("out")]
    got = ", ".join(_fields(port, f"{port.name}_{lane}") for lane, port in outputs)
    accepted = "in_valid" if not back_pressure else "in_valid && ready[0]"
    if handshake:
        valid_now = "valid[0]"
    else:
        valid_now = f"flight[{latency - 1}]" if latency else "in_valid"
    checks = []
    if handshake:
        checks.append(f"if (valid !== {{{lanes}{{valid[0]}}}} || valid[0] === 1'bx) errors = errors + 1;")
    if handshake and not back_pressure:
        checks.append(f"if (valid[0] !== {f'flight[{latency - 1}]' if latency else 'in_valid'}) errors = errors + 1;")
    if back_pressure:
        checks.append(f"if (ready !== {{{lanes}{{ready[0]}}}} || ready[0] === 1'bx) errors = errors + 1;")
    report = "\n".join(
        f"          if (got[{8 * layout.out_bytes * (lanes - 1 - lane)} +: {8 * layout.out_bytes}] !== "
        f"want[{8 * layout.out_bytes * (lanes - 1 - lane)} +: {8 * layout.out_bytes}]) begin\n"
        f"            mismatches = mismatches + 1;\n"
        f'            if (mismatches <= {LOG_LIMIT}) $fdisplay(log, "%0d %h", taken * {lanes} + {lane}, '
        f"got[{8 * layout.out_bytes * (lanes - 1 - lane)} +: {8 * layout.out_bytes}]);\n"
        f"          end"
        for lane in range(lanes)
    )
    store = f"queue[wp] = row[{want_bits - 1}:0]; wp = wp + 1;" if queued else ""
    fetch = "want = queue[rp]; rp = rp + 1;" if queued else f"want = row[{want_bits - 1}:0];"
    has_clock = "clk" in has
    return filled(
        template_beside(__file__, "stream.v.tmpl"),
        i=i,
        start=START,
        row_bytes=layout.row_bytes,
        row_top=8 * layout.row_bytes - 1,
        want_top=want_bits - 1,
        flight_top=max(latency, 1) - 1,
        lane_top=lanes - 1,
        pointer_top=max(1, depth.bit_length() - 1) - 1,
        queue=f"  reg [{want_bits - 1}:0] queue [0:{depth - 1}];" if queued else "",
        instances=_instances(i, unit, lanes),
        got=got,
        inputs=_present(unit, layout),
        reset=_RESET if has_clock else "",
        present=_GAPS if handshake else "      in_valid = full;",
        checks=" ".join(checks),
        accepted=accepted,
        store=store,
        delivered=f"{valid_now}{' && out_ready' if back_pressure else ''}",
        fetch=fetch,
        report=report,
        hangs_after=8 * latency + 64,
        ends_after=latency + 4,
        edge="      clk = 1; #1 clk = 0;" if has_clock else "",
    )


def _instances(i: int, unit: Unit, lanes: int) -> str:
    """The lanes and the wires of their outputs."""
    lines = []
    for lane in range(lanes):
        pins = [".clk(clk)"]
        for port in unit.ports:
            if port.travels_out:
                lines.append(f"  wire {_vector(port.width)}{port.name}_{lane};")
                pins.append(f".{port.name}({port.name}_{lane})")
            elif not port.is_input:
                pins.append(f".{port.name}({'valid' if port.name == 'out_valid' else 'ready'}[{lane}])")
        lines.append(f"  {lane_module(i)} lane_{lane} ({', '.join(pins)});")
    return "\n".join(lines)


def _fields(port: Port, wire: str) -> str:
    """The codes of a port as they lie in a row: each in its field, the first at the top."""
    width, space = port.element_width, 8 * field_bytes(port.element_width)
    if port.count == 1:
        return wire if width == space else f"{{{space - width}'d0, {wire}}}"
    parts = [f"{wire}[{width * i + width - 1}:{width * i}]" for i in range(port.count)]
    return ", ".join(parts if width == space else [f"{space - width}'d0, {part}" for part in parts])


def _pins(port: Port, lowest: Sequence[int]) -> str:
    """The codes of a port, from a row in which the elements' lowest bits stand there, as its pins take them."""
    width = port.element_width
    parts = [f"row[{low + width - 1}:{low}]" for low in reversed(lowest)]
    return parts[0] if len(parts) == 1 else f"{{{', '.join(parts)}}}"


#: Inputs that a stream drives by other means than a variable of their name.
_LEVELS = {"rst_n": "~rst", "enable": "1'b1", "flush": "1'b0"}


def _present(unit: Unit, layout: Layout) -> str:
    """Statements that put the row, and what all lanes share, on the inputs of the lanes."""
    others = [port for port in unit.ports if port.is_input and not port.travels_in and port.role is not Role.CLOCK]
    shared = {port.name: _LEVELS.get(port.name, port.name) for port in others}
    lines = [f"    lane_{lane}.{port.name} = {_pins(port, lowest)};" for lane, port, lowest in layout.slices("in")]
    lines += [f"    lane_{lane}.{name} = {level};" for lane in range(layout.lanes) for name, level in shared.items()]
    return "\n".join(lines)
