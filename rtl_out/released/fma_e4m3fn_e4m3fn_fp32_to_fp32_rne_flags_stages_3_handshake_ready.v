// -------------------------------------------------------------------------------------------------
// fma_e4m3fn_e4m3fn_fp32_to_fp32_rne_flags_stages_3_handshake_ready
//
// fma e4m3fn e4m3fn fp32 -> fp32 rne flags=on stages=3 handshake=ready
//
// Contract  correctly rounded, RNE
// Latency   3 clocks, one operation every clock, more while out_ready is low
// Rounding  rne
// Options   overflow ieee, tininess after rounding, subnormals full, flags on, handshake ready
//
// Port       Dir  Bits  Meaning
// clk        in      1  clock, rising edge
// rst        in      1  reset, synchronous, active high (valid bits and accumulators only)
// in_valid   in      1  operands are there
// in_ready   out     1  operands are taken at the next clock edge
// a          in      8  operand, e4m3fn: e4m3:inf=none,nan=allones
// b          in      8  operand, e4m3fn: e4m3:inf=none,nan=allones
// c          in     32  addend, fp32: e8m23:inf=ieee,nan=ieee
// out_valid  out     1  a result is there
// out_ready  in      1  the result is taken at the next clock edge
// result     out    32  result, fp32: e8m23:inf=ieee,nan=ieee
// flags      out     5  exceptions {NV, DZ, OF, UF, NX}
//
// Stages (266 register bits in the datapath):
//    0  a_normal, a_exponent_lsb, a_nan, b_normal, ... shift_limit, product_nan, result_nan (40
//       steps)
//    1  addend, product_tree_3_half, product_tree_3_sum, product_tree_3_carry, ... sum_propagate_6,
//       sum_negative, sum_carry (20 steps)
//    2  sum, cancelled, sign, marked, ... sticky, result_infinite, result_sign (13 steps)
//    3  round_up, rounded_ones_1, rounded_ones_2, rounded_ones_3, ... flag_of, flag_uf, flag_nx (14
//       steps)
// -------------------------------------------------------------------------------------------------

`default_nettype none

module fma_e4m3fn_e4m3fn_fp32_to_fp32_rne_flags_stages_3_handshake_ready (
    input  wire        clk,
    input  wire        rst,
    input  wire        in_valid,
    output wire        in_ready,
    input  wire [7:0]  a,
    input  wire [7:0]  b,
    input  wire [31:0] c,
    output wire        out_valid,
    input  wire        out_ready,
    output wire [31:0] result,
    output wire [4:0]  flags
);

    // ---- Handshake
    reg valid_s1;
    reg valid_s2;
    reg valid_s3;
    wire ready_s3 = ~valid_s3 | out_ready;
    wire ready_s2 = ~valid_s2 | ready_s3;
    wire ready_s1 = ~valid_s1 | ready_s2;

    // ==== Stage 0 ============================================================

    // ---- Unpack a: e4m3fn
    wire a_normal = |a[6:3];
    wire a_exponent_lsb = a[3] | ~a_normal;
    wire a_nan = &a[6:0];

    // ---- Unpack b: e4m3fn
    wire b_normal = |b[6:3];
    wire b_exponent_lsb = b[3] | ~b_normal;
    wire b_nan = &b[6:0];

    // ---- Unpack c: fp32
    wire c_normal = |c[30:23];
    wire c_exponent_lsb = c[23] | ~c_normal;
    wire c_top_binade = &c[30:23];
    wire c_nan_any = |c[22:0];
    wire c_infinite = c_top_binade & ~c_nan_any;
    wire c_nan = c_top_binade & c_nan_any;
    wire c_signaling = c_nan & ~c[22];

    // ---- Align the addend
    wire [4:0] product_exponent = {1'b0, a[6:4], a_exponent_lsb} + {1'b0, b[6:4], b_exponent_lsb};
    wire product_sign = a[7] ^ b[7];
    wire subtract_magnitudes = c[31] ^ product_sign;
    wire [8:0] alignment = ({4'd0, product_exponent} - {1'b0, c[30:24], c_exponent_lsb}) + 9'h08d;
    wire product_zero = ~(|{a_normal, a[2:0]}) | ~(|{b_normal, b[2:0]});
    wire addend_leads = product_zero | alignment[8];
    wire [7:0] align_by_and = alignment[7:0] & {8{~addend_leads}};
    wire [5:0] align_by = align_by_and[5:0] | {6{|align_by_and[7:6]}};
    wire [55:0] aligned_32 = align_by[5] ? {32'd0, c_normal, c[22:0]} : {c_normal, c[22:0], 32'd0};
    wire [60:0] aligned_16 = align_by[4] ? {16'd0, aligned_32[55:11]} : {aligned_32, 5'd0};
    wire [60:0] aligned_8 = align_by[3] ? {8'd0, aligned_16[60:8]} : aligned_16;
    wire aligned_sticky_or = ((|aligned_32[10:0]) & align_by[4])
        | ((|aligned_16[7:0]) & align_by[3]) | ((|aligned_8[3:0]) & align_by[2]);
    wire [60:0] aligned_4 = align_by[2] ? {4'd0, aligned_8[60:4]} : aligned_8;
    wire [60:0] aligned_2 = align_by[1] ? {2'd0, aligned_4[60:2]} : aligned_4;
    wire aligned_sticky = aligned_sticky_or | ((|aligned_4[1:0]) & align_by[1])
        | (aligned_2[0] & align_by[0]);
    wire [60:0] aligned_1 = align_by[0] ? {1'b0, aligned_2[60:1]} : aligned_2;
    wire [7:0] window_exponent = addend_leads ? ({c[30:24], c_exponent_lsb} + 8'h81)
        : {2'd0, {1'b0, product_exponent} + 6'h0e};

    // ---- Multiply and add
    wire [3:0] product_row_0 = {a_normal, a[2:0]} & {4{b[0]}};
    wire [3:0] product_row_1 = {a_normal, a[2:0]} & {4{b[1]}};
    wire [3:0] product_row_2 = {a_normal, a[2:0]} & {4{b[2]}};
    wire [3:0] product_row_3 = {a_normal, a[2:0]} & {4{b_normal}};
    wire [2:0] product_tree_1_half = {1'b0, product_row_0[3:2]} ^ product_row_1[3:1];
    wire [2:0] product_tree_1_sum = product_row_2[2:0] ^ product_tree_1_half;
    wire [2:0] product_tree_1_carry = ({1'b0, product_row_0[3:2]} & product_row_1[3:1])
        | (product_row_2[2:0] & product_tree_1_half);
    wire [2:0] product_tree_2_half_bits = {product_row_2[3], product_tree_1_sum[2:1]};
    wire [2:0] product_tree_2_half = product_row_3[2:0] ^ product_tree_2_half_bits;
    wire [2:0] product_tree_2_sum = product_tree_1_carry ^ product_tree_2_half;
    wire [2:0] product_tree_2_carry = (product_row_3[2:0] & product_tree_2_half_bits)
        | (product_tree_1_carry & product_tree_2_half);

    // ---- Normalise
    wire [7:0] shift_limit = window_exponent + 8'h7e;

    // ---- Special operands
    wire product_nan = a_nan | b_nan;
    wire result_nan = c_nan | product_nan;

    // ---- Registers after stage 0
    reg c_31_s1;
    reg c_infinite_s1;
    reg c_signaling_s1;
    reg product_sign_s1;
    reg subtract_magnitudes_s1;
    reg aligned_sticky_s1;
    reg [60:0] aligned_1_s1;
    reg [1:0] product_row_0_s1;
    reg product_row_1_0_s1;
    reg product_row_3_3_s1;
    reg product_tree_1_sum_0_s1;
    reg [2:0] product_tree_2_sum_s1;
    reg [2:0] product_tree_2_carry_s1;
    reg [7:0] shift_limit_s1;
    reg result_nan_s1;

    always @(posedge clk) begin
        if (ready_s1) begin
            c_31_s1 <= c[31];
            c_infinite_s1 <= c_infinite;
            c_signaling_s1 <= c_signaling;
            product_sign_s1 <= product_sign;
            subtract_magnitudes_s1 <= subtract_magnitudes;
            aligned_sticky_s1 <= aligned_sticky;
            aligned_1_s1 <= aligned_1;
            product_row_0_s1 <= product_row_0[1:0];
            product_row_1_0_s1 <= product_row_1[0];
            product_row_3_3_s1 <= product_row_3[3];
            product_tree_1_sum_0_s1 <= product_tree_1_sum[0];
            product_tree_2_sum_s1 <= product_tree_2_sum;
            product_tree_2_carry_s1 <= product_tree_2_carry;
            shift_limit_s1 <= shift_limit;
            result_nan_s1 <= result_nan;
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            valid_s1 <= 1'b0;
        end else if (ready_s1) begin
            valid_s1 <= in_valid;
        end
    end

    // ==== Stage 1 ============================================================

    // ---- Multiply and add
    wire [62:0] addend = {1'b0, aligned_1_s1, aligned_sticky_s1} ^ {63{subtract_magnitudes_s1}};
    wire [5:0] product_tree_3_half_bits = {product_tree_2_carry_s1, 2'd0, product_row_1_0_s1};
    wire [5:0] product_tree_3_half_bits_2 = {product_row_3_3_s1, product_tree_2_sum_s1,
        product_tree_1_sum_0_s1, product_row_0_s1[1]};
    wire [5:0] product_tree_3_half = product_tree_3_half_bits ^ product_tree_3_half_bits_2;
    wire [5:0] product_tree_3_sum = addend[33:28] ^ product_tree_3_half;
    wire [5:0] product_tree_3_carry = (product_tree_3_half_bits & product_tree_3_half_bits_2)
        | (addend[33:28] & product_tree_3_half);
    wire [62:0] sum_propagate = {addend[62:34], product_tree_3_sum, addend[27:0]}
        ^ {28'd0, product_tree_3_carry, 1'b0, product_row_0_s1[0], 27'd0};
    wire [61:0] sum_generate = {addend[61:34], product_tree_3_sum, addend[27:0]}
        & {27'd0, product_tree_3_carry, 1'b0, product_row_0_s1[0], 27'd0};
    wire [61:0] sum_generate_1_and = sum_propagate[61:0]
        & {sum_generate[60], 1'b0, sum_generate[58], 1'b0, sum_generate[56], 1'b0, sum_generate[54],
        1'b0, sum_generate[52], 1'b0, sum_generate[50], 1'b0, sum_generate[48], 1'b0,
        sum_generate[46], 1'b0, sum_generate[44], 1'b0, sum_generate[42], 1'b0, sum_generate[40],
        1'b0, sum_generate[38], 1'b0, sum_generate[36], 1'b0, sum_generate[34], 1'b0,
        sum_generate[32], 1'b0, sum_generate[30], 1'b0, sum_generate[28], 1'b0, sum_generate[26],
        1'b0, sum_generate[24], 1'b0, sum_generate[22], 1'b0, sum_generate[20], 1'b0,
        sum_generate[18], 1'b0, sum_generate[16], 1'b0, sum_generate[14], 1'b0, sum_generate[12],
        1'b0, sum_generate[10], 1'b0, sum_generate[8], 1'b0, sum_generate[6], 1'b0, sum_generate[4],
        1'b0, sum_generate[2], 1'b0, sum_generate[0], 1'b0};
    wire [61:0] sum_generate_1 = sum_generate | sum_generate_1_and;
    wire [61:0] sum_propagate_1 = sum_propagate[61:0]
        & {sum_propagate[60], 1'b1, sum_propagate[58], 1'b1, sum_propagate[56], 1'b1,
        sum_propagate[54], 1'b1, sum_propagate[52], 1'b1, sum_propagate[50], 1'b1,
        sum_propagate[48], 1'b1, sum_propagate[46], 1'b1, sum_propagate[44], 1'b1,
        sum_propagate[42], 1'b1, sum_propagate[40], 1'b1, sum_propagate[38], 1'b1,
        sum_propagate[36], 1'b1, sum_propagate[34], 1'b1, sum_propagate[32], 1'b1,
        sum_propagate[30], 1'b1, sum_propagate[28], 1'b1, sum_propagate[26], 1'b1,
        sum_propagate[24], 1'b1, sum_propagate[22], 1'b1, sum_propagate[20], 1'b1,
        sum_propagate[18], 1'b1, sum_propagate[16], 1'b1, sum_propagate[14], 1'b1,
        sum_propagate[12], 1'b1, sum_propagate[10], 1'b1, sum_propagate[8], 1'b1, sum_propagate[6],
        1'b1, sum_propagate[4], 1'b1, sum_propagate[2], 1'b1, sum_propagate[0], 1'b1};
    wire [61:0] sum_generate_2_and = sum_propagate_1
        & {2'd0, {2{sum_generate_1[57]}}, 2'd0, {2{sum_generate_1[53]}}, 2'd0,
        {2{sum_generate_1[49]}}, 2'd0, {2{sum_generate_1[45]}}, 2'd0, {2{sum_generate_1[41]}}, 2'd0,
        {2{sum_generate_1[37]}}, 2'd0, {2{sum_generate_1[33]}}, 2'd0, {2{sum_generate_1[29]}}, 2'd0,
        {2{sum_generate_1[25]}}, 2'd0, {2{sum_generate_1[21]}}, 2'd0, {2{sum_generate_1[17]}}, 2'd0,
        {2{sum_generate_1[13]}}, 2'd0, {2{sum_generate_1[9]}}, 2'd0, {2{sum_generate_1[5]}}, 2'd0,
        {2{sum_generate_1[1]}}, 2'd0};
    wire [61:0] sum_generate_2 = sum_generate_1 | sum_generate_2_and;
    wire [61:0] sum_propagate_2 = sum_propagate_1 & {2'b11, {2{sum_propagate_1[57]}}, 2'b11,
        {2{sum_propagate_1[53]}}, 2'b11, {2{sum_propagate_1[49]}}, 2'b11, {2{sum_propagate_1[45]}},
        2'b11, {2{sum_propagate_1[41]}}, 2'b11, {2{sum_propagate_1[37]}}, 2'b11,
        {2{sum_propagate_1[33]}}, 2'b11, {2{sum_propagate_1[29]}}, 2'b11, {2{sum_propagate_1[25]}},
        2'b11, {2{sum_propagate_1[21]}}, 2'b11, {2{sum_propagate_1[17]}}, 2'b11,
        {2{sum_propagate_1[13]}}, 2'b11, {2{sum_propagate_1[9]}}, 2'b11, {2{sum_propagate_1[5]}},
        2'b11, {2{sum_propagate_1[1]}}, 2'b11};
    wire [61:0] sum_generate_3_and = sum_propagate_2
        & {{2{sum_generate_2[59]}}, 4'd0, {4{sum_generate_2[51]}}, 4'd0, {4{sum_generate_2[43]}},
        4'd0, {4{sum_generate_2[35]}}, 4'd0, {4{sum_generate_2[27]}}, 4'd0, {4{sum_generate_2[19]}},
        4'd0, {4{sum_generate_2[11]}}, 4'd0, {4{sum_generate_2[3]}}, 4'd0};
    wire [61:0] sum_generate_3 = sum_generate_2 | sum_generate_3_and;
    wire [61:0] sum_propagate_3 = sum_propagate_2 & {{2{sum_propagate_2[59]}}, 4'b1111,
        {4{sum_propagate_2[51]}}, 4'b1111, {4{sum_propagate_2[43]}}, 4'b1111,
        {4{sum_propagate_2[35]}}, 4'b1111, {4{sum_propagate_2[27]}}, 4'b1111,
        {4{sum_propagate_2[19]}}, 4'b1111, {4{sum_propagate_2[11]}}, 4'b1111,
        {4{sum_propagate_2[3]}}, 4'b1111};
    wire [61:0] sum_generate_4_and = sum_propagate_3
        & {{6{sum_generate_3[55]}}, 8'd0, {8{sum_generate_3[39]}}, 8'd0, {8{sum_generate_3[23]}},
        8'd0, {8{sum_generate_3[7]}}, 8'd0};
    wire [61:0] sum_generate_4 = sum_generate_3 | sum_generate_4_and;
    wire [61:0] sum_propagate_4 = sum_propagate_3 & {{6{sum_propagate_3[55]}}, {8{1'b1}},
        {8{sum_propagate_3[39]}}, {8{1'b1}}, {8{sum_propagate_3[23]}}, {8{1'b1}},
        {8{sum_propagate_3[7]}}, {8{1'b1}}};
    wire [61:0] sum_generate_5_and = sum_propagate_4
        & {{14{sum_generate_4[47]}}, 16'd0, {16{sum_generate_4[15]}}, 16'd0};
    wire [61:0] sum_generate_5 = sum_generate_4 | sum_generate_5_and;
    wire [61:0] sum_propagate_5 = sum_propagate_4 & {{14{sum_propagate_4[47]}}, {16{1'b1}},
        {16{sum_propagate_4[15]}}, {16{1'b1}}};
    wire [61:0] sum_generate_6 = sum_generate_5 | (sum_propagate_5
        & {{30{sum_generate_5[31]}}, 32'd0});
    wire [60:0] sum_propagate_6 = {{29{sum_propagate_5[31]}}, {32{1'b1}}} & sum_propagate_5[60:0];
    wire sum_negative = subtract_magnitudes_s1 & (sum_propagate[62] ^ sum_generate_6[61]);
    wire sum_carry = subtract_magnitudes_s1 & ~sum_negative;
    wire [60:0] sum_or = (sum_propagate_6 & {61{sum_carry}}) | sum_generate_6[60:0];
    wire sign_xor = product_sign_s1 ^ sum_negative;

    // ---- Registers after stage 1
    reg c_31_s2;
    reg c_infinite_s2;
    reg c_signaling_s2;
    reg subtract_magnitudes_s2;
    reg [61:0] sum_propagate_s2;
    reg sum_negative_s2;
    reg sum_carry_s2;
    reg [60:0] sum_or_s2;
    reg sign_xor_s2;
    reg [7:0] shift_limit_s2;
    reg result_nan_s2;

    always @(posedge clk) begin
        if (ready_s2) begin
            c_31_s2 <= c_31_s1;
            c_infinite_s2 <= c_infinite_s1;
            c_signaling_s2 <= c_signaling_s1;
            subtract_magnitudes_s2 <= subtract_magnitudes_s1;
            sum_propagate_s2 <= sum_propagate[61:0];
            sum_negative_s2 <= sum_negative;
            sum_carry_s2 <= sum_carry;
            sum_or_s2 <= sum_or;
            sign_xor_s2 <= sign_xor;
            shift_limit_s2 <= shift_limit_s1;
            result_nan_s2 <= result_nan_s1;
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            valid_s2 <= 1'b0;
        end else if (ready_s2) begin
            valid_s2 <= valid_s1;
        end
    end

    // ==== Stage 2 ============================================================

    // ---- Multiply and add
    wire [61:0] sum = sum_propagate_s2 ^ {sum_or_s2, sum_carry_s2} ^ {62{sum_negative_s2}};
    wire cancelled = subtract_magnitudes_s2 & ~(|sum);
    wire sign = sign_xor_s2 & ~cancelled;

    // ---- Normalise
    wire limit_marker_inverted = ~(|shift_limit_s2[7:6]);
    wire limit_marker_inverted_2 = ~(|shift_limit_s2[2:0]);
    wire limit_marker_eq = shift_limit_s2[2:0] == 3'b001;
    wire limit_marker_eq_2 = shift_limit_s2[2:0] == 3'b010;
    wire limit_marker_eq_3 = shift_limit_s2[2:0] == 3'b011;
    wire limit_marker_eq_4 = shift_limit_s2[2:0] == 3'b100;
    wire limit_marker_eq_5 = shift_limit_s2[2:0] == 3'b101;
    wire limit_marker_eq_6 = shift_limit_s2[2:0] == 3'b110;
    wire limit_marker_all = &shift_limit_s2[2:0];
    wire limit_marker_and = limit_marker_inverted & ~(|shift_limit_s2[5:3]);
    wire limit_marker_and_2 = limit_marker_inverted & (shift_limit_s2[5:3] == 3'b001);
    wire limit_marker_and_3 = limit_marker_inverted & (shift_limit_s2[5:3] == 3'b010);
    wire limit_marker_and_4 = limit_marker_inverted & (shift_limit_s2[5:3] == 3'b011);
    wire limit_marker_and_5 = limit_marker_inverted & (shift_limit_s2[5:3] == 3'b100);
    wire limit_marker_and_6 = limit_marker_inverted & (shift_limit_s2[5:3] == 3'b101);
    wire limit_marker_and_7 = limit_marker_inverted & (shift_limit_s2[5:3] == 3'b110);
    wire limit_marker_and_8 = limit_marker_inverted & (&shift_limit_s2[5:3]);
    wire [60:0] marked = {limit_marker_inverted_2 & limit_marker_and, limit_marker_eq
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
        & limit_marker_and_7, limit_marker_inverted_2 & limit_marker_and_8, limit_marker_eq
        & limit_marker_and_8, limit_marker_eq_2 & limit_marker_and_8, limit_marker_eq_3
        & limit_marker_and_8, limit_marker_eq_4 & limit_marker_and_8} | sum[61:1];
    wire normalised_32_or = marked[60] | marked[59];
    wire normalised_32_or_2 = marked[56] | marked[55];
    wire normalised_32_or_3 = marked[52] | marked[51];
    wire normalised_32_or_4 = marked[48] | marked[47];
    wire normalised_32_or_5 = marked[44] | marked[43];
    wire normalised_32_or_6 = marked[40] | marked[39];
    wire normalised_32_or_7 = marked[36] | marked[35];
    wire normalised_32_or_8 = marked[32] | marked[31];
    wire normalised_32_or_9 = normalised_32_or | marked[58] | marked[57];
    wire normalised_32_or_10 = normalised_32_or_3 | marked[50] | marked[49];
    wire normalised_32_or_11 = normalised_32_or_5 | marked[42] | marked[41];
    wire normalised_32_or_12 = normalised_32_or_7 | marked[34] | marked[33];
    wire [1:0] normalised_16_mux = normalised_32_or_9
        ? {~normalised_32_or, normalised_32_or ? ~marked[60] : ~marked[58]}
        : {~normalised_32_or_2, normalised_32_or_2 ? ~marked[56] : ~marked[54]};
    wire normalised_32_or_13 = normalised_32_or_9 | normalised_32_or_2 | marked[54] | marked[53];
    wire [1:0] normalised_16_mux_2 = normalised_32_or_10
        ? {~normalised_32_or_3, normalised_32_or_3 ? ~marked[52] : ~marked[50]}
        : {~normalised_32_or_4, normalised_32_or_4 ? ~marked[48] : ~marked[46]};
    wire [2:0] normalised_16_mux_5 = normalised_32_or_13 ? {~normalised_32_or_9, normalised_16_mux}
        : {~normalised_32_or_10, normalised_16_mux_2};
    wire normalised_32_or_14 = normalised_32_or_13 | normalised_32_or_10 | normalised_32_or_4
        | marked[46] | marked[45];
    wire [1:0] normalised_16_mux_3 = normalised_32_or_11
        ? {~normalised_32_or_5, normalised_32_or_5 ? ~marked[44] : ~marked[42]}
        : {~normalised_32_or_6, normalised_32_or_6 ? ~marked[40] : ~marked[38]};
    wire normalised_32_or_15 = normalised_32_or_11 | normalised_32_or_6 | marked[38] | marked[37];
    wire [1:0] normalised_16_mux_4 = normalised_32_or_12
        ? {~normalised_32_or_7, normalised_32_or_7 ? ~marked[36] : ~marked[34]}
        : {~normalised_32_or_8, normalised_32_or_8 ? ~marked[32] : ~marked[30]};
    wire [2:0] normalised_16_mux_6 = normalised_32_or_15
        ? {~normalised_32_or_11, normalised_16_mux_3} : {~normalised_32_or_12, normalised_16_mux_4};
    wire normalised_32_or_16 = normalised_32_or_15 | normalised_32_or_12 | normalised_32_or_8
        | marked[30] | marked[29];
    wire [3:0] normalised_16_mux_13 = normalised_32_or_14
        ? {~normalised_32_or_13, normalised_16_mux_5} : {~normalised_32_or_15, normalised_16_mux_6};
    wire normalised_32_or_17 = normalised_32_or_14 | normalised_32_or_16;
    wire normalised_16_or = marked[28] | marked[27];
    wire normalised_16_or_2 = marked[24] | marked[23];
    wire normalised_16_or_3 = marked[20] | marked[19];
    wire normalised_16_or_4 = marked[16] | marked[15];
    wire normalised_16_or_5 = marked[12] | marked[11];
    wire normalised_16_or_6 = marked[8] | marked[7];
    wire normalised_16_or_7 = marked[4] | marked[3];
    wire normalised_16_or_8 = normalised_16_or | marked[26] | marked[25];
    wire normalised_16_or_9 = normalised_16_or_3 | marked[18] | marked[17];
    wire normalised_16_or_10 = normalised_16_or_5 | marked[10] | marked[9];
    wire normalised_16_or_11 = normalised_16_or_7 | marked[2] | marked[1];
    wire [1:0] normalised_16_mux_7 = normalised_16_or_8
        ? {~normalised_16_or, normalised_16_or ? ~marked[28] : ~marked[26]}
        : {~normalised_16_or_2, normalised_16_or_2 ? ~marked[24] : ~marked[22]};
    wire normalised_16_or_12 = normalised_16_or_8 | normalised_16_or_2 | marked[22] | marked[21];
    wire [1:0] normalised_16_mux_8 = normalised_16_or_9
        ? {~normalised_16_or_3, normalised_16_or_3 ? ~marked[20] : ~marked[18]}
        : {~normalised_16_or_4, normalised_16_or_4 ? ~marked[16] : ~marked[14]};
    wire [2:0] normalised_16_mux_11 = normalised_16_or_12
        ? {~normalised_16_or_8, normalised_16_mux_7} : {~normalised_16_or_9, normalised_16_mux_8};
    wire normalised_16_or_13 = normalised_16_or_12 | normalised_16_or_9 | normalised_16_or_4
        | marked[14] | marked[13];
    wire [1:0] normalised_16_mux_9 = normalised_16_or_10
        ? {~normalised_16_or_5, normalised_16_or_5 ? ~marked[12] : ~marked[10]}
        : {~normalised_16_or_6, normalised_16_or_6 ? ~marked[8] : ~marked[6]};
    wire normalised_16_or_14 = normalised_16_or_10 | normalised_16_or_6 | marked[6] | marked[5];
    wire [1:0] normalised_16_mux_10 = normalised_16_or_11
        ? {~normalised_16_or_7, normalised_16_or_7 ? ~marked[4] : ~marked[2]} : {1'b0, ~marked[0]};
    wire [2:0] normalised_16_mux_12 = normalised_16_or_14
        ? {~normalised_16_or_10, normalised_16_mux_9} : {~normalised_16_or_11,
        normalised_16_mux_10};
    wire [3:0] normalised_16_mux_14 = normalised_16_or_13
        ? {~normalised_16_or_12, normalised_16_mux_11}
        : {~normalised_16_or_14, normalised_16_mux_12};
    wire [4:0] normalised_16_mux_15 = normalised_32_or_17
        ? {~normalised_32_or_14, normalised_16_mux_13}
        : {~normalised_16_or_13, normalised_16_mux_14};
    wire [61:0] normalised_32 = normalised_32_or_17 ? sum : {sum[29:0], 32'd0};
    wire [61:0] normalised_16 = normalised_16_mux_15[4] ? {normalised_32[45:0], 16'd0}
        : normalised_32;
    wire [61:0] normalised_8 = normalised_16_mux_15[3] ? {normalised_16[53:0], 8'd0}
        : normalised_16;
    wire [61:0] normalised_4 = normalised_16_mux_15[2] ? {normalised_8[57:0], 4'd0} : normalised_8;
    wire [61:0] normalised_2 = normalised_16_mux_15[1] ? {normalised_4[59:0], 2'd0} : normalised_4;
    wire [61:0] normalised_1 = normalised_16_mux_15[0] ? {normalised_2[60:0], 1'b0} : normalised_2;
    wire sticky = |normalised_1[35:0];

    // ---- Special operands
    wire result_infinite_inverted = ~result_nan_s2;
    wire result_infinite = c_infinite_s2 & result_infinite_inverted;

    // ---- Round to fp32
    wire [7:0] unrounded_sum = (shift_limit_s2 - {2'd0, ~normalised_32_or_17, normalised_16_mux_15})
        + 8'h01;
    wire [7:0] unrounded_and = unrounded_sum & {8{normalised_1[61]}};
    wire tiny_inverted = ~normalised_1[61];
    wire result_sign = result_infinite_inverted & (result_infinite ? c_31_s2 : sign);

    // ---- Registers after stage 2
    reg c_signaling_s3;
    reg [60:36] normalised_1_s3;
    reg sticky_s3;
    reg result_nan_s3;
    reg result_infinite_inverted_s3;
    reg result_infinite_s3;
    reg [7:0] unrounded_and_s3;
    reg tiny_inverted_s3;
    reg result_sign_s3;

    always @(posedge clk) begin
        if (ready_s3) begin
            c_signaling_s3 <= c_signaling_s2;
            normalised_1_s3 <= normalised_1[60:36];
            sticky_s3 <= sticky;
            result_nan_s3 <= result_nan_s2;
            result_infinite_inverted_s3 <= result_infinite_inverted;
            result_infinite_s3 <= result_infinite;
            unrounded_and_s3 <= unrounded_and;
            tiny_inverted_s3 <= tiny_inverted;
            result_sign_s3 <= result_sign;
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            valid_s3 <= 1'b0;
        end else if (ready_s3) begin
            valid_s3 <= valid_s2;
        end
    end

    // ==== Stage 3 ============================================================

    // ---- Round to fp32
    wire round_up = normalised_1_s3[37] & (normalised_1_s3[38] | sticky_s3 | normalised_1_s3[36]);
    wire flag_nx_or = sticky_s3 | (|normalised_1_s3[37:36]);
    wire [30:0] rounded_ones_1 = {unrounded_and_s3, normalised_1_s3[60:38]}
        & {1'b1, unrounded_and_s3[5], 1'b1, unrounded_and_s3[3], 1'b1, unrounded_and_s3[1], 1'b1,
        normalised_1_s3[60], 1'b1, normalised_1_s3[58], 1'b1, normalised_1_s3[56], 1'b1,
        normalised_1_s3[54], 1'b1, normalised_1_s3[52], 1'b1, normalised_1_s3[50], 1'b1,
        normalised_1_s3[48], 1'b1, normalised_1_s3[46], 1'b1, normalised_1_s3[44], 1'b1,
        normalised_1_s3[42], 1'b1, normalised_1_s3[40], 1'b1, normalised_1_s3[38], 1'b1};
    wire [30:0] rounded_ones_2 = rounded_ones_1 & {rounded_ones_1[29], 2'b11,
        {2{rounded_ones_1[25]}}, 2'b11, {2{rounded_ones_1[21]}}, 2'b11, {2{rounded_ones_1[17]}},
        2'b11, {2{rounded_ones_1[13]}}, 2'b11, {2{rounded_ones_1[9]}}, 2'b11,
        {2{rounded_ones_1[5]}}, 2'b11, {2{rounded_ones_1[1]}}, 2'b11};
    wire [30:0] rounded_ones_3 = rounded_ones_2 & {{3{rounded_ones_2[27]}}, 4'b1111,
        {4{rounded_ones_2[19]}}, 4'b1111, {4{rounded_ones_2[11]}}, 4'b1111, {4{rounded_ones_2[3]}},
        4'b1111};
    wire [30:0] rounded_ones_4 = rounded_ones_3 & {{7{rounded_ones_3[23]}}, {8{1'b1}},
        {8{rounded_ones_3[7]}}, {8{1'b1}}};
    wire [30:0] rounded_ones_5 = rounded_ones_4 & {{15{rounded_ones_4[15]}}, {16{1'b1}}};
    wire [31:0] rounded = ({rounded_ones_5, 1'b1} & {32{round_up}})
        ^ {1'b0, unrounded_and_s3, normalised_1_s3[60:38]};
    wire overflow_less = rounded < 32'h7f800000;
    wire overflow = ~overflow_less;
    wire tiny = tiny_inverted_s3 & ~(normalised_1_s3[36] & normalised_1_s3[37]
        & (&normalised_1_s3[60:38]));
    wire forced_or = (result_infinite_inverted_s3 & result_infinite_s3)
        | (result_infinite_inverted_s3 & overflow & ~result_infinite_s3);
    wire forced = result_nan_s3 | forced_or;
    wire [30:0] magnitude = (rounded[30:0] & {31{~forced}}) | {{9{result_nan_s3}}, 22'd0}
        | {{8{forced_or}}, 23'd0};
    wire flag_of_inverted = ~(result_nan_s3 | result_infinite_s3);
    wire flag_of = overflow & flag_of_inverted;
    wire flag_uf = flag_of_inverted & overflow_less & flag_nx_or & tiny;
    wire flag_nx = flag_of_inverted & (flag_nx_or | overflow);

    // ---- Outputs
    assign in_ready = ready_s1;
    assign out_valid = valid_s3;
    assign result = {result_sign_s3, magnitude};
    assign flags = {c_signaling_s3, 1'b0, flag_of, flag_uf, flag_nx};

endmodule

`default_nettype wire
