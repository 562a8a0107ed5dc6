// dot e4m3fn e4m3fn n=32 + fp32 -> fp32 rtz stages=4 handshake=valid module_name=dot32_e4m3fn_hopper accumulate=hopper-fp8
dot32_e4m3fn_hopper.v
