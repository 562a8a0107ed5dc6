// blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32 rne stages=3 handshake=valid module_name=blockdot32_mxfp4
blockdot32_mxfp4.v
