"""Synthesis recipes: data files in `synth/recipes/`, or the user's own, that say what Yosys and ABC run."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fpgen.base.errors import UsageError
from fpgen.base.resources import resource_dir

# "No target": longer than any path.
RELAXED_PS = 100_000.0

Target = float | str


@dataclass(frozen=True)
class MapScript:
    """One ABC script and the targets to run it at.

    Attributes
    ----------
    name : str
    script : tuple of str or None
        ABC commands; `{D}` stands for `-D <target>`. None is Yosys' default script.
    targets : tuple of float or str
        Delay targets: a number of 1 or more, in ps; `relaxed`; `x1.25`, that many times the delay reached at
        1 ps; a fraction below 1, so far from the delay reached at 1 ps to the one reached at `relaxed`.
        The ones that refer to others come after them.
    """

    name: str
    script: tuple[str, ...] | None
    targets: tuple[Target, ...]

    @property
    def follows_target(self) -> bool:
        """Whether another target can give another netlist."""
        return self.script is None or any("{D}" in command for command in self.script)

    def target_ps(self, target: Target, reached: Mapping[float, float]) -> float | None:
        """A target in ps, given the delay reached at earlier ones; None when those failed."""
        if target == "relaxed":
            return RELAXED_PS
        fastest, slowest = reached.get(1.0), reached.get(RELAXED_PS)
        if isinstance(target, str):
            return None if fastest is None else round(float(target[1:]) * fastest, 1)
        if target >= 1:
            return float(target)
        return None if fastest is None or slowest is None else round(fastest + target * (slowest - fastest), 1)


@dataclass(frozen=True)
class Recipe:
    """How a unit is synthesised.

    Attributes
    ----------
    name, reason : str
    synth : tuple of (str, str)
        Name and options of Yosys' `synth`.
    maps : tuple of MapScript
    delay : str
        Which delay is published: `sta`, or `abc` where the engine lets it through.
    driving_cell : str or None
        Overrides the technology's, where the library has that cell.
    output_load_ff : float or None
        Overrides the technology's.
    """

    name: str
    reason: str
    synth: tuple[tuple[str, str], ...]
    maps: tuple[MapScript, ...]
    delay: str = "sta"
    driving_cell: str | None = None
    output_load_ff: float | None = None


def names() -> list[str]:
    """The recipes there are."""
    return sorted(path.stem for path in (resource_dir("synth") / "recipes").glob("*.toml"))


def load(name: str) -> Recipe:
    """Read a recipe: one of `names()`, or a TOML file of the same kind (`mine.toml`, `some/where/mine.toml`).

    Raises
    ------
    UsageError
        When there is no such recipe, or its file does not say what it must.
    """
    path = Path(name)
    if path.suffix != ".toml":
        if name not in names():
            raise UsageError(f"recipe: got {name!r}; expected one of {', '.join(names())}, or the name of a .toml file")
        path = resource_dir("synth") / "recipes" / f"{name}.toml"
    try:
        return from_data(tomllib.loads(path.read_text()))
    except OSError as error:
        raise UsageError(f"recipe {path}: {error.strerror}; expected a TOML file like those in synth/recipes") from None
    except KeyError as error:
        raise UsageError(f"the recipe {path} cannot be read: it does not state {error}") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"the recipe {path} cannot be read: {error}") from None


def from_data(data: Mapping[str, Any]) -> Recipe:
    """The recipe that a TOML document describes.

    Raises
    ------
    KeyError, TypeError, ValueError
        When something is missing or is not what it should be.
    """
    maps = tuple(
        MapScript(
            item["name"],
            commands(item["script"]) if "script" in item else None,
            _checked_targets(item["targets"]),
        )
        for item in data["map"]
    )
    for what, name in (
        ("name", data["name"]),
        *(("map name", item.name) for item in maps),
        *(("synth name", item["name"]) for item in data["synth"]),
    ):
        if not re.fullmatch(r"[\w.-]+", name):
            raise ValueError(f"{what}: got {name!r}; expected a name of letters, digits, '.', '-' and '_'")
    if not maps or not data["synth"] or not all(item.targets for item in maps):
        raise ValueError("expected a [[synth]], a [[map]], and a target in each [[map]]")
    if data.get("delay", "sta") not in ("sta", "abc"):
        raise ValueError(f"delay: got {data['delay']!r}; expected 'sta' or 'abc'")
    return Recipe(
        data["name"],
        data["reason"],
        tuple((item["name"], item["options"]) for item in data["synth"]),
        maps,
        data.get("delay", "sta"),
        data.get("driving_cell"),
        data.get("output_load_ff"),
    )


def commands(script: Any) -> tuple[str, ...]:
    """The commands of an ABC script: text with `;` or line ends between them and `#` before remarks, or a list.

    Raises
    ------
    ValueError
        When it is neither, or holds no command, or braces other than `{D}`.
    """
    lines = script.splitlines() if isinstance(script, str) else script
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise ValueError(f"script: got {script!r}; expected text or a list of commands")
    found = tuple(command.strip() for line in lines for command in line.split("#")[0].split(";") if command.strip())
    if not found:
        raise ValueError("a script without commands")
    odd = next((command for command in found if set("{}") & set(command.replace("{D}", ""))), None)
    if odd is not None:
        raise ValueError(f"command: got {odd!r}; expected no placeholder other than {{D}}, for the delay target")
    return found


def _checked_targets(targets: Sequence[Target]) -> tuple[Target, ...]:
    """The targets of a script; one that is measured against others must come after them.

    Raises
    ------
    ValueError
    """
    for place, target in enumerate(targets):
        check_target(target)
        before = targets[:place]
        needed: tuple[Target, ...] = ()
        if target != "relaxed" and (isinstance(target, str) or target < 1):
            needed = (1,) if isinstance(target, str) else (1, "relaxed")
        if any(anchor not in before for anchor in needed):
            anchors = " and ".join(repr(anchor) for anchor in needed)
            raise ValueError(f"target {target!r}: got it after {list(before)}; expected it after {anchors}")
    return tuple(targets)


def check_target(target: Target) -> Target:
    """The target itself, when it is one.

    Raises
    ------
    ValueError
        When it is neither a positive number, `relaxed` nor a multiple such as `x1.25`.
    """
    if isinstance(target, str):
        if target == "relaxed" or re.fullmatch(r"x\d+(\.\d+)?", target):
            return target
    elif isinstance(target, int | float) and not isinstance(target, bool) and 0 < target < 1e12:
        return target
    raise ValueError(
        f"target: got {target!r}; expected a number of ps, 'relaxed', a multiple such as 'x1.25' of "
        "the delay reached at 1 ps, or a fraction below 1"
    )
