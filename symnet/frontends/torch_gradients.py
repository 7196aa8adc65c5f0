"""What torch.export loses of gradients: blocks without them are kept as ``detach``, and the rest is found out by comparison.

An exported module knows what is computed, not the ``backward`` of a torch.autograd.Function nor hooks on gradients. So the module and
its export are both differentiated by PyTorch, at random points; where they differ, the module is refused. ``torch`` is handed in.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from symnet.indexing.graph import unsupported

TOLERANCE = 1e4  # of the type's eps, relative to the largest entry
SCALES = (1.0, 1e4)  # of the upstream gradient: a clipped one shows at the larger
EXPECTED = "a gradient that is the derivative; z + (f(z) - z).detach() for a straight-through estimator"


def keep_detached(torch: Any, exported: Any) -> None:
    """Write ``detach`` behind what a no_grad block gives, and for ``detach_``: PyTorch's decompositions keep that one alone."""
    detach = torch.ops.aten.detach.default
    module = exported.graph_module
    for node in list(module.graph.nodes):
        if "wrap_with_set_grad_enabled" in str(node.target) and node.args[0] is False:
            inner = getattr(module, node.args[1].target)
            keep_detached_inside(inner, detach)
        elif str(node.target).startswith("aten.detach_."):
            node.target = detach
            node.args[0].replace_all_uses_with(node, delete_user_cb=lambda user, own=node: user is not own and _later(own, user))
    module.recompile()


def _later(node: Any, other: Any) -> bool:
    """True for a node that stands behind this one."""
    after = node.next
    while after.op != "root":
        if after is other:
            return True
        after = after.next
    return False


def keep_detached_inside(inner: Any, detach: Any) -> None:
    """Write ``detach`` behind every output of a graph."""
    (last,) = [n for n in inner.graph.nodes if n.op == "output"]
    outputs = list(last.args[0])
    for k, value in enumerate(outputs):
        if hasattr(value, "meta"):
            with inner.graph.inserting_before(last):
                outputs[k] = inner.graph.call_function(detach, (value,))
            outputs[k].meta = dict(value.meta)
    last.args = (tuple(outputs),)
    inner.recompile()


def check_gradients(torch: Any, module: Any, exported: Any, inputs: Sequence[Any]) -> None:
    """Raise UnknownNodeError where the gradient that PyTorch computes is not that of the exported program."""
    with torch.random.fork_rng(devices=[]), torch.enable_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        pair = copy.deepcopy(module), copy.deepcopy(exported.module())
        sure, custom = False, list[str]()
        for draw in (torch.randn_like, lambda t: torch.randn_like(t).abs(), torch.rand_like, None):
            point = [_drawn(torch, t, draw) for t in inputs]
            try:
                outputs = [m(*point) for m in pair]
            except Exception:  # outside the domain of an operator, or whatever else the module raises: another point
                continue
            flat = [_tensors(torch, o) for o in outputs]
            if len(flat[0]) != len(flat[1]) or not any(t.requires_grad for pairs in flat for t in pairs):
                continue
            names = [n for n, p in pair[0].named_parameters() if p.requires_grad]
            held = [[dict(m.named_parameters())[n] for n in names] + [t for t in point if _real(torch, t)] for m in pair]
            custom = sorted({type(n).__name__.removesuffix("Backward") for n in _functions(torch, flat[0])})
            for scale in SCALES:
                found = [_gradients(torch, out, wanted, scale) for out, wanted in zip(flat, held, strict=True)]
                for a, b in zip(*found, strict=True):
                    both = torch.isfinite(a) & torch.isfinite(b)
                    sure = sure or bool(both.any())
                    size = torch.maximum(a[both].abs().amax(), b[both].abs().amax()) if bool(both.any()) else torch.zeros(())
                    if bool(((a - b)[both].abs() > TOLERANCE * torch.finfo(a.dtype).eps * size).any()):
                        raise unsupported(_said(custom), "from_torch", EXPECTED)
        if custom and not sure:
            raise unsupported(f"the torch.autograd.Function {custom[0]}, whose backward could not be compared", "from_torch", EXPECTED)


def _said(custom: list[str]) -> str:
    if len(custom) == 1:
        return f"the torch.autograd.Function {custom[0]}, whose backward is not the derivative of its forward"
    if custom:
        return f"a backward that is not the derivative of its forward, of one of {', '.join(custom)}"
    return "a module whose gradient in PyTorch is not the derivative of what it computes (a hook on a gradient?)"


def _real(torch: Any, value: Any) -> bool:
    return isinstance(value, torch.Tensor) and bool(value.is_floating_point())


def _drawn(torch: Any, value: Any, draw: Any) -> Any:
    """An input of the same shape with random entries; whole numbers stay."""
    if not _real(torch, value):
        return value
    return (value.detach().clone() if draw is None else draw(value.detach())).requires_grad_()


def _tensors(torch: Any, outputs: Any) -> list[Any]:
    parts = outputs if isinstance(outputs, (tuple, list)) else outputs.values() if isinstance(outputs, dict) else [outputs]
    return [t for t in parts if _real(torch, t)]


def _gradients(torch: Any, outputs: list[Any], wanted: list[Any], scale: float) -> list[Any]:
    """Of a random combination of the outputs, the same at each call; 0 for what they do not depend on."""
    torch.manual_seed(1)
    ups = [scale * torch.randn_like(t) for t in outputs]
    pairs = [(t, u) for t, u in zip(outputs, ups, strict=True) if t.requires_grad]
    if not pairs or not wanted:
        return [torch.zeros_like(w) for w in wanted]
    made = torch.autograd.grad([t for t, _ in pairs], wanted, [u for _, u in pairs], retain_graph=True, allow_unused=True)
    return [torch.zeros_like(w) if g is None else g for g, w in zip(made, wanted, strict=True)]


def _functions(torch: Any, outputs: list[Any]) -> Iterator[Any]:
    """The nodes of torch.autograd.Functions behind the outputs."""
    seen, stack = set(), [t.grad_fn for t in outputs if t.grad_fn is not None]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        stack += [n for n, _ in node.next_functions if n is not None]
        if isinstance(node, torch.autograd.function.BackwardCFunction):
            yield node
