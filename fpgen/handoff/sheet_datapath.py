"""The section on the datapath: the picture, the named steps of each stage, the registers between."""

from __future__ import annotations

from fpgen.rtl import pipeline_for
from fpgen.rtl.pipeline import Pipeline
from fpgen.units import Unit
from fpgen.verilog.header import stage_text

from .datapath_groups import Flow, flow_of
from .datapath_svg import box_text, datapath_svg, layers, rank_text
from .sheet_model import Figure, Paragraph, Section, SheetTable, table

_LARGEST = 6  # registers of a rank that are named


def datapath_section(unit: Unit) -> Section:
    """Picture and tables."""
    pipeline = pipeline_for(unit)
    flow = flow_of(pipeline)
    caption = (
        "A box is what stands under one heading in the Verilog, with its operations (of any width) by kind. Dark lines "
        "come from pins or registers before the stage or go to those after it; a line is thicker for more bits."
    )
    figure = Figure("Stages", caption, datapath_svg(unit, pipeline, flow), _characters(unit, pipeline, flow))
    stages = table(["stage", "steps"], [(number, stage_text(steps)) for number, steps in enumerate(pipeline.steps)])
    if not unit.clocked:
        return Section("Datapath", (figure, stages))
    bits = Paragraph(f"{pipeline.register_bits} register bits in the datapath.")
    return Section("Datapath", (figure, stages, bits, _ranks(pipeline)))


def _ranks(pipeline: Pipeline) -> SheetTable:
    rows = []
    for number, rank in enumerate(pipeline.ranks, 1):
        widest = sorted(rank, key=lambda register: -register.width)
        named = ", ".join(f"{register.name} {register.width}" for register in widest[:_LARGEST])
        more = f", and {len(rank) - _LARGEST} more" if len(rank) > _LARGEST else ""
        rows.append((number, len(rank), sum(register.width for register in rank), named + more or "-"))
    return table(["rank", "registers", "bits", "the widest"], rows)


def _characters(unit: Unit, pipeline: Pipeline, flow: Flow) -> str:
    lines = []
    for stage in range(pipeline.stages + 1):
        if stage:
            lines.append(f"======== rank {stage}: {rank_text(unit, pipeline, stage)} ========")
        lines.append(f"stage {stage}")
        found = [group for layer in layers(flow, stage) for group in layer]
        lines += [f"    {group.title}: {box_text(group)}" for group in found] or ["    wires"]
    return "\n".join(lines)
