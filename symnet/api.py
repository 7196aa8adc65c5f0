"""The verbs of the package: derive, check, report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import sympy as sp

from symnet.core.derivation import Derivation
from symnet.core.own_symbols import SympyObject
from symnet.core.program import Program
from symnet.core.signatures import checked
from symnet.core.verdict import Verdict
from symnet.errors import OptionError, a_kind, needs, shown

if TYPE_CHECKING:  # each verb loads what it needs
    from symnet.checking.code.results import CodeCheck
    from symnet.checking.progress import Way
    from symnet.frontends.imported import Imported
    from symnet.networks.catalogue import AnyLoss
    from symnet.networks.sequential import Sequential
    from symnet.reports.report import Report



Sizes: TypeAlias = Mapping[str, int] | Sequence[Mapping[str, int]] | None
Names: TypeAlias = str | SympyObject | Iterable[str | SympyObject]
NEEDED = "sn.derive(net, loss=sn.MSELoss())"


@checked
def derive(what: Program | Imported | Sequential | str | SympyObject, loss: AnyLoss | None = None, wrt: Names | None = None,
           batch: int | str | bool | None = None, tensors: Mapping[str, Any] | None = None) -> Derivation:
    """The gradients of a network with a loss, of a program's objective, or of an expression, text or SymPy; each step is kept.

    ``wrt`` is a name or a SymPy symbol, or several; by default the parameters, or all inputs of a program without parameters. ``loss``
    is a loss, its class or its name ("mse"); ``batch`` the name or number of samples, False for one sample alone. ``tensors`` are the
    shapes of an expression's arrays, as for ``sn.program``.

    >>> import symnet as sn
    >>> net = sn.Sequential(sn.Linear(1, 1), sn.Sigmoid())
    >>> print(sn.derive(net, loss="mse", wrt="w1").gradients["w1"])
    dL_dw1 = dL_dz1*x
    """
    from symnet.calculus import derive as chain_rule
    from symnet.parsing.from_sympy import is_sympy
    from symnet.parsing.program import program

    text = isinstance(what, str) or is_sympy(what)
    given = what if isinstance(what, Program) else None if text else getattr(what, "program", None)  # of a model that was read
    second: Any = None
    if wrt is None and (text or isinstance(given, Program)) and _are_names(loss):
        loss, second = None, loss  # derive(program, "w")
    names = _names(second if wrt is None else wrt)
    if loss is not None and (text or isinstance(given, Program)):
        raise OptionError("derive", f"{a_kind(what)} and a loss", "a network for the loss, or a program whose last line is the loss")
    if text:
        given = program(what, tensors=_declared(what, names) if tensors is None and isinstance(what, str) else tensors)
    if isinstance(given, Program):
        if given.assumptions:
            from symnet.checking.consistent import check_consistent

            check_consistent(given, {})
        return chain_rule(given, names)
    from symnet.networks.sequential import Sequential

    if not isinstance(what, Sequential):
        raise OptionError("derive", a_kind(what), "a network, a Program, or an expression: text or SymPy", _reading(what))
    if loss is None:
        raise OptionError("derive", "a network without a loss", "loss=sn.MSELoss() or another loss")
    return chain_rule(what.program(loss, batch), names)


def _names(wrt: Names | None) -> list[str] | None:
    """The names that ``wrt`` gives: "w", Symbol("w"), or several of these."""
    from symnet.parsing.from_sympy import is_sympy, wrt_name

    if wrt is None:
        return None
    several = [wrt] if isinstance(wrt, str) or (is_sympy(wrt) and not isinstance(wrt, sp.Tuple)) else wrt
    if not isinstance(several, Iterable) or not all(isinstance(w, str) or is_sympy(w) for w in several):
        raise OptionError("derive", f"wrt = {shown(wrt)}", "a name or SymPy symbol, or a list of these", 'wrt=["w1", "b1"]')
    return [wrt_name(w) for w in several]


def _declared(text: str, names: list[str] | None) -> dict[str, Any] | None:
    """Every name as a number, where one that is differentiated by would else be a constant or function: e in e**2*x by e."""
    from symnet.parsing.declaring import BUILT_IN
    from symnet.parsing.program import free_names

    if not names or not BUILT_IN & set(names) or any(c in text for c in "=;\n"):
        return None
    return dict.fromkeys((*names, *(n for n in free_names(text, "expression", names) if n not in names)), ())


def _are_names(value: Any) -> bool:
    from symnet.parsing.from_sympy import is_sympy

    several = value if isinstance(value, (list, tuple)) else [value]
    return bool(several) and all(isinstance(w, str) or is_sympy(w) for w in several)


def _reading(what: object) -> str:
    """How something that is no network becomes one."""
    from symnet.networks.layers import Layer

    if isinstance(what, Layer):
        return "sn.Sequential(layer)"
    readers = {"torch": "from_torch", "onnx": "from_onnx", "sklearn": "from_sklearn", "jax": "from_jax", "jaxlib": "from_jax"}
    reader = readers.get(type(what).__module__.split(".")[0])
    return f"sn.{reader}(…) reads it" if reader else "sn.program(text), sn.Sequential(layers)"


def _number(side: Any) -> Any:
    """A number of Python's as the text of it."""
    return repr(side) if isinstance(side, (int, float)) and not isinstance(side, bool) else side


@checked
def check_code(function: Callable[..., Any], derivation: Derivation, sizes: Sizes = None, *, arguments: Mapping[str, Any] | None = None,
               labels: Mapping[str, str] | None = None, returns: Sequence[str] = (), seconds: float = 120,
               way: Way | None = None) -> CodeCheck:
    """Is what ``function`` returns the gradient of ``derivation``'s objective? Each returned gradient, and the loss, is judged.

    The function runs unchanged, on symbolic arrays in place of numbers: first with symbolic sizes, where what it returns is proved for all
    sizes; what that does not settle (a loop over a size, a boolean selection) is proved at small sizes that are all different, for two
    choices of them (or those in ``sizes``), and the verdict says which. An entry that differs at an exact point is REFUTED. At last it
    runs on plain NumPy arrays, at small and large sizes, at size 1 and with huge values: what it gives there must be right too.

    A function of PyTorch or JAX (one that uses these names and not NumPy's) is traced by its own library, with symbolic sizes, then run.

    *Arguments* go by name: an input's own name (W1, X, Y; w_1 and x are understood), a size's name, or a table of all inputs
    (params, weights, theta, …) or ``**names``. ``arguments={"w": "W1", "eps": 1e-5}`` says what else an argument is. Class labels: where
    an argument is used as an index, whole numbers are passed for the one-hot array; ``labels={"y": "Y"}`` says so.

    *Returned*: a dict by name (W1, dW1, grad_W1, dL_dW1, and loss), a tuple in the order of ``wrt``, with the loss or (loss, gradients);
    ``returns=("loss", "W1")`` names the values otherwise. Intermediates (dz1, dX) are judged too.

    A float in the code is the decimal it prints as; one that came from arithmetic is read as the simple number it is the rounding of
    (0.3333333333333333 as 1/3), and ``notes`` says so. After ``seconds`` no proof goes on: what is left is UNDECIDED. Raises the
    error family, with the place in the user's file.

    >>> import symnet as sn
    >>> d = sn.derive(sn.program("z = w*x", "L = (z - y)**2"), wrt=["w"])
    >>> print(sn.check_code(lambda w, x, y: 2 * (w * x - y) * x, d))
    dL/dw: proved
    """
    from symnet.frontends.tensor_tracing import JaxGradients, TorchGradients, library_of

    library = library_of(function) if isinstance(derivation, Derivation) else ""
    if library:
        from symnet.checking.code.tensor_code import check_tensor_code, refuse

        refuse(sizes, labels)
        return check_tensor_code(function, derivation, TorchGradients if library == "torch" else JaxGradients,
                                 arguments=arguments or {}, returns=returns, seconds=seconds)
    from symnet.checking.code.check import check_code as judge
    from symnet.checking.progress import ALONE
    from symnet.frontends.numpy_binding import NumpyTracing

    return judge(function, derivation, sizes, arguments=arguments, labels=labels, returns=returns, seconds=seconds, way=way or ALONE,
                 tracer=NumpyTracing)


def has_own_backward(function: Any) -> bool:
    """True for a torch.autograd.Function, a jax.custom_vjp and a jax.custom_jvp; neither library is imported for the answer."""
    from symnet.frontends.jax_functions import is_jax_function
    from symnet.frontends.torch_functions import is_torch_function

    return is_torch_function(function) or is_jax_function(function)


@checked
def check_function(function: Any, example: Any, *, shapes: Mapping[str, Any] | None = None, wrt: Sequence[str] = (),
                   seconds: float = 120, way: Way | None = None) -> CodeCheck:
    """Is the backward that a function brings the derivative of its forward? Judged for each argument, for all sizes.

    ``function`` is a torch.autograd.Function (``forward(ctx, …)`` or ``setup_context``), a jax.custom_vjp or a jax.custom_jvp.
    ``example`` are its arguments in order, or by name; only the shapes of arrays count, other arguments are taken as they are. Judged
    are the arguments in ``wrt``, else the tensors that need a gradient (``requires_grad_()``), else all of real numbers. ``shapes``
    names the sizes, {"x": ("N", "d")}; without it every size is a name with which the function also runs with other numbers.

    PyTorch or JAX itself calls the function and its backward, on arrays without numbers: the objective is L = Σ G·output for a symbolic
    incoming gradient G, and ``check["x"]`` is the verdict on dL/dx: proved (for all sizes), or (at sizes …) where the function asks for
    sizes; refuted, with the entry, a witness and the slip; or undecided, with the reason. Then it runs on float64 arrays at several
    sizes, with arrays in other memory order, incoming gradients of several kinds, and each argument alone: what it gives there must be
    what was traced, and differences of its outputs must agree, or nothing is proved.

    Raises the error family for what is no such function, MissingToolError without torch or jax.

    >>> import symnet as sn
    >>> import torch
    >>> class Square(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         return 2 * ctx.saved_tensors[0]
    >>> print(sn.check_function(Square, torch.ones(3)))
    dL/dx: refuted (entry (1); the code gives 1, right is 2 (at x_1 = 1/2, G_1 = 2); at sizes N = 3)
        the factor dL/dy = G[n] is missing: the outer derivative of the loss
    """
    from symnet.checking.code.function_check import check_function as judge
    from symnet.checking.progress import ALONE
    from symnet.frontends.jax_functions import JaxFunction, is_jax_function
    from symnet.frontends.torch_functions import TorchFunction, is_torch_function

    if is_torch_function(function):
        return judge(TorchFunction(function, example, shapes, wrt), seconds, way or ALONE)
    if is_jax_function(function):
        return judge(JaxFunction(function, example, shapes, wrt), seconds, way or ALONE)
    raise OptionError("check_function", a_kind(function), "a torch.autograd.Function, a jax.custom_vjp or a jax.custom_jvp",
                      "sn.check_code for a function that computes gradients of a derivation")


@checked
def check(answer: str | SympyObject | float, derivation: Derivation, wrt: str | SympyObject, timeout: float | None = 20) -> Verdict:
    """Is ``answer``, plain maths, LaTeX or SymPy, the gradient with respect to ``wrt``? A Verdict with its certificate.

    A SymPy answer for an array is an entry, and ``wrt`` says which: ``sn.check(2*x[i], d, wrt=x[i])``.

    What is not decided in ``timeout`` seconds is undecided, with that reason. The answer is judged in a process of its own, which is
    kept for the next one and can be killed; with None it is judged in this process, without a limit. Raises the error family for an
    answer that cannot be read.

    >>> import symnet as sn
    >>> d = sn.derive(sn.program("L = (w*x - y)**2"), wrt="w")
    >>> print(sn.check("2*x*(w*x - y)", d, "w"))
    proved
    """
    from symnet.batch.limited import check_alone, check_within
    from symnet.parsing.from_sympy import is_sympy, sympy_answer, wrt_name

    answer = _number(answer)
    if not isinstance(answer, str) and not is_sympy(answer):
        raise OptionError("check", f"{a_kind(answer)} for an answer", "text, plain maths or LaTeX, or a SymPy expression", "str(answer)")
    needs(derivation, Derivation, "check", "a Derivation", NEEDED)
    if not isinstance(wrt, str) and not is_sympy(wrt):
        raise OptionError("check", f"wrt = {shown(wrt)}", "the name of what was differentiated by, or a SymPy symbol", 'wrt="w1"')
    said = answer if isinstance(answer, str) else sympy_answer(answer, wrt)
    name = wrt_name(wrt)
    return check_alone(said, derivation, name) if timeout is None else check_within(said, derivation, name, timeout)


@checked
def compare(left: str | SympyObject | float, right: str | SympyObject | float, tensors: Mapping[str, Any] | None = None,
            timeout: float | None = 20) -> Verdict:
    """Is left = right, for all values of the names in them? Each side is plain maths or a SymPy expression; a Verdict.

    ``tensors`` are the shapes of arrays in text, as for ``sn.program``; arrays are equal when all their entries are. SymPy symbols are
    real, positive, … as they say. Raises the error family for what cannot be read.

    >>> compare("sigmoid(-x)", "1 - sigmoid(x)").answer.value
    'proved'
    >>> str(compare("x**2", "x"))
    'refuted (at x = 2: 4 ≠ 2)'
    """
    from symnet.batch.limited import compare_within
    from symnet.parsing.from_sympy import is_sympy
    from symnet.parsing.program import program

    left, right = (_number(side) for side in (left, right))
    for side in (left, right):
        if not isinstance(side, str) and not is_sympy(side):
            raise OptionError("compare", a_kind(side), "two expressions, text or SymPy")
    names = ("left_side", "right_side")
    lines = [f"{name} = {side}" if isinstance(side, str) else sp.Eq(sp.Symbol(name), side, evaluate=False)
             for name, side in zip(names, (left, right), strict=True)]
    return compare_within(program(*lines, tensors=tensors), *names, timeout)


@checked
def report(derivation: Derivation, path: str | Path | None = None, *, level: str = "student", digits: int = 6,
           format: str | None = None, theorem: bool = True, notation: str = "both", samples: str = "rows",
           check: bool = True) -> Report:
    """The report of a derivation; written to ``path`` when there is one: its ending (.html, .tex, .pdf, .txt, .md, .json) says how.

    ``level`` is beginner, student or expert; ``digits`` the significant digits of decimals (1 to 60); ``notation`` both, matrix, index
    or scalar; ``samples`` rows or columns, for matrix notation. Every step and every printed line is checked, unless ``check`` is
    False. Raises OptionError, and FaultError for what is false.

    >>> import symnet as sn
    >>> made = sn.report(sn.derive(sn.program("L = (w*x - y)**2"), wrt="w"))
    >>> "chain rule" in made.text() or "differentiate" in made.text()
    True
    """
    from symnet.case_builder import report as tell

    needs(derivation, Derivation, "report", "a Derivation", NEEDED)
    return tell(derivation, path, level=level, digits=digits, format=format, theorem=theorem, notation=notation, samples=samples,
                check=check)
