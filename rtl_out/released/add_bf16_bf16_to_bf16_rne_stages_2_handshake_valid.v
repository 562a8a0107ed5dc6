// -------------------------------------------------------------------------------------------------
// add_bf16_bf16_to_bf16_rne_stages_2_handshake_valid
//
// add bf16 bf16 -> bf16 rne stages=2 handshake=valid
//
// Contract  correctly rounded, RNE
// Latency   2 clocks, one operation every clock
// Rounding  rne
// Options   overflow ieee, tininess after rounding, subnormals full, flags off, handshake valid
//
// Port       Dir  Bits  Meaning
// clk        in      1  clock, rising edge
// rst        in      1  reset, synchronous, active high (valid bits and accumulators only)
// in_valid   in      1  operands are there
// a          in     16  operand, bf16: e8m7:inf=ieee,nan=ieee
// b          in     16  operand, bf16: e8m7:inf=ieee,nan=ieee
// out_valid  out     1  a result is there
// result     out    16  result, bf16: e8m7:inf=ieee,nan=ieee
//
// Stages (63 register bits in the datapath):
//    0  a_normal, a_exponent_lsb, a_top_binade, a_infinite, ... aligned_1, result_infinite,
//       result_nan (34 steps)
//    1  sum_propagate, sum_generate, sum_generate_1, sum_propagate_1, ... sum, cancelled, sign (15
//       steps)
//    2  marked, normalised_8, normalised_4, normalised_2, ... forced, magnitude, result_sign (16
//       steps)
// -------------------------------------------------------------------------------------------------

`default_nettype none

module add_bf16_bf16_to_bf16_rne_stages_2_handshake_valid (
    input  wire        clk,
    input  wire        rst,
    input  wire        in_valid,
    input  wire [15:0] a,
    input  wire [15:0] b,
    output wire        out_valid,
    output wire [15:0] result
);

    // ---- Handshake
    reg valid_s1;
    reg valid_s2;

    // ==== Stage 0 ============================================================

    // ---- Unpack a: bf16
    wire a_normal = |a[14:7];
    wire a_exponent_lsb = a[7] | ~a_normal;
    wire a_top_binade = &a[14:7];
    wire a_nan_any = |a[6:0];
    wire a_infinite = a_top_binade & ~a_nan_any;
    wire a_nan = a_top_binade & a_nan_any;

    // ---- Unpack b: bf16
    wire b_normal = |b[14:7];
    wire b_exponent_lsb = b[7] | ~b_normal;
    wire b_top_binade = &b[14:7];
    wire b_nan_any = |b[6:0];
    wire b_infinite = b_top_binade & ~b_nan_any;
    wire b_nan = b_top_binade & b_nan_any;

    // ---- Order by exponent
    wire [8:0] distance_propagate_inverted = ~{1'b0, b[14:8], b_exponent_lsb};
    wire [8:0] distance_propagate = {1'b0, a[14:8], a_exponent_lsb} ^ distance_propagate_inverted;
    wire [7:0] distance_generate = {a[14:8], a_exponent_lsb} & distance_propagate_inverted[7:0];
    wire [7:0] distance_generate_1_and = distance_propagate[7:0]
        & {distance_generate[6], 1'b0, distance_generate[4], 1'b0, distance_generate[2], 1'b0,
        distance_generate[0], 1'b0};
    wire [7:0] distance_generate_1 = distance_generate | distance_generate_1_and;
    wire [7:0] distance_propagate_1 = distance_propagate[7:0]
        & {distance_propagate[6], 1'b1, distance_propagate[4], 1'b1, distance_propagate[2], 1'b1,
        distance_propagate[0], 1'b1};
    wire [7:0] distance_generate_2_and = distance_propagate_1
        & {{2{distance_generate_1[5]}}, 2'd0, {2{distance_generate_1[1]}}, 2'd0};
    wire [7:0] distance_generate_2 = distance_generate_1 | distance_generate_2_and;
    wire [7:0] distance_propagate_2 = distance_propagate_1
        & {{2{distance_propagate_1[5]}}, 2'b11, {2{distance_propagate_1[1]}}, 2'b11};
    wire [7:0] distance_generate_3 = distance_generate_2
        | (distance_propagate_2 & {{4{distance_generate_2[3]}}, 4'd0});
    wire [6:0] distance_propagate_3 = {{3{distance_propagate_2[3]}}, 4'b1111}
        & distance_propagate_2[6:0];
    wire distance_negative = distance_propagate[8] ^ distance_generate_3[7];
    wire distance_carry = ~distance_negative;
    wire [7:0] distance_xor = distance_propagate[7:0]
        ^ {(distance_propagate_3 & {7{distance_carry}}) | distance_generate_3[6:0], distance_carry};
    wire [7:0] distance = distance_xor ^ {8{distance_negative}};
    wire [7:0] larger = distance_negative ? {b_normal, b[6:0]} : {a_normal, a[6:0]};
    wire [7:0] smaller = distance_negative ? {a_normal, a[6:0]} : {b_normal, b[6:0]};
    wire [7:0] larger_exponent = distance_negative ? {b[14:8], b_exponent_lsb}
        : {a[14:8], a_exponent_lsb};
    wire subtract_magnitudes = a[15] ^ b[15];
    wire larger_sign = distance_negative ? b[15] : a[15];

    // ---- Align and add
    wire [3:0] align_by = distance[3:0] | {4{|distance[7:4]}};
    wire [9:0] aligned_8 = align_by[3] ? {8'd0, smaller[7:6]} : {smaller, 2'd0};
    wire [9:0] aligned_4 = align_by[2] ? {4'd0, aligned_8[9:4]} : aligned_8;
    wire aligned_sticky_or = ((|smaller[5:0]) & align_by[3]) | ((|aligned_8[3:0]) & align_by[2])
        | ((|aligned_4[1:0]) & align_by[1]);
    wire [9:0] aligned_2 = align_by[1] ? {2'd0, aligned_4[9:2]} : aligned_4;
    wire aligned_sticky = aligned_sticky_or | (aligned_2[0] & align_by[0]);
    wire [9:0] aligned_1 = align_by[0] ? {1'b0, aligned_2[9:1]} : aligned_2;

    // ---- Special operands
    wire result_nan_or = a_nan | b_nan;
    wire result_nan_and = subtract_magnitudes & a_infinite & b_infinite & ~result_nan_or;
    wire result_infinite = ~result_nan_or & (a_infinite | b_infinite) & ~result_nan_and;
    wire result_sign_mux = a_infinite ? a[15] : b[15];
    wire result_nan = result_nan_or | result_nan_and;

    // ---- Registers after stage 0
    reg [7:0] larger_s1;
    reg [7:0] larger_exponent_s1;
    reg subtract_magnitudes_s1;
    reg larger_sign_s1;
    reg aligned_sticky_s1;
    reg [9:0] aligned_1_s1;
    reg result_infinite_s1;
    reg result_sign_mux_s1;
    reg result_nan_s1;

    always @(posedge clk) begin
        larger_s1 <= larger;
        larger_exponent_s1 <= larger_exponent;
        subtract_magnitudes_s1 <= subtract_magnitudes;
        larger_sign_s1 <= larger_sign;
        aligned_sticky_s1 <= aligned_sticky;
        aligned_1_s1 <= aligned_1;
        result_infinite_s1 <= result_infinite;
        result_sign_mux_s1 <= result_sign_mux;
        result_nan_s1 <= result_nan;
    end

    always @(posedge clk) begin
        if (rst) begin
            valid_s1 <= 1'b0;
        end else begin
            valid_s1 <= in_valid;
        end
    end

    // ==== Stage 1 ============================================================

    // ---- Align and add
    wire [12:0] sum_propagate_xor = {2'd0, aligned_1_s1, aligned_sticky_s1}
        ^ {13{subtract_magnitudes_s1}};
    wire [12:0] sum_propagate = {2'd0, larger_s1, 3'd0} ^ sum_propagate_xor;
    wire [11:0] sum_generate = {1'b0, larger_s1, 3'd0} & sum_propagate_xor[11:0];
    wire [11:0] sum_generate_1_and = sum_propagate[11:0]
        & {sum_generate[10], 1'b0, sum_generate[8], 1'b0, sum_generate[6], 1'b0, sum_generate[4],
        1'b0, sum_generate[2], 1'b0, sum_generate[0], 1'b0};
    wire [11:0] sum_generate_1 = sum_generate | sum_generate_1_and;
    wire [11:0] sum_propagate_1 = sum_propagate[11:0]
        & {sum_propagate[10], 1'b1, sum_propagate[8], 1'b1, sum_propagate[6], 1'b1,
        sum_propagate[4], 1'b1, sum_propagate[2], 1'b1, sum_propagate[0], 1'b1};
    wire [11:0] sum_generate_2_and = sum_propagate_1
        & {{2{sum_generate_1[9]}}, 2'd0, {2{sum_generate_1[5]}}, 2'd0, {2{sum_generate_1[1]}},
        2'd0};
    wire [11:0] sum_generate_2 = sum_generate_1 | sum_generate_2_and;
    wire [11:0] sum_propagate_2 = sum_propagate_1 & {{2{sum_propagate_1[9]}}, 2'b11,
        {2{sum_propagate_1[5]}}, 2'b11, {2{sum_propagate_1[1]}}, 2'b11};
    wire [11:0] sum_generate_3 = sum_generate_2 | (sum_propagate_2
        & {4'd0, {4{sum_generate_2[3]}}, 4'd0});
    wire [11:0] sum_propagate_3 = sum_propagate_2 & {4'b1111, {4{sum_propagate_2[3]}}, 4'b1111};
    wire [11:0] sum_generate_4 = sum_generate_3 | (sum_propagate_3
        & {{4{sum_generate_3[7]}}, 8'd0});
    wire [10:0] sum_propagate_4 = {{3{sum_propagate_3[7]}}, {8{1'b1}}} & sum_propagate_3[10:0];
    wire sum_negative = subtract_magnitudes_s1 & (sum_propagate[12] ^ sum_generate_4[11]);
    wire sum_carry = subtract_magnitudes_s1 & ~sum_negative;
    wire [11:0] sum_xor = sum_propagate[11:0] ^ {(sum_propagate_4 & {11{sum_carry}})
        | sum_generate_4[10:0], sum_carry};
    wire [11:0] sum = sum_xor ^ {12{sum_negative}};
    wire cancelled = subtract_magnitudes_s1 & ~(|sum);
    wire sign = (larger_sign_s1 ^ sum_negative) & ~cancelled;

    // ---- Normalise
    wire limit_marker_inverted_2 = ~(|larger_exponent_s1[7:4]);
    wire limit_marker_inverted = ~(|larger_exponent_s1[1:0]);
    wire limit_marker_eq = larger_exponent_s1[1:0] == 2'b01;
    wire limit_marker_eq_2 = larger_exponent_s1[1:0] == 2'b10;
    wire limit_marker_all = &larger_exponent_s1[1:0];
    wire limit_marker_and = limit_marker_inverted_2 & ~(|larger_exponent_s1[3:2]);
    wire limit_marker_and_2 = limit_marker_inverted_2 & (larger_exponent_s1[3:2] == 2'b01);
    wire limit_marker_and_3 = limit_marker_inverted_2 & (larger_exponent_s1[3:2] == 2'b10);

    // ---- Registers after stage 1
    reg [7:0] larger_exponent_s2;
    reg [11:0] sum_s2;
    reg sign_s2;
    reg limit_marker_inverted_s2;
    reg limit_marker_eq_s2;
    reg limit_marker_eq_2_s2;
    reg limit_marker_all_s2;
    reg limit_marker_and_s2;
    reg limit_marker_and_2_s2;
    reg limit_marker_and_3_s2;
    reg result_infinite_s2;
    reg result_sign_mux_s2;
    reg result_nan_s2;

    always @(posedge clk) begin
        larger_exponent_s2 <= larger_exponent_s1;
        sum_s2 <= sum;
        sign_s2 <= sign;
        limit_marker_inverted_s2 <= limit_marker_inverted;
        limit_marker_eq_s2 <= limit_marker_eq;
        limit_marker_eq_2_s2 <= limit_marker_eq_2;
        limit_marker_all_s2 <= limit_marker_all;
        limit_marker_and_s2 <= limit_marker_and;
        limit_marker_and_2_s2 <= limit_marker_and_2;
        limit_marker_and_3_s2 <= limit_marker_and_3;
        result_infinite_s2 <= result_infinite_s1;
        result_sign_mux_s2 <= result_sign_mux_s1;
        result_nan_s2 <= result_nan_s1;
    end

    always @(posedge clk) begin
        if (rst) begin
            valid_s2 <= 1'b0;
        end else begin
            valid_s2 <= valid_s1;
        end
    end

    // ==== Stage 2 ============================================================

    // ---- Normalise
    wire [10:0] marked = {1'b0, limit_marker_eq_s2 & limit_marker_and_s2, limit_marker_eq_2_s2
        & limit_marker_and_s2, limit_marker_all_s2 & limit_marker_and_s2, limit_marker_inverted_s2
        & limit_marker_and_2_s2, limit_marker_eq_s2 & limit_marker_and_2_s2, limit_marker_eq_2_s2
        & limit_marker_and_2_s2, limit_marker_all_s2 & limit_marker_and_2_s2,
        limit_marker_inverted_s2 & limit_marker_and_3_s2, limit_marker_eq_s2
        & limit_marker_and_3_s2, limit_marker_eq_2_s2 & limit_marker_and_3_s2} | sum_s2[11:1];
    wire normalised_8_or = marked[10] | marked[9];
    wire normalised_8_or_2 = normalised_8_or | marked[8] | marked[7];
    wire normalised_8_or_3 = marked[6] | marked[5];
    wire [1:0] normalised_4_mux = normalised_8_or_2 ? {~normalised_8_or, normalised_8_or
        ? ~marked[10] : ~marked[8]} : {~normalised_8_or_3, normalised_8_or_3 ? ~marked[6]
        : ~marked[4]};
    wire normalised_8_or_4 = normalised_8_or_2 | normalised_8_or_3 | marked[4] | marked[3];
    wire normalised_4_or = marked[2] | marked[1];
    wire [2:0] normalised_4_mux_2 = normalised_8_or_4 ? {~normalised_8_or_2, normalised_4_mux}
        : {1'b0, ~normalised_4_or, normalised_4_or ? ~marked[2] : ~marked[0]};
    wire [11:0] normalised_8 = normalised_8_or_4 ? sum_s2 : {sum_s2[3:0], 8'd0};
    wire [11:0] normalised_4 = normalised_4_mux_2[2] ? {normalised_8[7:0], 4'd0} : normalised_8;
    wire [11:0] normalised_2 = normalised_4_mux_2[1] ? {normalised_4[9:0], 2'd0} : normalised_4;
    wire [11:0] normalised_1 = normalised_4_mux_2[0] ? {normalised_2[10:0], 1'b0} : normalised_2;
    wire [7:0] beyond_range_difference = larger_exponent_s2
        - {4'd0, ~normalised_8_or_4, normalised_4_mux_2};
    wire sticky = |normalised_1[2:0];

    // ---- Round to bf16
    wire beyond_range = normalised_1[11] & ~(beyond_range_difference < 8'hfe);
    wire [7:0] unrounded_and = (beyond_range_difference + 8'h01) & {8{normalised_1[11]}};
    wire round_up = normalised_1[3] & (sticky | normalised_1[4]);
    wire [13:0] rounded_ones_1 = {unrounded_and[6:0], normalised_1[10:4]}
        & {unrounded_and[5], 1'b1, unrounded_and[3], 1'b1, unrounded_and[1], 1'b1, normalised_1[10],
        1'b1, normalised_1[8], 1'b1, normalised_1[6], 1'b1, normalised_1[4], 1'b1};
    wire [13:0] rounded_ones_2 = rounded_ones_1 & {2'b11, {2{rounded_ones_1[9]}}, 2'b11,
        {2{rounded_ones_1[5]}}, 2'b11, {2{rounded_ones_1[1]}}, 2'b11};
    wire [13:0] rounded_ones_3 = rounded_ones_2 & {{2{rounded_ones_2[11]}}, 4'b1111,
        {4{rounded_ones_2[3]}}, 4'b1111};
    wire [13:0] rounded_ones_4 = rounded_ones_3 & {{6{rounded_ones_3[7]}}, {8{1'b1}}};
    wire [14:0] rounded = ({rounded_ones_4, 1'b1} & {15{round_up}})
        ^ {unrounded_and, normalised_1[10:4]};
    wire forced_or = (result_infinite_s2 & ~result_nan_s2)
        | (~result_nan_s2 & beyond_range & ~result_infinite_s2);
    wire forced = result_nan_s2 | forced_or;
    wire [14:0] magnitude = (rounded & {15{~forced}}) | {{9{result_nan_s2}}, 6'd0}
        | {{8{forced_or}}, 7'd0};
    wire result_sign = ~result_nan_s2 & (result_infinite_s2 ? result_sign_mux_s2 : sign_s2);

    // ---- Outputs
    assign out_valid = valid_s2;
    assign result = {result_sign, magnitude};

endmodule

`default_nettype wire
