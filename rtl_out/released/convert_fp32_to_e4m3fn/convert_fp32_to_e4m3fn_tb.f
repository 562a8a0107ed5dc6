// Top module convert_fp32_to_e4m3fn_tb; run it where vectors.hex is
convert_fp32_to_e4m3fn.v
convert_fp32_to_e4m3fn_tb.v
