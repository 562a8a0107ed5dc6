// Top module mac_bf16_exact_tb; run it where vectors.hex is
mac_bf16_exact.v
mac_bf16_exact_tb.v
