"""The distribution this package is installed from, and how to install its extras.

The command and the package are called `fpgen`; the distribution is `fpgen-rtl`, because `fpgen` on PyPI is a stranger's
project (browser fingerprints) with a package and a command of the same name. Installing that one into the same
environment replaces this tool, so no message may ever suggest `pip install fpgen`.
"""

from __future__ import annotations

import importlib.metadata

#: Name of the distribution: what `pip list` shows and `pip uninstall` takes.
DISTRIBUTION = "fpgen-rtl"
#: Distribution on PyPI whose package and command have the names of ours.
STRANGER = "fpgen"


def install_extra(extra: str) -> str:
    """The command that installs the optional dependencies `extra`, as an error message ends.

    Parameters
    ----------
    extra : str
        A key of `[project.optional-dependencies]` in pyproject.toml.
    """
    return f"pip install '.[{extra}]' from a checkout of fpgen"


def conflict() -> str:
    """What is wrong with the installation of the package `fpgen`, and what to do; empty when it is ours alone.

    Returns
    -------
    str
        One sentence: the stranger's distribution is installed as well, or none of ours is.
    """
    try:
        version = importlib.metadata.version(STRANGER)
    except importlib.metadata.PackageNotFoundError:
        return ""
    return (
        f"the distribution {STRANGER} {version} (another project) is installed over this one: "
        f"pip uninstall {STRANGER}, then install {DISTRIBUTION} again (make setup in a checkout)"
    )
