"""Operands for power: what a unit is given while its edges are counted.

`uniform`: every code of every operand equally likely. `gaussian`: N(0, 1), rounded to nearest even into each
operand's format; unsigned formats take the magnitude, fixed-point ones the value times a quarter of their largest
(so that 4 sigma is full scale), both saturating. A `.npy` file: a row per operation, a column per element of each
operand in port order; whole numbers are codes, other numbers are values and are converted like Gaussian ones, but as
they are. Rows follow each other in time.

Controls: random bits are uniform, `clear` comes every 32 operations, all others are 0; handshakes never stall.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fpgen.errors import UsageError

if TYPE_CHECKING:
    from fpgen.formats import Format
    from fpgen.ppa.toggles import Words
    from fpgen.units.base import Unit
    from fpgen.units.ports import Port

KINDS = ("uniform", "gaussian")
# A sum is started anew every so many operations.
CLEAR_EVERY = 32
CONTROLS = f"(random bits uniform, clear every {CLEAR_EVERY} operations, others 0; no stalls)"


@dataclass(frozen=True)
class Stimulus:
    """A source of operands.

    Attributes
    ----------
    name : str
        `uniform`, `gaussian` or the file's path.
    rows : array of shape (operations, elements) or None
        Codes (whole numbers) or values of a file.
    """

    name: str
    rows: NDArray[Any] | None = None

    @property
    def text(self) -> str:
        """What it is, in a few words."""
        if self.rows is not None:
            what = "codes" if self.rows.dtype.kind in "iu" else "values"
            return f"{what} of {Path(self.name).name}, {len(self.rows)} rows"
        return {"uniform": "uniform codes", "gaussian": "N(0,1) values"}[self.name]

    def check(self, unit: "Unit") -> None:
        """Refuse a unit whose operands it does not fit.

        Raises
        ------
        UsageError
        """
        Operands(unit, self, seed=0, clocks=1, words=1)


def load(given: str | Path) -> Stimulus:
    """The stimulus of a name or a `.npy` file.

    Raises
    ------
    UsageError
        When it is neither, or the file holds no numbers.
    """
    name = str(given)
    if name in KINDS:
        return Stimulus(name)
    allowed = f"{', '.join(KINDS)} or a .npy file are allowed"
    if not name.endswith(".npy"):
        raise UsageError(f"power stimulus {name!r}; {allowed}")
    try:
        rows = np.load(name, allow_pickle=False)
    except OSError as error:
        raise UsageError(f"power stimulus {name}: {error.strerror or 'cannot be read'}; {allowed}") from None
    except (ValueError, EOFError) as error:
        raise UsageError(f"power stimulus {name} is no .npy file of numbers: {error}") from None
    if not isinstance(rows, np.ndarray) or rows.dtype.kind not in "iuf" or rows.ndim not in (1, 2) or len(rows) < 2:
        what = f"{rows.dtype} of shape {rows.shape}" if isinstance(rows, np.ndarray) else type(rows).__name__
        raise UsageError(f"power stimulus {name} holds {what}; codes or values of shape (operations, elements) are "
                         "allowed, two operations or more")
    return Stimulus(name, rows.reshape(len(rows), -1))


def elements(port: "Port") -> int:
    """Elements that a port carries."""
    return port.width // port.format.bits if port.format is not None else 1


class Operands:
    """A unit's inputs, clock by clock, in many streams side by side.

    Parameters
    ----------
    unit : Unit
    stimulus : Stimulus
    seed : int
    clocks : int
        Length of each stream.
    words : int
        Streams / 64.

    Raises
    ------
    UsageError
        When a file does not fit the unit's operands, or a format is too wide to convert to.
    """

    def __init__(self, unit: "Unit", stimulus: Stimulus, *, seed: int, clocks: int, words: int) -> None:
        self.unit, self.clocks, self.words = unit, clocks, words
        self.random = np.random.default_rng(seed)
        self.operands = [port for port in unit.ports if port.is_input and port.role.value == "operand"]
        self.others = [port for port in unit.ports if port.is_input and port not in self.operands]
        # Of each operand, bits of shape (clocks, width, words).
        self.bits: Mapping[str, Words] = {}
        if stimulus.name == "uniform":
            self.bits = {port.name: self._random_bits(port.width) for port in self.operands}
        elif stimulus.name == "gaussian":
            self.bits = {port.name: self._values(port, self.random.standard_normal(
                (clocks, 64 * words, elements(port))), True) for port in self.operands}
        else:
            self.bits = self._from_file(stimulus)

    def __iter__(self) -> "Iterator[dict[str, Words]]":
        """Each clock's inputs: port bit -> values of all streams."""
        zero, one = np.zeros(self.words, np.uint64), np.full(self.words, -1).astype(np.uint64)
        for clock in range(self.clocks):
            given: dict[str, Words] = {}
            for port in self.operands:
                given.update(_spelled(port, self.bits[port.name][clock]))
            for port in self.others:
                if port.role.value == "clock":
                    continue
                if port.name == "random":
                    bits = self._random_bits(port.width, 1)[0]
                elif port.name == "clear":
                    bits = _pack((np.arange(64 * self.words) + clock) % CLEAR_EVERY == 0)[None]
                else:
                    high = clock == 0 if port.role.value == "reset" else port.role.value == "handshake"
                    bits = np.array([one if high else zero] * port.width)
                given.update(_spelled(port, bits))
            yield given

    def codes(self, name: str) -> NDArray[Any]:
        """Codes of a scalar operand of at most 64 bits, shape (clocks, streams)."""
        bits = self.bits[name]
        lanes = np.unpackbits(bits.view(np.uint8), axis=-1, bitorder="little").astype(np.uint64)
        return np.asarray((lanes << np.arange(bits.shape[1], dtype=np.uint64)[:, None]).sum(axis=1, dtype=np.uint64))

    def _random_bits(self, width: int, clocks: int | None = None) -> "Words":
        return self.random.integers(0, 1 << 64, (clocks or self.clocks, width, self.words), dtype=np.uint64)

    def _values(self, port: "Port", values: NDArray[np.float64], standard: bool) -> "Words":
        assert port.format is not None
        return _bits(convert(values, port.format, standard=standard), port.format.bits)

    def _from_file(self, stimulus: Stimulus) -> "dict[str, Words]":
        rows = stimulus.rows
        assert rows is not None
        counts = [elements(port) for port in self.operands]
        if rows.shape[1] != sum(counts):
            wanted = ", ".join(f"{port.name} {count}" for port, count in zip(self.operands, counts, strict=True))
            raise UsageError(f"power stimulus {stimulus.name} has {rows.shape[1]} columns; {sum(counts)} are allowed "
                             f"for {self.unit.text} ({wanted})")
        lanes = 64 * self.words
        order = (np.arange(lanes) * len(rows) // lanes + np.arange(self.clocks)[:, None]) % len(rows)
        found: dict[str, Words] = {}
        column = 0
        for port, count in zip(self.operands, counts, strict=True):
            part = rows[:, column:column + count]
            column += count
            assert port.format is not None
            if rows.dtype.kind == "f":
                part = convert(part.astype(np.float64), port.format)
            elif part.min() < 0 or (port.format.bits < 64 and int(part.max()) >> port.format.bits):
                raise UsageError(f"power stimulus {stimulus.name}: codes {part.min()} to {part.max()} for {port.name}; "
                                 f"codes of {port.format} are 0 to {(1 << port.format.bits) - 1}")
            found[port.name] = _bits(part.astype(np.uint64)[order], port.format.bits)
        return found


def convert(values: NDArray[np.float64], fmt: "Format", *, standard: bool = False) -> NDArray[np.uint64]:
    """Codes of the values nearest to `values`, ties to even, saturating; unsigned formats take the magnitude.

    Parameters
    ----------
    values : array
    fmt : Format
    standard : bool
        Of fixed-point formats, a quarter of the largest value is the unit.

    Raises
    ------
    UsageError
        When the format has more than 64 bits.
    """
    from fpgen import parse_unit

    if fmt.bits > 64:
        raise UsageError(f"operand format {fmt} has {fmt.bits} bits; values are converted to formats of up to 64, "
                         "uniform codes are there for all")
    if standard and fmt.fixed:
        values = values * (float(2 ** fmt.magnitude_bits - 1) * 2.0 ** fmt.scale / 4)
    if not fmt.signed:
        values = np.abs(values)
    unit = parse_unit(f"convert fp64 -> {fmt.spelling} rne saturate")
    codes = unit.compute(np.ascontiguousarray(values).reshape(-1).view(np.uint64)).codes
    return np.asarray(codes).astype(np.uint64).reshape(values.shape)


def _bits(codes: NDArray[np.uint64], width: int) -> "Words":
    """Codes of shape (clocks, streams, elements) as bits of shape (clocks, elements * width, words)."""
    clocks, _, count = codes.shape
    planes = [_pack((codes[:, :, element] >> np.uint64(bit) & np.uint64(1)).astype(bool))
              for element in range(count) for bit in range(width)]
    return np.stack(planes, axis=1).reshape(clocks, count * width, -1)


def _pack(bits: NDArray[np.bool_]) -> "Words":
    """Booleans along the last axis, 64 to a word, the first in the lowest bit."""
    return np.packbits(bits, axis=-1, bitorder="little").view(np.uint64)


def _spelled(port: "Port", bits: "Words") -> "dict[str, Words]":
    """A port's bits under the names that a netlist has for them."""
    if port.width == 1:
        return {port.name: bits[0]}
    return {f"{port.name}[{k}]": bits[k] for k in range(port.width)}
