// fma fp16 fp16 fp16 -> fp16 rne flags=on stages=3 handshake=ready module_name=fma_fp16
fma_fp16.v
