// Top module dot32_e4m3fn_hopper_tb; run it where vectors.hex is
dot32_e4m3fn_hopper.v
dot32_e4m3fn_hopper_tb.v
