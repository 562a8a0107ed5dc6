// -------------------------------------------------------------------------------------------------
// mac_e5m2_e5m2_to_fp32_rne_stages_1
//
// mac e5m2 e5m2 -> fp32 rne stages=1
//
// Contract  fused multiply-add into fp32, rounded every step, RNE
// Latency   1 clock, one operation every clock
// Rounding  rne
// Options   overflow ieee, tininess after rounding, subnormals full, flags off, handshake valid
//
// Port       Dir  Bits  Meaning
// clk        in      1  clock, rising edge
// rst        in      1  reset, synchronous, active high (valid bits and accumulators only)
// in_valid   in      1  operands are there
// a          in      8  operand, e5m2: e5m2:inf=ieee,nan=ieee
// b          in      8  operand, e5m2: e5m2:inf=ieee,nan=ieee
// clear      in      1  1: start a new sum with this product
// out_valid  out     1  a result is there
// result     out    32  result, fp32: e8m23:inf=ieee,nan=ieee
//
// Stages (32 register bits in the datapath):
//    0  a_normal, a_exponent_lsb, a_top_binade, a_infinite, ... forced, magnitude, result_sign (83
//       steps)
//    1  (wires)
// -------------------------------------------------------------------------------------------------

`default_nettype none

module mac_e5m2_e5m2_to_fp32_rne_stages_1 (
    input  wire        clk,
    input  wire        rst,
    input  wire        in_valid,
    input  wire [7:0]  a,
    input  wire [7:0]  b,
    input  wire        clear,
    output wire        out_valid,
    output wire [31:0] result
);

    // ---- State
    reg [31:0] accumulator;

    // ---- Handshake
    reg valid_s1;

    // ==== Stage 0 ============================================================

    // ---- Unpack a: e5m2
    wire a_normal = |a[6:2];
    wire a_exponent_lsb = a[2] | ~a_normal;
    wire a_top_binade = &a[6:2];
    wire a_nan_any = |a[1:0];
    wire a_infinite = a_top_binade & ~a_nan_any;
    wire a_nan = a_top_binade & a_nan_any;

    // ---- Unpack b: e5m2
    wire b_normal = |b[6:2];
    wire b_exponent_lsb = b[2] | ~b_normal;
    wire b_top_binade = &b[6:2];
    wire b_nan_any = |b[1:0];
    wire b_infinite = b_top_binade & ~b_nan_any;
    wire b_nan = b_top_binade & b_nan_any;

    // ---- Choose what to add to
    wire [31:0] base = accumulator & {32{~clear}};

    // ---- Unpack base: fp32
    wire base_normal = |base[30:23];
    wire base_exponent_lsb = base[23] | ~base_normal;
    wire base_top_binade = &base[30:23];
    wire base_nan_any = |base[22:0];
    wire base_infinite = base_top_binade & ~base_nan_any;
    wire base_nan = base_top_binade & base_nan_any;

    // ---- Align the addend
    wire [5:0] product_exponent = {1'b0, a[6:3], a_exponent_lsb} + {1'b0, b[6:3], b_exponent_lsb};
    wire product_sign = a[7] ^ b[7];
    wire subtract_magnitudes = base[31] ^ product_sign;
    wire [8:0] alignment = ({3'd0, product_exponent} - {1'b0, base[30:24], base_exponent_lsb})
        + 9'h07c;
    wire product_zero_inverted = ~(|{a_normal, a[1:0]});
    wire product_zero_inverted_2 = ~(|{b_normal, b[1:0]});
    wire product_zero = product_zero_inverted | product_zero_inverted_2;
    wire addend_leads = product_zero | alignment[8];
    wire [7:0] align_by_and = alignment[7:0] & {8{~addend_leads}};
    wire [5:0] align_by = align_by_and[5:0] | {6{|align_by_and[7:6]}};
    wire [55:0] aligned_32 = align_by[5] ? {32'd0, base_normal, base[22:0]}
        : {base_normal, base[22:0], 32'd0};
    wire [56:0] aligned_16 = align_by[4] ? {16'd0, aligned_32[55:15]} : {aligned_32, 1'b0};
    wire [56:0] aligned_8 = align_by[3] ? {8'd0, aligned_16[56:8]} : aligned_16;
    wire aligned_sticky_or = ((|aligned_32[14:0]) & align_by[4])
        | ((|aligned_16[7:0]) & align_by[3]) | ((|aligned_8[3:0]) & align_by[2]);
    wire [56:0] aligned_4 = align_by[2] ? {4'd0, aligned_8[56:4]} : aligned_8;
    wire [56:0] aligned_2 = align_by[1] ? {2'd0, aligned_4[56:2]} : aligned_4;
    wire aligned_sticky = aligned_sticky_or | ((|aligned_4[1:0]) & align_by[1])
        | (aligned_2[0] & align_by[0]);
    wire [56:0] aligned_1 = align_by[0] ? {1'b0, aligned_2[56:1]} : aligned_2;
    wire [6:0] window_exponent_sum = {1'b0, product_exponent} + 7'h7d;
    wire [7:0] window_exponent = addend_leads ? ({base[30:24], base_exponent_lsb} + 8'h81)
        : {window_exponent_sum[6], window_exponent_sum};

    // ---- Multiply and add
    wire [58:0] addend = {1'b0, aligned_1, aligned_sticky} ^ {59{subtract_magnitudes}};
    wire [2:0] product_row_0 = {a_normal, a[1:0]} & {3{b[0]}};
    wire [2:0] product_row_1 = {a_normal, a[1:0]} & {3{b[1]}};
    wire [2:0] product_row_2 = {a_normal, a[1:0]} & {3{b_normal}};
    wire [1:0] product_tree_1_half = {1'b0, product_row_0[2]} ^ product_row_1[2:1];
    wire [1:0] product_tree_1_sum = product_row_2[1:0] ^ product_tree_1_half;
    wire [1:0] product_tree_1_carry = ({1'b0, product_row_0[2]} & product_row_1[2:1])
        | (product_row_2[1:0] & product_tree_1_half);
    wire [3:0] product_tree_2_half_bits = {product_tree_1_carry, 1'b0, product_row_1[0]};
    wire [3:0] product_tree_2_half_bits_2 = {product_row_2[2], product_tree_1_sum,
        product_row_0[1]};
    wire [3:0] product_tree_2_half = product_tree_2_half_bits ^ product_tree_2_half_bits_2;
    wire [3:0] product_tree_2_sum = addend[30:27] ^ product_tree_2_half;
    wire [3:0] product_tree_2_carry = (product_tree_2_half_bits & product_tree_2_half_bits_2)
        | (addend[30:27] & product_tree_2_half);
    wire [58:0] sum_propagate = {addend[58:31], product_tree_2_sum, addend[26:0]}
        ^ {27'd0, product_tree_2_carry, 1'b0, product_row_0[0], 26'd0};
    wire [57:0] sum_generate = {addend[57:31], product_tree_2_sum, addend[26:0]}
        & {26'd0, product_tree_2_carry, 1'b0, product_row_0[0], 26'd0};
    wire [57:0] sum_generate_1_and = sum_propagate[57:0]
        & {sum_generate[56], 1'b0, sum_generate[54], 1'b0, sum_generate[52], 1'b0, sum_generate[50],
        1'b0, sum_generate[48], 1'b0, sum_generate[46], 1'b0, sum_generate[44], 1'b0,
        sum_generate[42], 1'b0, sum_generate[40], 1'b0, sum_generate[38], 1'b0, sum_generate[36],
        1'b0, sum_generate[34], 1'b0, sum_generate[32], 1'b0, sum_generate[30], 1'b0,
        sum_generate[28], 1'b0, sum_generate[26], 1'b0, sum_generate[24], 1'b0, sum_generate[22],
        1'b0, sum_generate[20], 1'b0, sum_generate[18], 1'b0, sum_generate[16], 1'b0,
        sum_generate[14], 1'b0, sum_generate[12], 1'b0, sum_generate[10], 1'b0, sum_generate[8],
        1'b0, sum_generate[6], 1'b0, sum_generate[4], 1'b0, sum_generate[2], 1'b0, sum_generate[0],
        1'b0};
    wire [57:0] sum_generate_1 = sum_generate | sum_generate_1_and;
    wire [57:0] sum_propagate_1 = sum_propagate[57:0]
        & {sum_propagate[56], 1'b1, sum_propagate[54], 1'b1, sum_propagate[52], 1'b1,
        sum_propagate[50], 1'b1, sum_propagate[48], 1'b1, sum_propagate[46], 1'b1,
        sum_propagate[44], 1'b1, sum_propagate[42], 1'b1, sum_propagate[40], 1'b1,
        sum_propagate[38], 1'b1, sum_propagate[36], 1'b1, sum_propagate[34], 1'b1,
        sum_propagate[32], 1'b1, sum_propagate[30], 1'b1, sum_propagate[28], 1'b1,
        sum_propagate[26], 1'b1, sum_propagate[24], 1'b1, sum_propagate[22], 1'b1,
        sum_propagate[20], 1'b1, sum_propagate[18], 1'b1, sum_propagate[16], 1'b1,
        sum_propagate[14], 1'b1, sum_propagate[12], 1'b1, sum_propagate[10], 1'b1, sum_propagate[8],
        1'b1, sum_propagate[6], 1'b1, sum_propagate[4], 1'b1, sum_propagate[2], 1'b1,
        sum_propagate[0], 1'b1};
    wire [57:0] sum_generate_2_and = sum_propagate_1
        & {2'd0, {2{sum_generate_1[53]}}, 2'd0, {2{sum_generate_1[49]}}, 2'd0,
        {2{sum_generate_1[45]}}, 2'd0, {2{sum_generate_1[41]}}, 2'd0, {2{sum_generate_1[37]}}, 2'd0,
        {2{sum_generate_1[33]}}, 2'd0, {2{sum_generate_1[29]}}, 2'd0, {2{sum_generate_1[25]}}, 2'd0,
        {2{sum_generate_1[21]}}, 2'd0, {2{sum_generate_1[17]}}, 2'd0, {2{sum_generate_1[13]}}, 2'd0,
        {2{sum_generate_1[9]}}, 2'd0, {2{sum_generate_1[5]}}, 2'd0, {2{sum_generate_1[1]}}, 2'd0};
    wire [57:0] sum_generate_2 = sum_generate_1 | sum_generate_2_and;
    wire [57:0] sum_propagate_2 = sum_propagate_1 & {2'b11, {2{sum_propagate_1[53]}}, 2'b11,
        {2{sum_propagate_1[49]}}, 2'b11, {2{sum_propagate_1[45]}}, 2'b11, {2{sum_propagate_1[41]}},
        2'b11, {2{sum_propagate_1[37]}}, 2'b11, {2{sum_propagate_1[33]}}, 2'b11,
        {2{sum_propagate_1[29]}}, 2'b11, {2{sum_propagate_1[25]}}, 2'b11, {2{sum_propagate_1[21]}},
        2'b11, {2{sum_propagate_1[17]}}, 2'b11, {2{sum_propagate_1[13]}}, 2'b11,
        {2{sum_propagate_1[9]}}, 2'b11, {2{sum_propagate_1[5]}}, 2'b11, {2{sum_propagate_1[1]}},
        2'b11};
    wire [57:0] sum_generate_3_and = sum_propagate_2
        & {2'd0, {4{sum_generate_2[51]}}, 4'd0, {4{sum_generate_2[43]}}, 4'd0,
        {4{sum_generate_2[35]}}, 4'd0, {4{sum_generate_2[27]}}, 4'd0, {4{sum_generate_2[19]}}, 4'd0,
        {4{sum_generate_2[11]}}, 4'd0, {4{sum_generate_2[3]}}, 4'd0};
    wire [57:0] sum_generate_3 = sum_generate_2 | sum_generate_3_and;
    wire [57:0] sum_propagate_3 = sum_propagate_2 & {2'b11, {4{sum_propagate_2[51]}}, 4'b1111,
        {4{sum_propagate_2[43]}}, 4'b1111, {4{sum_propagate_2[35]}}, 4'b1111,
        {4{sum_propagate_2[27]}}, 4'b1111, {4{sum_propagate_2[19]}}, 4'b1111,
        {4{sum_propagate_2[11]}}, 4'b1111, {4{sum_propagate_2[3]}}, 4'b1111};
    wire [57:0] sum_generate_4_and = sum_propagate_3
        & {{2{sum_generate_3[55]}}, 8'd0, {8{sum_generate_3[39]}}, 8'd0, {8{sum_generate_3[23]}},
        8'd0, {8{sum_generate_3[7]}}, 8'd0};
    wire [57:0] sum_generate_4 = sum_generate_3 | sum_generate_4_and;
    wire [57:0] sum_propagate_4 = sum_propagate_3 & {{2{sum_propagate_3[55]}}, {8{1'b1}},
        {8{sum_propagate_3[39]}}, {8{1'b1}}, {8{sum_propagate_3[23]}}, {8{1'b1}},
        {8{sum_propagate_3[7]}}, {8{1'b1}}};
    wire [57:0] sum_generate_5_and = sum_propagate_4
        & {{10{sum_generate_4[47]}}, 16'd0, {16{sum_generate_4[15]}}, 16'd0};
    wire [57:0] sum_generate_5 = sum_generate_4 | sum_generate_5_and;
    wire [57:0] sum_propagate_5 = sum_propagate_4 & {{10{sum_propagate_4[47]}}, {16{1'b1}},
        {16{sum_propagate_4[15]}}, {16{1'b1}}};
    wire [57:0] sum_generate_6 = sum_generate_5 | (sum_propagate_5
        & {{26{sum_generate_5[31]}}, 32'd0});
    wire [56:0] sum_propagate_6 = {{25{sum_propagate_5[31]}}, {32{1'b1}}} & sum_propagate_5[56:0];
    wire sum_negative = subtract_magnitudes & (sum_propagate[58] ^ sum_generate_6[57]);
    wire sum_carry = subtract_magnitudes & ~sum_negative;
    wire [57:0] sum_xor = sum_propagate[57:0] ^ {(sum_propagate_6 & {57{sum_carry}})
        | sum_generate_6[56:0], sum_carry};
    wire [57:0] sum = sum_xor ^ {58{sum_negative}};
    wire cancelled = subtract_magnitudes & ~(|sum);
    wire sign = (product_sign ^ sum_negative) & ~cancelled;

    // ---- Normalise
    wire [7:0] shift_limit = window_exponent + 8'h7e;
    wire limit_marker_inverted = ~(|shift_limit[7:6]);
    wire limit_marker_inverted_2 = ~(|shift_limit[2:0]);
    wire limit_marker_eq = shift_limit[2:0] == 3'b001;
    wire limit_marker_eq_2 = shift_limit[2:0] == 3'b010;
    wire limit_marker_eq_3 = shift_limit[2:0] == 3'b011;
    wire limit_marker_eq_4 = shift_limit[2:0] == 3'b100;
    wire limit_marker_eq_5 = shift_limit[2:0] == 3'b101;
    wire limit_marker_eq_6 = shift_limit[2:0] == 3'b110;
    wire limit_marker_all = &shift_limit[2:0];
    wire limit_marker_and = limit_marker_inverted & ~(|shift_limit[5:3]);
    wire limit_marker_and_2 = limit_marker_inverted & (shift_limit[5:3] == 3'b001);
    wire limit_marker_and_3 = limit_marker_inverted & (shift_limit[5:3] == 3'b010);
    wire limit_marker_and_4 = limit_marker_inverted & (shift_limit[5:3] == 3'b011);
    wire limit_marker_and_5 = limit_marker_inverted & (shift_limit[5:3] == 3'b100);
    wire limit_marker_and_6 = limit_marker_inverted & (shift_limit[5:3] == 3'b101);
    wire limit_marker_and_7 = limit_marker_inverted & (shift_limit[5:3] == 3'b110);
    wire [56:0] marked = {limit_marker_inverted_2 & limit_marker_and, limit_marker_eq
        & limit_marker_and, limit_marker_eq_2 & limit_marker_and, limit_marker_eq_3
        & limit_marker_and, limit_marker_eq_4 & limit_marker_and, limit_marker_eq_5
        & limit_marker_and, limit_marker_eq_6 & limit_marker_and, limit_marker_all
        & limit_marker_and, limit_marker_inverted_2 & limit_marker_and_2, limit_marker_eq
        & limit_marker_and_2, limit_marker_eq_2 & limit_marker_and_2, limit_marker_eq_3
        & limit_marker_and_2, limit_marker_eq_4 & limit_marker_and_2, limit_marker_eq_5
        & limit_marker_and_2, limit_marker_eq_6 & limit_marker_and_2, limit_marker_all
        & limit_marker_and_2, limit_marker_inverted_2 & limit_marker_and_3, limit_marker_eq
        & limit_marker_and_3, limit_marker_eq_2 & limit_marker_and_3, limit_marker_eq_3
        & limit_marker_and_3, limit_marker_eq_4 & limit_marker_and_3, limit_marker_eq_5
        & limit_marker_and_3, limit_marker_eq_6 & limit_marker_and_3, limit_marker_all
        & limit_marker_and_3, limit_marker_inverted_2 & limit_marker_and_4, limit_marker_eq
        & limit_marker_and_4, limit_marker_eq_2 & limit_marker_and_4, limit_marker_eq_3
        & limit_marker_and_4, limit_marker_eq_4 & limit_marker_and_4, limit_marker_eq_5
        & limit_marker_and_4, limit_marker_eq_6 & limit_marker_and_4, limit_marker_all
        & limit_marker_and_4, limit_marker_inverted_2 & limit_marker_and_5, limit_marker_eq
        & limit_marker_and_5, limit_marker_eq_2 & limit_marker_and_5, limit_marker_eq_3
        & limit_marker_and_5, limit_marker_eq_4 & limit_marker_and_5, limit_marker_eq_5
        & limit_marker_and_5, limit_marker_eq_6 & limit_marker_and_5, limit_marker_all
        & limit_marker_and_5, limit_marker_inverted_2 & limit_marker_and_6, limit_marker_eq
        & limit_marker_and_6, limit_marker_eq_2 & limit_marker_and_6, limit_marker_eq_3
        & limit_marker_and_6, limit_marker_eq_4 & limit_marker_and_6, limit_marker_eq_5
        & limit_marker_and_6, limit_marker_eq_6 & limit_marker_and_6, limit_marker_all
        & limit_marker_and_6, limit_marker_inverted_2 & limit_marker_and_7, limit_marker_eq
        & limit_marker_and_7, limit_marker_eq_2 & limit_marker_and_7, limit_marker_eq_3
        & limit_marker_and_7, limit_marker_eq_4 & limit_marker_and_7, limit_marker_eq_5
        & limit_marker_and_7, limit_marker_eq_6 & limit_marker_and_7, limit_marker_all
        & limit_marker_and_7, limit_marker_inverted_2 & limit_marker_inverted & (&shift_limit[5:3])}
        | sum[57:1];
    wire normalised_32_or = marked[56] | marked[55];
    wire normalised_32_or_2 = marked[52] | marked[51];
    wire normalised_32_or_3 = marked[48] | marked[47];
    wire normalised_32_or_4 = marked[44] | marked[43];
    wire normalised_32_or_5 = marked[40] | marked[39];
    wire normalised_32_or_6 = marked[36] | marked[35];
    wire normalised_32_or_7 = marked[32] | marked[31];
    wire normalised_32_or_8 = marked[28] | marked[27];
    wire normalised_32_or_9 = normalised_32_or | marked[54] | marked[53];
    wire normalised_32_or_10 = normalised_32_or_3 | marked[46] | marked[45];
    wire normalised_32_or_11 = normalised_32_or_5 | marked[38] | marked[37];
    wire normalised_32_or_12 = normalised_32_or_7 | marked[30] | marked[29];
    wire [1:0] normalised_16_mux = normalised_32_or_9
        ? {~normalised_32_or, normalised_32_or ? ~marked[56] : ~marked[54]}
        : {~normalised_32_or_2, normalised_32_or_2 ? ~marked[52] : ~marked[50]};
    wire normalised_32_or_13 = normalised_32_or_9 | normalised_32_or_2 | marked[50] | marked[49];
    wire [1:0] normalised_16_mux_2 = normalised_32_or_10
        ? {~normalised_32_or_3, normalised_32_or_3 ? ~marked[48] : ~marked[46]}
        : {~normalised_32_or_4, normalised_32_or_4 ? ~marked[44] : ~marked[42]};
    wire [2:0] normalised_16_mux_5 = normalised_32_or_13 ? {~normalised_32_or_9, normalised_16_mux}
        : {~normalised_32_or_10, normalised_16_mux_2};
    wire normalised_32_or_14 = normalised_32_or_13 | normalised_32_or_10 | normalised_32_or_4
        | marked[42] | marked[41];
    wire [1:0] normalised_16_mux_3 = normalised_32_or_11
        ? {~normalised_32_or_5, normalised_32_or_5 ? ~marked[40] : ~marked[38]}
        : {~normalised_32_or_6, normalised_32_or_6 ? ~marked[36] : ~marked[34]};
    wire normalised_32_or_15 = normalised_32_or_11 | normalised_32_or_6 | marked[34] | marked[33];
    wire [1:0] normalised_16_mux_4 = normalised_32_or_12
        ? {~normalised_32_or_7, normalised_32_or_7 ? ~marked[32] : ~marked[30]}
        : {~normalised_32_or_8, normalised_32_or_8 ? ~marked[28] : ~marked[26]};
    wire [2:0] normalised_16_mux_6 = normalised_32_or_15
        ? {~normalised_32_or_11, normalised_16_mux_3} : {~normalised_32_or_12, normalised_16_mux_4};
    wire normalised_32_or_16 = normalised_32_or_15 | normalised_32_or_12 | normalised_32_or_8
        | marked[26] | marked[25];
    wire [3:0] normalised_16_mux_12 = normalised_32_or_14
        ? {~normalised_32_or_13, normalised_16_mux_5} : {~normalised_32_or_15, normalised_16_mux_6};
    wire normalised_32_or_17 = normalised_32_or_14 | normalised_32_or_16;
    wire normalised_16_or = marked[24] | marked[23];
    wire normalised_16_or_2 = marked[20] | marked[19];
    wire normalised_16_or_3 = marked[16] | marked[15];
    wire normalised_16_or_4 = marked[12] | marked[11];
    wire normalised_16_or_5 = marked[8] | marked[7];
    wire normalised_16_or_6 = marked[4] | marked[3];
    wire normalised_16_or_7 = normalised_16_or | marked[22] | marked[21];
    wire normalised_16_or_8 = normalised_16_or_3 | marked[14] | marked[13];
    wire normalised_16_or_9 = normalised_16_or_5 | marked[6] | marked[5];
    wire [1:0] normalised_16_mux_7 = normalised_16_or_7
        ? {~normalised_16_or, normalised_16_or ? ~marked[24] : ~marked[22]}
        : {~normalised_16_or_2, normalised_16_or_2 ? ~marked[20] : ~marked[18]};
    wire normalised_16_or_10 = normalised_16_or_7 | normalised_16_or_2 | marked[18] | marked[17];
    wire [1:0] normalised_16_mux_8 = normalised_16_or_8
        ? {~normalised_16_or_3, normalised_16_or_3 ? ~marked[16] : ~marked[14]}
        : {~normalised_16_or_4, normalised_16_or_4 ? ~marked[12] : ~marked[10]};
    wire [2:0] normalised_16_mux_10 = normalised_16_or_10
        ? {~normalised_16_or_7, normalised_16_mux_7} : {~normalised_16_or_8, normalised_16_mux_8};
    wire normalised_16_or_11 = normalised_16_or_10 | normalised_16_or_8 | normalised_16_or_4
        | marked[10] | marked[9];
    wire [1:0] normalised_16_mux_9 = normalised_16_or_9
        ? {~normalised_16_or_5, normalised_16_or_5 ? ~marked[8] : ~marked[6]}
        : {~normalised_16_or_6, normalised_16_or_6 ? ~marked[4] : ~marked[2]};
    wire normalised_16_or_12 = normalised_16_or_9 | normalised_16_or_6 | marked[2] | marked[1];
    wire [2:0] normalised_16_mux_11 = normalised_16_or_12
        ? {~normalised_16_or_9, normalised_16_mux_9} : {2'd0, ~marked[0]};
    wire [3:0] normalised_16_mux_13 = normalised_16_or_11
        ? {~normalised_16_or_10, normalised_16_mux_10}
        : {~normalised_16_or_12, normalised_16_mux_11};
    wire [4:0] normalised_16_mux_14 = normalised_32_or_17
        ? {~normalised_32_or_14, normalised_16_mux_12}
        : {~normalised_16_or_11, normalised_16_mux_13};
    wire [57:0] normalised_32 = normalised_32_or_17 ? sum : {sum[25:0], 32'd0};
    wire [57:0] normalised_16 = normalised_16_mux_14[4] ? {normalised_32[41:0], 16'd0}
        : normalised_32;
    wire [57:0] normalised_8 = normalised_16_mux_14[3] ? {normalised_16[49:0], 8'd0}
        : normalised_16;
    wire [57:0] normalised_4 = normalised_16_mux_14[2] ? {normalised_8[53:0], 4'd0} : normalised_8;
    wire [57:0] normalised_2 = normalised_16_mux_14[1] ? {normalised_4[55:0], 2'd0} : normalised_4;
    wire [57:0] normalised_1 = normalised_16_mux_14[0] ? {normalised_2[56:0], 1'b0} : normalised_2;
    wire sticky = |normalised_1[32:0];

    // ---- Special operands
    wire product_nan_or = (a_infinite & product_zero_inverted_2)
        | (b_infinite & product_zero_inverted);
    wire product_nan = product_nan_or | a_nan | b_nan;
    wire product_infinite = (a_infinite | b_infinite) & ~product_nan;
    wire result_nan_or = base_nan | product_nan;
    wire result_nan_and = subtract_magnitudes & base_infinite & product_infinite & ~result_nan_or;
    wire result_infinite = ~result_nan_or & (base_infinite | product_infinite) & ~result_nan_and;
    wire result_nan = result_nan_or | result_nan_and;

    // ---- Round to fp32
    wire [7:0] unrounded_sum = (shift_limit - {2'd0, ~normalised_32_or_17, normalised_16_mux_14})
        + 8'h01;
    wire [7:0] unrounded_and = unrounded_sum & {8{normalised_1[57]}};
    wire round_up = normalised_1[33] & (sticky | normalised_1[34]);
    wire [29:0] rounded_ones_1 = {unrounded_and[6:0], normalised_1[56:34]}
        & {unrounded_and[5], 1'b1, unrounded_and[3], 1'b1, unrounded_and[1], 1'b1, normalised_1[56],
        1'b1, normalised_1[54], 1'b1, normalised_1[52], 1'b1, normalised_1[50], 1'b1,
        normalised_1[48], 1'b1, normalised_1[46], 1'b1, normalised_1[44], 1'b1, normalised_1[42],
        1'b1, normalised_1[40], 1'b1, normalised_1[38], 1'b1, normalised_1[36], 1'b1,
        normalised_1[34], 1'b1};
    wire [29:0] rounded_ones_2 = rounded_ones_1 & {2'b11, {2{rounded_ones_1[25]}}, 2'b11,
        {2{rounded_ones_1[21]}}, 2'b11, {2{rounded_ones_1[17]}}, 2'b11, {2{rounded_ones_1[13]}},
        2'b11, {2{rounded_ones_1[9]}}, 2'b11, {2{rounded_ones_1[5]}}, 2'b11, {2{rounded_ones_1[1]}},
        2'b11};
    wire [29:0] rounded_ones_3 = rounded_ones_2 & {{2{rounded_ones_2[27]}}, 4'b1111,
        {4{rounded_ones_2[19]}}, 4'b1111, {4{rounded_ones_2[11]}}, 4'b1111, {4{rounded_ones_2[3]}},
        4'b1111};
    wire [29:0] rounded_ones_4 = rounded_ones_3 & {{6{rounded_ones_3[23]}}, {8{1'b1}},
        {8{rounded_ones_3[7]}}, {8{1'b1}}};
    wire [29:0] rounded_ones_5 = rounded_ones_4 & {{14{rounded_ones_4[15]}}, {16{1'b1}}};
    wire [30:0] rounded = ({rounded_ones_5, 1'b1} & {31{round_up}})
        ^ {unrounded_and, normalised_1[56:34]};
    wire forced_and = result_infinite & ~result_nan;
    wire forced = result_nan | forced_and;
    wire [30:0] magnitude = (rounded & {31{~forced}}) | {{9{result_nan}}, 22'd0}
        | {{8{forced_and}}, 23'd0};
    wire result_sign = ~result_nan & (result_infinite ? (product_infinite ? product_sign : base[31])
        : sign);

    always @(posedge clk) begin
        if (rst) begin
            valid_s1 <= 1'b0;
            accumulator <= 32'd0;
        end else begin
            valid_s1 <= in_valid;
            if (in_valid) begin
                accumulator <= {result_sign, magnitude};
            end
        end
    end

    // ==== Stage 1 ============================================================

    // ---- Outputs
    assign out_valid = valid_s1;
    assign result = accumulator;

endmodule

`default_nettype wire
