"""The two ways in which a random answer is judged: as an expression against the right one, and as text by ``symnet.check``."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

from soundness.mutations import mutated
from soundness.oracle import points, values, wrong
from soundness.problems import Problem
from soundness.rewrites import rewritten
from soundness.trees import Tree, places, text

from symnet.core.tensors import Tensor
from symnet.core.verdict import Verdict
from symnet.equality.compare import compare
from symnet.errors import SymnetError
from symnet.parsing.program import expression


@dataclass
class Count:
    """What was found: verdicts by kind, undecided ones by what was done, and every wrong one."""

    verdicts: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    undecided: Counter[str] = field(default_factory=Counter)
    open: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many were judged."""
        return sum(self.verdicts.values())

    def add(self, verdict: Verdict, used: list[str], said: str, fault: str) -> None:
        """Note one verdict."""
        self.verdicts[verdict.answer.value] += 1
        self.done.update(used)
        if verdict.answer.value == "undecided":
            self.undecided.update(used)
            self.open.append(f"{said}: {verdict.reason}")
        if fault:
            self.wrong.append(f"{said}: {fault}")

    def __str__(self) -> str:
        kinds = ", ".join(f"{k}: {c}" for k, c in self.verdicts.most_common())
        shares = ", ".join(f"{k} {c}/{self.done[k]}" for k, c in self.undecided.most_common())
        return f"{self.total} judged; {kinds}; undecided by kind: {shares or 'none'}"


def otherwise(problem: Problem, dice: random.Random) -> tuple[Tree, list[str]]:
    """The right answer in another form."""
    return rewritten(problem.truth, dice, problem.positive, dice.randint(1, 3))


def slipped(problem: Problem, dice: random.Random) -> tuple[Tree, list[str]]:
    """The right answer, perhaps in another form, with a slip."""
    start, _ = rewritten(problem.truth, dice, problem.positive, dice.randint(0, 1))
    made, slip = mutated(start, dice, problem.names)
    return made, [slip]


Maker = Callable[[Problem, random.Random], tuple[Tree, list[str]]]


def answers(problem: Problem, make: Maker, count: int, seed: int) -> Iterator[tuple[Tree, list[str]]]:
    """So many different answers; a seed and a problem give the same ones on every run."""
    dice, seen = random.Random(f"{seed} {problem.name}"), set[Tree]()
    while len(seen) < count:
        made, used = make(problem, dice)
        if made not in seen:
            seen.add(made)
            yield made, used


@cache
def tensors(problem: Problem) -> dict[str, Tensor]:
    """The names, real or positive."""
    return {x: Tensor(x, domain="positive" if x in problem.positive else "real") for x in problem.names}


def judge(problem: Problem, make: Maker, count: int, seed: int, found: Count) -> None:
    """Random answers compared with the right one, each verdict against the oracle."""
    truth = expression(text(problem.truth), tensors(problem)).expr
    grid = points(problem.names, problem.positive)
    for tree, used in answers(problem, make, count, seed):
        try:
            answer = expression(text(tree), tensors(problem))
        except SymnetError as error:
            assert is_nowhere(tree, problem), f"{text(tree)}: {error}"
            continue
        verdict = compare(answer.expr, truth, (), answer.holes)
        found.add(verdict, used, f"{problem.name}: {text(tree)}", wrong(verdict, tree, problem.truth, grid))


def is_nowhere(tree: Tree, problem: Problem) -> bool:
    """True when a part has no real value where all names differ, such as 1/0, log(-1) or sqrt(-(x - y)**2): it may be refused."""
    grid = points(problem.names, problem.positive)[5:]
    return any(all(values(part, part, point)[0] is None for point in grid) for _, part in places(tree))
