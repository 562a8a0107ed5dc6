"""Operands for sums of products, after what goes wrong in them, and their hardware held against the exact model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from corner_codes import corners, spread

from fpgen.base.errors import UsageError
from fpgen.formats import Class, Format, parse
from fpgen.golden.exact import exact_model as exact
from fpgen.rtl.datapath import datapath
from fpgen.rtl.evaluate import evaluate
from fpgen.rtl.trim import trim
from fpgen.units import PRESETS, BlockDot, DotProduct
from fpgen.units.accumulation import Accumulation, Split, Treatment
from fpgen.units.options import Overflow, Rounding, Subnormals
from fpgen.units.ports import Role
from fpgen.units.presets import Case

Arrays = dict[str, np.ndarray]
#: What is drawn, one after another; each is a way in which sums go wrong.
FAMILIES = ("corners", "near", "wide", "cancel", "dominant", "subnormal", "tie", "zeros", "special", *["edge"] * 4)


def _finite(fmt: Format, codes: np.ndarray) -> np.ndarray:
    """Infinities and NaNs made finite: their top exponent bit is cleared (a NaN for minus zero becomes the code 1)."""
    bad = np.array([fmt.classify(int(code)) >= Class.INFINITY for code in codes.reshape(-1)], bool)
    bad = bad.reshape(codes.shape)
    tamed = codes & np.uint64((1 << fmt.bits) - 1 ^ (1 << (fmt.magnitude_bits - 1)))
    tamed = np.where(tamed == np.uint64(fmt.sign_mask), np.uint64(1), tamed)
    return np.where(bad, tamed, codes)


def _fields(fmt: Format, shape: tuple[int, ...], rng: np.random.Generator, low: int, high: int) -> np.ndarray:
    """Random codes whose exponent fields lie from `low` to `high`."""
    codes = spread(fmt, int(np.prod(shape)), rng).reshape(shape)
    if fmt.fixed:
        return codes
    top = fmt.max_finite_code >> fmt.trailing_bits
    low = min(max(low, 0), top)
    field = rng.integers(low, max(low, min(high, top)) + 1, shape).astype(np.uint64) << np.uint64(fmt.trailing_bits)
    keep = np.uint64(fmt.sign_mask | ((1 << fmt.trailing_bits) - 1))
    return _finite(fmt, (codes & keep) | field)


def _middle(fmt: Format) -> int:
    return min(max(fmt.bias, 1), max((1 << fmt.exponent_bits) - 2, 1))


def _draw(fmt: Format, shape: tuple[int, ...], family: str, rng: np.random.Generator) -> np.ndarray:
    """Codes of one operand."""
    count = int(np.prod(shape))
    if family == "special":
        return np.where(
            rng.random(shape) < 0.15,
            rng.choice(np.array(corners(fmt), np.uint64), shape),
            spread(fmt, count, rng).reshape(shape),
        )
    if family == "edge":
        return np.zeros(shape, np.uint64)
    if family == "zeros":
        codes = _finite(fmt, rng.choice(np.array(corners(fmt), np.uint64), shape))
        signs = rng.integers(0, 2, shape).astype(np.uint64) * np.uint64(fmt.sign_mask if fmt.has_negative_zero else 0)
        return np.where(rng.random(shape) < 0.7, signs, codes)
    if family == "corners":
        return _finite(fmt, rng.choice(np.array(corners(fmt), np.uint64), shape))
    if family == "subnormal":
        return _fields(fmt, shape, rng, 0, 1)
    middle = _middle(fmt)
    if family in ("near", "tie"):  # one binade or three, so that every bit of every term meets another
        return _fields(fmt, shape, rng, middle - 1, middle + 1)
    if family == "dominant":  # one in a while is far above
        return np.where(
            rng.random(shape) < 0.1,
            _fields(fmt, shape, rng, middle, 1 << fmt.exponent_bits),
            _fields(fmt, shape, rng, middle - 8, middle - 2),
        )
    return _fields(fmt, shape, rng, 0, 1 << fmt.exponent_bits)


def draw_sum(unit: DotProduct | BlockDot, count: int, seed: int, families: tuple[str, ...] = FAMILIES) -> Arrays:
    """Inputs by port name, of shape (count, *port.shape), `count` shared among the families."""
    parts: list[Arrays] = []
    each = -(-count // len(families))
    for number, family in enumerate(families):
        rng = np.random.default_rng([seed, number])
        parts.append(_family(unit, each, family, rng))
    return {name: np.concatenate([part[name] for part in parts])[:count] for name in parts[0]}


def _family(unit: DotProduct | BlockDot, count: int, family: str, rng: np.random.Generator) -> Arrays:
    found: Arrays = {}
    for port in unit.ports:
        if not port.travels_in:
            continue
        shape = (count, *port.shape)
        if port.role is Role.CONTROL:
            most = 6 if port.name == "rounding" else 1 << port.width
            found[port.name] = rng.integers(0, most, shape).astype(np.uint64)
            continue
        fmt = port.format
        assert fmt is not None
        here = (
            "near"
            if port.name.endswith("_scale")
            and family in ("subnormal", "cancel", "dominant", "corners")
            and rng.random() < 0.6
            else family
        )
        found[port.name] = _draw(fmt, shape, here, rng)
    if family in ("cancel", "tie") and unit.products > 1:
        _cancel(unit, found, rng)
    if family == "edge":
        _edge(unit, found, rng)
    elif "c" in found:
        _place_addend(unit, found, family, rng)
    return found


def _lowest_power(fmt: Format) -> int:
    return fmt.quantum_exponent if fmt.subnormals else fmt.emin


def _power(fmt: Format, exponent: int) -> int:
    """The code of 2**exponent, which may be subnormal."""
    if exponent < fmt.emin:
        return 1 << (exponent - fmt.quantum_exponent)
    return (exponent - fmt.emin + int(fmt.zero)) << fmt.trailing_bits


def _edge(unit: DotProduct | BlockDot, found: Arrays, rng: np.random.Generator):
    """One product, and a power of two near the last place kept: below it, below the clamp, or below the addend.

    Where the product is half a unit in the last place of the sum (a tie), the power of two decides the rounding.
    """
    record, out = unit.accumulate, unit.intermediate
    kept = sorted({places for places in (record.fraction, record.sum_fraction, record.addend_fraction) if places})
    a, b = unit.operands["a"], unit.operands["b"]
    if a.fixed or b.fixed or out.fixed:
        return
    if "c" in found:
        found["c"][:] = 0
    for row in range(len(found["a"])):
        i, j = rng.integers(0, unit.products, 2)
        top = int(rng.integers(a.emin + b.emin, a.emax + b.emax + 1))
        trailing = int(rng.integers(0, 1 << b.trailing_bits))
        anchor = top
        case = rng.random()
        if record.clamp is not None and case < 0.6:
            anchor = record.clamp
            top = anchor + int(rng.integers(-4, 3))
            if case < 0.3:  # a tie at the smallest step, or that step
                top, trailing = out.emin - out.precision + int(rng.integers(0, 2)), 0
        elif "c" in found and not unit.c.fixed and case > 0.7:
            anchor, trailing = top + out.precision, 0
            field = min(max(anchor - unit.c.emin + 1, 0), unit.c.max_finite_code >> unit.c.trailing_bits)
            found["c"][row] = _finite(
                unit.c,
                field << unit.c.trailing_bits | (found["c"][row : row + 1] + rng.integers(0, 4, 1).astype(np.uint64)),
            )[0]
        places = int(rng.choice(kept)) if kept else out.precision
        low = max(top, anchor) - places + int(rng.choice([-2, -1, 0, 0, 0, 1]))
        cut = int(rng.integers(0, b.precision))
        for at, exponent, bits in ((j, low, 0), (i, top, trailing >> cut << cut)):
            bottom = b.emin if bits else _lowest_power(b)
            least, most = max(_lowest_power(a), exponent - b.emax), min(a.emax, exponent - bottom)
            if least <= most:
                first = int(rng.integers(least, most + 1))
                found["a"][row, at] = _power(a, first) | (a.sign_mask if at == j and rng.random() < 0.5 else 0)
                found["b"][row, at] = _power(b, exponent - first) | bits
    for name, fmt in (("a", a), ("b", b)):
        found[name] = _finite(fmt, found[name])
    for name in ("a_scale", "b_scale"):  # blocks whose exponents are together about so many places apart
        if name in found:
            scale = unit.operands[name]
            far = rng.integers(0, (kept[0] if kept else out.precision) + 4, found[name].shape) // 2
            field = np.where(rng.random(found[name].shape) < 0.4, _top_field(scale) - far, _top_field(scale))
            keep = np.uint64((1 << scale.trailing_bits) - 1)
            field = np.clip(field, 0, None).astype(np.uint64) << np.uint64(scale.trailing_bits)
            found[name] = _finite(scale, _draw(scale, found[name].shape, "near", rng) & keep | field)


def _top_field(scale: Format) -> int:
    """A scale field with as much room below it as there is, without leaving the range of fp32."""
    return min(scale.max_finite_code >> scale.trailing_bits, scale.bias + 30)


def _cancel(unit: DotProduct | BlockDot, found: Arrays, rng: np.random.Generator):
    """Half of the products repeated with the other sign, but for a few bits."""
    element = unit.operands["a"]
    flip = np.uint64(0 if element.fixed else element.sign_mask)
    half = unit.products // 2
    for name in ("a", "b"):
        found[name][:, half : 2 * half] = found[name][:, :half]
    found["a"][:, half : 2 * half] ^= flip
    where = rng.random(found["a"].shape) < 0.06
    found["a"] = _finite(element, np.where(where, found["a"] ^ np.uint64(1), found["a"]))
    for name in ("a_scale", "b_scale"):
        if name in found:
            found[name][:] = found[name][:, :1]


def _place_addend(unit: DotProduct | BlockDot, found: Arrays, family: str, rng: np.random.Generator):
    """An addend near the sum, near its negative, or some binades away from it: for two in three."""
    count, fmt = len(found["c"]), unit.c
    assert fmt is not None
    if fmt.fixed or family == "special":
        return
    for row in range(count):
        if rng.random() < 0.33:
            continue
        largest = None
        for i in range(unit.products):
            exponent = _exponent(unit, found, row, i)
            largest = exponent if exponent is not None and (largest is None or exponent > largest) else largest
        if largest is None:
            continue
        field = largest + int(rng.integers(-34, 34)) + fmt.bias if rng.random() < 0.6 else largest + fmt.bias
        field = min(max(field, 0), fmt.max_finite_code >> fmt.trailing_bits)
        keep = fmt.sign_mask | ((1 << fmt.trailing_bits) - 1)
        code = (int(found["c"][row]) & keep) | field << fmt.trailing_bits
        if fmt.classify(code) < Class.INFINITY:
            found["c"][row] = code


def _exponent(unit: DotProduct | BlockDot, found: Arrays, row: int, i: int) -> int | None:
    """Alignment exponent of a product; None for zero."""
    total = 0
    names = [("a", i), ("b", i)]
    if isinstance(unit, BlockDot):
        names += [(f"{name}_scale", i // unit.block_of(name).size) for name in unit.scaled_operands]
    for name, at in names:
        fmt = unit.operands[name]
        code = int(found[name][row, at])
        if fmt.classify(code) is not Class.FINITE:
            return None
        total += fmt.decompose(code)[2] + fmt.significand_bits - 1
    return total


# ---- the hardware --------------------------------------------------------------------------------


def packed(codes: np.ndarray, bits: int) -> np.ndarray:
    """A port's word of every row: elements of `bits` bits, the first one lowest; object (count,)."""
    flat = codes.reshape(len(codes), -1)
    words = np.zeros(len(codes), object)
    for i in range(flat.shape[1]):
        words |= flat[:, i].astype(object) << bits * i
    return words


def hardware(unit: DotProduct | BlockDot, inputs: Arrays) -> np.ndarray:
    """Codes of the unit's graph, trimmed as the pipeline gets it; uint64 (count,)."""
    graph = trim(datapath(unit))
    words = {port.name: packed(inputs[port.name], port.element_width) for port in unit.ports if port.travels_in}
    return np.broadcast_to(evaluate(graph, **words)["result"], len(next(iter(words.values())))).astype(np.uint64)


def golden(unit: DotProduct | BlockDot, inputs: Arrays) -> np.ndarray:
    """Codes of the exact model, the definition; uint64 (count,)."""
    operands = {name: inputs[name] for name in unit.operands}
    controls = {name: array for name, array in inputs.items() if name not in operands}
    return exact.compute(unit, operands, controls).codes.astype(np.uint64)


def mismatch(unit: DotProduct | BlockDot, inputs: Arrays, built: DotProduct | BlockDot | None = None) -> str:
    """Where the hardware (of `built`, a unit with the same ports, if given) differs from the exact model, as text."""
    codes, wanted = hardware(built or unit, inputs), golden(unit, inputs)
    wrong = np.flatnonzero(codes != wanted)
    if not len(wrong):
        return ""
    at = int(wrong[0])
    given = " ".join(f"{name}={[hex(int(code)) for code in array[at].reshape(-1)]}" for name, array in inputs.items())
    return (
        f"{unit}: {len(wrong)} of {len(codes)} differ; first at {at}: {given}: hardware {int(codes[at]):#x}, "
        f"golden {int(wanted[at]):#x}"
    )


def preset_units(kinds: tuple[str, ...], every: bool = True) -> Iterator[tuple[str, DotProduct | BlockDot]]:
    """Units of every case of every preset of these kinds: (label, unit).

    With `every`, each operand format, a group with and without an addend, two groups, and less than a group; else
    one unit of each case, of two groups where they are small.
    """
    for name, preset in PRESETS.items():
        for case in preset.cases:
            if case.accumulation.kind.value not in kinds:
                continue
            for number, operand in enumerate(case.operands if every else case.operands[-1:]):
                other = case.operands[(number + 1) % len(case.operands)]
                for out in case.outputs:
                    found = list(_case_units(name, case, operand, other, out))
                    yield from found if every else [found[2] if found[2][1].products <= 32 else found[0]]


def _case_units(name: str, case: Case, a: str, b: str, out: str) -> Iterator[tuple[str, DotProduct | BlockDot]]:
    group = case.accumulation.span or case.accumulation.group
    assert group is not None
    for scale in case.scales or ("",):
        size = {"": max(1, group // 2 - 1), "e8m0": 32, "ue4m3": 16}[scale]
        for terms, addend in ((group, True), (group, False), (2 * group, True), (size, True)):
            options = {"c": out if addend else None, "out": out, "accumulate": name}
            label = f"{name} {a} {b} {scale} {terms} {'+ c ' if addend else ''}-> {out}"
            if scale:
                yield label, BlockDot(a=f"{a}@{scale}/{size}", b=f"{b}@{scale}/{size}", k=terms, **options)
            else:
                yield label, DotProduct(a=a, b=b, n=terms, **options)


# ---- units at random -----------------------------------------------------------------------------

#: Elements from which units are drawn.
ELEMENTS = (
    "e4m3fn",
    "e5m2",
    "e3m2",
    "e2m1",
    "e2m3",
    "e4m3fnuz",
    "fp16",
    "bf16",
    "int8",
    "mxint8",
    "int4:scale=-9",
    "uint5",
    "e1m2:inf=none,nan=none",
    "e3m0",
    "e2m0:inf=none,nan=none",
    "ue3m2",
    "e4m3:subnormals=no",
    "e3m4:bias=-4",
    "uint3:scale=6",
    "e5m2:bias=40",
)
SCALES = (
    "e8m0",
    "ue4m3",
    "ue3m2",
    "ue5m0:zero=no,subnormals=no",
    "ue4m1:inf=top,nan=none",
    "fp16",
    "e4m3fn",
    "e3m1:inf=none,nan=none",
)
SUMS = (
    "fp32",
    "fp16",
    "bf16",
    "e8m13",
    "e4m3fn",
    "e5m2",
    "e3m4",
    "e6m5:subnormals=no",
    "e5m10:inf=none,nan=negzero",
    "e4m0",
    "ue5m3",
    "ue5m3:inf=ieee,nan=ieee",
    "ue4m3:zero=no,subnormals=no,inf=none,nan=none",
)


def draw_unit(kind: str, rng: np.random.Generator) -> DotProduct | BlockDot:
    """A small unit of this kind with a random record, formats and options."""
    while True:
        try:
            return _draw_unit(kind, rng)
        except UsageError:
            continue


def _draw_unit(kind: str, rng: np.random.Generator) -> DotProduct | BlockDot:
    def pick(*values):
        return values[rng.integers(len(values))]

    def maybe(chance: float, value):
        return value if rng.random() < chance else None

    out = parse(pick(*SUMS, *SUMS[:3]))
    intermediate = parse(pick(*SUMS)) if rng.random() < 0.3 else out
    terms = int(pick(1, 2, 3, 4, 5, 6, 8))
    presum = maybe(0.3, int(pick(1, 2, 4)))
    record = {"kind": kind, "presum": presum, "intermediate": intermediate if intermediate != out else None}

    def after(group: int) -> dict:
        return {
            "addend": "after",
            "span": record.get("span") or maybe(0.5, group * int(pick(1, 2, 4))),
            "addend_rounding": maybe(
                0.6, pick(*[mode for mode in Rounding if not mode.stochastic and mode is not Rounding.PORT])
            ),
        }

    if kind == "chain" and rng.random() < 0.5:
        record |= after(1) | {"split": pick(*Split)}
    if kind != "chain":
        record["group"] = maybe(0.4, int(pick(1, 2, 3, 4)))
    if kind == "aligned":
        record |= {
            "fraction": intermediate.precision - 1 + int(rng.integers(0, 14)),
            "treatment": pick(*Treatment),
            "clamp": maybe(0.3, int(rng.integers(-40, 20))),
        }
        if intermediate.precision == 1:
            record["fraction"] += 1
        if rng.random() < 0.35:
            record["group"] = group = int(pick(1, 2, 4))
            record |= {
                "interleave": int(pick(*[each for each in (1, 2, 4) if each <= group])),
                "span": group * int(pick(1, 2, 3)),
            }
        if rng.random() < 0.35:
            record |= after(record["group"] or 1)
        elif rng.random() < 0.5:
            record |= {
                "addend": "outside",
                "split": pick(*Split),
                "join": pick(*Treatment),
                "sum_fraction": maybe(0.5, int(rng.integers(1, 34))),
                "addend_fraction": maybe(0.5, int(rng.integers(1, 34))),
                "addend_reach": maybe(0.4, int(rng.integers(0, 40))),
            }
    modes = [mode for mode in Rounding if not mode.stochastic]
    options = {
        "rounding": pick(*modes),
        "overflow": pick(*Overflow),
        "subnormals": pick(*[Subnormals.FULL] * 4, *Subnormals),
        "c": maybe(0.7, pick(out.name, pick(*SUMS))),
        "out": out,
        "accumulate": Accumulation(**record),
    }
    a, b = pick(*ELEMENTS), pick(*ELEMENTS)
    if rng.random() < 0.35:
        return _draw_block_dot(a, b, pick, options)
    return DotProduct(a=a, b=b, n=terms, **options)


def _draw_block_dot(a: str, b: str, pick, options: dict) -> BlockDot:
    """Blocks of one size, most often; else of two sizes, or one operand in blocks. Integers may have zero points."""
    sizes = {"a": int(pick(1, 2, 4)), "b": int(pick(1, 2, 3, 4))}
    kind = pick("alike", "alike", "two", "plain")
    if kind == "alike":
        sizes["b"] = sizes["a"]
    elif kind == "plain":
        del sizes[pick("a", "b")]
    operands = {}
    for name, element in (("a", a), ("b", b)):
        # (mxint8 names a block format, too)
        operands[name] = f"{element}@{pick(*SCALES)}/{sizes[name]}" if name in sizes else parse(element)
        if name in sizes and parse(element).fixed and pick(True, False):
            operands[f"{name}_zero"] = pick(*(f"{zero}:scale={parse(element).scale}" for zero in ("int3", "uint6")))
    return BlockDot(**operands, k=int(np.lcm.reduce(list(sizes.values()))) * int(pick(1, 2, 3)), **options)
