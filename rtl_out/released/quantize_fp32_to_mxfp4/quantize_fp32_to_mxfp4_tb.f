// Top module quantize_fp32_to_mxfp4_tb; run it where vectors.hex is
quantize_fp32_to_mxfp4.v
quantize_fp32_to_mxfp4_tb.v
