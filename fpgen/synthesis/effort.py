"""How much is tried for one unit: which recipes, at which delay targets, from how many samples.

Yosys and ABC are not driven by timing: a run is one sample of what a unit can cost, and a target is a hint. So
several recipes and targets are run, and the Pareto set of the points is kept. How much of the attainable front each
effort finds, and what it takes: `docs/recipes.md`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fpgen.base.errors import UsageError

from . import recipe
from .recipe import Recipe, Target


@dataclass(frozen=True)
class Effort:
    """One level.

    Attributes
    ----------
    level : int
    name : str
    recipes : tuple of str
    first : bool
        Only the first script of each recipe.
    targets : tuple
        Delay targets of every script that follows one, in place of the recipe's; empty: the recipe's.
    samples : int
        Each is made from other internal names, which moves area by 1 to 6 % and delay by 2 to 10 %.
    pareto : bool
        Keep only points that no other beats.
    """

    level: int
    name: str
    recipes: tuple[str, ...]
    first: bool = False
    targets: tuple[Target, ...] = ()
    samples: int = 1
    pareto: bool = True

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the samples; 0 is the netlist as it comes."""
        return tuple(range(self.samples))


_ALL = ("area", "balanced", "direct", "speed")
_DENSE: tuple[Target, ...] = (1, "x1.05", "x1.1", "x1.2", "x1.35", "relaxed")

EFFORTS = (
    Effort(0, "quick", ("balanced",), first=True, targets=(1,), pareto=False),
    Effort(1, "fair", _ALL, first=True, targets=(1,)),
    Effort(2, "pareto", _ALL),
    Effort(3, "thorough", _ALL, targets=_DENSE, samples=3),
)


def find(given: str | int | None) -> Effort:
    """The effort of a level or name; the lowest by default.

    Raises
    ------
    UsageError
        When there is none.
    """
    if given is None:
        return EFFORTS[0]
    for effort in EFFORTS:
        if not isinstance(given, bool) and str(given) in (str(effort.level), effort.name):
            return effort
    raise UsageError(
        f"effort: got {given!r}; expected one of " + ", ".join(f"{effort.level} ({effort.name})" for effort in EFFORTS)
    )


def plan(effort: Effort, targets: Sequence[float] | None = None) -> list[Recipe]:
    """The recipes of an effort, with the scripts and targets to run.

    Parameters
    ----------
    effort : Effort
    targets : sequence of float, optional
        Delay targets in ps in place of the effort's own.
    """
    found = [recipe.load(name) for name in effort.recipes]
    if effort.first:
        found = [replace(item, synth=item.synth[:1], maps=item.maps[:1]) for item in found]
    return [with_targets(item, tuple(targets or effort.targets)) for item in found]


def with_targets(given: Recipe, targets: Sequence[Target]) -> Recipe:
    """The recipe at other targets; a script that follows none is run once. No targets: the recipe as it is."""
    if not targets:
        return given
    return replace(
        given,
        maps=tuple(
            replace(script, targets=tuple(targets) if script.follows_target else script.targets[:1])
            for script in given.maps
        ),
    )
