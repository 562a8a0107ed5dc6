"""The words of Verilog, by what they mean to a reader of netlists. Source: IEEE 1364-2005, annex B."""

DIRECTIONS = ("input", "output", "inout")
SUPPLIES = ("supply0", "supply1")
#: Kinds of nets that are plain connections.
NETS = ("wire", "tri", "uwire", "reg", "logic", "trireg")
#: Those of them whose value in a declaration is only the one they begin with.
VARIABLES = frozenset(("reg", "logic"))
#: Kinds of nets that make one value of several drivers', or have one without any.
RESOLVED = frozenset(("wand", "wor", "triand", "trior", "tri0", "tri1"))
GATES = frozenset(
    (
        "and",
        "buf",
        "bufif0",
        "bufif1",
        "cmos",
        "nand",
        "nmos",
        "nor",
        "not",
        "notif0",
        "notif1",
        "or",
        "pmos",
        "pulldown",
        "pullup",
        "rcmos",
        "rnmos",
        "rpmos",
        "rtran",
        "rtranif0",
        "rtranif1",
        "tran",
        "tranif0",
        "tranif1",
        "xnor",
        "xor",
    )
)
BEHAVIOUR = frozenset(
    (
        "always",
        "always_comb",
        "always_ff",
        "always_latch",
        "case",
        "casex",
        "casez",
        "event",
        "final",
        "for",
        "force",
        "forever",
        "fork",
        "function",
        "generate",
        "genvar",
        "if",
        "initial",
        "integer",
        "primitive",
        "real",
        "realtime",
        "repeat",
        "specify",
        "specparam",
        "table",
        "task",
        "time",
        "while",
    )
)
KEYWORDS = frozenset(
    (
        *DIRECTIONS,
        *SUPPLIES,
        *NETS,
        *RESOLVED,
        *GATES,
        *BEHAVIOUR,
        "assign",
        "automatic",
        "begin",
        "deassign",
        "default",
        "defparam",
        "disable",
        "edge",
        "else",
        "end",
        "endcase",
        "endfunction",
        "endgenerate",
        "endmodule",
        "endprimitive",
        "endspecify",
        "endtable",
        "endtask",
        "localparam",
        "macromodule",
        "module",
        "negedge",
        "parameter",
        "posedge",
        "release",
        "scalared",
        "signed",
        "unsigned",
        "vectored",
        "wait",
    )
) - {"logic", "uwire"}  # names in Verilog-2001
