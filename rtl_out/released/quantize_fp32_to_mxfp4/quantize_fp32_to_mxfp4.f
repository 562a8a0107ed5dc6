// quantize fp32 -> mxfp4 rne stages=2 handshake=valid module_name=quantize_fp32_to_mxfp4
quantize_fp32_to_mxfp4.v
