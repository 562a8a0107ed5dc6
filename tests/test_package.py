"""What packages offer by name stays what it is, whatever else has been imported."""

import pkgutil
import subprocess
import sys

import fpgen

PACKAGES = ["fpgen", *(found.name for found in pkgutil.walk_packages(fpgen.__path__, "fpgen.") if found.ispkg)]
CHECK = """
import importlib, importlib.util, sys
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for offered in getattr(package, "__all__", ()):
        before = getattr(package, offered)
        if importlib.util.find_spec(f"{name}.{offered}"):
            importlib.import_module(f"{name}.{offered}")
            assert getattr(package, offered) is before, f"{name}.{offered} is hidden by the module of that name"
"""


def test_no_module_hides_what_its_package_offers():
    """Importing a submodule puts it into its package under its name, in place of a function of that name."""
    assert {"fpgen.rtl", "fpgen.ppa"} <= set(PACKAGES)
    subprocess.run([sys.executable, "-c", CHECK, *PACKAGES], check=True)


def test_a_component_more_than_once():
    """The second `create` of a process failed: a module of that name had taken the place of `rtl.component`."""
    text = (
        "import fpgen; unit = fpgen.parse_unit('multiply e5m2 e5m2 -> e5m2'); "
        "assert type(unit.create()) is type(unit.create())"
    )
    subprocess.run([sys.executable, "-c", text], check=True)
