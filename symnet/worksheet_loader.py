"""Worksheet -> Derivation: the one place that joins the parsed page with the networks and the chain rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symnet.calculus import derive
from symnet.calculus.declared_values import check_given
from symnet.core.derivation import Derivation
from symnet.core.given_sizes import sizes_of_shapes
from symnet.core.page_verdict import Errata
from symnet.core.program import Program
from symnet.core.signatures import checked
from symnet.core.tensors import Role, Tensor
from symnet.errors import OptionError, WorksheetError, a_kind, did_you_mean, needs
from symnet.parsing.calls import Call
from symnet.parsing.program import axis_of, program, tensor_of, with_assumptions
from symnet.parsing.worksheet import Sign, Worksheet, nested_shape, parse_worksheet, read_worksheet
from symnet.worksheets.builtin import names, plain_name, worksheet_text

if TYPE_CHECKING:  # a report needs no judge; each is loaded where it is asked for
    from symnet.checking.progress import Way
    from symnet.checking.worksheet_answers import Result

Judge = Callable[..., "Result"]  # of an answer of the worksheet, and of who is told of the verdict before the slip is looked for


def load_worksheet(source: str | Path) -> Worksheet:
    """A worksheet file, or one that comes with symnet, by its name ("first")."""
    if not isinstance(source, (str, Path)):
        raise OptionError("worksheet", a_kind(source), "a file, or one of " + ", ".join(names()))
    if plain_name(str(source)) and not Path(source).exists():
        return parse_worksheet(worksheet_text(str(source)), str(source))
    return read_worksheet(source)


@checked
def load(source: str | Path, check: bool = True) -> Derivation:
    """The derivation that a worksheet asks for, with its values and settings; every step is checked, unless ``check`` is False.

    >>> load("first").gradients["w1"].target.name
    'dL_dw1'
    """
    sheet = load_worksheet(source)
    return derivation_of(sheet, str(source), check)


def derivation_of(sheet: Worksheet, where: str = "worksheet", check: bool = True) -> Derivation:
    """The derivation of a parsed worksheet. Raises the error family, naming the symbol or line; FaultError for a false step."""
    made = _network(sheet, where) if sheet.layers else _lines(sheet, where)
    values = {name: sign.value for name, sign in sheet.symbols.items() if sign.value is not None}
    shapes = {name: nested_shape(value) for name, value in values.items()}
    sizes = {**sizes_of_shapes([made[name] for name in shapes], shapes, whole=False), **sheet.sizes}
    check_given(made, values, sizes)
    if any(sign.assume for sign in sheet.symbols.values()):
        from symnet.checking.consistent import check_consistent

        check_consistent(made, sizes)
    wrt = sheet.wrt or None
    done = derive(made, wrt)
    if check:
        done.check()
    meta = {"title": sheet.title, "learning_rate": sheet.learning_rate, "sizes": sizes, "answers": sheet.answers,
            "training": sheet.training, "errata": sheet.errata}
    return with_values(done, values, meta)


def with_values(derivation: Derivation, values: Mapping[str, Any], meta: Mapping[str, Any]) -> Derivation:
    """The same derivation that knows its values."""
    return replace(derivation, values=dict(values), meta=dict(meta))


def _network(sheet: Worksheet, where: str) -> Program:
    from symnet.networks.sequential import Sequential

    layers = [_made("layer", c, where) for c in sheet.layers]
    loss = None if sheet.loss is None else _made("loss", sheet.loss, where)
    if loss is None:
        raise WorksheetError(f"{where}, [program]", "layers without a loss", 'loss = "MSELoss()" or another loss')
    batch = sheet.batch
    if batch is not None and not isinstance(batch, (bool, int, str)):
        raise WorksheetError(f"{where}, batch", type(batch).__name__, "a name, a whole number or false")
    net = Sequential(*layers).program(loss, batch, sheet.title)
    for name, sign in sheet.symbols.items():
        if name not in net.tensors or name in net.by_name:
            known = [t.name for t in net.inputs]
            raise WorksheetError(f"{where}, symbol {name}", "no such symbol in this network", "one of " + ", ".join(known),
                                 did_you_mean(name, known))
        if sign.domain != "real" or sign.shape is not None:
            raise WorksheetError(f"{where}, symbol {name}", "a shape or domain",
                                 "value, assume or note: the layers say the rest")
    inputs = tuple(replace(t, note=sheet.symbols[t.name].note or t.note) if t.name in sheet.symbols else t for t in net.inputs)
    whole = Program(inputs, net.definitions, net.objective, net.assumptions, sheet.title)
    return with_assumptions(whole, [text for sign in sheet.symbols.values() for text in sign.assume])


def _made(kind: str, what: Call, where: str) -> Any:
    from symnet.networks.catalogue import build

    def made(value: Any) -> Any:
        return _made(kind, value, where) if isinstance(value, Call) else value

    return build(kind, what.name, [made(a) for a in what.args], {key: made(value) for key, value in what.keywords})


def _lines(sheet: Worksheet, where: str) -> Program:
    if not sheet.definitions and not sheet.objective:
        raise WorksheetError(f"{where}, [program]", "nothing to differentiate", "definitions, an objective or layers")
    tensors = {name: _tensor(name, sign, name in sheet.wrt, where) for name, sign in sheet.symbols.items()}
    return program(*sheet.definitions, tensors=tensors or None, objective=sheet.objective or None, title=sheet.title,
                   assumptions=[text for sign in sheet.symbols.values() for text in sign.assume])


def _tensor(name: str, sign: Sign, parameter: bool, where: str) -> Tensor:
    shape = sign.shape if sign.shape is not None else nested_shape(sign.value)
    tensor = tensor_of(name, shape, f"{where}, symbol {name}")
    classes = None if sign.classes is None else axis_of(sign.classes, f"{where}, symbol {name}, classes").size
    return replace(tensor, domain=sign.domain, structure=sign.structure, note=sign.note, classes=classes,
                   role=Role.PARAMETER if parameter else Role.INPUT)


@checked
def check_page(page: str, worksheet: str | Path | Worksheet = "first", where: str = "page", timeout: float | None = 20) -> Errata:
    """Every line of a worked page (Markdown or text) judged, against the worksheet in its first ```toml fence or else ``worksheet``.

    A page with its own worksheet may give values for its symbols: "x = 2" then replaces what the fence says. A line that is not decided
    in ``timeout`` seconds is undecided, and the page goes on; None sets no limit. Example::

        print(sn.check_page(open("hand-in.md").read(), "first").first_wrong)

    >>> import symnet as sn
    >>> page = "z1 = w1*x + b1"
    >>> sn.check_page(page, "first", timeout=None).wrong
    ()
    """
    needs(page, str, "check_page", "the text of a page", "open(file).read()")
    sheet = worksheet if isinstance(worksheet, Worksheet) else load_worksheet(worksheet)
    if timeout is None:
        return page_errata(page, sheet, where)
    from symnet.batch.limited import judge_page_within, limits_within

    return judge_page_within(page, sheet, where, limits_within(timeout))


def page_errata(page: str, worksheet: Worksheet, where: str = "page", way: Way | None = None) -> Errata:
    """The lines judged, in this process and without a limit; ``way`` hears how far it is."""
    from symnet.checking.pages.judge import judge_page
    from symnet.checking.pages.markdown import split_worksheet
    from symnet.checking.progress import ALONE

    inner, text = split_worksheet(page)
    if inner:
        inside = f"{where}, its worksheet"
        return judge_page(text, derivation_of(parse_worksheet(inner, inside), inside), own_values=True, way=way or ALONE)
    return judge_page(text, derivation_of(worksheet, where), way=way or ALONE)


def check_worksheet(sheet: Worksheet, where: str = "worksheet") -> list[Result]:
    """Every answer of a worksheet judged. Raises WorksheetError when there are none."""
    _, one = judge_of(sheet, where)
    return [one(answer) for answer in sheet.answers]


def judge_of(sheet: Worksheet, where: str = "worksheet") -> tuple[Derivation, Judge]:
    """The derivation of a worksheet and the judge of its answers by it. Raises WorksheetError when there are no answers."""
    from symnet.checking.worksheet_answers import judge, judge_simplified

    if not sheet.answers:
        raise WorksheetError(where, "no [[answers]]", "answers to check")
    if sheet.simplify:
        lines = _lines(replace(sheet, objective=sheet.simplify), where)
        whole = with_values(Derivation(lines, lines, (), (), {}), {}, {"title": sheet.title, "answers": sheet.answers})
        return whole, lambda answer, told=None: judge_simplified(answer, whole, sheet.simplify)
    wanted = tuple(dict.fromkeys([*sheet.wrt, *[a["wrt"] for a in sheet.answers if "wrt" in a]]))
    made = derivation_of(replace(sheet, wrt=wanted), where)
    return made, lambda answer, told=lambda result: None: judge(answer, made, told)
