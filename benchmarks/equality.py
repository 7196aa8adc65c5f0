"""Is this gradient right? Time to a verdict of symnet, against SymPy's simplify(a - b) == 0 and Expr.equals, in one run.

    python benchmarks/equality.py            all pairs, a limit of 3 s for each call of a peer
    python benchmarks/equality.py --quick    a few pairs, a limit of 1 s

The pairs are closed forms of gradients of sigmoid networks 1-1-1, 2-2-2 and 2-3-1 with squared error. Right answers are the
gradient rewritten without changing its value, wrong ones the same with one slip. Before every call SymPy's cache is emptied,
for symnet too: no one profits from the pair before. SymPy does not know our sigmoid and is given 1/(1 + exp(-z)), unrewritten
otherwise. Last, the time per layer in named intermediates, which must not grow with depth. One thread, medians of
the processor's time.
"""

from __future__ import annotations

import itertools
import random
import sys
import time
from collections.abc import Callable, Iterator

import sympy as sp
from measuring import Measured, limited, machine, ratio, shown, table
from sympy.core.cache import clear_cache

from symnet.calculus import derive
from symnet.core.functions import sigmoid
from symnet.core.program import Program
from symnet.core.verdict import Answer
from symnet.equality.compare import compare
from symnet.networks.layers import Linear, Sigmoid
from symnet.networks.losses import MSELoss
from symnet.networks.sequential import Sequential

NETWORKS = ((1, 1, 1), (2, 2, 2), (2, 3, 1))
DEPTHS = (2, 4, 8, 16, 32, 64)
Pair = tuple[sp.Expr, sp.Expr]


def network(*widths: int) -> Program:
    """Sigmoid layers of these widths, one sample, squared error."""
    parts = [p for a, b in itertools.pairwise(widths) for p in (Linear(a, b), Sigmoid())]
    return Sequential(*parts).program(MSELoss(), batch=False)


def as_exp(z: sp.Expr) -> sp.Expr:
    """The sigmoid as most write it."""
    return 1 / (1 + sp.exp(-z))


SPELLINGS: dict[str, Callable[[sp.Expr], sp.Expr]] = {
    "1/(1 + e^-z)": as_exp,
    "e^z/(1 + e^z)": lambda z: sp.exp(z) / (1 + sp.exp(z)),
    "(1 + tanh(z/2))/2": lambda z: (1 + sp.tanh(z / 2)) / 2,
    "1 - sigmoid(-z)": lambda z: 1 - sigmoid(-z),
}


def rewritten(expr: sp.Expr, spelling: Callable[[sp.Expr], sp.Expr]) -> sp.Expr:
    """The same value: every sigmoid spelled another way."""
    return expr.replace(lambda e: isinstance(e, sigmoid), lambda e: spelling(e.args[0]))


def multiplied_out(expr: sp.Expr) -> sp.Expr:
    """The same value: brackets outside the sigmoids gone, a(1 - a) as a - a^2."""
    return sp.expand(expr, deep=False)


def slips(expr: sp.Expr, dice: random.Random) -> Iterator[sp.Expr]:
    """The same with one slip: sign, factor 2, a factor lost, 1 + a for 1 - a, a neighbouring name."""
    yield -expr
    yield 2 * expr
    factors = [f for f in sp.Mul.make_args(expr) if not f.is_Number]
    yield expr / dice.choice(factors) if len(factors) > 1 else 3 * expr
    inner = sorted(expr.atoms(sigmoid), key=str)
    yield expr.xreplace({1 - inner[0]: 1 + inner[0]}) if expr.has(1 - inner[0]) else expr + inner[0]
    weights = sorted((s for s in expr.free_symbols if str(s).startswith("W")), key=str)
    yield expr.xreplace({weights[0]: weights[1], weights[1]: weights[0]}) if len(weights) > 1 else expr + 1


def pairs(widths: tuple[int, ...], quick: bool) -> tuple[list[Pair], list[Pair]]:
    """(right, wrong) pairs of the gradient and an answer."""
    dice = random.Random(0)
    done = derive(network(*widths)).instantiate({})
    wanted = [u for u in done.wrt if quick is False or u == done.wrt[0]][:: 6 if len(done.wrt) > 6 else 2]
    right, wrong = [], []
    for k, name in enumerate(wanted):
        truth = done.closed_form(name)
        spellings = list(SPELLINGS.values())
        right.append((truth, rewritten(truth, spellings[k % len(spellings)])))
        right.append((truth, multiplied_out(truth)))
        slip = list(slips(truth, dice))
        wrong += [(truth, rewritten(slip[j % 5], spellings[(k + j) % 4])) for j in (2 * k, 2 * k + 1)]
    return right, wrong


def ours(left: sp.Expr, right: sp.Expr) -> bool | None:
    """symnet's verdict; None for undecided."""
    verdict = compare(left, right)
    return None if verdict.answer is Answer.UNDECIDED else verdict.holds


def by_simplify(left: sp.Expr, right: sp.Expr) -> bool:
    """SymPy, the usual way."""
    return bool(sp.simplify(left - right) == 0)


def by_equals(left: sp.Expr, right: sp.Expr) -> bool | None:
    """SymPy, with numbers put in as well."""
    return left.equals(right)  # type: ignore[no-any-return]


Judge = Callable[[sp.Expr, sp.Expr], bool | None]
JUDGES: tuple[tuple[str, Judge], ...] = (("symnet", ours), ("simplify", by_simplify), ("equals", by_equals))


def judged(judge: Judge, cases: list[Pair], limit: float) -> list[Measured]:
    """One verdict a pair. A peer gets the sigmoid spelled out."""
    found = []
    for left, right in cases:
        left, right = (left, right) if judge is ours else (rewritten(left, as_exp), rewritten(right, as_exp))
        clear_cache()
        found.append(limited(lambda a=left, b=right: judge(a, b), limit))  # type: ignore[misc]
    return found


def row_of(network: str, truth: bool, found: dict[str, list[Measured]]) -> list[object]:
    """A line of the table: medians, right verdicts, ratios."""
    good = {name: sum(m.result is truth for m in times) for name, times in found.items()}
    better = [min(a, b, key=lambda m: (not m.ended, m.seconds)) for a, b in zip(found["simplify"], found["equals"], strict=True)]
    return [network, "right" if truth else "wrong", len(found["symnet"]), *[f"{shown(t)} ({good[n]})" for n, t in found.items()],
            *[ratio(found[name], found["symnet"]) for name, _ in JUDGES[1:]], ratio(better, found["symnet"])]


def against_sympy(quick: bool, limit: float) -> None:
    """The table of verdicts."""
    rows: list[list[object]] = []
    whole: dict[bool, dict[str, list[Measured]]] = {t: {name: [] for name, _ in JUDGES} for t in (True, False)}
    for widths in NETWORKS:
        for truth, cases in zip((True, False), pairs(widths, quick), strict=True):
            found = {name: judged(judge, cases, limit) for name, judge in JUDGES}
            for name, times in found.items():
                whole[truth][name] += times
            rows.append(row_of("-".join(map(str, widths)), truth, found))
    rows += [row_of("all", truth, found) for truth, found in whole.items()]
    table(f"Median ms to a verdict (how many verdicts were right), and median ratios pair by pair; > : stopped after {limit:g} s",
          ["network", "answers", "pairs", "symnet", "simplify", "equals", "simplify/symnet", "equals/symnet", "better/symnet"], rows)


def by_depth(depths: tuple[int, ...]) -> None:
    """Every line of the gradient of a chain 1-1-…-1, compared in named intermediates."""
    rows, first = [], 0.0
    for depth in depths:
        done = derive(network(*[1] * (depth + 1)))
        lines = [s.definition.expr for s in done.steps if s.live]
        forms = [(e, sp.expand(e)) for e in lines]
        clear_cache()
        start = time.process_time()
        proved = sum(compare(a, b).answer is Answer.PROVED for a, b in forms)
        taken = time.process_time() - start
        first = first or taken / depth
        rows.append([depth, len(forms), proved, f"{1000 * taken:.0f}", f"{1000 * taken / depth:.2f}", f"{taken / depth / first:.2f}"])
    table("All gradients of a chain of sigmoids, each line in named intermediates, against the line multiplied out",
          ["layers", "lines", "proved", "ms", "ms a layer", "to the first"], rows)


def warm_up() -> None:
    """Load what loads on first use."""
    x = sp.Symbol("x", real=True)
    for _, judge in JUDGES:
        judge(as_exp(x), sigmoid(x) if judge is ours else as_exp(x))


def main(arguments: list[str]) -> int:
    """Print both tables."""
    quick = "--quick" in arguments
    print(f"equality: {machine()}, SymPy {sp.__version__}")
    warm_up()
    start = time.perf_counter()
    against_sympy(quick, 1.0 if quick else 3.0)
    by_depth(DEPTHS[:4] if quick else DEPTHS)
    print(f"\n{time.perf_counter() - start:.0f} s in all")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
