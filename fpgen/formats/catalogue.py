"""The formats with a name, each with the standard or product that defines it.

Names are fpgen's own where a common name means different things to different
people: OCP's FP4 (`e2m1`) and P3109's (`binary4p2sf`) are not the same format,
nor are OCP's power-of-two scale (`e8m0`) and P3109's (`binary8p1uf`).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .code_classes import Infinity, NaN
from .descriptor import Format
from .spelling import default_bias

if TYPE_CHECKING:
    from .blocks import BlockFormat

AnyFormat = TypeVar("AnyFormat", bound="Format | BlockFormat")


@dataclass(frozen=True)
class Entry(Generic[AnyFormat]):
    """A named format, plain or of blocks.

    Parameters
    ----------
    format : Format or BlockFormat
    standard : str
        What the source calls it.
    source : str
        The document that defines it.
    note : str
        What to watch out for; may be empty.
    aliases : tuple of str
        Other names that `fpgen.formats.parse` (`parse_block`) accepts for it.
    """

    format: AnyFormat
    standard: str
    source: str
    note: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.format.name


def floating(exponent_bits: int, trailing_bits: int, **options: Any) -> Format:
    """A signed format of these field widths: IEEE bias and specials unless `options` say otherwise.

    Without a trailing significand there is no room for IEEE specials, and the default is none.
    """
    ieee = trailing_bits >= 1
    choices = {
        "signed": True,
        "bias": default_bias(exponent_bits) if exponent_bits else 0,
        "infinity": Infinity.IEEE if ieee else Infinity.NONE,
        "nan": NaN.IEEE if ieee else NaN.NONE,
        **options,
    }
    return Format(bits=exponent_bits + trailing_bits + choices["signed"], precision=trailing_bits + 1, **choices)


def p3109(bits: int, precision: int, signed: bool = True, extended: bool = True) -> Format:
    """The P3109 format of K bits and precision P (IEEE P3109, decoding).

    The bias is 2**(K-P-1) signed and 2**(K-P) unsigned; there is one NaN, at minus zero
    or, unsigned, at the top; "extended" formats keep infinity next to the largest finite value.
    """
    room = bits - precision - signed
    return Format(
        bits=bits,
        precision=precision,
        bias=1 << room if room >= 0 else 0,  # a negative room is rejected by Format
        signed=signed,
        infinity=Infinity.TOP if extended else Infinity.NONE,
        nan=NaN.NEGATIVE_ZERO if signed else NaN.ALL_ONES,
        name=f"binary{bits}p{precision}{'s' if signed else 'u'}{'e' if extended else 'f'}",
    )


def is_p3109(fmt: Format) -> bool:
    """Whether P3109 defines a format with these parameters, under whatever name."""
    room = fmt.bits - fmt.precision - fmt.signed
    if fmt.fixed or room < 0:
        return False
    return fmt == p3109(fmt.bits, fmt.precision, fmt.signed, fmt.infinity is not Infinity.NONE)


def fixed(bits: int, signed: bool = True, *, scale: int = 0, symmetric: bool = False, name: str = "") -> Format:
    """Two's-complement or unsigned fixed point of `bits` bits."""
    return Format(
        bits=bits,
        precision=bits - signed,
        signed=signed,
        fixed=True,
        scale=scale,
        symmetric=symmetric,
        name=name,
    )


IEEE = "IEEE 754-2019, 3.6 table 3.5"
OFP8 = "OCP 8-bit Floating Point Specification (OFP8) 1.0, table 2"
MX = "OCP Microscaling Formats (MX) 1.0, 5.3"
P3109 = "IEEE P3109 interim report 4.0, 4.7.2"
FNUZ = "Noune et al., 8-bit Numerical Formats for Deep Neural Networks (2022), arXiv 2206.02915; AMD CDNA3"
NO_SPECIALS = {"infinity": Infinity.NONE, "nan": NaN.NONE}
FN = {"infinity": Infinity.NONE, "nan": NaN.ALL_ONES}
NEGATIVE_ZERO = {"infinity": Infinity.NONE, "nan": NaN.NEGATIVE_ZERO}

_ENTRIES = [
    Entry(floating(11, 52, name="fp64"), "binary64", IEEE, "", ("binary64", "float64", "double")),
    Entry(floating(8, 23, name="fp32"), "binary32", IEEE, "", ("binary32", "float32", "float", "single")),
    Entry(
        floating(8, 10, name="tf32"),
        "TensorFloat-32",
        "NVIDIA A100 Tensor Core GPU Architecture (2020)",
        "19 bits; stored by NVIDIA in the top of 32",
        ("tensorfloat32",),
    ),
    Entry(floating(7, 16, name="fp24"), "FP24", "ATI R300 (2002)", "s1 e7 m16; Pixar's PXR24 is e8m15"),
    Entry(floating(5, 10, name="fp16"), "binary16", IEEE, "", ("binary16", "float16", "half")),
    Entry(
        floating(8, 7, name="bf16"),
        "bfloat16",
        "Intel BFLOAT16 Hardware Numerics Definition 1.0 (2018)",
        "fp32 cut to 16 bits",
        ("bfloat16",),
    ),
    Entry(
        floating(4, 3, name="e4m3"),
        "E4M3 with IEEE specials",
        "ml_dtypes float8_e4m3",
        "not OCP's E4M3, which is e4m3fn",
        ("float8_e4m3",),
    ),
    Entry(
        floating(3, 4, name="e3m4"),
        "E3M4 with IEEE specials",
        "ml_dtypes float8_e3m4",
        "bias 3, infinity and NaN as IEEE; other projects' E3M4 have no infinity or another bias",
        ("float8_e3m4",),
    ),
    Entry(
        floating(4, 3, name="e4m3fn", **FN),
        "E4M3",
        OFP8,
        "no infinity; NaN is S.1111.111, so the largest value is 448",
        ("float8_e4m3fn", "ofp8_e4m3"),
    ),
    Entry(floating(5, 2, name="e5m2"), "E5M2", OFP8, "the IEEE-style E5M2 as well", ("float8_e5m2", "ofp8_e5m2")),
    Entry(floating(3, 2, name="e3m2", **NO_SPECIALS), "FP6 E3M2", MX, "no infinity, no NaN", ("float6_e3m2fn",)),
    Entry(floating(2, 3, name="e2m3", **NO_SPECIALS), "FP6 E2M3", MX, "no infinity, no NaN", ("float6_e2m3fn",)),
    Entry(
        floating(2, 1, name="e2m1", **NO_SPECIALS),
        "FP4 E2M1",
        MX,
        "no infinity, no NaN; not P3109's binary4p2sf",
        ("float4_e2m1fn",),
    ),
    Entry(
        floating(4, 3, name="e4m3fnuz", bias=8, **NEGATIVE_ZERO),
        "E4M3 FNUZ",
        FNUZ,
        "bias 8; the only NaN is 0x80",
        ("float8_e4m3fnuz",),
    ),
    Entry(
        floating(5, 2, name="e5m2fnuz", bias=16, **NEGATIVE_ZERO),
        "E5M2 FNUZ",
        FNUZ,
        "bias 16; the only NaN is 0x80",
        ("float8_e5m2fnuz",),
    ),
    Entry(
        floating(4, 3, name="e4m3b11fnuz", bias=11, **NEGATIVE_ZERO),
        "E4M3 B11 FNUZ",
        "ml_dtypes float8_e4m3b11fnuz",
        "bias 11; the only NaN is 0x80",
        ("float8_e4m3b11fnuz",),
    ),
    *(
        Entry(p3109(8, precision), f"Binary8p{precision}se", P3109, "" if precision > 1 else "powers of two only")
        for precision in range(1, 8)
    ),
    Entry(p3109(4, 2, extended=False), "Binary4p2sf", P3109, "NaN is 0x8; not OCP's E2M1"),
    Entry(
        p3109(8, 1, signed=False, extended=False),
        "Binary8p1uf",
        P3109,
        "unsigned powers of two with a zero; not OCP's E8M0",
    ),
    Entry(
        floating(8, 0, name="e8m0", signed=False, subnormals=False, zero=False, **FN),
        "E8M0",
        MX,
        "unsigned scale without zero; NaN is 0xFF",
        ("ue8m0", "float8_e8m0fnu"),
    ),
    Entry(
        floating(4, 3, name="ue4m3", signed=False, **FN),
        "UE4M3",
        "NVIDIA PTX ISA 8.7, .ue4m3 (NVFP4 scale)",
        "unsigned scale in 7 bits; NaN is 0x7F",
    ),
    Entry(
        floating(5, 3, name="ue5m3", signed=False, **FN),
        "UE5M3",
        "NVIDIA PTX ISA of CUDA 13.4, .ue5m3 (FP4 scale)",
        "unsigned scale; no infinity, NaN is 0xFF, so the largest value is 114688",
    ),
    Entry(fixed(4, name="int4"), "int4", "two's complement"),
    Entry(fixed(8, name="int8"), "int8", "two's complement"),
    Entry(fixed(8, signed=False, name="uint8"), "uint8", "unsigned integer"),
    Entry(
        fixed(8, scale=-6, symmetric=True, name="mxint8"),
        "INT8",
        MX,
        "one unit is 2**-6; -2 (0x80) is read, never produced",
    ),
]

#: Every named format, by name.
CATALOGUE = MappingProxyType({entry.name: entry for entry in _ENTRIES})

#: Alias to name.
ALIASES = MappingProxyType({alias: entry.name for entry in _ENTRIES for alias in entry.aliases})

_HIFLOAT4 = (
    "the scale of HiFloat4 (Ascend), which is unsigned and has its own bias and specials",
    "bias=, inf= and nan= spelled out",
)

#: Spellings ``eEmM`` that elsewhere name a format that is not what the rule makes of them: what that is, and how to
#: write it. With ``inf=`` or ``nan=`` a spelling says which one is meant. (A format with a published definition that
#: the descriptor holds is in the catalogue instead, as ``ue5m3`` is.)
NOT_BY_THE_RULE = MappingProxyType(
    {
        "e1m2": ("FP4 E1M2 (LLM-FP4; Ascend), without infinity and NaN", "e1m2:inf=none,nan=none"),
        "e6m2": _HIFLOAT4,
        "ue6m2": _HIFLOAT4,
    }
)

#: Names of number systems that are not formats of fixed fields, and what they are.
NOT_A_FORMAT = MappingProxyType(
    {
        "hif8": "HiFloat8 has tapered precision",
        "hifloat8": "HiFloat8 has tapered precision",
        "nf4": "NF4 is a table of sixteen quantiles",
        "posit8": "posits have tapered precision",
        "posit16": "posits have tapered precision",
        "posit32": "posits have tapered precision",
    }
)

#: Names that mean different formats to different people, and what to say instead.
AMBIGUOUS = MappingProxyType(
    {
        "fp8": "e4m3fn, e5m2 (OCP), e4m3fnuz, e5m2fnuz (AMD), binary8p4se, binary8p3se (P3109)",
        "fp6": "e3m2, e2m3 (OCP)",
        "fp4": "e2m1 (OCP), binary4p2sf (P3109)",
        "int": "int4, int8, or intN with a width",
        "uint": "uint8, or uintN with a width",
    }
)
