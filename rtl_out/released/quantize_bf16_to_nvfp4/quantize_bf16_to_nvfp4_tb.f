// Top module quantize_bf16_to_nvfp4_tb; run it where vectors.hex is
quantize_bf16_to_nvfp4.v
quantize_bf16_to_nvfp4_tb.v
