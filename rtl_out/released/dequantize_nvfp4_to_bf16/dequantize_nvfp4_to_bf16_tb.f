// Top module dequantize_nvfp4_to_bf16_tb; run it where vectors.hex is
dequantize_nvfp4_to_bf16.v
dequantize_nvfp4_to_bf16_tb.v
