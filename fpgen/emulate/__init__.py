"""Whole float32 matrices through exactly the bits of a unit: `quantize`, `dequantize`, `matmul`.

    q = fpgen.emulate.quantize(x, "mxfp4")
    y = fpgen.emulate.dequantize(q)
    z = fpgen.emulate.matmul(x, w, "blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32 accumulate=blackwell-mx")

Results are those of `unit.compute`, whatever the shapes, the chunks and the number of threads.
"""

from .product import matmul
from .quantized import Quantized, dequantize, quantize

__all__ = ["Quantized", "dequantize", "matmul", "quantize"]
