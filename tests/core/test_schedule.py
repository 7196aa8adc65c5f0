"""The order of computation: blocks, loops and their direction."""

from __future__ import annotations

import random

import pytest
import sympy as sp

from symnet.calculus import derive
from symnet.calculus.instantiate import Entries, environment
from symnet.core.axes import Axis, Kind, index
from symnet.core.expressions import entries
from symnet.core.index_evaluation import at_place, in_order
from symnet.core.program import Definition, Program, define
from symnet.core.schedule import Block, components, schedule
from symnet.core.tensors import Tensor, entry_indices, scalar, tensor_name
from symnet.networks.architectures import conv1d, deep_mlp, mlp, rnn, unrolled_mlp
from symnet.parsing.program import program


def names(block: Block) -> list[str]:
    return list(dict.fromkeys(d.name for d in block.definitions))


@pytest.mark.parametrize(("made", "wanted"), [
    (mlp(), [["z1"], ["a1"], ["z2"], ["p"], ["L"]]),
    (deep_mlp(), [["a"], ["z", "a"], ["C"]]),
    (rnn(), [["h"], ["z", "h"], ["L"]]),
    (conv1d(), [["z1"], ["L"]]),
], ids=["mlp", "deep mlp", "rnn", "conv1d"])
def test_blocks_of_a_network(made: Program, wanted: list[list[str]]) -> None:
    assert [names(b) for b in schedule(made)] == wanted


def test_a_loop_runs_forward_and_its_adjoint_backward() -> None:
    for made, forward, backward in ((deep_mlp(), ["a", "z"], ["dC_da", "dC_dz"]), (rnn(), ["h", "z"], ["dL_dh", "dL_dz"])):
        loops = {frozenset(names(b)): b for b in schedule(derive(made).full) if b.is_loop}
        assert set(loops) == {frozenset(forward), frozenset(backward)}
        assert loops[frozenset(forward)].ascending
        assert not loops[frozenset(backward)].ascending


def test_a_network_without_recurrence_has_no_loop() -> None:
    for made in (mlp(), conv1d(stride=2), unrolled_mlp(2, 5)):
        blocks = schedule(derive(made).full)
        assert not any(b.is_loop for b in blocks)
        assert all(len(b.definitions) == 1 for b in blocks)


def test_the_loop_axis_is_the_time_axis_wherever_it_stands() -> None:
    feature, time, whole = Axis.of("d"), Axis.of("T", Kind.TIME), Axis.between(0, "T", Kind.TIME)
    i, t = index("i"), index("t")
    x, h = Tensor("x", (feature, time)), Tensor("h", (feature, whole))
    made = Program((x,), (
        Definition(h, (i, sp.S.Zero), sp.S.Zero, ((i, *feature.range),)),
        Definition(h, (i, t), h[i, t - 1] + x[i, t], ((i, *feature.range), (t, *time.range))),
        define(Tensor("L"), expr=sp.Sum(h[i, time.upper], (i, *feature.range)))))
    first, loop, _ = schedule(made)
    assert not first.is_loop
    assert loop.is_loop
    assert loop.along == (("h", 1, 0),)
    assert loop.turns() == ((1, time.upper),)


CASES = {"mlp": (mlp(), {"N": 2, "d": 3, "h": 4, "k": 2}), "deep mlp": (deep_mlp(), {"d": 2, "L": 4}),
         "rnn": (rnn(), {"T": 3, "d": 2, "m": 4}), "conv1d": (conv1d(), {"K": 2, "M": 3}),
         "strided": (conv1d(stride=2), {"K": 3, "M": 4})}


@pytest.mark.parametrize("name", CASES)
def test_in_this_order_every_value_is_there_before_it_is_used(name: str) -> None:
    made, sizes = CASES[name]
    full = derive(made, [t.name for t in made.inputs]).full
    env = environment(full, sizes)
    everything = Entries(full.tensors, env)
    done = {s.name for t in full.inputs for s in everything.of(t.name)}
    for block in schedule(full):
        for d, place, inner in in_order(block, env):
            used = {s.name for s in at_place(d.expr, inner, everything).free_symbols}
            target = everything.scalar(d.name, place).name
            assert used <= done, f"{target} needs {sorted(used - done)[:3]}"
            assert target not in done, "each entry once"
            done.add(target)
    assert done == {s.name for t in full.tensors for s in everything.of(t)}


@pytest.mark.parametrize("seed", range(8))
def test_components_come_after_what_they_use(seed: int) -> None:
    rng = random.Random(seed)
    size = rng.randint(2, 9)
    graph = {str(n): [str(m) for m in range(size) if rng.random() < 0.3] for n in range(size)}
    found = components(graph)
    assert sorted(n for group in found for n in group) == sorted(graph)
    reach = {n: {n} for n in graph}
    for _ in graph:
        reach = {n: r | {v for u in r for v in graph[u]} for n, r in reach.items()}
    position = {n: k for k, group in enumerate(found) for n in group}
    for n in graph:
        for m in graph:
            assert (position[n] == position[m]) == (m in reach[n] and n in reach[m])
            if m in reach[n]:
                assert position[m] <= position[n]


def test_a_long_chain_does_not_meet_the_recursion_limit() -> None:
    made = program("a0 = 2*w", *[f"a{k + 1} = a{k} + w" for k in range(3000)])
    assert len(schedule(made)) == 3001


def test_uses_at_the_same_time_are_put_in_order() -> None:
    """h[t] uses z[t], which uses h[t-1]: at each t first z, then h, however the lines stand; z[t] and h[t] from each other is no order."""
    time, whole = Axis.of("T", Kind.TIME), Axis.between(0, "T", Kind.TIME)
    t = index("t")
    h, z, w = Tensor("h", (whole,)), Tensor("z", (time,)), scalar("w")
    start = Definition(h, (sp.S.Zero,), w[()])
    lines = (define(z, t, expr=h[t - 1]), Definition(h, (t,), z[t], ((t, *time.range),)))
    for some in (lines, lines[::-1]):
        first, loop = schedule(Program((w,), (start, *some)))
        assert [d.name for d in (*first.definitions, *loop.definitions)] == ["h", "z", "h"]
    used = {(tensor_name(e), entry_indices(e)) for d in lines for e in entries(d.expr)}
    assert used == {("h", (t - 1,)), ("z", (t,))}
    with pytest.raises(ValueError, match="uses 'h' at the same place before it is defined"):
        Program((w,), (start, define(z, t, expr=h[t]), lines[1]))


def recurrence(names: str, *lines: str, **shapes: tuple[object, ...]) -> tuple[Block, ...]:
    """The blocks of lines over inputs x (T,) and m (I, J)."""
    made = program(*lines, f"L = {' + '.join(f'sum({n})' for n in names.split())}",
                   tensors={"x": ("T",), "m": ("I", "J"), "s": (), **shapes})
    return tuple(b for b in schedule(made) if b.is_loop)


def test_a_grid_is_a_loop_in_a_loop_and_what_needs_one_loop_has_one() -> None:
    edges = ("D[0, j] = 0", "D[i, 0] = 0 for i in 1..I")
    both, = recurrence("D", *edges, "D[i, j] = m[i, j] + D[i-1, j] + D[i, j-1] for i in 1..I for j in 1..J", D=("0..I", "0..J"))
    assert both.steps[0].is_loop
    rows, = recurrence("D", *edges, "D[i, j] = m[i, j] + D[i-1, j] + D[i-1, j-1] for i in 1..I for j in 1..J", D=("0..I", "0..J"))
    assert [s.is_loop for s in rows.steps] == [False]


def test_a_tensor_may_run_behind_another() -> None:
    """u[t] uses v three places ahead of it, v[t] uses u five places before it: v runs three turns ahead."""
    loop, = recurrence("u v", "u[t] = x[t] + (v[t+3] if t + 3 <= T else 0)", "v[t] = x[t] + (u[t-5] if t > 5 else 0)", u=("T",), v=("T",))
    shifts = {name: shift for name, _, shift in loop.along}
    assert shifts["v"] - shifts["u"] >= 3 or not loop.ascending


def test_a_loop_may_run_down_inside_a_loop_that_runs_up() -> None:
    loop, = recurrence("D", "D[i, j] = m[i, j] + (D[i-1, j] if i > 1 else 0) + (D[i, j+1] if j < J else 0)", D=("I", "J"))
    assert (loop.ascending, loop.steps[0].ascending) == (True, False)
