// -------------------------------------------------------------------------------------------------
// convert_fp32_to_e4m3fn_rne_saturate
//
// convert fp32 -> e4m3fn rne saturate
//
// Contract  correctly rounded, RNE, saturating
// Latency   0 (combinational)
// Rounding  rne
// Options   overflow saturate, tininess after rounding, subnormals full, flags off, handshake none
//
// Port    Dir  Bits  Meaning
// source  in     32  operand, fp32: e8m23:inf=ieee,nan=ieee
// result  out     8  result, e4m3fn: e4m3:inf=none,nan=allones
// -------------------------------------------------------------------------------------------------

`default_nettype none

module convert_fp32_to_e4m3fn_rne_saturate (
    input  wire [31:0] source,
    output wire [7:0]  result
);

    // ---- Unpack source: fp32
    wire source_normal = |source[30:23];
    wire source_exponent_lsb = source[23] | ~source_normal;
    wire source_top_binade = &source[30:23];
    wire source_nan_any = |source[22:0];
    wire source_infinite = source_top_binade & ~source_nan_any;
    wire source_nan = source_top_binade & source_nan_any;
    wire source_zeros_or = source_normal | source[22];
    wire source_zeros_or_2 = source[19] | source[18];
    wire source_zeros_or_3 = source[15] | source[14];
    wire source_zeros_or_4 = source[11] | source[10];
    wire source_zeros_or_5 = source[7] | source[6];
    wire source_zeros_or_6 = source[3] | source[2];
    wire source_zeros_or_7 = source_zeros_or | source[21] | source[20];
    wire source_zeros_or_8 = source_zeros_or_3 | source[13] | source[12];
    wire source_zeros_or_9 = source_zeros_or_5 | source[5] | source[4];
    wire [1:0] source_zeros_mux = source_zeros_or_7 ? {~source_zeros_or, source_zeros_or
        ? ~source_normal : ~source[21]} : {~source_zeros_or_2, source_zeros_or_2 ? ~source[19]
        : ~source[17]};
    wire source_zeros_or_10 = source_zeros_or_7 | source_zeros_or_2 | source[17] | source[16];
    wire [1:0] source_zeros_mux_2 = source_zeros_or_8
        ? {~source_zeros_or_3, source_zeros_or_3 ? ~source[15] : ~source[13]}
        : {~source_zeros_or_4, source_zeros_or_4 ? ~source[11] : ~source[9]};
    wire [2:0] source_zeros_mux_3 = source_zeros_or_10 ? {~source_zeros_or_7, source_zeros_mux}
        : {~source_zeros_or_8, source_zeros_mux_2};
    wire source_zeros_or_11 = source_zeros_or_10 | source_zeros_or_8 | source_zeros_or_4 | source[9]
        | source[8];
    wire [1:0] source_zeros_mux_4 = source_zeros_or_9
        ? {~source_zeros_or_5, source_zeros_or_5 ? ~source[7] : ~source[5]}
        : {~source_zeros_or_6, source_zeros_or_6 ? ~source[3] : ~source[1]};
    wire [3:0] source_zeros_mux_5 = source_zeros_or_11 ? {~source_zeros_or_10, source_zeros_mux_3}
        : {1'b0, ~source_zeros_or_9, source_zeros_mux_4};

    // ---- Normalise
    wire [8:0] shift_limit = {1'b0, source[30:24], source_exponent_lsb} + 9'h18c;
    wire [7:0] shift_and = shift_limit[7:0] & {8{~shift_limit[8]}};
    wire [4:0] shift_sum = {~source_zeros_or_11, source_zeros_mux_5} + 5'h05;
    wire [8:0] shift_difference = {4'd0, shift_sum} - {1'b0, shift_and};
    wire [4:0] shift = shift_difference[8] ? shift_sum : shift_and[4:0];
    wire [28:0] normalised_16 = shift[4] ? {source[12:0], 16'd0}
        : {5'd0, source_normal, source[22:0]};
    wire [28:0] normalised_8 = shift[3] ? {normalised_16[20:0], 8'd0} : normalised_16;
    wire [28:0] normalised_4 = shift[2] ? {normalised_8[24:0], 4'd0} : normalised_8;
    wire [28:0] normalised_2 = shift[1] ? {normalised_4[26:0], 2'd0} : normalised_4;
    wire [28:0] normalised_1 = shift[0] ? {normalised_2[27:0], 1'b0} : normalised_2;
    wire [7:0] beyond_range_difference = shift_and - {3'd0, shift};
    wire sticky = |normalised_1[23:0];

    // ---- Round to e4m3fn
    wire beyond_range = normalised_1[28] & ~(beyond_range_difference < 8'h0f);
    wire [3:0] unrounded_and = (beyond_range_difference[3:0] + 4'b0001) & {4{normalised_1[28]}};
    wire round_up = normalised_1[24] & (sticky | normalised_1[25]);
    wire [6:0] rounded_ones_1 = {unrounded_and, normalised_1[27:25]}
        & {1'b1, unrounded_and[1], 1'b1, normalised_1[27], 1'b1, normalised_1[25], 1'b1};
    wire [6:0] rounded_ones_2 = rounded_ones_1 & {rounded_ones_1[5], 2'b11, {2{rounded_ones_1[1]}},
        2'b11};
    wire [6:0] rounded_ones_3 = rounded_ones_2 & {{3{rounded_ones_2[3]}}, 4'b1111};
    wire [7:0] rounded = ({rounded_ones_3, 1'b1} & {8{round_up}})
        ^ {1'b0, unrounded_and, normalised_1[27:25]};
    wire overflow = beyond_range | ~(rounded < 8'h7f);
    wire forced_or = (source_infinite & ~source_nan) | (~source_nan & overflow & ~source_infinite);
    wire forced = source_nan | forced_or;
    wire [6:0] magnitude = (rounded[6:0] & {7{~forced}}) | {7{source_nan}} | {{6{forced_or}}, 1'b0};
    wire result_sign = source[31] & ~source_nan;

    // ---- Outputs
    assign result = {result_sign, magnitude};

    // ---- Bits that nothing reads
    wire unused = &{1'b0, shift_difference[7:0]};

endmodule

`default_nettype wire
