"""PyTorch modules as programs: the graph that ``torch.export`` takes of a module, operator by operator."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from symnet.core.axes import Axis, Kind
from symnet.core.signatures import checked
from symnet.core.tensors import Role
from symnet.errors import OptionError, ShapeError, UnknownNodeError, a_kind
from symnet.frontends.attach_loss import finish
from symnet.frontends.imported import Imported
from symnet.frontends.parameter_names import parameter_names
from symnet.frontends.torch_gradients import check_gradients, keep_detached
from symnet.frontends.torch_library import torch_for
from symnet.frontends.torch_ops import OPERATORS
from symnet.indexing.graph import Graph, unsupported
from symnet.indexing.operations import Array, Maker
from symnet.networks.catalogue import AnyLoss


@checked
def from_torch(module: Any, example_inputs: Any, loss: AnyLoss | None = None, *, batch: str | None = None,
               title: str = "") -> Imported:
    """A PyTorch module as a program, with its parameters and their values; read from ``torch.export``.

    ``example_inputs`` is the tensor of ``forward``, or several in a list; only their shapes matter. ``batch="N"`` makes the first axis
    of every input symbolic. ``loss`` (``sn.MSELoss()``, …) is put behind the output; without it the module's output is the last line,
    the objective when it is a number. The k-th weight matrix is called Wk and its bias bk, in PyTorch's layout: a Linear's W has shape
    (out, in).
    Buffers (running means, masks) and parameters without ``requires_grad`` are constants; ``detach`` and torch.no_grad() are read as
    stop_gradient. ``model.eval()`` first where the module has dropout or batch norm. The module is run once, by PyTorch, to see that
    its gradients are the derivatives of what is read: a torch.autograd.Function with another backward is refused by name.

    Raises UnknownNodeError naming the operator and its place in the module, MissingToolError without torch. Example::

        model = sn.from_torch(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh()), (torch.zeros(5, 3),), sn.MSELoss())
        loss, gradients = sn.derive(model).compile()(model.values, X, Y)

    >>> import symnet as sn
    >>> import torch
    >>> model = sn.from_torch(torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Sigmoid()), [torch.ones(1, 2)], loss=sn.MSELoss())
    >>> list(model.values), model.program.objective
    (['W1', 'b1'], 'L')
    """
    torch = torch_for("from_torch")
    inputs = (example_inputs,) if isinstance(example_inputs, torch.Tensor) else example_inputs
    if not isinstance(inputs, (list, tuple)):
        raise OptionError("from_torch, example_inputs", a_kind(inputs), "a tensor, or a list of tensors", "torch.zeros(5, 3)")
    inputs = tuple(inputs)
    exported = _exported(torch, module, inputs, batch)
    keep_detached(torch, exported)
    reader = _Reader(Graph(), exported, _sizes(exported, batch))
    try:
        output = reader.read()
    except UnknownNodeError as unknown:
        reader, output = _in_parts(torch, exported, batch, unknown)
    check_gradients(torch, module, reader.exported, inputs)
    program = finish(reader.graph, output, loss, title)
    held = {t.name for t in program.inputs}
    values = {name: _array(tensor) for name, tensor in reader.values.items() if name in held}
    return Imported(program, values, {name: path for name, path in reader.sources.items() if name in held})


def _exported(torch: Any, module: Any, inputs: tuple[Any, ...], batch: str | None) -> Any:
    shapes = tuple({0: torch.export.Dim(batch)} for _ in inputs) if batch else None
    try:
        return torch.export.export(module, inputs, dynamic_shapes=shapes)
    except Exception as error:  # torch has many kinds of errors here
        said = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        hint = ".detach() in place of .data, torch.no_grad() of inference_mode" if "fake tensor" in said or "nference" in said else ""
        raise ShapeError("from_torch", f"torch.export cannot take the graph: {said}", "a module that torch.export takes", hint) from None


def _in_parts(torch: Any, exported: Any, batch: str | None, unknown: UnknownNodeError) -> tuple[_Reader, Array]:
    """Once more with PyTorch's own decompositions of the operators that are not read whole (an LSTM step by step, …).

    Where that does not help either, the operator that was met first is named.
    """
    table = torch.export.default_decompositions()
    for key in [k for k in table if str(k).split(".")[1] in OPERATORS]:
        del table[key]
    try:
        parts = exported.run_decompositions(table)
        reader = _Reader(Graph(), parts, _sizes(parts, batch))
        return reader, reader.read()
    except Exception:  # torch has many kinds of errors here
        raise unknown from None


def _sizes(exported: Any, batch: str | None) -> dict[str, str]:
    """PyTorch's symbol of the first axis (s77) -> the name asked for."""
    if batch is None:
        return {}
    found = [str(n) for node in exported.graph.nodes if node.op == "placeholder" and hasattr(node.meta.get("val"), "shape")
             for n in node.meta["val"].shape if not isinstance(n, int)]
    return dict.fromkeys(found, batch)


def domain_of(dtype: str) -> str:
    """What the entries of an input are: real numbers, whole numbers, or true and false."""
    return "bool" if "bool" in dtype else "index" if "int" in dtype else "real"


def _array(tensor: Any) -> Any:
    return tensor.detach().cpu().double().numpy()


@dataclass
class _Reader:
    """The state of one reading."""

    graph: Graph
    exported: Any
    renamed: Mapping[str, str]

    def __post_init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.sources: dict[str, str] = {}
        self.maker = Maker(self.graph)
        self.env: dict[Any, Any] = {}

    def read(self) -> Array:
        """Every node in order; the output."""
        specs = {s.arg.name: s for s in self.exported.graph_signature.input_specs}
        used = [n for n in self.exported.graph.nodes if n.op == "placeholder" and n.users]
        held = {n.name: str(specs[n.name].target) for n in used if specs[n.name].target is not None}
        shapes = {n.name: len(n.meta["val"].shape) for n in used}
        names = dict(zip(held, parameter_names([(t, shapes[n]) for n, t in held.items()]), strict=True))
        for node in self.exported.graph.nodes:
            if node.op == "placeholder" and node.users:
                self.env[node] = self._input(node, specs[node.name], names)
            elif node.op == "call_function":
                self.env[node] = self._call(node)
            elif node.op == "output":
                specs_ = self.exported.graph_signature.output_specs  # new values of buffers come out too
                outputs = [a for a, s in zip(node.args[0], specs_, strict=True) if str(s.kind).rsplit(".", 1)[-1] == "USER_OUTPUT"]
                if len(outputs) != 1:
                    raise unsupported(f"{len(outputs)} outputs", "from_torch", "one")
                return self.env[outputs[0]]  # type: ignore[no-any-return]
        raise unsupported("a graph without an output", "from_torch", "one output")

    def _input(self, node: Any, spec: Any, names: Mapping[str, str]) -> Array:
        sizes = [self._size(n) for n in node.meta["val"].shape]
        kind = str(spec.kind).rsplit(".", 1)[-1]
        role = {"PARAMETER": Role.PARAMETER, "USER_INPUT": Role.INPUT}.get(kind, Role.CONSTANT)
        if role is Role.PARAMETER and not self.exported.state_dict[spec.target].requires_grad:
            role = Role.CONSTANT  # frozen: PyTorch does not differentiate it either
        name = names.get(node.name) or self._data_name(node.name, len(sizes), set(names.values()))
        axes = [Axis.of(n, Kind.BATCH if k == 0 and role is Role.INPUT and len(sizes) > 1 else Kind.FEATURE) for k, n in enumerate(sizes)]
        domain = domain_of(str(node.meta["val"].dtype))
        if role is not Role.INPUT:
            self.values[name] = {**self.exported.state_dict, **self.exported.constants}[spec.target]
            self.sources[name] = str(spec.target)
            if kind != "PARAMETER" and domain != "index" and len(sizes) > 1 and ((self.values[name] == 0) | (self.values[name] == 1)).all():
                domain = "bool"  # a mask of real numbers; whole numbers may be places that happen to be 0 and 1
        made = Array(self.graph.add_input(name, tuple(axes), role, self.sources.get(name, ""), domain), tuple(a.size for a in axes))
        if name in self.values:
            self.maker.values[made.node] = _array(self.values[name])
        return made

    def _data_name(self, name: str, rank: int, taken: set[str]) -> str:
        alone = len(self.exported.graph_signature.user_inputs) == 1
        plain = "x" if alone and re.fullmatch(r"(input|inputs|args)(_\d*)?", name) else re.sub(r"\W", "_", name)
        plain = plain.upper() if rank > 1 and len(plain) == 1 else plain
        return plain if plain not in taken and plain not in self.renamed.values() else f"{plain}_data"

    def _size(self, value: Any) -> sp.Expr:
        if isinstance(value, int):
            return sp.Integer(value)
        node = getattr(value, "node", None)
        text = str(node.expr if node is not None else value)
        expr = sp.Integer(1)
        for part in text.split("*"):  # 4*s77: all that reshapes of a batch make
            expr = expr * (sp.Integer(part) if part.isdigit() else Axis.of(self.renamed.get(part, part)).size)
        return expr

    def _call(self, node: Any) -> Any:
        target = str(node.target)
        name = target.removeprefix("torch.ops.").split(".")[1] if target.count(".") else target
        stack = node.meta.get("nn_module_stack") or {}
        path = [str(entry[0]).split(".", 1)[-1] for entry in stack.values() if entry[0]]
        self.maker.where = f"module {path[-1] if path else '(top)'}, operator {target} ({node.name})"
        rule: Callable[..., Any] | None = OPERATORS.get(name)
        if target.startswith("aten.sym_size"):
            return self.env[node.args[0]].shape[node.args[1]]
        if target == "<built-in function getitem>":
            return self.env[node.args[0]][node.args[1]]
        if "wrap_with_set_grad_enabled" in target:
            return self._block(getattr(self.exported.graph_module, node.args[1].target), [self._argument(a) for a in node.args[2:]])
        if target.startswith("<built-in function") and "mul" in target:
            return sp.Mul(*[self._argument(a) for a in node.args])
        if rule is None or not target.startswith(("aten.", "torch.ops.aten.")):
            if name.startswith("_assert") or "assert" in name or not node.users:
                return None
            raise unsupported(f"the operator {name!r}", self.maker.where)
        return rule(self.maker, *[self._argument(a) for a in node.args], **{k: self._argument(a) for k, a in node.kwargs.items()})

    def _block(self, inner: Any, args: list[Any]) -> list[Any]:
        """The outputs of a block of its own, one under torch.no_grad() with ``detach`` behind each."""
        waiting = iter(args)
        for node in inner.graph.nodes:
            if node.op == "placeholder":
                self.env[node] = next(waiting)
            elif node.op == "call_function":
                self.env[node] = self._call(node)
            elif node.op == "output":
                return [self._argument(a) for a in node.args[0]]
        return []

    def _argument(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [self._argument(v) for v in value]
        try:
            return self.env.get(value, value)
        except TypeError:
            return value
