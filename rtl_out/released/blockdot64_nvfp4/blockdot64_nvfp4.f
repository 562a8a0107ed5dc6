// blockdot nvfp4 nvfp4 k=64 + fp32 -> fp32 rne stages=4 handshake=valid module_name=blockdot64_nvfp4
blockdot64_nvfp4.v
