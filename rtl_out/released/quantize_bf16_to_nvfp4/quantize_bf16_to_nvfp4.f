// quantize bf16 -> nvfp4 rne stages=2 handshake=valid module_name=quantize_bf16_to_nvfp4
quantize_bf16_to_nvfp4.v
