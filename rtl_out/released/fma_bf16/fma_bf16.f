// fma bf16 bf16 bf16 -> bf16 rne flags=on stages=3 handshake=ready module_name=fma_bf16
fma_bf16.v
