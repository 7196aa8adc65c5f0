r"""An answer in LaTeX with lines of its own: s = \sigma(z), \quad 2 s (1 - s), and 2 s (1 - s) \text{ where } s = \sigma(z)."""

from __future__ import annotations

from collections.abc import Mapping

from symnet.errors import NameError_, ParseError
from symnet.indexing.index_array import IndexArray
from symnet.parsing.functions import FUNCTIONS
from symnet.parsing.latex_grammar import LatexParser
from symnet.parsing.latex_lowering import LatexLowering, index_name, shown
from symnet.parsing.naming import CONSTANTS
from symnet.parsing.node import Node
from symnet.parsing.own_lines import MOST_LINES, OwnLines, key_of, same_or_written_out

Given = Mapping[str, IndexArray]


class LatexLines(LatexParser):
    """One text of several lines."""

    def lines(self) -> tuple[list[Node], list[tuple[Node, Node]]]:
        """The answer as [right] or [left, right], and the lines (name, what it stands for) that it uses."""
        self._word()
        found = [self.equated(2)]
        while self._parted():
            found.append(self.equated(2))
        self.ended()
        named = [sides for sides in found if len(sides) == 2 and sides[0].kind == "printed"]
        rest = [sides for sides in found if sides not in named] or named[-1:]
        if len(rest) > 1:
            raise self.fail("a second answer", "one answer, and lines such as s = \\sigma(z)", column=rest[1][0].column)
        if len(found) > MOST_LINES:
            raise self.fail(f"{len(found)} lines", f"at most {MOST_LINES}")
        (answer,) = rest
        own = [(left, right) for left, right in named if [left, right] != answer and left is not answer[0]]
        return (answer[1:] if len(found) > 1 and answer in named else answer), own

    def _parted(self) -> bool:
        r"""Read the signs and words that part lines: , ; \\ and \text{where}. True when another line follows."""
        before = self.at
        while self.mark(",", ";", "\\\\", ".") or self.at_word():
            if not self._word():
                self.next()
        return self.at > before and self.now.kind != "end"

    def _word(self) -> bool:
        if not self.at_word():
            return False
        self.next()
        self.word()
        return True


def use_lines(lowering: LatexLowering, lines: list[tuple[Node, Node]], given: Given, where: str) -> None:
    """Let the names of ``lines`` stand for what they say."""
    if len({key_of(left) for left, _ in lines}) != len(lines):
        raise NameError_(where, "a name that has two lines", "one line for each name")
    lowering.own = OwnLines({key_of(left): right for left, right in lines}, lowering.real, where)
    for left, _ in lines:
        _check_new(left, lowering, given, f"{where}, column {left.column}")


def _check_new(left: Node, lowering: LatexLowering, given: Given, where: str) -> None:
    """Refuse a line for a name that means something else already."""
    if left.text.endswith("'") or left.text in FUNCTIONS or any(len(p.args) > 1 for p in left.args):
        raise ParseError(where, f"{shown(left)} on the left of a line", "a name such as s or s_{1}")
    if left.text in CONSTANTS:
        raise NameError_(where, f"a line for {left.text}, which is a number", "another letter", "e^{2} would be the power of 2.718…")
    found = lowering.names.readings(left)
    if not found and shown(left) not in lowering.sizes and index_name(left.text) not in lowering.scope:
        return
    said = lowering.own.get(key_of(left), shown(left))
    known = found[0].tensor.name if len(found) == 1 and all(s is None for s in found[0].slots) else ""
    if said is None or known not in given or not same_or_written_out(said, given[known], given):
        raise NameError_(where, f"a line for {shown(left)}, which is declared", "a new letter, or the answer without that line")
