// -------------------------------------------------------------------------------------------------
// multiply_e4m3fn_e4m3fn_to_bf16_rne
//
// multiply e4m3fn e4m3fn -> bf16 rne
//
// Contract  correctly rounded, RNE
// Latency   0 (combinational)
// Rounding  rne
// Options   overflow ieee, tininess after rounding, subnormals full, flags off, handshake none
//
// Port    Dir  Bits  Meaning
// a       in      8  operand, e4m3fn: e4m3:inf=none,nan=allones
// b       in      8  operand, e4m3fn: e4m3:inf=none,nan=allones
// result  out    16  result, bf16: e8m7:inf=ieee,nan=ieee
// -------------------------------------------------------------------------------------------------

`default_nettype none

module multiply_e4m3fn_e4m3fn_to_bf16_rne (
    input  wire [7:0]  a,
    input  wire [7:0]  b,
    output wire [15:0] result
);

    // ---- Unpack a: e4m3fn
    wire a_normal = |a[6:3];
    wire a_exponent_lsb = a[3] | ~a_normal;
    wire a_nan = &a[6:0];

    // ---- Unpack b: e4m3fn
    wire b_normal = |b[6:3];
    wire b_exponent_lsb = b[3] | ~b_normal;
    wire b_nan = &b[6:0];

    // ---- Multiply
    wire sign = a[7] ^ b[7];
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
    wire [7:0] product_propagate = {1'b0, product_row_3[3], product_tree_2_sum,
        product_tree_1_sum[0], product_row_0[1:0]} ^ {1'b0, product_tree_2_carry, 2'd0,
        product_row_1[0], 1'b0};
    wire [6:0] product_generate = {product_row_3[3], product_tree_2_sum, product_tree_1_sum[0],
        product_row_0[1:0]} & {product_tree_2_carry, 2'd0, product_row_1[0], 1'b0};
    wire [6:0] product_generate_1_and = product_propagate[6:0]
        & {1'b0, product_generate[4], 1'b0, product_generate[2], 1'b0, product_generate[0], 1'b0};
    wire [6:0] product_generate_1 = product_generate | product_generate_1_and;
    wire [6:0] product_propagate_1 = product_propagate[6:0]
        & {1'b1, product_propagate[4], 1'b1, product_propagate[2], 1'b1, product_propagate[0],
        1'b1};
    wire [6:0] product_generate_2_and = product_propagate_1
        & {product_generate_1[5], 2'd0, {2{product_generate_1[1]}}, 2'd0};
    wire [6:0] product_generate_2 = product_generate_1 | product_generate_2_and;
    wire [6:0] product_propagate_2 = product_propagate_1
        & {product_propagate_1[5], 2'b11, {2{product_propagate_1[1]}}, 2'b11};
    wire [6:0] product_generate_3 = product_generate_2
        | (product_propagate_2 & {{3{product_generate_2[3]}}, 4'd0});
    wire [7:0] product = product_propagate ^ {product_generate_3, 1'b0};
    wire [4:0] exponent_sum = {1'b0, a[6:4], a_exponent_lsb} + {1'b0, b[6:4], b_exponent_lsb};
    wire shift_or = a_normal | a[2];
    wire shift_or_2 = b_normal | b[2];

    // ---- Normalise
    wire [2:0] shift = {1'b0, ~shift_or, shift_or ? ~a_normal : ~a[1]}
        + {1'b0, ~shift_or_2, shift_or_2 ? ~b_normal : ~b[1]};
    wire [7:0] shift_limit = {3'd0, exponent_sum} + 8'h71;
    wire [7:0] normalised_4 = shift[2] ? {product[3:0], 4'd0} : product;
    wire [7:0] normalised_2 = shift[1] ? {normalised_4[5:0], 2'd0} : normalised_4;
    wire [7:0] normalised_1 = shift[0] ? {normalised_2[6:0], 1'b0} : normalised_2;
    wire [7:0] steps_difference = shift_limit - {5'd0, shift};
    wire [7:0] normalised = normalised_1[7] ? normalised_1 : {normalised_1[6:0], 1'b0};
    wire [7:0] steps = normalised_1[7] ? steps_difference : (steps_difference + {8{1'b1}});
    wire product_nan = a_nan | b_nan;

    // ---- Round to bf16
    wire [14:0] magnitude_and = {(steps + 8'h01) & {8{normalised[7]}}, normalised[6:0]}
        & {15{~product_nan}};
    wire [14:0] magnitude = magnitude_and | {{9{product_nan}}, 6'd0};
    wire result_sign = sign & ~product_nan;

    // ---- Outputs
    assign result = {result_sign, magnitude};

endmodule

`default_nettype wire
