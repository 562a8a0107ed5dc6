"""The names that `fpgen` offers: all there, all documented, imported when they are used, and all that pages use."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import fpgen
from fpgen.base.lazy import offer

ROOT = Path(__file__).parent.parent
LOADED = ("numpy", "amaranth", "scipy", "cocotb", "matplotlib", "click", "jinja2", "ml_dtypes")


@pytest.mark.parametrize("name", fpgen.__all__)
def test_every_name_is_there_and_says_what_it_is(name):
    found = getattr(fpgen, name)
    assert name in dir(fpgen)
    if callable(found):
        assert found.__doc__ and found.__module__.startswith("fpgen")


def test_the_names_of_the_interface():
    """`__all__` is what is imported at the head, for a type checker, and what comes later, and nothing else."""
    text = (ROOT / "fpgen" / "__init__.py").read_text()
    named = set(fpgen._LATER)
    assert named <= set(fpgen.__all__) and len(set(fpgen.__all__)) == len(fpgen.__all__)
    checked = text[text.index("if TYPE_CHECKING:") : text.index("_LATER = {")]
    for name in named:
        assert re.search(rf"import ([\w.]+ as )?(\w+, )*{name}(, \w+)*$", checked, re.M), name
    public = {name for name in vars(fpgen) if not name.startswith("_")}
    modules = {name for name in public if isinstance(getattr(fpgen, name), type(sys))}
    assert public - modules - set(fpgen.__all__) == {"TYPE_CHECKING", "offer"}


def test_nothing_heavy_is_loaded_by_the_import_or_the_list_of_names():
    check = f"import sys, fpgen; dir(fpgen); print([name for name in {LOADED} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_name_is_the_same_before_and_after_the_module_is_imported():
    check = (
        "import fpgen; first = fpgen.describe; import fpgen.formats.describe, fpgen.verify, fpgen.timing.sta; "
        "assert fpgen.describe is first is fpgen.formats.describe.describe; assert fpgen.sta is fpgen.timing.sta.run; "
        "from fpgen import verify, sta, measure; assert verify is fpgen.verify and verify.verify"
    )
    subprocess.run([sys.executable, "-c", check], check=True)


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="module 'fpgen' has no attribute 'Multply'"):
        _ = fpgen.Multply
    get, listed = offer("some", {"here": 1}, {"json": "json", "loads": "json:loads"})
    assert listed() == ["here", "json", "loads"] and get("loads") is get("json").loads


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: path.name)
def test_examples_in_python_use_names_of_the_interface(page):
    """Whatever a page writes as `fpgen.NAME` in a Python example is stable, so it is in `__all__`.

    The guides of docs/extending work inside the package, so their imports go deeper.
    """
    for code in re.findall(r"```python\n(.*?)```", page.read_text(), re.S):
        if page.parent.name == "extending":
            code = re.sub(r"^from fpgen\..*$", "", code, flags=re.M)
        for name in re.findall(r"\bfpgen\.(\w+)", code):
            assert name in fpgen.__all__, f"{page}: fpgen.{name}"
