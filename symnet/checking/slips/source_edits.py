"""Slips in plain maths as it is typed: order and transposes of matrix products, `*` for `@`, the axis of a sum.

These need the text: where shapes do not fit an answer has no meaning, but its text with the slip undone has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symnet.checking.slips.setting import Claim, Setting
from symnet.checking.slips.wording import Finding, Words
from symnet.errors import SymnetError
from symnet.indexing.index_array import IndexArray
from symnet.parsing.functions import FUNCTIONS
from symnet.parsing.lowering import Lowering
from symnet.parsing.node import Node
from symnet.parsing.plain_grammar import LEVELS, POSTFIX, POWER, PRODUCT, UNARY, Parser

TRANSPOSES = ("T", "^T", "^⊤")
MOST = 240  # trees tried
Edit = tuple[str, Node, Node, Node]  # kind, the part as written, the part as it should be, the whole then


def written_slips(setting: Setting, answer: str) -> Iterator[Finding]:
    """Every change of one place of the text that gives something of the right shape."""
    try:
        tree = Parser(answer, "answer", FUNCTIONS, setting.program.tensors).whole()
    except SymnetError:
        return
    for count, (kind, wrong, right, whole) in enumerate(_everywhere(tree, setting)):
        if count >= MOST or setting.late:
            return
        value = _meaning(setting, whole)
        if value is not None and tuple(a.size for a in value.axes) == setting.truth.shape:
            words: Words = {"wrong": show(wrong), "right": show(right)}
            yield Finding(kind, Claim(value, setting.gradient), words, show(wrong), show(whole))


def _meaning(setting: Setting, tree: Node) -> IndexArray | None:
    try:
        return Lowering(setting.program.tensors, {str(s): s for s in setting.sizes}, "answer").real(tree)
    except SymnetError:
        return None


def _everywhere(node: Node, setting: Setting) -> Iterator[Edit]:
    for kind, changed in _at(node, setting):
        yield kind, node, changed, changed
    for k, arg in enumerate(node.args):
        for kind, wrong, right, whole in _everywhere(arg, setting):
            yield kind, wrong, right, replace(node, args=(*node.args[:k], whole, *node.args[k + 1:]))


def _at(node: Node, setting: Setting) -> Iterator[tuple[str, Node]]:
    if node.kind == "binary" and node.text in ("@", "*", "juxtaposed"):
        yield from _product(node)
    elif node.kind == "attribute" and node.text in TRANSPOSES:
        yield "transposed factor", node.args[0]
    elif node.kind == "call" and node.text in ("sum", "mean"):
        yield from _reduction(node)
    elif node.kind == "name":
        yield "transposed factor", _turned(node)
        own = setting.program.tensors.get(node.text)
        for t in setting.program.tensors.values():  # of another shape: like shapes are in `answer_edits`
            if own is not None and len(t.axes) == len(own.axes) > 0 and [a.range for a in t.axes] != [a.range for a in own.axes]:
                yield "wrong variable", replace(node, text=t.name)


def _product(node: Node) -> Iterator[tuple[str, Node]]:
    a, b = node.args
    if node.text != "*":
        yield "matrix product for elementwise", replace(node, text="*")
    else:
        yield "elementwise for matrix product", replace(node, text="@")
    for left, right, swapped in ((a, b, False), (b, a, True)):
        for flip in ((False, False), (True, False), (False, True), (True, True)):
            if not swapped and not any(flip):
                continue
            args = tuple(_turned(x) if f else x for x, f in zip((left, right), flip, strict=True))
            kind = "elementwise for matrix product" if node.text == "*" else "wrong order" if swapped else "transposed factor"
            yield kind, replace(node, text="@", args=args)


def _turned(node: Node) -> Node:
    if node.kind == "attribute" and node.text in TRANSPOSES:
        return node.args[0]
    return Node("attribute", "T", (node,), node.column)


def _reduction(node: Node) -> Iterator[tuple[str, Node]]:
    """Another axis, or another reduction along it."""
    rest = tuple(p for p in node.keywords if p[0] != "axis")
    axis = next((value.text for key, value in node.keywords if key == "axis"), "")
    for other in ("0", "1", "2"):
        if other != axis:
            yield "wrong axis", replace(node, keywords=(("axis", Node("number", other)), *rest))
    if axis:
        yield "wrong axis", replace(node, keywords=rest)


def show(node: Node) -> str:
    """The text of a tree.

    >>> show(Parser("2/N*X.T@(X@w - y)", "here", FUNCTIONS).whole())
    '2/N*X.T @ (X @ w - y)'
    """
    return _shown(node)[0]


def _shown(node: Node) -> tuple[str, int]:
    args = [_shown(a) for a in node.args]
    if node.kind == "binary":
        return _operator(node, args)
    if node.kind == "terms":
        parts = [f" {sign} {_within(a, LEVELS['+'] + 1)}" for sign, a in zip(node.text, args, strict=True)]
        return "".join(parts).removeprefix(" + "), LEVELS["+"]
    if node.kind == "unary":
        return "-" + _within(args[0], UNARY), UNARY
    if node.kind == "attribute":
        return _within(args[0], POSTFIX) + ("" if node.text[0] == "^" else ".") + node.text.replace("⊤", "T"), POSTFIX
    if node.kind == "index":
        return _within(args[0], POSTFIX) + "[" + ", ".join(a for a, _ in args[1:]) + "]", POSTFIX
    if node.kind == "call":
        keys = [f"{key}={'-' if v.kind == 'unary' else ''}{(v.args[0] if v.kind == 'unary' else v).text}" for key, v in node.keywords]
        return node.text + "(" + ", ".join([*(a for a, _ in args), *keys]) + ")", POSTFIX
    if node.kind == "cond":
        return f"{_within(args[0], 2)} if {_within(args[1], 2)} else {_within(args[2], 1)}", 1
    if node.kind == "sum":
        ends = [_within(a, LEVELS["+"]) for a in args]
        loops = "".join(f" for {args[k][0]} in {ends[k + 1]}..{ends[k + 2]}" for k in range(1, len(args), 3))
        return f"sum({args[0][0]}{loops})", POSTFIX
    if node.kind == "bracket":
        return f"[{args[0][0]}]", POSTFIX
    return node.text, POSTFIX


def _operator(node: Node, args: list[tuple[str, int]]) -> tuple[str, int]:
    if node.text in ("**", "^"):
        return f"{_within(args[0], POSTFIX)}{node.text}{_within(args[1], UNARY)}", POWER
    if node.text in ("and", "or"):
        level = LEVELS[node.text]
        return f"{_within(args[0], level)} {node.text} {_within(args[1], level)}", level
    sign = "*" if node.text == "juxtaposed" else node.text
    level = LEVELS[sign]
    space = "" if level == PRODUCT and sign != "@" else " "
    if sign == "@":  # (A - Y)*S @ X means the same, but who reads it so?
        args = [(f"({t})", POSTFIX) if a.kind == "binary" and a.text in ("*", "juxtaposed") and not _is_number(a.args[0]) else (t, k)
                for a, (t, k) in zip(node.args, args, strict=True)]
    return f"{_within(args[0], level)}{space}{sign}{space}{_within(args[1], level + 1)}", level


def _is_number(node: Node) -> bool:
    """2, 2/N, -2, 2*c: what stands in front of an array."""
    return node.kind in ("number", "unary") or node.text == "/" or (node.text in ("*", "juxtaposed") and _is_number(node.args[0]))


def _within(part: tuple[str, int], level: int) -> str:
    return part[0] if part[1] >= level else f"({part[0]})"
