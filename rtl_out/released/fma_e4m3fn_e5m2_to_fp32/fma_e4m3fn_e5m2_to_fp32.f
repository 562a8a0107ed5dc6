// fma e4m3fn e5m2 fp32 -> fp32 rne stages=3 handshake=ready module_name=fma_e4m3fn_e5m2_to_fp32
fma_e4m3fn_e5m2_to_fp32.v
