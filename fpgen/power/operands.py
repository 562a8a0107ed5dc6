"""Operands for power: what a unit is given while its edges are counted.

`uniform`: every code of every operand equally likely. `gaussian`: N(0, sigma^2), rounded to nearest even into each
operand's format; unsigned formats take the magnitude, fixed-point ones the value times a quarter of their largest
(so that 4 sigma is full scale), both saturating; operands in a block format are quantised, scales and elements
together; an addend has the spread of the sum it joins. A `.npy` file: a row per operation, a column per element of
each operand in port order; whole numbers are codes, other numbers are values and are converted like Gaussian ones,
but as they are. Where they leave out the scales of blocks, these follow from them. Rows follow each other in time.

Controls: random bits are uniform, `clear` comes every 32 operations, all others are 0; handshakes never stall.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np
from numpy.typing import NDArray

from fpgen.base.errors import UsageError

from .operand_codes import derived_ports, encode, normal
from .operand_kinds import KINDS, Stimulus, load

if TYPE_CHECKING:
    from fpgen.units.base import Unit
    from fpgen.units.ports import Port

    from .toggles import Words

__all__ = ["CLEAR_EVERY", "CONTROLS", "KINDS", "Operands", "Stimulus", "load"]

# A sum is restarted every so many operations.
CLEAR_EVERY = 32
CONTROLS = f"(random bits uniform, clear every {CLEAR_EVERY} operations, others 0; no stalls)"


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
            codes = normal(unit, stimulus.sigma, self.random, (clocks, 64 * words))
            self.bits = {port.name: _bits(codes[port.name], port.element_width) for port in self.operands}
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
                    bits = np.array([one if _is_high(port, clock) else zero] * port.width)
                given.update(_spelled(port, bits))
            yield given

    def codes(self, name: str) -> NDArray[Any]:
        """Codes of a scalar operand of at most 64 bits, shape (clocks, streams)."""
        bits = self.bits[name]
        lanes = np.unpackbits(bits.view(np.uint8), axis=-1, bitorder="little").astype(np.uint64)
        return np.asarray((lanes << np.arange(bits.shape[1], dtype=np.uint64)[:, None]).sum(axis=1, dtype=np.uint64))

    def _random_bits(self, width: int, clocks: int | None = None) -> "Words":
        return self.random.integers(0, 1 << 64, (clocks or self.clocks, width, self.words), dtype=np.uint64)

    def _from_file(self, stimulus: Stimulus) -> "dict[str, Words]":
        assert stimulus.rows is not None
        lanes = 64 * self.words
        order = (np.arange(lanes) * len(stimulus.rows) // lanes + np.arange(self.clocks)[:, None]) % len(stimulus.rows)
        try:
            codes = self._codes_of(stimulus.rows)
        except UsageError as error:
            raise UsageError(f"power stimulus {stimulus.name}: {error}") from None
        return {port.name: _bits(codes[port.name][order], port.element_width) for port in self.operands}

    def _codes_of(self, rows: NDArray[Any]) -> Mapping[str, NDArray[np.uint64]]:
        """Codes of each operand, shape (rows, elements)."""
        derived = derived_ports(self.unit)
        values = rows.dtype.kind == "f"
        ports = self.operands
        if values and derived and rows.shape[1] == sum(port.count for port in ports if port.name not in derived):
            ports = [port for port in ports if port.name not in derived]
        counts = [port.count for port in ports]
        if rows.shape[1] != sum(counts):
            wanted = ", ".join(f"{port.name} {count}" for port, count in zip(ports, counts, strict=True))
            without = (
                f", or {sum(port.count for port in ports if port.name not in derived)} values without "
                f"{', '.join(sorted(derived))}"
                if derived
                else ""
            )
            raise UsageError(
                f"got {rows.shape[1]} columns; expected {sum(counts)} for {self.unit.text} ({wanted}){without}"
            )
        parts = dict(zip((port.name for port in ports), np.split(rows, np.cumsum(counts)[:-1], axis=1), strict=True))
        if values:
            return encode(self.unit, {key: part.astype(np.float64) for key, part in parts.items()})
        for port in ports:
            _check_codes(port, parts[port.name])
        return {key: part.astype(np.uint64) for key, part in parts.items()}


def _is_high(port: "Port", clock: int) -> bool:
    """The level of an input that no stimulus reaches: reset in the first clock, and no stalls."""
    from fpgen.units.ports import Role

    role: Role = port.role
    match role:
        case Role.RESET:
            return (clock == 0) is not port.active_low
        case Role.HANDSHAKE | Role.ENABLE:
            return True
        case Role.CONTROL | Role.FLUSH | Role.TAG:
            return False
        case Role.CLOCK | Role.OPERAND | Role.RESULT | Role.FLAGS:
            raise ValueError(f"power stimulus: got {port.name}, a pin of role {role.value}; expected reset or control")
        case unknown:
            assert_never(unknown)


def _check_codes(port: "Port", part: NDArray[Any]) -> None:
    assert port.format is not None
    low, high, bits = int(part.min()), int(part.max()), port.format.bits
    if low >= 0 and not high >> bits:
        return
    signed = (
        f" (negative numbers in two's complement, such as {(1 << bits) - 1} for -1)"
        if low < 0 and port.format.fixed and port.format.signed
        else ""
    )
    raise UsageError(
        f"{port.name}: got {low} to {high}; expected codes of {port.format}, 0 to {(1 << bits) - 1}{signed}"
    )


def _bits(codes: NDArray[np.uint64], width: int) -> "Words":
    """Codes of shape (clocks, streams, elements) as bits of shape (clocks, elements * width, words)."""
    clocks, _, count = codes.shape
    planes = [
        _pack((codes[:, :, element] >> np.uint64(bit) & np.uint64(1)).astype(bool))
        for element in range(count)
        for bit in range(width)
    ]
    return np.stack(planes, axis=1).reshape(clocks, count * width, -1)


def _pack(bits: NDArray[np.bool_]) -> "Words":
    """Booleans along the last axis, 64 to a word, the first in the lowest bit."""
    return np.packbits(bits, axis=-1, bitorder="little").view(np.uint64)


def _spelled(port: "Port", bits: "Words") -> "dict[str, Words]":
    """A port's bits under the names that a netlist has for them."""
    if port.width == 1:
        return {port.name: bits[0]}
    return {f"{port.name}[{k}]": bits[k] for k in range(port.width)}
