"""Accumulators of known machines, as data.

A preset is a table: for some operand formats and outputs, an `Accumulation` and the unit options that go with
it. The figures are those of MMA-Sim (arXiv 2511.10909; github.com/microsoft/MMA-Sim, ``simulator/nv.py``,
``amd.py``, ``functions.py``) and of Khattak and Mikaitis (2025), who probed the machines.

The NaN that the machines return (0x7FFFFFFF, 0x7FFF) is not part of a preset: units return their output's one NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from fpgen.base.errors import UsageError
from fpgen.formats import Format, parse

from .accumulation import Accumulation, Addend, Kind, Split
from .options import Overflow, Rounding, Subnormals

HALF = ("fp16", "bf16")
FP8 = ("e4m3fn", "e5m2")
FNUZ = ("e4m3fnuz", "e5m2fnuz")
MX_ELEMENTS = ("e4m3fn", "e5m2", "e3m2", "e2m3", "e2m1")


@dataclass(frozen=True)
class Case:
    """What a machine does with products of `operands` (element formats, of a and b alike) and an `outputs` result.

    `scales` are the formats of the block scales that it takes; empty where it takes none.
    """

    operands: tuple[str, ...]
    outputs: tuple[str, ...]
    accumulation: Accumulation
    rounding: Rounding
    overflow: Overflow = Overflow.IEEE
    subnormals: Subnormals = Subnormals.FULL
    scales: tuple[str, ...] = ()

    @property
    def operand_formats(self) -> list[Format]:
        return [parse(name) for name in self.operands]

    @property
    def output_formats(self) -> list[Format]:
        return [parse(name) for name in self.outputs]

    def __str__(self) -> str:
        scales = f" with scales {' '.join(self.scales)}" if self.scales else ""
        return f"{' '.join(self.operands)}{scales} -> {' '.join(self.outputs)}"


@dataclass(frozen=True)
class Preset:
    """The accumulators of one machine."""

    name: str
    machine: str
    cases: tuple[Case, ...]


def _fused(group: int, fraction: int, clamp: int | None, **options: Any) -> Accumulation:
    """Products of a group and the addend aligned together and truncated, as all of NVIDIA's do."""
    return Accumulation(kind=Kind.ALIGNED, group=group, fraction=fraction, clamp=clamp, **options)


def _nvidia(
    operands: tuple[str, ...],
    accumulation: Accumulation,
    half: Accumulation | None = None,
    scales: tuple[str, ...] = (),
) -> tuple[Case, ...]:
    """Truncated to fp32 (too large is infinite), and rounded to nearest into fp16."""
    single = Case(operands, ("fp32",), accumulation, Rounding.RTZ, Overflow.INFINITE, scales=scales)
    if half is None:
        return (single,)
    return single, Case(operands, ("fp16",), half, Rounding.RNE, scales=scales)


def _pairs(operands: tuple[str, ...], group: int, subnormals: Subnormals = Subnormals.FULL) -> Case:
    """Rounded to fp32 pairwise, as AMD's first two matrix cores do."""
    accumulation = Accumulation(kind=Kind.TREE, group=group)
    return Case(operands, ("fp32",), accumulation, Rounding.RNE, subnormals=subnormals)


def _two_stage(operands: tuple[str, ...], group: int, **options: Any) -> Case:
    """Products truncated at 24 places, then joined with the addend, floored, as CDNA3 does."""
    accumulation = Accumulation(
        kind=Kind.ALIGNED,
        group=group,
        fraction=24,
        addend=Addend.OUTSIDE,
        sum_fraction=31,
        addend_fraction=24,
        **options,
    )
    return Case(operands, ("fp32",), accumulation, Rounding.RNE)


_V100 = _fused(4, 23, -1024)
_A100, _A100_TF32 = _fused(8, 24, -132), _fused(4, 24, -132)
_HOPPER, _HOPPER_TF32 = _fused(16, 25, -133), _fused(8, 25, -133)
_ADA_FP8, _HOPPER_FP8 = _fused(16, 13, -132), _fused(32, 13, -133)
_BLACKWELL_FP8 = _fused(32, 25, -133)
_FP8_MMA = _fused(16, 25, -133, span=32, interleave=2, addend=Addend.AFTER, addend_rounding=Rounding.RNE)
_AMX = Accumulation(kind=Kind.CHAIN, split=Split.ODD_EVEN, addend=Addend.AFTER, span=32)
_SHORT = parse("e8m13")  # the results of their FP8 sums have 13 fraction bits, in an fp32

_PRESETS = [
    Preset("v100", "NVIDIA V100 (Volta): mma.sync", _nvidia(("fp16",), _V100, replace(_V100, clamp=-19))),
    Preset("turing", "NVIDIA T4 (Turing): mma.sync", _nvidia(("fp16",), _A100, _A100)),
    Preset(
        "a100",
        "NVIDIA A100, A2 (Ampere): mma.sync",
        (*_nvidia(("fp16",), _A100, _A100), *_nvidia(("bf16",), _A100), *_nvidia(("tf32",), _A100_TF32)),
    ),
    Preset(
        "ada",
        "NVIDIA L40S, RTX Ada (Ada), 16- and 19-bit formats: mma.sync",
        (*_nvidia(("fp16",), _A100, _A100), *_nvidia(("bf16",), _A100), *_nvidia(("tf32",), _A100_TF32)),
    ),
    Preset(
        "ada-fp8",
        "NVIDIA L40S, RTX Ada (Ada), FP8: mma.sync",
        _nvidia(FP8, replace(_ADA_FP8, intermediate=_SHORT), _ADA_FP8),
    ),
    Preset(
        "hopper",
        "NVIDIA H100, H200 (Hopper), 16- and 19-bit formats: mma.sync, wgmma",
        (*_nvidia(("fp16",), _HOPPER, _HOPPER), *_nvidia(("bf16",), _HOPPER), *_nvidia(("tf32",), _HOPPER_TF32)),
    ),
    Preset(
        "hopper-fp8",
        "NVIDIA H100, H200 (Hopper), FP8: wgmma",
        _nvidia(FP8, replace(_HOPPER_FP8, intermediate=_SHORT), _HOPPER_FP8),
    ),
    Preset(
        "hopper-fp8-mma",
        "NVIDIA H100, H200 (Hopper) and B200 (Blackwell), FP8: mma.sync, which is made of fp16 instructions there",
        _nvidia(FP8, _FP8_MMA, _FP8_MMA),
    ),
    Preset(
        "blackwell",
        "NVIDIA B200 (Blackwell): tcgen05.mma, for 16- and 19-bit formats mma.sync too; FP6 and FP4 "
        "(kind::f8f6f4) as FP8, which nobody has probed",
        (
            *_nvidia(HALF, _HOPPER),
            *_nvidia(("tf32",), _HOPPER_TF32),
            *_nvidia(("fp16",), _HOPPER, _HOPPER)[1:],
            *_nvidia(MX_ELEMENTS, _BLACKWELL_FP8, _BLACKWELL_FP8),
        ),
    ),
    Preset(
        "blackwell-mx",
        "NVIDIA B200 (Blackwell), block-scaled: tcgen05.mma kind::mxf8f6f4",
        _nvidia(MX_ELEMENTS, _fused(32, 25, None), scales=("e8m0",)),
    ),
    Preset(
        "blackwell-nvf4",
        "NVIDIA B200 (Blackwell), block-scaled: tcgen05.mma kind::mxf4, kind::mxf4nvf4",
        _nvidia(("e2m1",), _fused(64, 35, None, presum=16), scales=("e8m0", "ue4m3")),
    ),
    Preset("cdna1", "AMD MI100 (CDNA1): v_mfma", (_pairs(("fp16",), 4), _pairs(("bf16",), 2))),
    Preset(
        "cdna2",
        "AMD MI210, MI250X (CDNA2): v_mfma; bf16: those ending in _1k",
        (_pairs(("fp16",), 4, Subnormals.BOTH), _pairs(("bf16",), 4, Subnormals.BOTH)),
    ),
    Preset(
        "cdna2-bf16", "AMD MI210, MI250X (CDNA2), bf16: v_mfma without _1k", (_pairs(("bf16",), 2, Subnormals.BOTH),)
    ),
    Preset(
        "cdna3-fp16", "AMD MI300X (CDNA3), fp16 and bf16: v_mfma", (_two_stage(("fp16",), 8), _two_stage(("bf16",), 8))
    ),
    Preset(
        "cdna3-xf32",
        "AMD MI300X (CDNA3): v_mfma_..._xf32, which drops the low 13 bits of fp32 operands: tf32 here",
        (_two_stage(("tf32",), 4),),
    ),
    Preset(
        "cdna3-fp8", "AMD MI300X (CDNA3), FP8: v_mfma", (_two_stage(FNUZ, 16, split=Split.ODD_EVEN, addend_reach=25),)
    ),
    Preset(
        "arm-bfdot",
        "Arm BFDOT, BFMMLA and their kind, without FEAT_EBF16 or with FPCR.EBF = 0",
        (
            Case(
                ("bf16",),
                ("fp32",),
                Accumulation(kind=Kind.TREE, group=2),
                Rounding.RTO,
                Overflow.INFINITE,
                Subnormals.BOTH,
            ),
        ),
    ),
    Preset(
        "amx-bf16", "Intel AMX TDPBF16PS", (Case(("bf16",), ("fp32",), _AMX, Rounding.RNE, subnormals=Subnormals.BOTH),)
    ),
]

#: Every preset, by name.
PRESETS = MappingProxyType({preset.name: preset for preset in _PRESETS})


def records(name: str | None = None) -> list[dict[str, Any]]:
    """One record for every case of every preset, or of those that a name stands for.

    The keys are the columns of `fpgen accumulators`.

    Raises
    ------
    UsageError
    """
    from .machines import aliases_of, presets_of

    found = []
    for preset in map(PRESETS.__getitem__, presets_of(name.strip().lower()) if name else PRESETS):
        for case in preset.cases:
            sum_ = case.accumulation
            found.append(
                {
                    "name": preset.name,
                    "machine": preset.machine,
                    "aliases": aliases_of(preset.name),
                    "operands": list(case.operands),
                    "scales": list(case.scales),
                    "outputs": list(case.outputs),
                    "group": sum_.group,
                    "fraction": sum_.fraction,
                    "presum": sum_.presum,
                    "clamp": sum_.clamp,
                    "intermediate": sum_.intermediate.name if sum_.intermediate else None,
                    "rounding": case.rounding.value,
                    "overflow": case.overflow.value,
                    "subnormals": case.subnormals.value,
                    "remarks": sum_.remarks,
                    "spelling": sum_.spelling,
                }
            )
    return found


def fits(case: Case, a: Format, b: Format, out: Format, scales: tuple[Format, ...]) -> bool:
    """Whether a case has these operands and this output."""
    together = a.name in case.operands and b.name in case.operands and out.name in case.outputs
    return together and bool(scales) == bool(case.scales) and all(scale.name in case.scales for scale in scales)


def find_case(name: str, a: Format, b: Format, out: Format, scales: tuple[Format, ...] = ()) -> Case:
    """The case of a preset for these operands, its accumulation named.

    Parameters
    ----------
    name : str
    a, b, out : Format
        Element formats, and the output.
    scales : tuple of Format
        Of the block scales; empty without.

    Raises
    ------
    UsageError
        When the machine has no such operation, saying which it has.
    """
    preset = PRESETS[name]
    for case in preset.cases:
        if fits(case, a, b, out, scales):
            return replace(case, accumulation=replace(case.accumulation, name=name))
    allowed = "; ".join(map(str, preset.cases))
    given = f"{a} x {b}{' with scales ' + ' '.join(map(str, scales)) if scales else ''} -> {out}"
    raise UsageError(
        f"accumulate={name}: got {given}; expected one of {allowed}; or accumulate=like:{name} for the nearest of these"
    )
