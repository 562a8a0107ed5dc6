"""Where the data files that an engineer reads and edits are.

In a checkout they are the directories `synth/`, `sim/` and `designs/` beside the package; an
installed wheel carries the same directories inside the package, under `_data`.
"""

from pathlib import Path

from .errors import RunFailure, UsageError

_NAMES = ("synth", "sim", "designs")


def resource_dir(name: str) -> Path:
    """Directory of one kind of data file.

    Parameters
    ----------
    name : str
        `synth`, `sim` or `designs`.

    Returns
    -------
    Path
        An existing directory: the checkout's own, or the one packed in the wheel.

    Raises
    ------
    UsageError
        When `name` is none of these.
    RunFailure
        When neither place has it, that is, when the installation is incomplete.
    """
    if name not in _NAMES:
        raise UsageError(f"data directory: got {name!r}; expected one of {', '.join(_NAMES)}")
    package = Path(__file__).resolve().parents[1]
    packed = package / "_data" / name
    beside = package.parent / name
    if packed.is_dir():
        return packed
    if beside.is_dir() and (package.parent / "pyproject.toml").is_file():
        return beside
    raise RunFailure(
        f"the data directory {name!r} is missing: neither {packed} nor {beside} exists; install fpgen again"
    )
