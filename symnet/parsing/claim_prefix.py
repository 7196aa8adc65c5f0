"""What stands in front of an answer: dL/dw = …, dL/dW_jk = …, dw = …, grad_w L = …; and what stands behind it: (a row vector)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from symnet.core.tensors import Tensor, sizes_of
from symnet.errors import ParseError
from symnet.parsing.own_lines import OTHER
from symnet.parsing.written_slopes import entry_parts, slope_parts

ENTRY = re.compile(r"\b([A-Za-z][A-Za-z0-9]*)_\{?([a-z0-9]{1,4})\b")
PLACES, LETTER = re.compile(r"(?<=[\w\]])\[([^\[\]]*)\]"), re.compile(r"(?<![\w.])[a-z](?![\w(.])")
BOUND = re.compile(r"\b(?:sum|Sigma)_\{?([a-z]{1,4})\b|\bfor\s+([a-z])\s+in\b")
# what a book may call the objective
LOSSES = frozenset({"L", "C", "E", "J", "loss", "Loss", "LOSS", "cost", "Cost", "error", "Error", "MSE", "mse"})
WHOLE = re.compile(r"grad(?:ient)?_?(?:\s?([A-Za-z]\w*))?(?:\s[A-Za-z]\w*|\([A-Za-z]\w*\))?\Z")
KIND = r"(?:\w+-)?(?:vector|matrix|scalar|number|product|array|gradient|tensor|transpose|sum|mean)s?"
SAID = rf"(?:an?|the|as an?|element-?wise|entrywise)\s(?:[a-z-]+\s){{0,4}}{KIND}"
RULES = r"(?:by|using|via|from|with)\s(?:the\s)?(?:chain|product|quotient|power|sum)\s?-?rule"
REMARK = re.compile(rf"\s*(?:\((?:{SAID}|{RULES}|shape[ :=]+\(?[\w, ]+\)?)\)|,\s*(?:which\sis\s)?{SAID})\s*\Z")
SHAPE = re.compile(r"(?<=[\w)\]])\s+\(\s*(\w+)\s*(?:×\s*(\w+)\s*)?\)\s*\Z")
STOP = re.compile(r"(?<=[A-Za-z_)\]}'])(\d*)\s*\.\s*\Z")
COMMENT = re.compile(r"#[^\n]*")


@dataclass(frozen=True, slots=True)
class Asked:
    """The gradient that is asked for. ``names`` are the declared names, ``objective`` is what is differentiated."""

    gradient: Tensor
    wrt: str
    objective: str
    names: Collection[str]

    def named(self, name: str) -> bool | None:
        """Is a name the gradient: dw, grad_w, w_grad? False for a declared name, or the gradient of another; None for any other name."""
        bare = name.replace("_", "")
        if self._declared(name):
            return False
        for dressed in (re.fullmatch(r"d(\w+)", bare), re.fullmatch(r"grad(\w*)", bare), re.fullmatch(r"(\w+)grad", bare)):
            if dressed is not None and (dressed[1] in ("", "ient") or self._declared(dressed[1]) or self._is(dressed[1])):
                return dressed[1] in ("", "ient", self.objective.replace("_", "")) or self._is(dressed[1])
        return True if name in ("answer", self.gradient.name) else None

    def letters(self, left: str, where: str) -> tuple[str, ...]:
        """The indices on the left, () for the whole gradient. Raises ParseError where the left side is something else."""
        text = " ".join(left.split())
        slope = slope_parts(text)
        if slope is not None:
            top, below = slope
            below, found = (below, ()) if self._is(below) else entry_parts(below) or (below, ())
            if any(c.isdigit() for place in found for c in place):
                raise ParseError(where, f"one entry, {text}", "the whole gradient, or its entry at an index: "
                                 f"d{self.objective}/d{self.wrt}_i = …")
            differentiated = top == self.objective or (top in LOSSES and not self._declared(top))
            if differentiated and self._is(below) and len(found) in (0, len(self.gradient.axes)) and len(set(found)) == len(found):
                return found
        whole = WHOLE.match(text)
        if whole is not None and (whole[1] is None or self._is(whole[1]) or whole[1] == self.objective):
            return ()
        if re.fullmatch(r"[A-Za-z]\w*", text) and self.named(text):
            return ()
        raise ParseError(where, f"{text!r} on the left", OTHER, f"d{self.objective}/d{self.wrt} = …")

    def _is(self, name: str) -> bool:
        bare = name.replace("_", "")
        return bare == self.wrt.replace("_", "") or (bare == without_number(self.wrt, self.names) and not self._declared(name))

    def _declared(self, name: str) -> bool:
        return name.replace("_", "") in {n.replace("_", "") for n in self.names}


def without_number(name: str, names: Collection[str]) -> str:
    """The letter alone of a parameter with a number, W of W1, where no other name has that letter; else "".

    >>> without_number("W1", ["X", "W1", "b1"]), without_number("W1", ["W1", "W2"])
    ('W', '')
    """
    stem = re.sub(r"_?\d+\Z", "", name)
    same = {n for n in names if re.sub(r"_?\d+\Z", "", n).lower() == stem.lower()}
    return stem if stem != name and same == {name} else ""


def equations(text: str) -> list[int]:
    """Where an = stands outside brackets, comparisons aside.

    >>> equations("L = sum(X, axis=1)"), equations("sum(X, axis=1) == 2")
    ([2], [])
    """
    depth, found = 0, []
    for k, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if c == "=" and depth == 0 and (k == 0 or text[k - 1] not in "=<>!") and text[k + 1:k + 2] != "=":
            found.append(k)
    return found


def equated(text: str, where: str) -> tuple[str, str]:
    """(left side, right side with spaces in front so that its columns stay); "" where there is no = outside brackets."""
    found = equations(text)
    if not found:
        return "", text
    if len(found) > 1:
        raise ParseError(f"{where}, column {found[1] + 1}", "a second '='", "one answer",
                         "the last right side alone; symnet check judges every link of a chain in a page (.md or .txt)")
    return text[:found[0]].rstrip(": "), " " * (found[0] + 1) + text[found[0] + 1:]


def free_letters(text: str, asked: Asked, tensors: Mapping[str, Tensor], where: str) -> tuple[str, ...]:
    """The one letter of X_nj that no sum binds, where the gradient has one axis. Raises ParseError where there are more."""
    if "_" not in text and "[" not in text:
        return ()
    sizes = sizes_of(tensors)
    found = {c for places in PLACES.findall(text) for c in LETTER.findall(places) if not asked._declared(c) and c not in sizes} if len(
        asked.gradient.axes) == 1 else set[str]()
    for stem, below in ENTRY.findall(text):
        if stem in tensors and len(tensors[stem].axes) == len(below) and not asked._declared(f"{stem}_{below}"):
            found |= {c for c in below if not c.isdigit()}
    bound = {c for letters in BOUND.findall(text) for c in "".join(letters)}
    free = sorted(found - bound)
    if len(free) > 1 or (free and len(asked.gradient.axes) != 1):
        entry = "".join(free)
        raise ParseError(where, f"the indices {', '.join(free)}, without a word on which axis is which", "the entry that is meant in front",
                         f"d{asked.objective}/d{asked.wrt}_{entry} = …")
    return tuple(free)


def without_remark(text: str, gradient: Tensor | None = None) -> str:
    """``text`` without comments, a full stop, and a remark behind it on what the answer is or has: (a row vector), (by the chain rule).

    The shape of ``gradient`` with a 1 may stand behind it, (d×1), which nobody multiplies by. Raises ParseError for (N×d) and (d).

    >>> without_remark("(o - y)^T W (a row vector)"), without_remark("x (a b)"), without_remark("2*(a1 - y).  # by hand")
    ('(o - y)^T W', 'x (a b)', '2*(a1 - y)')
    """
    bare = STOP.sub(r"\1", COMMENT.sub("", text).rstrip())
    bare = STOP.sub(r"\1", REMARK.sub("", bare))
    shape = SHAPE.search(bare)
    if shape is None or gradient is None:
        return bare
    sizes = [str(a.size) for a in gradient.axes]
    if shape[2] is None and shape[1] not in sizes:
        return bare
    if shape[2] is None or sorted([shape[1], shape[2]]) != sorted(["1", *sizes]):
        raise ParseError("answer", f"{shape[0].strip()} behind the answer", "the answer alone", "it may be a shape or a product")
    return bare[:shape.start()]
