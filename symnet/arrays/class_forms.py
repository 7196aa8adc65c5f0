r"""Matrix notation of classes: \operatorname{onehot}(y, C), with a one at each sample's class."""

from __future__ import annotations

import sympy as sp

from symnet.arrays.matrix_letters import ATOM, HAD, MUL, Form, Letters
from symnet.arrays.scalars import Shown
from symnet.arrays.tree import Labels, Masked
from symnet.core.expressions import entries
from symnet.core.tensors import tensor_name


def class_form(form: Shown, letters: Letters, node: Masked, labels: Labels) -> Form | None:
    """[j = y[i] + 1] A[i, j] is onehot(y, C) ⊙ A; None where a bracket that asks for data is of another kind."""
    test = node.condition
    entry = next((e for e in entries(test) if isinstance(e, sp.Indexed)), None)
    if entry is None or not isinstance(test, sp.Eq) or len(labels) != 2 or len(entry.indices) != 1 or entry.indices[0] not in labels:
        return None
    row, tensor = entry.indices[0], letters.tensors[tensor_name(entry)]
    column, spans = labels[1 - labels.index(row)], dict(node.spans)
    if tensor.classes is None or test not in (sp.Eq(column, entry + 1), sp.Eq(entry + 1, column)):
        return None
    if spans[column] != (sp.S.One, tensor.classes) or spans[row] != tensor.axes[0].range:
        return None
    name = rf"\operatorname{{onehot}}\left({letters.name(tensor, [])}, {letters.printer(tensor.classes)}\right)"
    one = name if labels == (row, column) else rf"{name}^{{\top}}"
    if node.body.labels:
        return Form(rf"{one} \odot {form(node.body, labels).within(MUL)}", HAD)
    inner = form(node.body, ())
    return Form(one, ATOM) if inner.text == "1" else Form(f"{inner.within(MUL)} {one}", MUL)
