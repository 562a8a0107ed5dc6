// Top module fma_bf16_tb; run it where vectors.hex is
fma_bf16.v
fma_bf16_tb.v
