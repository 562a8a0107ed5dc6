// Top module fma_fp32_tb; run it where vectors.hex is
fma_fp32.v
fma_fp32_tb.v
