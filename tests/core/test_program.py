"""A Program as a value: its tables, its objective, its extension."""

from __future__ import annotations

import dataclasses

import pytest
import sympy as sp

from symnet.core.axes import Axis, Kind, index, size
from symnet.core.program import Assumption, Definition, Program, define, disjoint, is_size
from symnet.core.tensors import Tensor, scalar
from symnet.errors import NameError_, SymnetError
from symnet.networks.architectures import conv1d, deep_mlp, mlp, rnn

i, t = index("i"), index("t")
T = size("T")
TIME = Axis.between(0, "T", Kind.TIME)
x, w, h = Tensor("x", (Axis.of("d"),)), scalar("w"), Tensor("h", (TIME,))
z, L = Tensor("z", (Axis.of("d"),)), Tensor("L")


def small() -> Program:
    """z = w x, L = Σ z²."""
    return Program((x, w), (define(z, i, expr=w[()] * x[i]), define(L, expr=sp.Sum(z[i] ** 2, (i, 1, size("d"))))))


def test_the_last_line_is_the_objective_unless_one_is_named() -> None:
    program = small()
    assert program.objective == "L"
    other = Program(program.inputs, (*program.definitions, define(Tensor("norm"), expr=sp.sqrt(L[()]))), "L")
    assert other.objective == "L"
    assert other.objective_tensor == L


def test_tables_list_inputs_first_and_keep_the_order() -> None:
    program = small()
    assert list(program.tensors) == ["x", "w", "z", "L"]
    assert list(program.by_name) == ["z", "L"]
    assert program.uses("L") == ("z",)
    assert set(program.uses("z")) == {"w", "x"}
    assert program.uses("x") == ()
    assert [d.name for d in program] == ["z", "L"]
    assert str(program) == "z[i] := w*x[i]\nL := Sum(z[i]**2, (i, 1, d))"


@pytest.mark.parametrize(("program", "sizes"), [
    (mlp(), "N d h k"), (deep_mlp(), "d L"), (rnn(), "T d m"), (conv1d(), "K M"), (mlp(3, 4, 2), "N"),
], ids=["mlp", "deep mlp", "rnn", "conv1d", "integer widths"])
def test_sizes_are_found_in_axes_and_expressions(program: Program, sizes: str) -> None:
    assert {str(s) for s in program.sizes} == set(sizes.split())
    assert all(is_size(s) for s in program.sizes)


def test_a_size_that_stands_in_an_expression_alone_is_found() -> None:
    program = Program((w,), (define(L, expr=w[()] / size("N")),))
    assert [str(s) for s in program.sizes] == ["N"]


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(NameError_, match="no tensor named 'Z'.*did you mean 'z'"):
        small()["Z"]


def test_extend_adds_lines_and_checks_them_again() -> None:
    program = small()
    longer = program.extend([define(Tensor("double"), expr=2 * L[()])])
    assert longer.objective == "L"
    assert [d.name for d in longer] == ["z", "L", "double"]
    assert [d.name for d in program] == ["z", "L"], "the program itself is left as it was"
    with pytest.raises(SymnetError, match="before it is named"):
        program.extend([define(Tensor("bad"), expr=scalar("q")[()])])


def test_nothing_can_be_changed_after_birth() -> None:
    program = small()
    for thing, name in ((program, "definitions"), (program.definitions[0], "expr"), (x, "name"), (x.axes[0], "upper")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, name, None)


def test_a_definition_covers_the_whole_axes_unless_it_says_a_slice() -> None:
    whole = define(h, t, expr=w[()])
    assert whole.free == {t: (0, T)}
    assert whole.slice() == ((0, T),)
    first = Definition(h, (sp.S.Zero,), w[()])
    assert first.free == {}
    assert first.slice() == ((0, 0),)
    rest = Definition(h, (t,), h[t - 1], ((t, 1, T),))  # type: ignore[arg-type]
    assert rest.slice() == ((1, T),)
    assert disjoint(first, rest)
    assert disjoint(rest, first)
    assert not disjoint(first, whole)


def test_slices_at_unrelated_sizes_are_not_taken_as_apart() -> None:
    low = Definition(h, (t,), w[()], ((t, sp.S.Zero, size("K")),))
    high = Definition(h, (t,), w[()], ((t, size("M"), T),))
    assert not disjoint(low, high)


def test_an_assumption_reads_as_an_equation() -> None:
    assert str(Assumption(sp.Sum(x[i], (i, 1, size("d"))), sp.S.One)) == "Sum(x[i], (i, 1, d)) = 1"


GROWN = ["k = a + b", "k[i] = v[i]", "s[i] = u[i] + 1", "k[i] = z[i]", "k = 1", "k[i] = v[i + 1]"]


@pytest.mark.parametrize("line", GROWN)
def test_a_program_that_is_extended_is_the_one_that_is_made_at_once(line: str) -> None:
    """Lines that a program has already are not checked again; what is found, or refused, is the same."""
    from symnet.core.schedule import schedule

    i, n = index("i"), size("n")
    axis = Axis.between(sp.S.One, n, Kind.TIME)
    a, b, v, z = Tensor("a"), Tensor("b"), Tensor("v", (axis,)), Tensor("z", (axis,))
    u, s, k, vector = Tensor("u", (axis,)), Tensor("s", (axis,)), Tensor("k"), Tensor("k", (axis,))
    new = {"k = a + b": define(k, expr=a[()] + b[()]), "k[i] = v[i]": define(vector, i, expr=v[i]), "k[i] = z[i]": define(vector, i, expr=z[i]),
           "s[i] = u[i] + 1": define(s, i, expr=u[i] + 1), "k = 1": define(k, expr=sp.S.One),
           "k[i] = v[i + 1]": define(vector, i, expr=v[i + 1])}[line]
    first = Program((a, b, v), (define(u, i, expr=v[i] * a[()]), define(Tensor("L"), expr=a[()])))

    def made(make):  # type: ignore[no-untyped-def]
        try:
            program = make()
        except SymnetError as error:
            return str(error)
        return program, schedule(program), dict(program.least)

    assert made(lambda: first.extend([new])) == made(lambda: Program(first.inputs, (*first.definitions, new), first.objective))
