"""Names that a package offers and that are imported on first use (PEP 562).

A command that only prints, such as ``fpgen --help``, imports the package without numpy, a simulator or Yosys; a
notebook still finds everything in one place, by completion too.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def offer(
    package: str, names: dict[str, Any], origins: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package.

    Parameters
    ----------
    package : str
        Its name.
    names : dict
        Its `globals()`, which a name is put into once it is imported.
    origins : mapping of str to str
        Name to the module it comes from, as ``module`` (the module itself) or ``module:attribute``.

    Returns
    -------
    (__getattr__, __dir__) : tuple of callable
    """

    def get(name: str) -> Any:
        origin = origins.get(name)
        if origin is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, _, attribute = origin.partition(":")
        found: Any = importlib.import_module(module)
        if attribute:
            found = getattr(found, attribute)
            names[name] = found
        return found

    def listed() -> list[str]:
        return sorted({*names, *origins})

    return get, listed
