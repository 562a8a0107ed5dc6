"""Verilog text to tokens: names, escaped names, strings, comments, attributes and directives each known for what it is.

Comments and attributes are dropped (of a module, that it is a black box is kept), directives are obeyed: macros are
expanded, branches that are not taken are left out. A token's line is only looked for when a message needs it.

Source: IEEE 1364-2005, clauses 3 (lexical conventions) and 19 (compiler directives).
"""

import re

from fpgen.base.errors import RunFailure

#: The token that says of the module after it that its contents are elsewhere.
BLACK_BOX = "(* blackbox *)"
#: Empty tokens at the end: a reader may look this far ahead.
AHEAD = 12

# Possessive quantifiers are for single classes only: before Python 3.11.5 (Debian 12 has 3.11.2) those of groups match
# wrongly (CPython gh-106052). The alternatives of each group begin with different characters instead.
_SKIP = r"(?:\s++|//[^\n]*+|/\*(?s:.*?)\*/)*"
_STRING = r'"[^"\\\n]*+(?:\\(?s:.)[^"\\\n]*+)*"'
_WITH_ARGUMENT = "|".join(
    (
        r"define\b[^\\\n]*+(?:\\(?s:.)[^\\\n]*+)*",
        r"include\b[^\n]*+",
        r"pragma\b[^\n]*+",
        r"timescale\s+\d+\s*[munpf]?s\s*/\s*\d+\s*[munpf]?s\b",
        r"default_nettype\s+\w+",
        rf"line\s+\d+\s+{_STRING}\s+\d",
        rf"begin_keywords\s+{_STRING}",
        r"unconnected_drive\s+\w+",
        r"default_decay_time\s+\w+",
        r"default_trireg_strength\s+\d+",
        r"(?:ifdef|ifndef|elsif|undef)\s+[A-Za-z_][\w$]*+",
    )
)
_TOKEN = re.compile(
    _SKIP
    + "("
    + "|".join(
        (
            r"[A-Za-z_][\w$]*+",
            rf'\(\*(?!\s*\))(?:{_STRING}|\\\S++|[^"\\*]++|\*(?!\)))*\*\)',
            r"[.,;()\[\]{}:=#]",
            r"\\\S++",
            r"(?:\d[\d_]*+\s*)?'\s*[sS]?[bodhBODH]\s*[0-9a-fA-FxXzZ?_]++|'[01xXzZ]\b",
            r"\d[\d_]*+(?:\.\d+)?(?:[eE][+-]?\d+)?",
            _STRING,
            rf"`(?:{_WITH_ARGUMENT}|[A-Za-z_][\w$]*+)",
            r"\$[\w$]++",
            r"[^\w\s]",
            r"\Z",
        )
    )
    + ")",
    re.ASCII,
)
_DEFINE = re.compile(r"`define\s+([A-Za-z_][\w$]*+)(\(?)(.*)", re.DOTALL | re.ASCII)
_BLACK_BOX = re.compile(r"\bblackbox\b(?!\s*=\s*(?:1'[bdh])?0\b)")
_QUOTED = re.compile(_STRING)
# Directives without a meaning for what is connected to what.
_IDLE = frozenset(
    (
        "timescale",
        "default_nettype",
        "line",
        "celldefine",
        "endcelldefine",
        "resetall",
        "pragma",
        "begin_keywords",
        "end_keywords",
        "nounconnected_drive",
        "default_decay_time",
        "default_trireg_strength",
        "delay_mode_distributed",
        "delay_mode_path",
        "delay_mode_unit",
        "delay_mode_zero",
        "enable_portfaults",
        "disable_portfaults",
        "suppress_faults",
        "nosuppress_faults",
        "protect",
        "endprotect",
        "accelerate",
        "noaccelerate",
        "expand_vectornets",
        "noexpand_vectornets",
        "autoexpand_vectornets",
        "remove_gatenames",
        "noremove_gatenames",
        "remove_netnames",
        "noremove_netnames",
    )
)
# Tokens that macros may grow a text to, and macros inside macros.
_MOST_TOKENS = 100_000_000
_DEEPEST = 64


class Tokens:
    """The tokens of a text.

    Attributes
    ----------
    words : list of str
        The tokens, and `AHEAD` empty ones behind them. An escaped name keeps its backslash, a string its quotes.
    source : str
        What messages call the text.
    notes : list of str
        Directives that were passed over and mean something.

    Raises
    ------
    RunFailure
        For a directive that cannot be obeyed.
    """

    def __init__(self, text: str, source: str) -> None:
        self.text = text.removeprefix("\ufeff")
        if "\r" in text:
            self.text = self.text.replace("\r\n", "\n").replace("\r", "\n")
        self.source = source
        self.notes: list[str] = []
        self.words: list[str] = _TOKEN.findall(self.text)
        #: For each token its number in the text as it is written, where some were dropped.
        self.origin: list[int] | None = None
        while self.words and not self.words[-1]:
            self.words.pop()
        if "(*" in self.text:
            self._drop_attributes()
        if "`" in self.text and any(word[0] == "`" for word in self.words):
            _Directives(self).obey()
        self.words += [""] * AHEAD

    def line(self, number: int) -> int:
        """The line of a token."""
        if self.origin is not None:
            number = self.origin[min(number, len(self.origin) - 1)] if self.origin else 0
        start = 0
        for at, found in enumerate(_TOKEN.finditer(self.text)):
            start = found.start(1)
            if at == number:
                break
        return self.text.count("\n", 0, start) + 1

    def place(self, number: int) -> str:
        """Source and line of a token, for messages."""
        return f"{self.source}:{self.line(number)}"

    def _drop_attributes(self) -> None:
        words, origin = [], []
        boxed = False
        for number, word in enumerate(self.words):
            if word[:2] == "(*":
                boxed = boxed or bool(_BLACK_BOX.search(_QUOTED.sub("", word)))
                continue
            if boxed and word in ("module", "macromodule"):
                words.append(BLACK_BOX)
                origin.append(number)
            boxed = False
            words.append(word)
            origin.append(number)
        self.words, self.origin = words, origin


class _Directives:
    """Obeys the directives of a list of tokens, in place."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.macros: dict[str, list[str] | None] = {}  # None: one with arguments
        self.words: list[str] = []
        self.origin: list[int] = []
        #: Of each conditional around: whether a branch is taken now, whether one was, whether the outer one is.
        self.branches: list[tuple[bool, bool, bool]] = []

    def fail(self, number: int, what: str) -> RunFailure:
        return RunFailure(f"{self.tokens.place(number)}: {what}")

    def obey(self) -> None:
        given, before = self.tokens.words, self.tokens.origin
        taken = True
        for number, word in enumerate(given):
            if word[0] == "`":
                taken = self._directive(number, word, taken)
            elif taken:
                self.words.append(word)
                self.origin.append(before[number] if before is not None else number)
        if self.branches:
            raise self.fail(len(given), "a condition is not closed: got the end of the text; expected `endif")
        self.tokens.words, self.tokens.origin = self.words, self.origin

    def _directive(self, number: int, word: str, taken: bool) -> bool:
        """Obey one; whether the tokens after it count."""
        name, _, argument = word[1:].partition(" ") if " " in word else (word[1:], "", "")
        name, argument = name.strip(), argument.strip()
        if "\t" in name or "\n" in name:
            name, argument = word[1:].split(None, 1)
        if name in ("ifdef", "ifndef"):
            hit = (argument in self.macros) == (name == "ifdef")
            self.branches.append((taken and hit, hit, taken))
            return taken and hit
        if name in ("elsif", "else", "endif"):
            if not self.branches:
                raise self.fail(number, f"got `{name}; expected `ifdef or `ifndef before it")
            _, before, outer = self.branches.pop()
            if name == "endif":
                return outer
            hit = not before and (name == "else" or argument in self.macros)
            self.branches.append((outer and hit, before or hit, outer))
            return outer and hit
        if taken:
            self._other(number, word, name, argument)
        return taken

    def _other(self, number: int, word: str, name: str, argument: str) -> None:
        if name == "define":
            found = _DEFINE.match(word)
            if found is None:
                raise self.fail(number, f"a macro without a name: got {word[:40]!r}; expected `define NAME TOKENS")
            body = found[3].replace("\\\n", " ")
            self.macros[found[1]] = None if found[2] else [item for item in _TOKEN.findall(body) if item]
        elif name == "undef":
            self.macros.pop(argument, None)
        elif name == "include":
            raise self.fail(number, f"got `include {argument[:60]}; expected a netlist that is all in one text")
        elif name == "unconnected_drive":
            note = "`unconnected_drive is ignored: unconnected inputs have no value"
            if note not in self.tokens.notes:
                self.tokens.notes.append(note)
        elif name not in _IDLE:
            self._expand(number, name, 0)

    def _expand(self, number: int, name: str, depth: int) -> None:
        if name not in self.macros:
            raise self.fail(number, f"the macro `{name}: got no definition of it; expected `define {name} before")
        body = self.macros[name]
        if body is None:
            raise self.fail(number, f"the macro `{name}: got one with arguments; expected one without")
        if depth > _DEEPEST or len(self.words) > _MOST_TOKENS:
            raise self.fail(
                number,
                f"the macro `{name}: got one that grows without end; expected at most "
                f"{_DEEPEST} macros inside each other",
            )
        origin = self.tokens.origin[number] if self.tokens.origin is not None else number
        for word in body:
            if word[0] == "`":
                self._expand(number, word[1:], depth + 1)
            elif word[:2] != "(*":
                self.words.append(word)
                self.origin.append(origin)
