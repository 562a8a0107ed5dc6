"""The chains of registers between which a unit is placed in an FPGA (see `fpgen.synthesis.fpga`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fpgen.base.errors import RunFailure


@dataclass(frozen=True)
class Ports:
    """A unit's ports: name -> width in bits, by direction, in port order; the clock apart."""

    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    clock: str | None

    def width(self, direction: str) -> int:
        """Bits in all of `input` or `output`."""
        return sum((self.inputs if direction == "input" else self.outputs).values())


def ports_of(module: Mapping[str, Any], top: str, clock: str) -> Ports:
    """The ports of a module of Yosys' JSON.

    Raises
    ------
    RunFailure
        When there is no output, or a port of both directions.
    """
    found: dict[str, dict[str, int]] = {"input": {}, "output": {}}
    for name, port in module["ports"].items():
        if port["direction"] not in found:
            raise RunFailure(f"{top}: port {name}: got direction {port['direction']}; expected input or output")
        found[port["direction"]][name] = len(port["bits"])
    has_clock = found["input"].pop(clock, None) == 1
    if not found["output"]:
        raise RunFailure(f"{top} has no outputs")
    return Ports(found["input"], found["output"], clock if has_clock else None)


def frame(ports: Ports, top: str) -> str:
    """Verilog of the chains (module `fpgen_frame`), and of the unit as a black box."""
    inputs, outputs = max(ports.width("input"), 1), ports.width("output")
    links = [f".{ports.clock}(clk)"] if ports.clock else []
    for vector, group in (("drive", ports.inputs), ("result", ports.outputs)):
        low = 0
        for name, width in group.items():
            links.append(f".\\{name} ({vector}[{low + width - 1}:{low}])")
            low += width
    declared = [f"input \\{ports.clock} "] if ports.clock else []
    declared += [f"input [{width - 1}:0] \\{name} " for name, width in ports.inputs.items()]
    declared += [f"output [{width - 1}:0] \\{name} " for name, width in ports.outputs.items()]
    shifted = "si" if inputs == 1 else f"{{drive[{inputs - 2}:0], si}}"
    moved = "1'b0" if outputs == 1 else f"{{chain[{outputs - 2}:0], 1'b0}}"
    return f"""module fpgen_frame(input clk, input si, input take, output so);
  reg [{inputs - 1}:0] drive;
  wire [{outputs - 1}:0] result;
  reg [{outputs - 1}:0] capture, chain;
  \\{top} unit ({", ".join(links)});
  always @(posedge clk) begin
    drive <= {shifted};
    capture <= result;
    chain <= take ? capture : {moved};
  end
  assign so = chain[{outputs - 1}];
endmodule

(* blackbox *)
module \\{top} ({", ".join(declared)});
endmodule
"""
