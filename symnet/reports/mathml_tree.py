"""What latex2mathml laid out, rebuilt from a whitelist and put right for browsers (MathML Core).

Chromium draws stretchy brackets too wide around short content, takes every minus in a row for a subtraction, keeps the spaces
of operators in scripts, and knows neither columnalign nor fractions that touch. Each is mended here.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape, unescape
from xml.etree.ElementTree import Element

from symnet.errors import UnknownNodeError
from symnet.reports.mathml_input import FIRST
from symnet.reports.mathml_tables import DELIMITERS, THIN, Leaf, Node

ROWS = {"mrow": 0, "mtd": 0, "msqrt": 0, "mstyle": 0}
COUNTS = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3}
TABLES = {"mtable": "mtr", "mtr": "mtd"}
TOKENS = ("mi", "mo", "mn", "mtext", "mspace")
ELEMENTS = frozenset({*ROWS, *COUNTS, *TABLES, *TOKENS})
STAYS = {"mstyle": ("displaystyle", "scriptlevel"), "mtable": ("displaystyle",)}
VALUES = ("true", "false", "0", "1")
LIMITED = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
AFTER_IT_A_SIGN = ("relation", "binary", "sign", "comma", "open", "large", "integral", "limits", "left", "function")
OPERANDS = ("", "accent", "fenced", "close", "prime", "brace")
BARRED = ("mfrac", "msqrt", "mroot")
SPACED = ("relation", "binary", "sign", "comma")


def unexpected(what: str) -> UnknownNodeError:
    return UnknownNodeError("MathML", f"{what} from the converter", "an element of MathML Core")


def build(element: Element, leaves: Sequence[Leaf]) -> Node:
    """``element`` as a Node; anything that is not on the whitelist raises."""
    tag = element.tag
    if tag not in ELEMENTS or (element.tail or "").strip():
        raise unexpected(f"<{tag}>")
    if tag in TOKENS:
        return _token(element, leaves)
    if (element.text or "").strip():
        raise unexpected(f"text in <{tag}>")
    kids = [node for child in element if (node := build(child, leaves)).tag != "nothing"]
    if tag in COUNTS and len(kids) != COUNTS[tag]:
        raise unexpected(f"<{tag}> with {len(kids)} children")
    if tag in TABLES and any(kid.tag != TABLES[tag] for kid in kids):
        raise unexpected(f"<{tag}> with other children than <{TABLES[tag]}>")
    node = Node(tag, "", {k: v for k, v in element.attrib.items() if k in STAYS.get(tag, ()) and v in VALUES}, kids)
    if tag == "mtd" and element.get("columnalign") in ("left", "right"):
        node.attrs["style"] = f"text-align:{element.get('columnalign')}"
    if tag == "mrow":
        return _row(node)
    if tag in COUNTS and tag not in ("mfrac", "mroot"):
        return _scripts(node)
    if tag == "mtable":
        _close_up(node)
    return node


def _token(element: Element, leaves: Sequence[Leaf]) -> Node:
    """A letter, a bracket of \\left or \\right, or the Leaf behind a private character."""
    if len(element):
        raise unexpected(f"children in <{element.tag}>")
    text = unescape(element.text or "")
    if len(text) == 1 and FIRST <= ord(text) < FIRST + len(leaves):
        return leaves[ord(text) - FIRST].node()
    if element.tag == "mi" and len(text) == 1 and text.isascii() and text.isalpha():
        return Node("mi", text)
    if element.tag == "mo" and element.get("form") in ("prefix", "postfix") and text in DELIMITERS.values():
        kind = "left" if element.get("form") == "prefix" else "right"
        return Node("mo", text, {"form": str(element.get("form"))}, [], kind)
    if element.tag == "mi" and not text:  # before the = of an aligned row
        return Node("mi")
    raise unexpected(f"<{element.tag}> holding '{text}'")


def _row(node: Node) -> Node:
    """A row of one is that one; a group of one operator is an operand: no spaces around it, as in {,} or ^{\\top}."""
    if len(node.kids) != 1:
        _fit(node)
        return node
    kid = node.kids[0]
    if kid.tag == "mo" and kid.kind in SPACED:
        _tight(kid)
        kid.kind = ""
    return kid


def _fit(row: Node) -> None:
    """\\left and \\right around short content keep their natural size, an empty delimiter goes."""
    if len(row.kids) < 2 or row.kids[0].kind != "left":
        return
    stretchy = "true" if any(_tall(kid) for kid in row.kids) else "false"
    for kid in (row.kids[0], row.kids[-1]):
        if kid.kind in ("left", "right"):
            kid.attrs["stretchy"] = stretchy
    row.kids = [kid for kid in row.kids if kid.text or kid.kind not in ("left", "right")]
    row.kind = "fenced"


def _tall(node: Node, scripted: bool = False) -> bool:
    """True when brackets around ``node`` have to grow."""
    if node.tag in ("mfrac", "mtable", "munder", "munderover", "msqrt", "mroot") or node.kind in ("large", "integral"):
        return True
    if node.tag == "mover":
        return node.kind != "accent" or _tall(node.kids[0], scripted)
    if node.tag in LIMITED:
        if all(kid.kind == "prime" for kid in node.kids[1:]):
            return _tall(node.kids[0], scripted)
        return scripted or _tall(node.kids[0]) or any(_tall(kid, True) for kid in node.kids[1:])
    return any(_tall(kid, scripted) for kid in node.kids)


def _scripts(node: Node) -> Node:
    """Limits of sums, lim and max go below and above; accents are marked as accents; a brace takes its label."""
    base, marks = node.kids[0], node.kids[1:]
    if base.kind in ("large", "limits", "brace") and node.tag in LIMITED:
        node.tag = LIMITED[node.tag]
    node.kind = base.kind if base.kind in ("large", "limits", "integral", "function", "relation", "binary", "fenced") else ""
    if node.tag in ("mover", "munder") and marks[0].kind in ("accent", "brace"):
        node.kind = marks[0].kind
        if marks[0].kind == "accent":
            node.attrs["accent" if node.tag == "mover" else "accentunder"] = "true"
    elif base.kind == "brace":
        node.kind = ""
    return node


def _close_up(table: Node) -> None:
    """The columns of an aligned display touch: the relation brings its own space."""
    if table.attrs.get("displaystyle") == "true":
        for cell in (cell for row in table.kids for cell in row.kids):
            cell.attrs["style"] = f"{cell.attrs.get('style', 'text-align:left')};padding-left:0;padding-right:0"


def space(node: Node, script: bool = False) -> None:
    """Signs, functions and fractions get their spaces. Only rows get new children, never a script element."""
    if node.tag in COUNTS and node.tag != "mfrac":
        space(node.kids[0], script)
        for kid in node.kids[1:]:
            _tight(kid)
            space(kid, script or node.kind != "accent")
        return
    for kid in node.kids:
        space(kid, script)
    if node.tag in ROWS:
        _signs(node.kids)
        if script:
            for kid in node.kids:
                _tight(kid)
        node.kids = _spread(node.kids)


def _tight(kid: Node) -> None:
    """In scripts relations and signs have no spaces, as in i=1 below a sum."""
    if kid.kind in SPACED and kid.tag == "mo":
        kid.attrs |= {"lspace": "0", "rspace": "0"}


def _signs(kids: list[Node]) -> None:
    """A minus with nothing to its left is a sign: no space after it. A sum has no space of its own before it."""
    before: Node | None = None
    for kid in kids:
        if kid.kind == "sign" and (before is None or before.kind in AFTER_IT_A_SIGN):
            kid.attrs |= {"form": "prefix", "lspace": "0", "rspace": "0"}
        elif kid.kind == "large":  # _gap decides about the space before it
            (kid.kids[0] if kid.kids else kid).attrs["lspace"] = "0"
        if kid.kind == "space":
            before = None if kid.attrs["width"] in ("1em", "2em") else before
        else:
            before = kid


def _spread(kids: list[Node]) -> list[Node]:
    """A thin space around tanh x (not before brackets) and between fractions and what they multiply."""
    spread: list[Node] = []
    for kid in kids:
        left = spread[-1] if spread else None
        if kid.kind == "gap" and (left is None or left.kind not in OPERANDS):
            continue
        if left is not None and _gap(left, kid):
            spread.append(Node("mspace", "", {"width": THIN}, [], "gap"))
        spread.append(kid)
    return spread


def _gap(left: Node, right: Node) -> bool:
    """True when there is to be a thin space between the two."""
    if left.kind in ("function", "limits"):
        return right.kind in ("", "prime", "accent", "function", "limits", "large")
    if left.kind not in OPERANDS:
        return False
    if right.kind in ("function", "limits", "large") or (left.kind == "fenced" and right.kind in ("", "accent", "brace")):
        return True
    return right.kind in OPERANDS and (left.tag in BARRED or right.tag in BARRED)


def write(node: Node) -> str:
    """The text of the tree: every character of content and attributes escaped."""
    attrs = "".join(f' {name}="{escape(value)}"' for name, value in node.attrs.items())
    return f"<{node.tag}{attrs}>{escape(node.text, quote=False)}{''.join(map(write, node.kids))}</{node.tag}>"
