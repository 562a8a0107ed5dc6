// Top module blockdot64_nvfp4_tb; run it where vectors.hex is
blockdot64_nvfp4.v
blockdot64_nvfp4_tb.v
