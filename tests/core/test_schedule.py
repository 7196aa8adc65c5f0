"""The order of computation: blocks, loops and their direction."""

from __future__ import annotations

import random

import pytest
import sympy as sp

from symnet.calculus import derive
from symnet.calculus.instantiate import Entries, environment
from symnet.core.axes import Axis, Kind, index
from symnet.core.expressions import entries
from symnet.core.places import at_place, in_order
from symnet.core.program import Definition, Program, define
from symnet.core.schedule import Block, components, schedule
from symnet.core.tensors import Tensor, entry_indices, scalar, tensor_name
from symnet.networks.architectures import conv1d, deep_mlp, mlp, rnn, unrolled_mlp
from symnet.parsing.program import program


def names(block: Block) -> list[str]:
    return list(dict.fromkeys(d.name for d in block.definitions))


@pytest.mark.parametrize(("made", "wanted"), [
    (mlp(), [["z1"], ["a1"], ["z2"], ["p"], ["L"]]),
    (deep_mlp(), [["a", "z"], ["C"]]),
    (rnn(), [["h", "z"], ["L"]]),
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
    loop = schedule(made)[0]
    assert loop.is_loop
    assert dict(loop.axis_of) == {"h": 1}
    assert [loop.place(d) for d in loop.definitions] == [0, t]


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


def test_uses_at_the_same_time_follow_the_lines() -> None:
    """h[t] may use z[t] from a line above; z[t] may not use h[t] from a line below."""
    time, whole = Axis.of("T", Kind.TIME), Axis.between(0, "T", Kind.TIME)
    t = index("t")
    h, z, w = Tensor("h", (whole,)), Tensor("z", (time,)), scalar("w")
    start = Definition(h, (sp.S.Zero,), w[()])
    lines = (define(z, t, expr=h[t - 1]), Definition(h, (t,), z[t], ((t, *time.range),)))
    loop, = schedule(Program((w,), (start, *lines)))
    assert [d.name for d in loop.definitions] == ["h", "z", "h"]
    used = {(tensor_name(e), entry_indices(e)) for d in lines for e in entries(d.expr)}
    assert used == {("h", (t - 1,)), ("z", (t,))}
    with pytest.raises(ValueError, match="uses 'z' at the same place before it is defined"):
        Program((w,), (start, lines[1], lines[0]))
