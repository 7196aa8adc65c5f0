"""The builder: names stay apart, letters are chosen once for each axis, widths must fit."""

from __future__ import annotations

import pytest
import sympy as sp

from symnet.core.axes import Axis, Kind, index
from symnet.core.tensors import Role
from symnet.errors import ShapeError
from symnet.networks.builder import Builder, over, same_size

N, D, H, T = Axis.of("N", Kind.BATCH), Axis.of("d"), Axis.of("h"), Axis.of("T", Kind.TIME)


def started(*axes: Axis) -> Builder:
    to = Builder()
    to.now = to.add_input("X", axes, Role.INPUT, "the input")
    return to


LETTERS = {
    "samples and features": ((N, D), "n i"),
    "a matrix": ((D, H), "i j"),
    "a square": ((D, D), "i j"),
    "time": ((T, D), "t i"),
    "a size that is called n": ((Axis.of("n", Kind.BATCH), D), None),
    "a size that is called i": ((N, Axis.of("i")), None),
    "four axes": ((N, T, D, H), "n t i j"),
}


@pytest.mark.parametrize("axes, wanted", LETTERS.values(), ids=LETTERS)
def test_letters_are_different_and_no_sizes(axes: tuple[Axis, ...], wanted: str | None) -> None:
    found = [str(s) for s in started(*axes).letters(axes)]
    sizes = {str(s) for a in axes for s in a.upper.free_symbols}
    assert len(set(found)) == len(axes) and not sizes & set(found)
    assert wanted is None or found == wanted.split()


def test_an_axis_keeps_its_letter() -> None:
    to = started(N, D)
    to.line("Z", (N, H), to.letters((N, H)), sp.S.One, "made")
    assert [str(s) for s in to.letters((N, H, D))] == ["n", "j", "i"]
    assert [str(s) for s in to.letters((D,))] == ["i"]


def test_a_name_that_is_taken_gets_a_mark() -> None:
    to = started(N, D)
    names = [to.entrywise("X", "again", lambda e: e).name, to.entrywise("X", "again", lambda e: e).name]
    assert len({"X", *names}) == 3 and all(n.startswith("X_") for n in names)


def test_what_was_made_last_flows_on_and_is_the_objective() -> None:
    to = started(D)
    made = to.entrywise("a", "squared", lambda e: e**2)
    program = to.program("title")
    assert (
        to.now is made
        and (program.objective, program.title) == ("a", "title")
        and [str(d) for d in program] == ["a[i] := X[i]**2"]
    )


def test_a_number_has_no_letters() -> None:
    to = started()
    to.entrywise("a", "squared", lambda e: e**2)
    assert [str(d) for d in to.lines] == ["a := X**2"] and to.letters(()) == ()


def test_over_sums_over_the_whole_axis() -> None:
    i, x = index("i"), sp.IndexedBase("x")
    assert over(x[i], i, D) == sp.Sum(x[i], (i, 1, D.upper))
    assert over(x[i], i, Axis.between(0, "T", Kind.TIME)).limits[0][1] == 0


@pytest.mark.parametrize("found, wanted", [(D, H), (Axis.of(2), Axis.of(3)), (D, Axis.of(2))])
def test_widths_that_differ_are_refused(found: Axis, wanted: Axis) -> None:
    with pytest.raises(ShapeError) as caught:
        same_size("Linear, layer 2", found, wanted)
    assert (
        str(caught.value)
        == f"Linear, layer 2: {found.size} features; expected {wanted.size}; try: Linear after a layer of that width"
    )


def test_widths_that_agree_pass() -> None:
    assert same_size("Linear", D, Axis.of("d")) is None and same_size("Linear", Axis.of(3), Axis.of(3)) is None
