"""How long proofs of mapped netlists take, in seconds of one core: the table of docs/power.md.

    python benchmarks/proof_time.py [--engine native] [UNIT ...]

Seconds are those of the processor, of Yosys and of what cuts the registers, so other work on the machine does not
count. Netlists come from the native Yosys either way.
"""

import argparse
import resource

from fpgen import parse_unit
from fpgen.formal import netlist_proof as prove
from fpgen.synthesis import flow

UNITS = """multiply e4m3fn e4m3fn -> fp16
quantize fp32 -> e2m1@e8m0/4
add bf16 bf16 -> bf16
multiply fp16 fp16 -> fp16
multiply fp16 fp16 -> fp16 stages=2
mac e4m3fn e4m3fn -> fp32 stages=1
fma fp16 fp16 fp16 -> fp16
fma fp16 fp16 fp16 -> fp16 stages=3
fma bf16 bf16 fp32 -> fp32
dot e2m1 e2m1 n=8 + fp32 -> fp32
multiply fp32 fp32 -> fp32
quantize fp32 -> mxfp4 stages=1
dot e4m3fn e4m3fn n=4 + fp32 -> fp32 stages=2
fma fp32 fp32 fp32 -> fp32 stages=4
tensorcore e2m1 e2m1 m=2 n=2 k=4 + fp16 -> fp16
dot e4m3fn e4m3fn n=8 + fp32 -> fp32""".splitlines()


def used() -> float:
    """Processor seconds of this process and of those it has waited for."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(item.ru_utime + item.ru_stime for item in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("units", nargs="*", default=UNITS)
    parser.add_argument("--engine", help="of the proofs; default: as fpgen has it")
    given = parser.parse_args()
    print("| unit | cells | flip-flops | proof | seconds |\n|---|---|---|---|---|")
    for line in given.units:
        unit = parse_unit(line)
        verilog = unit.verilog()
        point = flow.measure(verilog, unit.name, engine="native")[0]
        if point.failure is not None:
            print(f"| `{line}` | | | {point.failure} | |", flush=True)
            continue
        before = used()
        found = prove.prove_point(verilog, point, "fpgen45", engine=given.engine, cached=False)
        seconds = used() - before
        print(f"| `{line}` | {point.cells:,} | {point.registers} | {found.status} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
