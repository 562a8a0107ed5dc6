"""An operand in a block format, as ports: what each unit states of itself, so that others need not know its class."""

from __future__ import annotations

from dataclasses import dataclass

from fpgen.formats import BlockFormat, Format


@dataclass(frozen=True)
class BlockOperand:
    """An operand in a block format, and the ports that carry it.

    Attributes
    ----------
    elements, scale : str
        Ports of its element and scale codes.
    tensor_scale : str
        The port of its tensor scale; empty where it has none.
    block : BlockFormat
    shape : tuple of int
        Of the elements' port.
    axis : int
        Of that shape, the one that blocks run along.
    zero : str
        The port of its zero points; empty where it has none.
    zero_format : Format, optional
        Of those.
    """

    elements: str
    scale: str
    tensor_scale: str
    block: BlockFormat
    shape: tuple[int, ...]
    axis: int
    zero: str = ""
    zero_format: Format | None = None

    @property
    def derived(self) -> set[str]:
        """Ports whose codes come from quantising."""
        return {self.scale, self.tensor_scale, self.zero} - {""}
