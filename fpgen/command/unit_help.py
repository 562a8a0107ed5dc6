"""What a unit's line may say, below the help of the commands that take one; made of the table of operations."""

from __future__ import annotations

import click

from .failure import Commands


def unit_help() -> str:
    """Every operation by group with its operands and a line about it, and the options that all share."""
    from fpgen.units import OPERATIONS, Handshake, Overflow, Rounding, Subnormals
    from fpgen.units.text import usage

    lines = ['A unit is one line: operation, operand formats, "->", result format, options.']
    spelled = {name: usage(card.unit, options=False) for name, card in OPERATIONS.items()}
    wide = max(map(len, spelled.values()))
    for group in dict.fromkeys(card.group for card in OPERATIONS.values()):
        lines.append(f"  {group}")
        lines += [
            f"    {spelled[name]:<{wide}}  {card.summary}" for name, card in OPERATIONS.items() if card.group == group
        ]
    words = {
        "rounding": [mode.value for mode in Rounding],
        "overflow": [*(policy.value for policy in Overflow), *Overflow.other_names()],
        "subnormals": [side.value for side in Subnormals],
        "handshake": [kind.value for kind in Handshake],
    }
    lines.append("  options")
    lines += [f"    {name:<11} {' '.join(found)}" for name, found in words.items()]
    lines += [
        "    stages=N | period=PS, flags=on, multiplier=, adder=, module_name=, prefix=",
        "    enable=on, flush=on, tag=N, reset=, reset_active=, registers=: ports around the pipeline",
        "    mask=on for dot, blockdot, tensorcore: a pin with a bit for each product that adds nothing",
        "    accumulate=exact|aligned:fraction=F|tree|chain|MACHINE for sums (fpgen accumulators)",
    ]
    return "\n".join(lines) + "\n"


class UnitCommand(click.Command):
    """A command that takes a unit: its help ends with what a unit's line may say."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        formatter.write("\n" + unit_help())


class MainCommands(Commands):
    """The commands of fpgen, whose help ends likewise."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        formatter.write("\n" + unit_help())
