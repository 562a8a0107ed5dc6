// Top module blockdot32_mxfp4_tb; run it where vectors.hex is
blockdot32_mxfp4.v
blockdot32_mxfp4_tb.v
