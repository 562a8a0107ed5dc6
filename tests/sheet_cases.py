"""Units for the tests of datasheets: one of each operation, and every option around the pipeline."""

#: Operation to a unit.
OF_OPERATION = {
    "multiply": "multiply e4m3fn e5m2 -> fp32 flags=on",
    "add": "add fp16 bf16 -> fp16 rne subtract=port",
    "fma": "fma fp16 fp16 fp16 -> fp16 rne stages=3 handshake=ready flags=on",
    "mac": "mac e5m2 e5m2 -> fp32 rne flags=on stages=1 loadable=on",
    "convert": "convert fp16 -> int8 src random_bits=5 stages=2 enable=on",
    "dot": "dot e4m3fn e4m3fn n=4 -> fp32 port flags=on stages=2 handshake=valid",
    "blockdot": "blockdot e2m1@ue4m3/4 e2m1@ue4m3/4 k=8 + fp32 -> fp32",
    "quantize": "quantize bf16 -> nvfp4 stages=2",
    "dequantize": "dequantize mxfp4 -> bf16 stages=1",
    "tensorcore": "tensorcore e4m3fn e4m3fn m=2 n=2 k=2 + fp16 -> fp16",
}

#: Units with other pins around the pipeline, or other formats.
OTHERS = (
    "multiply ue8m0 e3m2:bias=2,inf=none,nan=none -> e4m3fnuz",
    "add int8 uint4 -> int8 saturate",
    "add fp16 fp16 -> fp16 handshake=ready",
    "add fp16 fp16 -> fp16 handshake=valid",
    "add fp16 fp16 -> fp16 stages=1",
    "add e4m3fn e4m3fn -> fp16 stages=9 handshake=ready tag=4 registers=both",
    "add e4m3fn e4m3fn -> fp16 stages=12 handshake=valid registers=in",
    "add fp16 fp16 -> fp16 stages=2 handshake=valid enable=on flush=on reset=async reset_active=low",
    "add fp16 fp16 -> fp16 stages=3 handshake=ready enable=on flush=on reset=none tag=5",
    "mac e5m2 e5m2 -> fp32 rne flags=on stages=2 handshake=ready flush=on reset_active=low",
    "mac e4m3fn e4m3fn -> fp16 accumulate=exact stages=2 handshake=valid enable=on reset=async",
    "blockdot int8@e8m0/2 uint4@e8m0/2 k=4 -> fp32 b_zero=uint4",
)
EVERYTHING = (*OF_OPERATION.values(), *OTHERS)
