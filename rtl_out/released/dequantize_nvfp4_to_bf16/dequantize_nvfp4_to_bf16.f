// dequantize nvfp4 -> bf16 rne stages=1 handshake=valid module_name=dequantize_nvfp4_to_bf16
dequantize_nvfp4_to_bf16.v
