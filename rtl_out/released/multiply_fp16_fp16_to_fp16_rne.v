// -------------------------------------------------------------------------------------------------
// multiply_fp16_fp16_to_fp16_rne
//
// multiply fp16 fp16 -> fp16 rne
//
// Contract  correctly rounded, RNE
// Latency   0 (combinational)
// Rounding  rne
// Options   overflow ieee, tininess after rounding, subnormals full, flags off, handshake none
//
// Port    Dir  Bits  Meaning
// a       in     16  operand, fp16: e5m10:inf=ieee,nan=ieee
// b       in     16  operand, fp16: e5m10:inf=ieee,nan=ieee
// result  out    16  result, fp16: e5m10:inf=ieee,nan=ieee
// -------------------------------------------------------------------------------------------------

`default_nettype none

module multiply_fp16_fp16_to_fp16_rne (
    input  wire [15:0] a,
    input  wire [15:0] b,
    output wire [15:0] result
);

    // ---- Unpack a: fp16
    wire a_normal = |a[14:10];
    wire a_exponent_lsb = a[10] | ~a_normal;
    wire a_top_binade = &a[14:10];
    wire a_nan_any = |a[9:0];
    wire a_infinite = a_top_binade & ~a_nan_any;
    wire a_nan = a_top_binade & a_nan_any;

    // ---- Unpack b: fp16
    wire b_normal = |b[14:10];
    wire b_exponent_lsb = b[10] | ~b_normal;
    wire b_top_binade = &b[14:10];
    wire b_nan_any = |b[9:0];
    wire b_infinite = b_top_binade & ~b_nan_any;
    wire b_nan = b_top_binade & b_nan_any;

    // ---- Multiply
    wire sign = a[15] ^ b[15];
    wire [10:0] product_row_0 = {a_normal, a[9:0]} & {11{b[0]}};
    wire [10:0] product_row_1 = {a_normal, a[9:0]} & {11{b[1]}};
    wire [10:0] product_row_2 = {a_normal, a[9:0]} & {11{b[2]}};
    wire [10:0] product_row_3 = {a_normal, a[9:0]} & {11{b[3]}};
    wire [10:0] product_row_4 = {a_normal, a[9:0]} & {11{b[4]}};
    wire [10:0] product_row_5 = {a_normal, a[9:0]} & {11{b[5]}};
    wire [10:0] product_row_6 = {a_normal, a[9:0]} & {11{b[6]}};
    wire [10:0] product_row_7 = {a_normal, a[9:0]} & {11{b[7]}};
    wire [10:0] product_row_8 = {a_normal, a[9:0]} & {11{b[8]}};
    wire [10:0] product_row_9 = {a_normal, a[9:0]} & {11{b[9]}};
    wire [10:0] product_row_10 = {a_normal, a[9:0]} & {11{b_normal}};
    wire [9:0] product_tree_1_half = {1'b0, product_row_0[10:2]} ^ product_row_1[10:1];
    wire [9:0] product_tree_1_sum = product_row_2[9:0] ^ product_tree_1_half;
    wire [9:0] product_tree_1_carry = ({1'b0, product_row_0[10:2]} & product_row_1[10:1])
        | (product_row_2[9:0] & product_tree_1_half);
    wire [9:0] product_tree_2_half = {1'b0, product_row_3[10:2]} ^ product_row_4[10:1];
    wire [9:0] product_tree_2_sum = product_row_5[9:0] ^ product_tree_2_half;
    wire [9:0] product_tree_2_carry = ({1'b0, product_row_3[10:2]} & product_row_4[10:1])
        | (product_row_5[9:0] & product_tree_2_half);
    wire [11:0] product_tree_5_sum_bits = {product_tree_2_carry, 1'b0, product_row_4[0]};
    wire [9:0] product_tree_3_half = {1'b0, product_row_6[10:2]} ^ product_row_7[10:1];
    wire [9:0] product_tree_3_sum = product_row_8[9:0] ^ product_tree_3_half;
    wire [9:0] product_tree_3_carry = ({1'b0, product_row_6[10:2]} & product_row_7[10:1])
        | (product_row_8[9:0] & product_tree_3_half);
    wire [11:0] product_tree_6_half_bits = {product_tree_3_carry, 1'b0, product_row_7[0]};
    wire [9:0] product_tree_4_sum_bits = {7'd0, product_row_2[10], product_tree_1_sum[9:8]};
    wire [9:0] product_tree_4_half = product_row_9[10:1] ^ product_row_10[9:0];
    wire [9:0] product_tree_4_sum = product_tree_4_sum_bits ^ product_tree_4_half;
    wire [9:0] product_tree_4_carry = (product_row_9[10:1] & product_row_10[9:0])
        | (product_tree_4_sum_bits & product_tree_4_half);
    wire [11:0] product_tree_5_half_bits = {product_row_5[10], product_tree_2_sum,
        product_row_3[1]};
    wire [11:0] product_tree_5_half = {3'd0, product_tree_1_carry[9:1]} ^ product_tree_5_half_bits;
    wire [11:0] product_tree_5_sum = product_tree_5_sum_bits ^ product_tree_5_half;
    wire [11:0] product_tree_5_carry = ({3'd0, product_tree_1_carry[9:1]}
        & product_tree_5_half_bits) | (product_tree_5_sum_bits & product_tree_5_half);
    wire [11:0] product_tree_6_half_bits_2 = {product_row_8[10], product_tree_3_sum,
        product_row_6[1]};
    wire [11:0] product_tree_6_sum_bits = {product_tree_4_sum[8:0], product_tree_1_sum[7:5]};
    wire [11:0] product_tree_6_half = product_tree_6_half_bits ^ product_tree_6_half_bits_2;
    wire [11:0] product_tree_6_sum = product_tree_6_sum_bits ^ product_tree_6_half;
    wire [11:0] product_tree_6_carry = (product_tree_6_half_bits & product_tree_6_half_bits_2)
        | (product_tree_6_sum_bits & product_tree_6_half);
    wire [7:0] product_tree_7_half_bits = {product_tree_4_carry[5:0], 1'b0, product_row_9[0]};
    wire [7:0] product_tree_7_half = product_tree_7_half_bits ^ {1'b0, product_tree_5_sum[11:5]};
    wire [7:0] product_tree_7_sum = product_tree_5_carry[11:4] ^ product_tree_7_half;
    wire [7:0] product_tree_7_carry = (product_tree_7_half_bits & {1'b0, product_tree_5_sum[11:5]})
        | (product_tree_5_carry[11:4] & product_tree_7_half);
    wire [14:0] product_tree_8_half_bits = {product_row_10[10], product_tree_4_sum[9],
        product_tree_6_sum, product_tree_1_sum[4]};
    wire [14:0] product_tree_8_half_bits_2 = {1'b0, product_tree_6_carry, 1'b0, product_row_6[0]};
    wire [14:0] product_tree_8_sum_bits = {product_tree_4_carry[9:6], product_tree_7_sum,
        product_tree_5_sum[4:2]};
    wire [14:0] product_tree_8_half = product_tree_8_half_bits ^ product_tree_8_half_bits_2;
    wire [14:0] product_tree_8_sum = product_tree_8_sum_bits ^ product_tree_8_half;
    wire [14:0] product_tree_8_carry = (product_tree_8_half_bits & product_tree_8_half_bits_2)
        | (product_tree_8_sum_bits & product_tree_8_half);
    wire [17:0] product_tree_9_half_bits = {3'd0, product_tree_7_carry, 1'b0,
        product_tree_5_carry[3:0], 1'b0, product_row_3[0]};
    wire [17:0] product_tree_9_half_bits_2 = {product_tree_8_sum, product_tree_1_sum[3:1]};
    wire [17:0] product_tree_9_sum_bits = {product_tree_8_carry[13:0], 1'b0,
        product_tree_5_sum[1:0], product_tree_1_carry[0]};
    wire [17:0] product_tree_9_half = product_tree_9_half_bits ^ product_tree_9_half_bits_2;
    wire [17:0] product_tree_9_sum = product_tree_9_sum_bits ^ product_tree_9_half;
    wire [17:0] product_tree_9_carry = (product_tree_9_half_bits & product_tree_9_half_bits_2)
        | (product_tree_9_sum_bits & product_tree_9_half);
    wire [21:0] product_propagate = {product_tree_8_carry[14], product_tree_9_sum,
        product_tree_1_sum[0], product_row_0[1:0]} ^ {product_tree_9_carry, 2'd0, product_row_1[0],
        1'b0};
    wire [20:0] product_generate = {product_tree_9_sum, product_tree_1_sum[0], product_row_0[1:0]}
        & {product_tree_9_carry[16:0], 2'd0, product_row_1[0], 1'b0};
    wire [20:0] product_generate_1_and = product_propagate[20:0]
        & {1'b0, product_generate[18], 1'b0, product_generate[16], 1'b0, product_generate[14], 1'b0,
        product_generate[12], 1'b0, product_generate[10], 1'b0, product_generate[8], 1'b0,
        product_generate[6], 1'b0, product_generate[4], 1'b0, product_generate[2], 1'b0,
        product_generate[0], 1'b0};
    wire [20:0] product_generate_1 = product_generate | product_generate_1_and;
    wire [20:0] product_propagate_1 = product_propagate[20:0]
        & {1'b1, product_propagate[18], 1'b1, product_propagate[16], 1'b1, product_propagate[14],
        1'b1, product_propagate[12], 1'b1, product_propagate[10], 1'b1, product_propagate[8], 1'b1,
        product_propagate[6], 1'b1, product_propagate[4], 1'b1, product_propagate[2], 1'b1,
        product_propagate[0], 1'b1};
    wire [20:0] product_generate_2_and = product_propagate_1
        & {1'b0, {2{product_generate_1[17]}}, 2'd0, {2{product_generate_1[13]}}, 2'd0,
        {2{product_generate_1[9]}}, 2'd0, {2{product_generate_1[5]}}, 2'd0,
        {2{product_generate_1[1]}}, 2'd0};
    wire [20:0] product_generate_2 = product_generate_1 | product_generate_2_and;
    wire [20:0] product_propagate_2 = product_propagate_1
        & {1'b1, {2{product_propagate_1[17]}}, 2'b11, {2{product_propagate_1[13]}}, 2'b11,
        {2{product_propagate_1[9]}}, 2'b11, {2{product_propagate_1[5]}}, 2'b11,
        {2{product_propagate_1[1]}}, 2'b11};
    wire [20:0] product_generate_3_and = product_propagate_2
        & {product_generate_2[19], 4'd0, {4{product_generate_2[11]}}, 4'd0,
        {4{product_generate_2[3]}}, 4'd0};
    wire [20:0] product_generate_3 = product_generate_2 | product_generate_3_and;
    wire [20:0] product_propagate_3 = product_propagate_2
        & {product_propagate_2[19], 4'b1111, {4{product_propagate_2[11]}}, 4'b1111,
        {4{product_propagate_2[3]}}, 4'b1111};
    wire [20:0] product_generate_4 = product_generate_3
        | (product_propagate_3 & {5'd0, {8{product_generate_3[7]}}, 8'd0});
    wire [20:0] product_propagate_4 = product_propagate_3
        & {{5{1'b1}}, {8{product_propagate_3[7]}}, {8{1'b1}}};
    wire [20:0] product_generate_5 = product_generate_4
        | (product_propagate_4 & {{5{product_generate_4[15]}}, 16'd0});
    wire [21:0] product = product_propagate ^ {product_generate_5, 1'b0};
    wire [5:0] exponent_sum = {1'b0, a[14:11], a_exponent_lsb} + {1'b0, b[14:11], b_exponent_lsb};
    wire shift_or = a_normal | a[9];
    wire shift_or_2 = a[6] | a[5];
    wire shift_or_3 = a[2] | a[1];
    wire shift_or_4 = b_normal | b[9];
    wire shift_or_5 = b[5] | b[6];
    wire shift_or_6 = b[1] | b[2];
    wire shift_or_7 = shift_or | a[8] | a[7];
    wire [1:0] shift_mux = shift_or_7 ? {~shift_or, shift_or ? ~a_normal : ~a[8]}
        : {~shift_or_2, shift_or_2 ? ~a[6] : ~a[4]};
    wire shift_or_8 = shift_or_7 | shift_or_2 | a[4] | a[3];
    wire [2:0] shift_mux_3 = shift_or_8 ? {~shift_or_7, shift_mux}
        : {1'b0, ~shift_or_3, ~a[2] & shift_or_3};
    wire shift_or_9 = shift_or_4 | b[7] | b[8];
    wire [1:0] shift_mux_2 = shift_or_9 ? {~shift_or_4, shift_or_4 ? ~b_normal : ~b[8]}
        : {~shift_or_5, shift_or_5 ? ~b[6] : ~b[4]};
    wire shift_or_10 = shift_or_9 | shift_or_5 | b[3] | b[4];
    wire [2:0] shift_mux_4 = shift_or_10 ? {~shift_or_9, shift_mux_2}
        : {1'b0, ~shift_or_6, ~b[2] & shift_or_6};

    // ---- Normalise
    wire [6:0] shift_limit = {1'b0, exponent_sum} + 7'h7d;
    wire [5:0] shift_and = shift_limit[5:0] & {6{~shift_limit[6]}};
    wire [5:0] shift_sum = {1'b0, {1'b0, ~shift_or_8, shift_mux_3}
        + {1'b0, ~shift_or_10, shift_mux_4}} + 6'h0c;
    wire [6:0] shift_difference = {1'b0, shift_sum} - {1'b0, shift_and};
    wire [5:0] shift = shift_difference[6] ? shift_sum : shift_and;
    wire [33:0] normalised_32 = shift[5] ? {product[1:0], 32'd0} : {12'd0, product};
    wire [33:0] normalised_16 = shift[4] ? {normalised_32[17:0], 16'd0} : normalised_32;
    wire [33:0] normalised_8 = shift[3] ? {normalised_16[25:0], 8'd0} : normalised_16;
    wire [33:0] normalised_4 = shift[2] ? {normalised_8[29:0], 4'd0} : normalised_8;
    wire [33:0] normalised_2 = shift[1] ? {normalised_4[31:0], 2'd0} : normalised_4;
    wire [33:0] normalised_1 = shift[0] ? {normalised_2[32:0], 1'b0} : normalised_2;
    wire [5:0] steps_difference = shift_and - shift;
    wire one_more = shift_difference[6] & ~normalised_1[33];
    wire [33:0] normalised = one_more ? {normalised_1[32:0], 1'b0} : normalised_1;
    wire [5:0] steps = one_more ? (steps_difference + {6{1'b1}}) : steps_difference;
    wire sticky = |normalised[21:0];
    wire product_nan_or = (a_infinite & ~(|{b_normal, b[9:0]}))
        | (b_infinite & ~(|{a_normal, a[9:0]}));
    wire product_nan = product_nan_or | a_nan | b_nan;
    wire product_infinite = (a_infinite | b_infinite) & ~product_nan;

    // ---- Round to fp16
    wire beyond_range = normalised[33] & ~(steps < 6'h1e);
    wire [4:0] unrounded_and = (steps[4:0] + 5'h01) & {5{normalised[33]}};
    wire round_up = normalised[22] & (sticky | normalised[23]);
    wire [13:0] rounded_ones_1 = {unrounded_and[3:0], normalised[32:23]}
        & {unrounded_and[2], 1'b1, unrounded_and[0], 1'b1, normalised[31], 1'b1, normalised[29],
        1'b1, normalised[27], 1'b1, normalised[25], 1'b1, normalised[23], 1'b1};
    wire [13:0] rounded_ones_2 = rounded_ones_1 & {2'b11, {2{rounded_ones_1[9]}}, 2'b11,
        {2{rounded_ones_1[5]}}, 2'b11, {2{rounded_ones_1[1]}}, 2'b11};
    wire [13:0] rounded_ones_3 = rounded_ones_2 & {{2{rounded_ones_2[11]}}, 4'b1111,
        {4{rounded_ones_2[3]}}, 4'b1111};
    wire [13:0] rounded_ones_4 = rounded_ones_3 & {{6{rounded_ones_3[7]}}, {8{1'b1}}};
    wire [14:0] rounded = ({rounded_ones_4, 1'b1} & {15{round_up}})
        ^ {unrounded_and, normalised[32:23]};
    wire forced_or = (~product_nan & product_infinite)
        | (~product_nan & beyond_range & ~product_infinite);
    wire forced = product_nan | forced_or;
    wire [14:0] magnitude = (rounded & {15{~forced}}) | {{6{product_nan}}, 9'd0}
        | {{5{forced_or}}, 10'd0};
    wire result_sign = sign & ~product_nan;

    // ---- Outputs
    assign result = {result_sign, magnitude};

    // ---- Bits that nothing reads
    wire unused = &{1'b0, shift_difference[5:0]};

endmodule

`default_nettype wire
