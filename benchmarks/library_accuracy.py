"""How far a compact technology is from a full library: the same designs through both, and the differences.

    python -m benchmarks.library_accuracy fpgen45 FULL.lib.gz [--driving-cell BUF_X2] [--recipe NAME ...] [--scaled]

Errors are relative, point by point. Order is told by the part of all pairs of points that both libraries rank the
same way, and by the rank correlations of Spearman (rho) and Kendall (tau-b). With `--scaled` one factor for all areas
and one for all delays is taken out first (the geometric mean of the ratios): what a technology of another class says
about which design is the smaller or the faster.

`docs/technology.md` states the figures that this prints.
"""

import argparse
import itertools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from fpgen.base.errors import FpgenError, UsageError
from fpgen.library import technology
from fpgen.library.technology import Technology
from fpgen.synthesis import flow, yosys

# What units are made of, and three units (see `designs`).
_PARTS: Mapping[str, str] = {
    "add16": "module d(input [15:0] a, b, output [16:0] y); assign y = a + b; endmodule",
    "add32": "module d(input [31:0] a, b, output [32:0] y); assign y = a + b; endmodule",
    "mul6": "module d(input [5:0] a, b, output [11:0] y); assign y = a * b; endmodule",
    "mul8": "module d(input [7:0] a, b, output [15:0] y); assign y = a * b; endmodule",
    "mul11": "module d(input [10:0] a, b, output [21:0] y); assign y = a * b; endmodule",
    "shift32": "module d(input [31:0] a, input [4:0] s, output [31:0] y); assign y = a >> s; endmodule",
    "max24": "module d(input [23:0] a, b, output [23:0] y, output e); assign e = a == b; assign y = a < b ? b : a; "
    "endmodule",
    "mac8": "module d(input clk, input [7:0] a, b, output reg [19:0] y); reg [7:0] c, e; reg [15:0] p; "
    "always @(posedge clk) begin c <= a; e <= b; p <= c * e; y <= y + p; end endmodule",
}
_UNITS = ("multiply fp16 fp16 -> fp16 rne", "add bf16 bf16 -> bf16 rne", "fma e5m2 e5m2 e5m2 -> e5m2 rne")


def designs(*names: str) -> dict[str, str]:
    """Verilog of the designs (all, or those named, any unit among them) to compare on: name -> text with a module `d`.

    Raises
    ------
    UsageError
        For a name that is neither a design's nor a unit's line.
    """
    from fpgen import parse_unit

    chosen = {}
    for name in names or (*_PARTS, *_UNITS):
        if name in _PARTS:
            chosen[name] = _PARTS[name]
        else:
            unit = parse_unit(name)
            chosen[name] = unit.verilog().replace(f"module {unit.name}", "module d", 1)
    return chosen


@dataclass(frozen=True)
class Comparison:
    """The same (design, recipe, target) under a compact and a full library.

    Attributes
    ----------
    labels : tuple of str
        Design, then recipe and place in it, with a `|` between.
    area, delay : arrays of shape (n, 2)
        um2 and ps; column 0 full, column 1 compact.
    """

    labels: tuple[str, ...]
    area: np.ndarray
    delay: np.ndarray

    @staticmethod
    def errors(figures: np.ndarray) -> np.ndarray:
        """Relative error of each pair, shape (n,)."""
        return figures[:, 1] / figures[:, 0] - 1

    @staticmethod
    def same_order(figures: np.ndarray) -> float:
        """Part of all pairs of points that both libraries rank the same way (ties left out)."""
        signs = [np.sign(one - other) for one, other in itertools.combinations(figures, 2)]
        told = [sign for sign in signs if sign.all()]
        return float(np.mean([sign[0] == sign[1] for sign in told])) if told else 1.0

    @staticmethod
    def rank_correlation(figures: np.ndarray) -> tuple[float, float]:
        """Spearman's rho and Kendall's tau-b; NaN for fewer than two points."""
        if len(figures) < 2:
            return float("nan"), float("nan")
        return (
            float(stats.spearmanr(figures[:, 0], figures[:, 1]).statistic),
            float(stats.kendalltau(figures[:, 0], figures[:, 1]).statistic),
        )

    def within_designs(self) -> "list[Comparison]":
        """The points of each design apart: recipes and targets of one design."""
        names = [label.split(" | ")[0] for label in self.labels]
        return [self._rows([row for row, other in enumerate(names) if other == name]) for name in dict.fromkeys(names)]

    def scaled(self) -> "tuple[Comparison, float, float]":
        """The comparison with the geometric mean of the ratios taken out, and these (area, delay)."""
        ratios = [float(np.exp(np.log(figures[:, 1] / figures[:, 0]).mean())) for figures in (self.area, self.delay)]
        area, delay = (figures / [1.0, ratio] for figures, ratio in zip((self.area, self.delay), ratios, strict=True))
        return Comparison(self.labels, area, delay), ratios[0], ratios[1]

    def _rows(self, rows: Sequence[int]) -> "Comparison":
        return Comparison(tuple(self.labels[row] for row in rows), self.area[list(rows)], self.delay[list(rows)])

    def of_recipe(self, name: str) -> "Comparison":
        """The points of one recipe."""
        return self._rows(
            [row for row, label in enumerate(self.labels) if label.split(" | ")[1].startswith(f"{name}/")]
        )

    def summary(self) -> str:
        """One line for area and one for delay."""
        lines = [f"{len(self.labels)} points"]
        for name, figures in (("area", self.area), ("delay", self.delay)):
            errors = self.errors(figures)
            worst = int(np.argmax(abs(errors)))
            rho, tau = self.rank_correlation(figures)
            lines.append(
                f"{name:5}  mean error {abs(errors).mean():6.2%}  bias {errors.mean():+6.2%}  same order "
                f"{self.same_order(figures):.1%}  rho {rho:.4f}  tau {tau:.4f}  worst {errors[worst]:+6.2%} "
                f"({self.labels[worst]})"
            )
        return "\n".join(lines)


def compare(
    compact: Technology,
    full: Technology,
    *,
    texts: Mapping[str, str] | None = None,
    recipes: Sequence[str] = ("area", "balanced", "speed"),
    seeds: int = 1,
    engine: str | None = None,
) -> Comparison:
    """Synthesise every design under both technologies.

    Points are paired by recipe and by their place in it: the fastest with the fastest, the relaxed with the relaxed.
    Each is the mean over `seeds` samples, because a single synthesis is as noisy as the difference looked for.

    Raises
    ------
    UsageError, RunFailure, MissingTool
        As `fpgen.synthesis.flow.measure`.
    """
    labels: list[str] = []
    figures: list[tuple[tuple[float, float], tuple[float, float]]] = []
    for (name, text), recipe in itertools.product((texts or designs()).items(), recipes):
        ours, theirs = (_means(text, tech, recipe, seeds, engine) for tech in (compact, full))
        for key in theirs:
            if key in ours:
                labels.append(f"{name} | {key}")
                figures.append(((theirs[key][0], ours[key][0]), (theirs[key][1], ours[key][1])))
    table = np.array(figures).reshape(len(labels), 2, 2)
    return Comparison(tuple(labels), table[:, 0], table[:, 1])


def _means(text: str, tech: Technology, recipe: str, seeds: int, engine: str | None) -> dict[str, tuple[float, float]]:
    """Mean area and delay of each of a recipe's points that never failed."""
    samples: dict[str, list[tuple[float, float]]] = {}
    for seed in range(seeds):
        points = flow.measure(text, "d", technology=tech, recipe=recipe, engine=engine, seed=seed)
        for index, point in enumerate(points):
            if point.failure is None:
                samples.setdefault(f"{point.recipe} #{index}", []).append((point.area_um2, point.delay_ps))
    return {
        key: (float(np.mean([area for area, _ in found])), float(np.mean([delay for _, delay in found])))
        for key, found in samples.items()
        if len(found) == seeds
    }


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.library_accuracy", description="Compare a built-in technology with a full library"
    )
    parser.add_argument("technology", help="a built-in one, e.g. fpgen45")
    parser.add_argument("liberty", help="the full library")
    parser.add_argument("--driving-cell")
    parser.add_argument("--dont-use", action="append", default=[], help="cells of the full library to avoid; * allowed")
    parser.add_argument(
        "--design",
        action="append",
        default=[],
        metavar="UNIT",
        help="compare on these, may be repeated: any unit; default eleven designs",
    )
    parser.add_argument("--recipe", action="append", help="may be repeated; default area, balanced and speed")
    parser.add_argument("--seeds", type=int, default=1, help="samples to average each point over")
    parser.add_argument("--engine", choices=yosys.ENGINES)
    parser.add_argument("--scaled", action="store_true", help="take one factor for area and one for delay out first")
    parser.add_argument("--all", action="store_true", help="print every point")
    given = parser.parse_args(arguments)
    try:
        compact = technology.load(given.technology)
        full = technology.from_liberty(
            given.liberty,
            driving_cell=given.driving_cell,
            output_load_ff=compact.output_load_ff,
            dont_use=given.dont_use,
        )
        recipes = given.recipe or ["area", "balanced", "speed"]
        found = compare(
            compact, full, texts=designs(*given.design), recipes=recipes, seeds=max(given.seeds, 1), engine=given.engine
        )
    except FpgenError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    if given.all:
        for label, area, delay in zip(found.labels, found.area, found.delay, strict=True):
            print(f"{label:64} um2 {area[0]:9.2f} {area[1]:9.2f}   ps {delay[0]:8.1f} {delay[1]:8.1f}")
    if given.scaled:
        found, area, delay = found.scaled()
        print(f"taken out: area x {area:.4g}, delay x {delay:.4g}")
    for name in recipes:
        print(f"{name}: {found.of_recipe(name).summary()}")
    print(f"all: {found.summary()}")
    alone = found.within_designs()
    print(
        "same order among the points of one design, mean over designs: "
        + ", ".join(
            f"{name} {np.mean([one.same_order(getattr(one, name)) for one in alone]):.1%}" for name in ("area", "delay")
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
