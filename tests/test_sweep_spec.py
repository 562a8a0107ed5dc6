"""The sweep reader: what it understands, what it refuses, and that nothing else ever comes out of it."""

from contextlib import suppress
from pathlib import Path

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fpgen.base.errors import FpgenError, UsageError
from fpgen.base.resources import resource_dir
from fpgen.sweep import formula as expression
from fpgen.sweep import spec, template
from fpgen.sweep.cases import cases, check_measure
from fpgen.sweep.plan import KEYS

GOOD = {
    "unit": "add e{E}m{P - 1} e{E}m{P - 1} -> e{E}m{P - 1} rne stages={n}",
    "parameters": {"E": [3, 5], "P": {"from": 2, "to": 4}, "n": [0, 1]},
}


def read(data):
    return spec.from_data(data, Path("some.toml"))


def changed(**changes):
    return read({**GOOD, **changes})


# ---- expressions --------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, value",
    [
        ("P - 1", 7),
        ("2 * P ** 2 // 3", 42),
        ("-P % 3", 1),
        ("E + P <= 13", True),
        ("1 < E < 5", False),
        ("P in [4, 8]", True),
        ("P not in (4, 8)", False),
        ("kind == 'exact' and P > 3", True),
        ("not P", False),
        ("P if kind == 'exact' else 0", 8),
        ("max(P, E) - min(P, E)", 3),
        ("ceil(log2(P + 1))", 4),
        ("P / 4", 2.0),
        ("kind == 'x' or 7", 7),
        ("True and P", 8),
        ("kind in ['exact']", True),
        ("P == E == 5", False),
    ],
)
def test_expressions(text, value):
    found = expression.read(text)
    assert found.value({"P": 8, "E": 5, "kind": "exact"}) == value
    assert found.names <= {"P", "E", "kind"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P +",
        "__import__('os').system('true')",
        "P.real",
        "[1, 2]",
        "lambda: 1",
        "P[0]",
        "f'{P}'",
        "open('x')",
        "P := 3",
        "1 if P",
        "P is 3",
        "P in Q",
        "max(key=P)",
        "(lambda: P)()",
        "1e400",
        "10**15 * 1_000_000_000_000_000_000",
        "1j",
        "~P",
        "P << 3",
        "(" * 250 + "1" + ")" * 250,
        "x" * 301,
        "'a\0b'",
        "\0",
        "{1: 2}",
        "b'x'",
        "...",
        "*P",
        "await P",
        "yield P",
        "max()",
        None,
        3,
    ],
)
def test_what_is_no_expression(text):
    with pytest.raises(UsageError):
        expression.read(text).value({"P": 8, "Q": [1]})


@pytest.mark.parametrize(
    "text",
    [
        "1 / (P - 8)",
        "kind + 1",
        "9 ** 99",
        "10 ** 60 * 10 ** 60",
        "log2(P - 8)",
        "-kind",
        "P < kind",
        "(-8) ** 0.5",
        "10.0 ** 14 * 11",
    ],
)
def test_expressions_without_a_value(text):
    with pytest.raises(UsageError, match="has no value"):
        expression.read(text).value({"P": 8, "kind": "exact"})


def test_templates():
    found = template.read("mac {f} {f} -> e{E}m{P - 1} flags={on} period={T / 2}", "unit")
    assert found.names == {"f", "E", "P", "on", "T"}
    assert (
        found.fill({"f": "e4m3fn", "E": 5, "P": 11, "on": True, "T": 1500})
        == "mac e4m3fn e4m3fn -> e5m10 flags=on period=750"
    )


@pytest.mark.parametrize("text", ["add {P", "add P}", "add {{P}}", "add {}", "", 7])
def test_templates_that_are_none(text):
    with pytest.raises(UsageError):
        template.read(text, "unit")


# ---- the file -----------------------------------------------------------------------


def test_a_file_becomes_points():
    sweep = changed(where=["E + P <= 8"], slice=["n == 0"], measure={"technology": ["fpgen45", "fpgen7"]})
    assert sweep.parameters["P"] == (2, 3, 4)
    some = cases(sweep)
    assert [case.parameters for case in some][:2] == [
        {"E": 3, "P": 2, "n": 0, "technology": "fpgen45"},
        {"E": 3, "P": 2, "n": 0, "technology": "fpgen7"},
    ]
    assert len(some) == (3 + 2) * 2
    assert len(cases(sweep, full=True)) == 2 * len(some)
    assert some[0].unit.text == "add e3m1 e3m1 -> e3m1 rne"
    assert some[1].label == "E=3, P=2, n=0, technology=fpgen7"


def test_a_unit_that_is_refused_is_a_point():
    found = cases(read({"unit": "add {f} {f} -> {f} rne", "parameters": {"f": ["fp16", "fp17"]}}))
    assert found[0].unit is not None and found[1].unit is None
    assert "fp17" in found[1].rejection


WRONG = [
    ("an unknown key", {"unitt": "add"}, "did you mean unit?"),
    ("an unknown parameter", {"where": ["Q < 3"]}, "got parameter Q"),
    ("a parameter that is misspelt", {"where": ["exponent + E < 9"]}, "got parameter exponent"),
    ("a place without a parameter", {"unit": "add e{E}m{P} e{E}m{P} -> e{E}m{M} stages={n}"}, "got parameter M"),
    ("a parameter that is not used", {"unit": "add e{E}m2 e{E}m2 -> e{E}m{P}"}, "parameter n: got no use of it"),
    ("no parameters", {"parameters": {}}, "got parameter E"),
    ("an empty list", {"parameters": {**GOOD["parameters"], "n": []}}, "one or more values"),
    ("a list of lists", {"parameters": {**GOOD["parameters"], "n": [[1]]}}, "a number below 10"),
    ("a value twice", {"parameters": {**GOOD["parameters"], "n": [1, 1]}}, "1 twice"),
    ("a range backwards", {"parameters": {**GOOD["parameters"], "n": {"from": 3, "to": 1}}}, "has no values"),
    ("a range without an end", {"parameters": {**GOOD["parameters"], "n": {"from": 3}}}, "got the keys from"),
    ("a range without a step", {"parameters": {**GOOD["parameters"], "n": {"from": 1, "to": 3, "step": 0}}}, "by 0"),
    ("a vast range", {"parameters": {**GOOD["parameters"], "n": {"from": 0, "to": 10**14}}}, "at most 10,000 values"),
    ("a fine range", {"parameters": {**GOOD["parameters"], "n": {"from": 0, "to": 1, "step": 1e-12}}}, "at most"),
    ("a name that is none", {"parameters": {**GOOD["parameters"], "n-1": [1]}}, "letters and digits"),
    ("a function's name", {"parameters": {**GOOD["parameters"], "max": [1]}}, "letters and digits"),
    ("no points", {"where": ["E > 99"]}, "no points"),
    ("units that are all refused", {"unit": "ad e{E}m{P} -> e{E}m{n}"}, "did you mean add?"),
    ("a constraint that is none", {"where": ["E >"]}, "E >"),
    ("a constraint that has no value", {"where": ["1 / (E - 3) < 9"]}, "has no value at E=3"),
    ("an unknown way to measure", {"measure": {"technologie": "fpgen45"}}, "did you mean technology?"),
    ("targets of nothing", {"measure": {"targets": [0]}}, "numbers of ps from 1 on"),
    ("both recipe and effort", {"measure": {"recipe": "area", "effort": "quick"}}, "got recipe and effort"),
    ("both technology and Liberty", {"measure": {"technology": "fpgen45", "liberty": "x.lib"}}, "one of them"),
    (
        "a technology twice over",
        {
            "measure": {"technology": "fpgen45"},
            "unit": GOOD["unit"] + " {technology}",
            "parameters": {**GOOD["parameters"], "technology": ["fpgen7"]},
        },
        "got technology, a key of [measure]",
    ),
    ("a switch that is none", {"measure": {"breakdown": 1}}, "true or false"),
    ("a time limit of nothing", {"measure": {"timeout": 0}}, "seconds"),
    ("unknown data", {"accuracy": {"data": "cauchy"}}, "gaussian"),
    ("data of no spread", {"accuracy": {"sigma": 0}}, "sigma"),
    ("a curve of nothing", {"report": {"series": ["Q"]}}, "got parameter 'Q'"),
    ("parameters that are a list", {"parameters": [1]}, "got [1]; expected a table"),
    ("a title that is a number", {"title": 3}, "got 3; expected text"),
]


@pytest.mark.parametrize("change, part", [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_is_refused(change, part):
    with pytest.raises(UsageError) as refused:
        cases(changed(**change))
    assert part in str(refused.value)
    assert "some.toml" in str(refused.value)


def test_too_many_points():
    many = {"from": 1, "to": 9000}
    with pytest.raises(UsageError, match="combinations"):
        cases(read({"unit": "add e{a}m{b} fp16 -> e{c}m2", "parameters": {"a": many, "b": many, "c": many}}))


def test_no_such_file(tmp_path):
    with pytest.raises(UsageError, match=r"not found.*depth"):
        spec.load(tmp_path / "nothing.toml")
    (tmp_path / "bad.toml").write_text("unit = ")
    with pytest.raises(UsageError, match="not TOML"):
        spec.load(tmp_path / "bad.toml")


@pytest.mark.parametrize("path", sorted((resource_dir("synth") / "sweeps").glob("*.toml")), ids=lambda path: path.stem)
def test_the_sweeps_that_ship_are_read(path):
    found = cases(spec.load(Path(path.stem)), full=True)
    assert all(case.unit is not None for case in found)
    assert len(found) >= len(cases(spec.load(path)))


# ---- anything at all ----------------------------------------------------------------

_NAMES = st.sampled_from(["E", "P", "n", "technology", "unit", "from", "to", "step", "x"]) | st.text(max_size=6)
_EXPRESSIONS = st.sampled_from(
    ["P", "E + P", "P - 1 if E else 'x'", "P in [1, 2]", "1 / (P - 2)", "P ** P ** P", "'a' * P", "P and E or n"]
) | st.text("PEn012+-*/%()[]<>=!.,' andornotif", max_size=24)
_PLAIN = st.booleans() | st.integers() | st.floats() | _EXPRESSIONS | st.text(max_size=12)
_VALUES = st.recursive(
    _PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4), max_leaves=8
)
_RANGES = st.fixed_dictionaries({"from": _PLAIN, "to": _PLAIN}, optional={"step": _PLAIN})
_UNITS = st.lists(
    st.sampled_from(
        [
            "add",
            "fma",
            "mac",
            "{P}",
            "{E + 1}",
            "e{E}m{P}",
            "fp16",
            "->",
            "rne",
            "stages={n}",
            "{",
            "}",
            "{P / 0}",
            "{'fp16'}",
        ]
    ),
    max_size=9,
).map(" ".join)
_FILES = st.fixed_dictionaries(
    {},
    optional={
        "unit": _UNITS | _VALUES,
        "title": _VALUES,
        "where": st.lists(_EXPRESSIONS, max_size=3) | _VALUES,
        "slice": st.lists(_EXPRESSIONS, max_size=3) | _VALUES,
        "parameters": st.dictionaries(_NAMES, _RANGES | st.lists(_PLAIN, max_size=4) | _VALUES, max_size=4) | _VALUES,
        "measure": _VALUES,
        "accuracy": _VALUES,
        "report": _VALUES,
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(_FILES)
def test_any_data_is_read_or_refused(data):
    try:
        found = cases(read(data))
    except UsageError as refused:
        assert "some.toml" in str(refused)
    else:
        assert found


_PLACES = [
    ("unit",),
    ("title",),
    ("where",),
    ("slice",),
    ("parameters",),
    ("parameters", "E"),
    ("parameters", "n"),
    ("measure",),
    ("accuracy",),
    ("report",),
    ("new",),
    ("parameters", "new"),
    *(("measure", key) for key in KEYS),
    *(("accuracy", key) for key in ("data", "sigma", "vectors", "seed")),
    *(("report", key) for key in ("series", "scale", "compete")),
]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(st.sampled_from(_PLACES), _VALUES | _RANGES | st.lists(_PLAIN, max_size=3), min_size=1, max_size=3)
)
def test_a_good_file_with_anything_in_some_places(changes):
    """Valid TOML of the wrong kinds, at every place where something is expected: refused with the file's name."""
    data = {**GOOD, "parameters": dict(GOOD["parameters"]), "measure": {}, "accuracy": {}, "report": {}}
    for place, value in changes.items():
        table = data
        for name in place[:-1]:
            table = table[name] if isinstance(table.get(name), dict) else {}
        table[place[-1]] = value
    try:
        sweep = read(data)
        found = cases(sweep)
        check_measure(sweep, found)
    except UsageError as refused:
        assert "some.toml" in str(refused)
    except FpgenError as missing:  # a file that is there and cannot be read: text of one letter may be a directory
        assert str(missing)
    else:
        assert found


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | _FILES.map(lambda data: _spelled(data)))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("sweeps") / "any.toml"
    path.write_bytes(content)
    with suppress(UsageError):
        cases(spec.load(path))


def _spelled(data):
    try:
        return tomli_w.dumps(data).encode()
    except (ValueError, TypeError, UnicodeEncodeError):
        return b""


@settings(max_examples=300, deadline=None)
@given(_EXPRESSIONS | st.text(max_size=40))
def test_any_expression_has_a_value_or_is_refused(text):
    try:
        expression.read(text).value({"P": 3, "E": 0, "n": "some"})
    except UsageError:
        pass
    except KeyError as missing:  # the reader of the file checks names before any value is asked for
        assert missing.args[0] not in ("P", "E", "n")
