// mac bf16 bf16 -> fp32 rne stages=3 handshake=ready module_name=mac_bf16_exact accumulate=exact terms=1024
mac_bf16_exact.v
