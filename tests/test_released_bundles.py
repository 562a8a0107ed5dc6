"""What is tested of three small bundles everywhere else, for each of the released ones (`make sim-full`)."""

from __future__ import annotations

import re

import pytest
from handoff_cases import by_icarus, last_line, run, verilated
from test_handoff_cocotb import run_pytest
from test_handoff_downstream import fusesoc, tools  # noqa: F401
from test_handoff_ipxact import EDITIONS, schema
from test_handoff_lint import check, icarus, slang, verible, verilator
from test_released import DESIGNS

from fpgen.handoff.bundle import write_bundle

etree = pytest.importorskip("lxml.etree", reason="lxml is not installed: the extra test")
pytestmark = pytest.mark.full

every_bundle = pytest.mark.parametrize("name", DESIGNS)


@pytest.fixture
def bundle(name, tmp_path):
    return write_bundle(DESIGNS[name].unit, tmp_path)


@every_bundle
def test_it_passes_everywhere_and_a_flipped_bit_does_not(name, bundle):
    code, said = run([str(verilated(bundle))], bundle)
    assert code == 0 and last_line(said).startswith("PASS"), said
    code, said = by_icarus(bundle)
    assert code == 0 and last_line(said).startswith("PASS"), said
    code, said = run_pytest(bundle)
    assert code == 0 and "1 passed" in said, said
    text = (bundle / f"{name}.v").read_text()
    code, said = by_icarus(bundle, re.sub(r"(assign result = )", r"\1{1'b1} ^ ", text, count=1))
    assert code == 1 and re.search(r"^MISMATCH at vector 0, family \w+", said, re.M), said


@every_bundle
def test_no_linter_finds_anything(name, bundle):
    names, top = [f"{name}.v", f"{name}_tb.v", f"{name}_sva.sv"], f"{name}_tb"
    assert verible(bundle, names) == ""
    accepted, said = slang(bundle, names, top)
    assert accepted, said
    assert icarus(bundle, names[:2], top) == "" and verilator(bundle, names, top) == ""
    check((bundle / f"{name}.v").read_text(), name)


@every_bundle
def test_other_tools_read_it(name, bundle, tools):  # noqa: F811
    for edition in EDITIONS:
        schema(edition).assertValid(etree.parse(bundle / f"{name}.ipxact-{edition}.xml"))
    for target in ("lint", "sim"):
        code, said = fusesoc(tools, bundle, target)
        assert code == 0, said
