// Top module fma_fp16_tb; run it where vectors.hex is
fma_fp16.v
fma_fp16_tb.v
