// fma fp32 fp32 fp32 -> fp32 rne flags=on stages=4 handshake=ready module_name=fma_fp32
fma_fp32.v
