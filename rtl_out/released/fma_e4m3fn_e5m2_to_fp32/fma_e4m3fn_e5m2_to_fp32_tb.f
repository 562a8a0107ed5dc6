// Top module fma_e4m3fn_e5m2_to_fp32_tb; run it where vectors.hex is
fma_e4m3fn_e5m2_to_fp32.v
fma_e4m3fn_e5m2_to_fp32_tb.v
