"""Synthesise a unit and time it: one point, all points of a recipe, or the Pareto set of several recipes.

Every point is kept in the cache under the hash of all that it depends on: the Verilog text, the library, the
recipe's commands, the target, the Yosys version, drive and load. Failed points are kept as well; only a run
that was stopped at its limit of processor time is tried again.
"""

import gzip
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import Any

from fpgen.base.cache import cache_dir, digest, write_whole
from fpgen.base.errors import RunFailure, UsageError, short_text
from fpgen.base.provenance import without_provenance
from fpgen.library import technology
from fpgen.library.technology import Technology
from fpgen.library.wireload import WireLoad, mapping_liberty, resolve
from fpgen.timing import netlist, sta

from . import effort as efforts
from . import recipe, yosys
from .point import Point, pareto
from .recipe import MapScript, Recipe
from .synthesis import gates_hash, map_cells, prepare

# A new number when a point's meaning changes.
_VERSION = "5"

# Verilog or RTLIL with registers in it.
_CLOCKED = re.compile(r"\b(?:pos|neg)edge\b|\bcell \$_?\w*dff", re.IGNORECASE)

Progress = Callable[[Point], None]


def measure(
    verilog: str,
    top: str,
    *,
    technology: Technology | str = technology.DEFAULT,
    recipe: Recipe | str | None = None,
    effort: str | int | None = None,
    targets: Sequence[float] | None = None,
    wire_load: WireLoad | str | float | None = None,
    engine: str | None = None,
    seed: int = 0,
    timeout: float = yosys.LIMIT_S,
    cached: bool = True,
    progress: Progress | None = None,
) -> list[Point]:
    """Area and delay of a unit.

    Parameters
    ----------
    verilog : str
        Text with the module `top` (RTLIL text is taken as well).
    technology : Technology or str
        Or the name of a built-in one.
    recipe : Recipe or str, optional
        All points of this recipe, in the order they were run; the name of a built-in one or of a TOML file. Default:
        what `effort` says.
    effort : str or int, optional
        Level or name of one of `fpgen.synthesis.effort.EFFORTS`. 0, `quick` (default): one point of the recipe
        `balanced`, at the shortest delay it can do. 1, 2, 3 (`fair`, `pareto`, `thorough`): several recipes at several
        targets, and of their points those that none beats; failed points only when nothing else is left.
    targets : sequence of float, optional
        Delay targets in ps instead of the recipe's or the effort's own.
    wire_load : WireLoad, str or float, optional
        fF for each pin that a net drives, or a model of the library's; see `fpgen.library.wireload`. Default none.
    engine : str, optional
        See `fpgen.synthesis.yosys.select`.
    seed : int
        Above 0: a further sample of the same synthesis, from scrambled internal names. Area moves by 1 to 6 % and
        delay by 2 to 10 % from one sample to the next, so close calls need several.
    timeout : float
        Seconds of processor time allowed to each run of Yosys.
    cached : bool
        Whether points known from earlier may be returned.
    progress : callable, optional
        Called with each point as soon as it is there.

    Raises
    ------
    UsageError
        For an unknown technology, recipe, effort, engine or wire load, a recipe with an effort, a target or limit that
        is not positive, or a design with registers and a library without.
    MissingTool
        When the engine is not installed.
    """
    tool = yosys.select(engine)
    yosys.check_limit(timeout)
    tech = load_technology(technology)
    verilog = without_provenance(verilog)
    if top in tech.library.cells:
        raise UsageError(
            f"module name {top}: got the name of a cell of {tech.library.name}; expected another one "
            "(module_name=... names a unit)"
        )
    if targets is not None and not (
        isinstance(targets, Sequence)
        and targets
        and all(isinstance(target, Real) and 1 <= target < math.inf for target in targets)
    ):
        raise UsageError(
            f"delay targets: got {targets!r}; expected one or more numbers of ps from 1 on, as in [500, 600]"
        )
    wires = resolve(wire_load, tech.library)
    if recipe is not None and effort is not None:
        raise UsageError(
            f"recipe: got {recipe if isinstance(recipe, str) else recipe.name} and effort {effort}; "
            "expected one of them, since a recipe lists its own targets"
        )
    level = efforts.find(effort)
    recipes = (
        efforts.plan(level, targets)
        if recipe is None
        else [efforts.with_targets(_recipe(recipe), tuple(float(target) for target in targets or ()))]
    )
    if _CLOCKED.search(verilog):
        tech.library.flipflops()  # rejects a library without any, before anything runs
    points: list[Point] = []
    gates: dict[str, str] = {}
    for sample in level.seeds if recipe is None else (0,):
        for chosen in recipes:
            points += _PointRunner(
                verilog, top, chosen, tech, tool, seed + sample, timeout, cached, progress, wires, gates
            ).points()
    if recipe is None and level.pareto:
        return pareto(points) or points
    return points


def load_technology(given: Technology | str) -> Technology:
    """The technology itself, or the built-in one of that name."""
    return technology.load(given) if isinstance(given, str) else given


def netlist_text(netlist_hash: str) -> str:
    """The mapped netlist of a point, from the cache.

    Raises
    ------
    RunFailure
        When the cache no longer has it.
    """
    try:
        return gzip.decompress(_netlist_path(netlist_hash).read_bytes()).decode()
    except (OSError, EOFError):
        raise RunFailure(f"the cache has no netlist {netlist_hash}; measure the unit again") from None


def _netlist_path(netlist_hash: str) -> Path:
    return cache_dir("netlists") / f"{netlist_hash}.v.gz"


def _recipe(given: Recipe | str) -> Recipe:
    if isinstance(given, Recipe):
        return given
    if isinstance(given, str):
        return recipe.load(given)
    raise UsageError(f"recipe: got {short_text(given)}; expected a name, a .toml file or a Recipe")


class _PointRunner:
    """All points of one recipe for one unit."""

    def __init__(
        self,
        verilog: str,
        top: str,
        chosen: Recipe,
        tech: Technology,
        tool: yosys.Engine,
        seed: int,
        timeout: float,
        cached: bool,
        progress: Progress | None,
        wires: WireLoad | None,
        gates: dict[str, str],
    ) -> None:
        self.verilog, self.top, self.recipe, self.tech, self.tool = verilog, top, chosen, tech, tool
        self.seed, self.timeout, self.cached, self.progress = seed, timeout, cached, progress
        self.driver = chosen.driving_cell if chosen.driving_cell in tech.library.cells else tech.driving_cell
        self.load = tech.output_load_ff if chosen.output_load_ff is None else chosen.output_load_ff
        self.wires = wires
        self.cells = tech.liberty if wires is None else mapping_liberty(tech.liberty, tech.library, wires)
        self.gates = gates  # synthesis options -> generic gates; the same for all recipes and samples
        self.base = digest(_VERSION, verilog, top, tech.library.content_hash, tool.version, " ".join(tech.dont_use))

    def points(self) -> list[Point]:
        found: list[Point] = []
        seen: set[str] = set()
        for variant, options in self.recipe.synth:
            if len(self.recipe.synth) > 1:
                try:
                    fingerprint = self._fingerprint(options)
                except RunFailure as error:
                    found.append(self._reported(self._blank(variant, "-", 0.0, str(error))))
                    continue
                if fingerprint in seen:
                    continue
                seen.add(fingerprint)
            for script in self.recipe.maps:
                reached: dict[float, float] = {}
                for target in script.targets:
                    target_ps = script.target_ps(target, reached)
                    if target_ps is None:
                        continue
                    point = self._point(variant, options, script, target_ps)
                    if point.failure is None:
                        reached[target_ps] = point.delay_ps
                    found.append(self._reported(point))
        return found

    def _reported(self, point: Point) -> Point:
        if self.progress is not None:
            self.progress(point)
        return point

    def _prepared(self, options: str) -> str:
        if options not in self.gates:
            self.gates[options] = prepare(
                self.verilog,
                self.top,
                options,
                self.tech.liberty,
                self.tool,
                dont_use=self.tech.dont_use,
                timeout=self.timeout,
            )
        return self.gates[options]

    def _fingerprint(self, options: str) -> str:
        """Hash of the generic netlist, to see when two variants come to the same."""
        path = cache_dir("points", "gates") / digest(self.base, options)
        if self.cached and path.is_file():
            return path.read_text()
        found = gates_hash(self._prepared(options))
        write_whole(path, found)
        return found

    def _blank(self, variant: str, script: str, target_ps: float, failure: str | None = None) -> Point:
        from fpgen.base.version import __version__

        assumptions: dict[str, Any] = {
            "library": self.tech.library.name,
            "corner": self.tech.library.corner,
            "driving_cell": self.driver,
            "output_load_ff": self.load,
            "wire_load": self.wires.name if self.wires else "none",
            "clock": "ideal",
            "seed": self.seed,
        }
        if self.tech.library.notes:
            assumptions["note"] = "; ".join(self.tech.library.notes)
        return Point(
            self.top,
            self.tech.name,
            f"{self.recipe.name}/{variant}/{script}",
            target_ps,
            tools={"fpgen": __version__, "yosys": self.tool.version},
            assumptions=assumptions,
            failure=failure,
        )

    def _point(self, variant: str, options: str, script: MapScript, target_ps: float) -> Point:
        commands = "default" if script.script is None else "\n".join(script.script)
        key = digest(
            self.base,
            self.recipe.name,
            variant,
            script.name,
            options,
            commands,
            f"{target_ps:g}",
            str(self.driver),
            f"{self.load:g}",
            self.recipe.delay,
            *([f"seed {self.seed}"] if self.seed else []),
            *([repr(self.wires)] if self.wires else []),
        )
        path = cache_dir("points") / f"{key}.json"
        if self.cached and (known := _read(path)) is not None:
            return known
        point = self._blank(variant, script.name, target_ps)
        try:
            point = self._run(point, options, script, target_ps)
        except yosys.Timeout as error:
            return replace(point, failure=str(error))
        except RunFailure as error:
            point = replace(point, failure=str(error))
        write_whole(path, json.dumps(point.to_dict()))
        return point

    def _run(self, point: Point, options: str, script: MapScript, target_ps: float) -> Point:
        library = self.tech.library
        mapped = map_cells(
            self._prepared(options),
            self.top,
            script.script,
            target_ps,
            self.cells,
            self.tool,
            driving_cell=self.driver,
            output_load_ff=self.load,
            dont_use=self.tech.dont_use,
            seed=self.seed,
            wire_load=self.wires is not None,
            timeout=self.timeout,
        )
        flat = netlist.from_text(mapped.verilog, self.top, f"mapped netlist of {self.top}", library)
        timing = sta.analyse(flat, library, driving_cell=self.driver, output_load_ff=self.load, wire_load=self.wires)
        cells = [library.cells[instance.cell] for instance in flat.instances]
        registers = sum(cell.flipflop is not None for cell in cells)
        # ABC leaves clock-to-output and setup out, so its figure is good for combinational units only.
        by_abc = self.recipe.delay == "abc" and mapped.abc_delay_ps is not None and not registers
        area = math.fsum(cell.area for cell in cells)
        netlist_hash = digest(mapped.verilog)
        write_whole(_netlist_path(netlist_hash), gzip.compress(mapped.verilog.encode(), mtime=0))
        return replace(
            point,
            area_um2=area,
            nand2_eq=area / library.nand2_area,
            delay_ps=mapped.abc_delay_ps if by_abc and mapped.abc_delay_ps is not None else timing.delay_ps,
            delay_source="abc" if by_abc else "sta",
            sta_delay_ps=timing.delay_ps,
            cells=len(cells),
            registers=registers,
            logic_depth=timing.logic_depth,
            startpoint=timing.startpoint,
            endpoint=timing.endpoint,
            critical_path=tuple(vars(step) for step in timing.path),
            seconds=mapped.seconds,
            netlist_hash=netlist_hash,
        )


def _read(path: Path) -> Point | None:
    """A cached point, or None when it is not there or not whole, or its netlist is not."""
    try:
        point = Point.from_dict(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return point if point.failure is not None or _netlist_path(point.netlist_hash).is_file() else None
