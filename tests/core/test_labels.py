"""Readable index names: the author's letters where there are some, primes where a letter is taken, never a size's name."""

from __future__ import annotations

import pytest
import sympy as sp

from symnet.core.axes import Axis, Kind, index, size
from symnet.core.expressions import limits
from symnet.core.index_letters import Labels, extend, relabel
from symnet.core.program import Program
from symnet.core.tensors import Tensor, tensor_name
from symnet.networks.architectures import conv1d, deep_mlp, mlp, rnn

N, D = size("N"), size("d")
ONE = sp.S.One
x = Tensor("x", (Axis.of("N", Kind.BATCH), Axis.of("d")))


def dummy() -> sp.Symbol:
    return sp.Dummy("q", integer=True)


@pytest.mark.parametrize(("kind", "letter"), [(Kind.BATCH, "n"), (Kind.TIME, "t"), (Kind.DEPTH, "l"), (Kind.FEATURE, "i")])
def test_an_axis_without_a_letter_gets_one_by_its_kind(kind: Kind, letter: str) -> None:
    axis = Axis.of("s", kind)
    assert Labels([Tensor("v", (axis,))]).pick(axis.range, ()) == index(letter)


@pytest.mark.parametrize(("program", "letters"), [
    (mlp(), {"N": "n", "d": "i", "h": "j", "k": "u"}), (deep_mlp(), {"d": "i", "L": "l"}), (rnn(), {"T": "t", "d": "j", "m": "i"}),
    (conv1d(), {"K": "p", "M": "i"})], ids=["mlp", "deep mlp", "rnn", "conv1d"])
def test_the_letters_of_the_program_are_kept(program: Program, letters: dict[str, str]) -> None:
    labels = Labels.of(program)
    for name, letter in letters.items():
        assert labels.pick((ONE, size(name)), ()) == index(letter)


def test_a_taken_letter_is_followed_by_the_next_and_then_by_primes() -> None:
    labels = Labels([x])
    first = labels.pick((ONE, D), ())
    second = labels.pick((ONE, D), [str(first)])
    third = labels.pick((ONE, D), [str(first), str(second)])
    assert [str(first), str(second), str(third)] == ["i", "i1", "i2"]


def test_an_index_is_never_called_like_a_tensor_or_a_size() -> None:
    tensors = [Tensor("i", (Axis.of("j"),)), Tensor("n", (Axis.of("t", Kind.BATCH),))]
    labels = Labels(tensors, sizes=["j", "t"])
    for t in tensors:
        assert str(labels.pick(t.axes[0].range, ())) not in {"i", "n", "j", "t"}


def test_relabel_names_every_bound_index_and_keeps_the_meaning() -> None:
    a, b, c, e = (dummy() for _ in range(4))
    expr = x[a, b] * sp.Sum(x[a, c] * sp.Sum(x[b, e], (e, 1, D)), (c, 1, D))
    made = relabel(expr, {a: index("n"), b: index("i")}, Labels([x]))
    assert not made.atoms(sp.Dummy)
    assert made.free_symbols >= {index("n"), index("i")}
    for node in made.atoms(sp.Sum):
        for i, _, _ in limits(node):
            assert i not in (index("n"), index("i")), "a bound index is not called like a free one"


def test_relabel_of_nested_sums_gives_each_its_own_letter() -> None:
    a, b = dummy(), dummy()
    made = relabel(sp.Sum(x[1, a] * sp.Sum(x[1, b] * x[1, a], (b, 1, D)), (a, 1, D)), {}, Labels([x]))
    outer, = limits(made)
    inner, = next(limits(s) for s in made.function.atoms(sp.Sum))
    assert outer[0] != inner[0]
    assert sp.expand(made.xreplace({D: sp.Integer(2)}).doit()) == sum(x[1, p]**2 * x[1, q] for p in (1, 2) for q in (1, 2))


def test_extend_keeps_what_is_in_scope() -> None:
    a = dummy()
    scope = extend({a: index("i")}, [(dummy(), ONE, D), (dummy(), ONE, N)], Labels([x]))
    assert scope[a] == index("i")
    assert len(set(scope.values())) == 3
    assert all(tensor_name(x[1, 1]) != str(v) for v in scope.values())
