"""Synthesis recipes: data files in `synth/recipes/` that say what Yosys and ABC are told to do."""

import tomllib
from dataclasses import dataclass
from typing import Any

from fpgen.errors import UsageError
from fpgen.resources import resource_dir


@dataclass(frozen=True)
class Mapping:
    """One ABC script.

    Attributes
    ----------
    name : str
    script : tuple of str or None
        ABC commands; `{D}` stands for `-D <target>`. None is Yosys' default script.
    targets : tuple of float or str
        Delay targets in ps: a number of 1 or more; `"relaxed"`; or a fraction between 0 and 1 of the way from
        the delay reached at 1 ps to the one reached at `relaxed`.
    """

    name: str
    script: tuple[str, ...] | None
    targets: tuple[float | str, ...]

    @property
    def follows_target(self) -> bool:
        """Whether another target can give another netlist."""
        return self.script is None or any("{D}" in command for command in self.script)


@dataclass(frozen=True)
class Recipe:
    """How a unit is synthesised.

    Attributes
    ----------
    name, reason : str
    synth : mapping of str to str
        Name -> options of Yosys' `synth`.
    maps : tuple of Mapping
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
    maps: tuple[Mapping, ...]
    delay: str = "sta"
    driving_cell: str | None = None
    output_load_ff: float | None = None


def names() -> list[str]:
    """The recipes there are."""
    return sorted(path.stem for path in (resource_dir("synth") / "recipes").glob("*.toml"))


def load(name: str) -> Recipe:
    """Read a recipe.

    Raises
    ------
    UsageError
        When there is no such recipe, or its file does not say what it must.
    """
    path = resource_dir("synth") / "recipes" / f"{name}.toml"
    if name not in names():
        raise UsageError(f"no recipe {name!r}; there are {', '.join(names())}")
    try:
        return _recipe(tomllib.loads(path.read_text()))
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise UsageError(f"the recipe {path} cannot be read: {error}") from None


def _recipe(data: dict[str, Any]) -> Recipe:
    maps = tuple(Mapping(item["name"], tuple(item["script"]) if "script" in item else None,
                         tuple(item["targets"])) for item in data["map"])
    return Recipe(data["name"], data["reason"], tuple((item["name"], item["options"]) for item in data["synth"]),
                  maps, data.get("delay", "sta"), data.get("driving_cell"), data.get("output_load_ff"))
