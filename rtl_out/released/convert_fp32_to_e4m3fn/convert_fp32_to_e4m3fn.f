// convert fp32 -> e4m3fn rne saturate module_name=convert_fp32_to_e4m3fn
convert_fp32_to_e4m3fn.v
