"""What packages offer by name stays what it is, whatever else has been imported."""

import ast
import collections
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fpgen

ROOT = Path(fpgen.__file__).parent

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


@pytest.mark.parametrize("name", PACKAGES)
def test_every_package_says_what_it_offers(name):
    package = importlib.import_module(name)
    assert package.__doc__, name
    assert all(hasattr(package, offered) for offered in package.__all__)


def definitions(kind):
    """Name -> the modules that define a class or a function of that name, methods included."""
    found = collections.defaultdict(set)
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, kind):
                found[node.name].add(path.relative_to(ROOT).as_posix())
    return found


def test_a_class_name_stands_for_one_class():
    """A stack trace or an error of mypy names a class without its module."""
    several = {name: where for name, where in definitions(ast.ClassDef).items() if len(where) > 1}
    assert several == {}


def test_no_function_is_just_called_run():
    """`fpgen.timing.sta.run` is public."""
    assert definitions(ast.FunctionDef)["run"] == {"timing/sta.py"}


def modules():
    return [path for path in ROOT.rglob("*.py") if path.name not in ("__init__.py", "__main__.py")]


def test_no_two_modules_have_one_name():
    """A stack trace shows the file's name first."""
    counts = collections.Counter(path.name for path in modules())
    assert [name for name, count in counts.items() if count > 1] == []


def rooms():
    return sorted({path.parent.relative_to(ROOT).as_posix() for path in modules()} - {"."})


@pytest.mark.parametrize("room", rooms())
def test_every_room_is_tested(room):
    """A test imports from it, or from one of its modules; that every line is reached is another matter."""
    dotted = f"fpgen.{room.replace('/', '.')}"
    texts = [path.read_text() for path in Path(__file__).parent.glob("*.py")]
    assert any(re.search(rf"(?:from|import) {re.escape(dotted)}\b", text) for text in texts)


def test_no_file_has_more_than_400_lines():
    long = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in ROOT.rglob("*.py")}
    assert not {name: lines for name, lines in long.items() if lines > 400}


def test_every_match_on_an_enumeration_is_exhaustive():
    """It ends in `assert_never`, or is followed by it, so that mypy reports each one where a new member is missing."""
    open_ended, closed = [], 0
    for path in ROOT.rglob("*.py"):
        for parent in ast.walk(ast.parse(path.read_text())):
            for block in (getattr(parent, field, None) for field in ("body", "orelse", "finalbody")):
                for place, node in enumerate(block if isinstance(block, list) else []):
                    if not isinstance(node, ast.Match) or not any(
                        isinstance(pattern, ast.MatchValue) and isinstance(pattern.value, ast.Attribute)
                        for case in node.cases
                        for pattern in ast.walk(case.pattern)
                    ):
                        continue
                    following = block[place + 1 : place + 2]
                    if "assert_never" in ast.unparse(node.cases[-1]) + "".join(map(ast.unparse, following)):
                        closed += 1
                    else:
                        open_ended.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not open_ended and closed > 30
