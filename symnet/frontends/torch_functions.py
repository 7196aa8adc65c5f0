"""torch.autograd.Function as it is judged: its forward and its own backward traced under PyTorch's autograd, and run on numbers."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import sympy as sp

from symnet.core.own_backward import Argument, Run, Trace
from symnet.core.tensors import Role
from symnet.core.user_code import told
from symnet.errors import NameError_, OptionError, SymnetError
from symnet.frontends.free_sizes import Shapes, axes_of, declared_shapes, free_shapes, needed_arguments, shapes_at, size_names
from symnet.frontends.function_programs import FunctionGraph
from symnet.frontends.torch_library import tracing_parts
from symnet.frontends.torch_tracing import TorchTracing
from symnet.indexing.graph import unsupported
from symnet.indexing.operations import Array

LIKE = (11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)  # the numbers that stand behind names while a function is traced
WHO = "check_function"


def is_torch_function(function: Any) -> bool:
    """True for a class made from torch.autograd.Function; torch is not imported for the answer."""
    return isinstance(function, type) and any(c.__module__ == "torch.autograd.function" for c in function.__mro__[1:])


class TorchFunction:
    """One torch.autograd.Function with an example of its arguments. ``shapes`` are those that are said, with names for sizes."""

    def __init__(self, function: Any, example: Any, shapes: Shapes | None = None, wrt: Sequence[str] = ()) -> None:
        self.parts = tracing_parts(WHO)
        self.function, self.name = function, str(function.__name__)
        torch = self.parts.torch
        if "backward" not in _own_names(function, torch) and "vjp" not in _own_names(function, torch):
            raise OptionError(WHO, f"{self.name} has no backward", "a torch.autograd.Function with forward and backward")
        self.values = _arguments(function, example, torch)
        tensors = {n: v for n, v in self.values.items() if isinstance(v, torch.Tensor)}
        if complex_ := [n for n, t in tensors.items() if t.is_complex()]:
            raise OptionError(f"{WHO}, {complex_[0]}", "complex numbers", "real ones")
        wanted, self.marked = needed_arguments(WHO, list(tensors), wrt, [n for n, t in tensors.items() if t.requires_grad])
        self.arguments = tuple(Argument(n, tuple(t.shape), _domain(torch, t), t.is_floating_point() and n in wanted,
                                        0 if t.is_floating_point() or not t.numel() else int(t.max())) for n, t in tensors.items())
        self.wrt = tuple(a.name for a in self.arguments if a.wanted)
        if not self.wrt:
            raise OptionError(WHO, f"no argument of {self.name} is a tensor of real numbers", "an example with one")
        if shapes is not None:
            self.shapes = declared_shapes(self.arguments, shapes, WHO)
        else:
            self._runs({a.name: a.shape for a in self.arguments}, True)
            self.shapes = free_shapes(self.arguments, self._runs, set(self.values))
        self.sizes = size_names(self.shapes)

    def shapes_at(self, sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
        """The shapes of the arguments at these sizes."""
        return shapes_at(self.shapes, sizes)

    # Traced.

    def traced(self, sizes: Mapping[str, int] | None = None) -> Trace:
        """The trace, for all sizes or for the given numbers. Raises the error family where there is none."""
        numbers = {sp.Symbol(n, integer=True, positive=True): sp.Integer(k) for n, k in (sizes or {}).items()}
        shapes = {name: tuple(n.xreplace(numbers) for n in shape) for name, shape in self.shapes.items()}
        tracing = TorchTracing(self.parts, self.name)
        for symbol, like in zip(dict.fromkeys(s for shape in shapes.values() for n in shape for s in sorted(n.free_symbols, key=str)),
                                LIKE, strict=False):
            tracing.size(symbol, like)
        arrays = {a.name: tracing.input(a.name, axes, self._dtype(a), Role.INPUT)
                  for a, axes in zip(self.arguments, axes_of(shapes).values(), strict=True)}
        try:
            return self._traced(tracing, arrays, sizes or {})
        except SymnetError:
            raise
        except self.parts.data_dependent:
            raise unsupported("a branch or a number that depends on the entries of a tensor", tracing.maker.where,
                              "the same operators for all data: torch.where") from None
        except Exception as error:  # whatever a user's function may raise, told in one line
            raise told(error) from None

    def _traced(self, tracing: TorchTracing, arrays: Mapping[str, Array], sizes: Mapping[str, int]) -> Trace:
        whole = FunctionGraph(tracing.graph, self.name, frozenset({*arrays, *self.sizes}))
        upstream: list[Array] = []
        outputs, found = self._pass(tracing, arrays, set(self.wrt), upstream, whole)
        gradients: dict[str, list[Array | None]] = {n: [a] for n, a in found.items()}
        for alone in self.wrt if len(self.wrt) > 1 else ():
            made = self._pass(tracing, arrays, {alone}, upstream, whole)[1][alone]
            if made not in gradients[alone]:
                gradients[alone].append(made)
        if restricted := tracing.restricted():
            raise unsupported(f"the function asks whether {restricted}", self.name, "the same operations for all sizes")
        nodes = {n: [None if a is None else a.node for a in versions] for n, versions in gradients.items()}
        return whole.trace(outputs, upstream, nodes, sizes, tuple(tracing.read_as))

    def _pass(self, tracing: TorchTracing, arrays: Mapping[str, Array], needed: set[str],
              upstream: list[Array], whole: FunctionGraph) -> tuple[list[Array], dict[str, Array | None]]:
        """One forward and backward pass: the outputs that have a gradient, and what comes back to the arguments that need one."""
        torch = self.parts.torch
        given = {a.name: tracing.tensor(arrays[a.name], self._dtype(a), a.name in needed) for a in self.arguments}
        guards: list[int] = []  # how many there are once backward has returned
        probed = self._probed(tracing.wide, lambda: guards.insert(0, tracing.asked()))
        with probed as (probe, raw), tracing.recorded(self._written()), torch.enable_grad():
            outputs = self._differentiable(probe.apply(*[given.get(n, v) for n, v in self.values.items()]))
            results = [tracing.array(t) for t in outputs]
            if not upstream:
                for k, result in enumerate(results):
                    upstream.append(whole.incoming(k, len(results), axes_of({"G": result.shape})["G"]))
            back = [tracing.tensor(g, torch.float64) for g in upstream]
            asked = [given[n] for n in self.wrt if n in needed]
            try:
                found = torch.autograd.grad(outputs, asked, back, allow_unused=True)
            except RuntimeError as error:
                if not raw or isinstance(error, self.parts.data_dependent) or "invalid gradient" not in str(error):
                    raise
                found = self._returned(raw, [n for n in self.wrt if n in needed])
                tracing.forget(guards[0])  # what PyTorch asked of the sizes, to refuse the shape
            return results, {n: None if t is None else tracing.array(t)
                             for n, t in zip([n for n in self.wrt if n in needed], found, strict=True)}

    def _written(self) -> list[Any]:
        torch = self.parts.torch
        return [getattr(self.function, n) for n in ("forward", "backward", "setup_context", "vjp") if n in _own_names(self.function, torch)]

    def _differentiable(self, result: Any) -> list[Any]:
        torch = self.parts.torch
        parts = list(result) if isinstance(result, (tuple, list)) else [result]
        found = [t for t in parts if isinstance(t, torch.Tensor) and t.requires_grad]
        if not found:
            raise unsupported("no output that has a gradient", self.name, "an output of real numbers, not marked as non-differentiable")
        return found

    @contextmanager
    def _probed(self, within: Callable[[], AbstractContextManager[Any]] = nullcontext,
                after: Callable[[], None] = lambda: None) -> Iterator[tuple[Any, list[tuple[Any, ...]]]]:
        """The function with its backward, which is called and whose results are kept as they are returned."""
        raw: list[tuple[Any, ...]] = []
        name = "backward" if "backward" in _own_names(self.function, self.parts.torch) else "vjp"
        own = getattr(self.function, name)

        def backward(ctx: Any, *upstream: Any) -> Any:
            with within():
                result = own(ctx, *upstream)
            after()
            raw.append(tuple(result) if isinstance(result, (tuple, list)) else (result,))
            return result
        yield type(self.name, (self.function,), {name: staticmethod(backward)}), raw

    def _returned(self, raw: Sequence[tuple[Any, ...]], needed: Sequence[str]) -> list[Any]:
        """What backward returned last, where PyTorch refuses a shape of it."""
        return [raw[-1][list(self.values).index(n)] for n in needed]

    # Run.

    def _runs(self, shapes: Mapping[str, tuple[int, ...]], loud: bool = False) -> bool:
        """Does it run, forward and backward, on arrays of these shapes? What ``loud`` asks for is the error."""
        dice = np.random.default_rng(0)
        arrays = {a.name: _drawn(a, shapes[a.name], dice) for a in self.arguments}
        torch = self.parts.torch
        given = {n: self._tensor(n, v, True) for n, v in arrays.items()}
        try:
            with self._probed() as (probe, raw), torch.enable_grad(), warnings.catch_warnings(action="ignore"):
                outputs = self._differentiable(probe.apply(*[given.get(n, v) for n, v in self.values.items()]))
                try:
                    torch.autograd.backward(outputs, [torch.ones_like(o) for o in outputs])
                except RuntimeError:
                    if not raw:
                        raise
            return True
        except SymnetError:
            if loud:
                raise
            return False
        except Exception as error:  # whatever a user's function may raise
            if loud:
                raise told(error) from None
            return False

    def run(self, arrays: Mapping[str, Any], upstream: Callable[[Sequence[Any]], Sequence[Any]], needed: Sequence[str] = (),
            strided: bool = False) -> Run:
        """One run in float64: ``upstream`` makes the incoming gradients of the outputs, ``needed`` are the arguments that need one."""
        torch = self.parts.torch
        wanted = tuple(needed or self.wrt)
        given = {n: self._tensor(n, v, n in wanted, strided) for n, v in arrays.items()}
        before = {n: t.detach().clone() for n, t in given.items()}
        with self._probed() as (probe, raw), torch.enable_grad(), warnings.catch_warnings(action="ignore"):
            try:
                outputs = self._differentiable(probe.apply(*[given.get(n, v) for n, v in self.values.items()]))
                numbers = [t.detach().numpy().copy() for t in outputs]
                back = [self._spread(torch, g, strided) for g in upstream(numbers)]
                try:
                    found = torch.autograd.grad(outputs, [given[n] for n in wanted], back, allow_unused=True)
                except RuntimeError as error:
                    if not raw or "invalid gradient" not in str(error):
                        raise
                    found = self._returned(raw, wanted)
            except SymnetError:
                raise
            except Exception as error:  # whatever a user's function may raise
                raise told(error) from None
        changed = tuple(n for n, t in given.items() if not torch.equal(torch.nan_to_num(t.detach()), torch.nan_to_num(before[n])))
        return Run(tuple(numbers), {n: None if t is None else t.detach().numpy() for n, t in zip(wanted, found, strict=True)}, changed)

    def _tensor(self, name: str, value: Any, needed: bool, strided: bool = False) -> Any:
        torch = self.parts.torch
        argument = next(a for a in self.arguments if a.name == name)
        made = torch.from_numpy(np.array(value, order="C")).to(self._dtype(argument))
        made = _turned(made) if strided else made
        return made.requires_grad_() if needed and argument.wanted else made

    @staticmethod
    def _spread(torch: Any, value: Any, strided: bool) -> Any:
        """An incoming gradient; of equal entries as ``sum().backward()`` gives it, without memory of its own."""
        made = torch.from_numpy(np.array(value, dtype=float, order="C"))
        if strided and made.numel() and bool((made == made.reshape(-1)[0]).all()):
            return made.reshape(-1)[0].expand(made.shape)
        return _turned(made) if strided else made

    def _dtype(self, argument: Argument) -> Any:
        torch = self.parts.torch
        return {"real": torch.float64, "bool": torch.bool}.get(argument.domain, torch.int64)


def _turned(tensor: Any) -> Any:
    """The same numbers, in memory the other way round."""
    back = range(tensor.dim())[::-1]
    return tensor.permute(*back).contiguous().permute(*back) if tensor.dim() > 1 else tensor


def _own_names(function: Any, torch: Any) -> set[str]:
    """The names that the class, or one that it is made from, gives in place of torch.autograd.Function's."""
    return {name for c in function.__mro__ if not c.__module__.startswith("torch.") for name in vars(c)}


def _domain(torch: Any, tensor: Any) -> str:
    return "bool" if tensor.dtype is torch.bool else "real" if tensor.is_floating_point() else "index"


def _arguments(function: Any, example: Any, torch: Any) -> dict[str, Any]:
    """The arguments of forward by name, arrays as tensors; those that the example leaves out keep their defaults."""
    asked = list(inspect.signature(function.forward).parameters.values())
    asked = asked if "setup_context" in _own_names(function, torch) else asked[1:]
    plain = [p for p in asked if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    names = [p.name for p in plain]
    rest = next((p.name for p in asked if p.kind is p.VAR_POSITIONAL), "")
    if isinstance(example, Mapping):
        given = dict(example)
        if unknown := [n for n in given if n not in names]:
            raise NameError_(WHO, f"forward has no argument {unknown[0]!r}", "one of " + ", ".join(names))
    else:
        row = [example] if isinstance(example, torch.Tensor) or not isinstance(example, (tuple, list)) else list(example)
        names += [f"{rest}{k + 1}" for k in range(len(row) - len(names))] if rest else []
        if len(row) > len(names):
            raise OptionError(f"{WHO}, example", f"{len(row)} arguments", f"{len(names)}: {', '.join(names)}")
        given = dict(zip(names, row, strict=False))
    for p in plain:
        if p.name not in given:
            if p.default is p.empty:
                raise OptionError(f"{WHO}, example", f"no argument {p.name}", f"one for each of {', '.join(names)}")
            given[p.name] = p.default
    return {n: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for n, v in ((n, given[n]) for n in names if n in given)}


def _drawn(argument: Argument, shape: tuple[int, ...], dice: Any) -> Any:
    if argument.domain == "real":
        return dice.uniform(0.1, 0.9, shape)
    return dice.integers(0, min(argument.highest, 1) + 1, shape) if argument.domain == "index" else dice.integers(0, 2, shape) > 0
