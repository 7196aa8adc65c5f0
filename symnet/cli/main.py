"""Read the command line, run one command, turn an error into one line and an exit code.

Exit codes: 0 done and right; 1 checked and wrong, or a claim refuted; 2 unusable input; 3 undecided; 4 a self-check
failed, which is a fault of symnet.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from symnet.cli import commands
from symnet.cli.check import check
from symnet.cli.prove import prove
from symnet.errors import FaultError, SymnetError

DESCRIPTION = """\
symnet: the mathematics of neural networks, derived, proved, checked, run and printed.

  symnet report                    the first worked example, as output/first.html
  symnet report my.toml -o my.pdf  your own network
  symnet derive '(w*x - y)**2' --wrt w
  symnet prove loss-scaling --optimizer adam
"""
CHECKING = """\
Example: symnet check my.toml                the [[answers]] of a worksheet
         symnet check homework.md            every line of a page of work, against its own worksheet or --worksheet
         symnet check model.py:backward --worksheet mlp
                                             your own NumPy code: this runs the file, as python would
         symnet check model.py:step --worksheet mlp --argument inputs=X --labels targets=Y --returns loss,W1,b1,W2,b2
                                             what its arguments and returned values are, where their names do not tell
         symnet check model.py:MyFunction --shape x:N,d --shape weight:d --argument eps=1e-5
                                             a torch.autograd.Function or a JAX function with a rule of its own: is
                                             its backward the derivative of its forward?
         symnet check answers/ -j 4 -o class.html
                                             many files in processes that can be killed; text, json, csv or html

Worksheets and pages are only read: nothing in them is ever executed.
Exit codes: 0 all right, 1 something wrong, 3 undecided, 2 a file that cannot be used, 4 a fault of symnet.
"""
TRAINING = """\
Example: symnet train xor --epochs 500
         symnet train my.toml --data flowers.csv --target species --validation 0.2 --metric accuracy --patience 20
                                             a table with one sample a row; the last column is the target unless told
         symnet train my.toml --data arrays.npz --checkpoint run.npz --resume --log run.jsonl --curve run.svg
                                             goes on where it was stopped, to the same bits, and says how far it is
"""
CERTIFYING = """\
Example: symnet certify first -o first.v       one theorem for each gradient entry, for Rocq with Coquelicot
         symnet certify mlp --sizes N=1,d=2,h=2,k=2 -o mlp.v --check
                                               let coqc check it, and say what the theorems rest on
         symnet certify first -o first.lean    the statements for Lean 4; nothing here checks them

A second reader reads each file back and compares it with the derivation before it is written.
Exit codes: 0 written (and accepted), 1 refused by the kernel, 2 not expressible, or unusable input.
"""
RULES = "sgd, momentum, heavyball, nesterov, adagrad, rmsprop, adam, adamw, nadam, lion or signsgd"
LEVELS, FORMATS = ("beginner", "student", "expert"), ("text", "html", "latex", "pdf", "json", "md")


class _Parser(argparse.ArgumentParser):
    """One line for a wrong option, as for every other error."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise SymnetError("command line", message, "", f"{self.prog} --help")


def reporting() -> str:
    """What the help of ``symnet report`` says: an example, and the worksheets that come with symnet."""
    from symnet.worksheets.builtin import titles

    return "\n".join(["Example: symnet report two-two-two --level beginner --open", "", "Worksheets that come with symnet:",
                      *[f"  {name:<20}{title}" for name, title in titles().items()]])


def parser() -> argparse.ArgumentParser:
    """The options of every command."""
    from symnet import __version__

    top = _Parser(prog="symnet", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--version", action="version", version=f"symnet {__version__}")
    sub = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    _report(sub.add_parser("report", help="a whole report: drawing, derivation, values, checks, theorem, errata",
                           description=reporting(), formatter_class=argparse.RawDescriptionHelpFormatter))
    _derive(sub.add_parser("derive", help="gradients of a worksheet or of one expression",
                           description="Example: symnet derive 'sum((X@w-y)**2)/N' --shape X:N,d --shape w:d --shape y:N --wrt w"))
    _check(sub.add_parser("check", help="judge answers, pages of work, your own NumPy code, or a whole class",
                          description=CHECKING, formatter_class=argparse.RawDescriptionHelpFormatter))
    _prove(sub.add_parser("prove", help="prove a theorem or a claim of your own, or give a counterexample",
                          description="Example: symnet prove 'log(x) <= x - 1 if x > 0'; symnet prove loss-scaling --optimizer adam"))
    _certify(sub.add_parser("certify", help="write the gradients as theorems that a foreign kernel checks", description=CERTIFYING,
                            formatter_class=argparse.RawDescriptionHelpFormatter))
    _train(sub.add_parser("train", help="train the network of a worksheet", description=TRAINING,
                          formatter_class=argparse.RawDescriptionHelpFormatter))
    return top


def _output(p: argparse.ArgumentParser, formats: tuple[str, ...]) -> None:
    p.add_argument("-o", "--output", metavar="FILE", help="where to write; - is standard output; the ending tells the format")
    p.add_argument("--format", choices=formats, help="the format, when the ending does not tell")


def _no_check(p: argparse.ArgumentParser) -> None:
    p.add_argument("--no-check", dest="check", action="store_false",
                   help="leave out the check of every step against differences of the forward pass")


def _report(p: argparse.ArgumentParser) -> None:
    p.add_argument("worksheet", nargs="?", default="first", help="a .toml file, or the name of one that comes with symnet (default: first)")
    _output(p, FORMATS)
    p.add_argument("--open", action="store_true", help="open the page in a browser")
    p.add_argument("--level", choices=LEVELS, default="student", help="how much is explained (default: student)")
    p.add_argument("--digits", type=int, default=6, help="significant digits of decimals (default: 6)")
    p.add_argument("--seed", type=int, default=None, help="seed of the training run")
    _notation(p)
    _no_check(p)
    p.set_defaults(run=commands.report)


def _notation(p: argparse.ArgumentParser) -> None:
    p.add_argument("--notation", choices=("both", "matrix", "index", "scalar"), default="both",
                   help="the form of the lines (default: both)")
    p.add_argument("--samples", choices=("rows", "columns"), default="rows", help="in matrix notation, a sample is a row or a column")


def _derive(p: argparse.ArgumentParser) -> None:
    p.add_argument("what", help="a worksheet, or an expression in plain maths")
    p.add_argument("--wrt", action="append", metavar="NAME", help="differentiate with respect to this (may be repeated)")
    p.add_argument("--shape", action="append", default=[], metavar="X:N,d", help="the shape of a symbol (may be repeated)")
    p.add_argument("--domain", action="append", default=[], metavar="x:positive",
                   help="the domain of a symbol: positive, nonzero, 'p:(0, 1)', 'y:{0, 1}', S:symmetric (may be repeated)")
    p.add_argument("--order", type=int, choices=(1, 2), default=1, help="2: the second derivative in the first and the last --wrt")
    p.add_argument("--level", choices=LEVELS, default="expert", help="how much is explained (default: expert)")
    p.add_argument("--digits", type=int, default=6, help="significant digits of decimals (default: 6)")
    _notation(p)
    _output(p, (*FORMATS, "numpy", "jax", "torch"))
    _no_check(p)
    p.set_defaults(run=commands.derive)


def _check(p: argparse.ArgumentParser) -> None:
    p.add_argument("files", nargs="+", metavar="FILE", help="a worksheet with [[answers]]; a page of worked lines (.md, .txt, .tex, "
                   ".ipynb); a folder or several of them; or FILE.py:FUNCTION, your own NumPy, PyTorch or JAX code, which is run")
    p.add_argument("--worksheet", "--against", default="first", metavar="WORKSHEET",
                   help="for a page and for NumPy code: the worksheet it works out (default: first)")
    p.add_argument("-j", "--jobs", type=int, default=1, metavar="N", help="for many files: this many workers (default: 1)")
    p.add_argument("--time", type=float, default=20, metavar="SECONDS",
                   help="the limit of one answer, one line of a page, or your code; what takes longer is undecided (default: 20)")
    p.add_argument("--memory", type=int, default=1024, metavar="MB", help="the limit of one worker (default: 1024)")
    p.add_argument("--dask", metavar="ADDRESS", help="for many files: a Dask scheduler, tcp://host:port (needs symnet[dask])")
    code = p.add_argument_group("for NumPy code, where its own names do not tell")
    code.add_argument("--argument", action="append", default=[], metavar="ARG=INPUT",
                      help="the input or size that an argument of the function is, or its fixed value: w=W1, eps=1e-5, train=True "
                           "(may be repeated)")
    code.add_argument("--labels", action="append", default=[], metavar="ARG=INPUT",
                      help="an argument that holds whole-number class labels, and the one-hot input that they stand for: y=Y "
                           "(may be repeated)")
    code.add_argument("--returns", metavar="NAMES", help="what the function returns, in order: loss,W1,b1")
    code.add_argument("--sizes", action="append", default=[], metavar="N=3,d=2",
                      help="judge at these sizes alone (may be repeated)")
    own = p.add_argument_group("for a torch.autograd.Function, jax.custom_vjp or jax.custom_jvp")
    own.add_argument("--shape", action="append", default=[], metavar="X:N,d",
                     help="the shape of an array argument; y:N:int and mask:N,d:bool for whole numbers and truths (may be repeated)")
    own.add_argument("--example", metavar="NAME", help="the arguments, or a function that gives them, in the file (default: example)")
    own.add_argument("--wrt", action="append", metavar="ARG", help="an argument that needs a gradient (may be repeated; default: all)")
    _output(p, ("text", "json", "csv", "html"))
    p.set_defaults(run=check)


def _prove(p: argparse.ArgumentParser) -> None:
    p.add_argument("claim", nargs="?", default="loss-scaling", help="the name of a theorem (--list shows them; default: loss-scaling), a "
                   "claim such as 'abs(tanh(x)) <= abs(x)', or a worksheet (.toml) with a claim")
    p.add_argument("--list", action="store_true", help="all theorems by topic")
    p.add_argument("--shape", action="append", default=[], metavar="X:N,d", help="the shape of an array of the claim (may be repeated)")
    p.add_argument("--domain", action="append", default=[], metavar="x:positive", help="the domain of a name (may be repeated)")
    p.add_argument("--given", action="append", default=[], metavar="'x > 0'", help="a hypothesis (may be repeated)")
    p.add_argument("--line", action="append", default=[], metavar="'z = w*x'", help="a definition that the claim uses (may be repeated)")
    p.add_argument("--time", type=float, default=20, metavar="SECONDS", help="how long a proof is looked for (default: 20)")
    p.add_argument("--level", choices=LEVELS, default="student", help="how much a report explains (default: student)")
    p.add_argument("--optimizer", default="sgd", help=f"for loss-scaling: {RULES} (default: sgd)")
    _rule(p)
    _output(p, FORMATS)
    p.set_defaults(run=prove)


def _certify(p: argparse.ArgumentParser) -> None:
    p.add_argument("worksheet", nargs="?", help="a .toml file, or the name of one that comes with symnet (default: first)")
    p.add_argument("-o", "--output", metavar="FILE", help="where to write: .v for Rocq, .lean for Lean (default: standard output)")
    p.add_argument("--theorem", metavar="NAME", help="instead of a worksheet, a theorem for all sizes and steps: least-squares, depth, "
                   "vanishing, sigmoid-slope, loss-scaling or descent-lemma")
    p.add_argument("--sizes", action="append", default=[], metavar="N=2,d=3", help="a number for each size (may be repeated)")
    p.add_argument("--format", choices=("rocq", "lean"), help="the language, when the ending does not tell (default: rocq)")
    p.add_argument("--check", action="store_true", help="let coqc check the file")
    p.add_argument("--decimals", action="store_true", help="also bound the objective and the gradients at the worksheet's values")
    p.add_argument("--ask", action="store_true", help="say whether a certificate can say it, and write nothing")
    p.set_defaults(run=commands.certify)


def _rule(p: argparse.ArgumentParser) -> None:
    p.add_argument("--schedule", metavar="TEXT", help="the learning rate of each step, such as 'step(30, gamma=0.1)', 'cosine(100)', "
                   "'exponential(0.99)', 'inversetime(0.1)' or 'warmup(5, cosine(100))'")
    p.add_argument("--weight-decay", metavar="X", help="coupled, save for adamw and lion, which decouple it")
    p.add_argument("--clip-value", metavar="X", help="bound for every entry of the gradients")
    p.add_argument("--clip-norm", metavar="X", help="bound for the norm of all gradients together")
    p.add_argument("--set", action="append", default=[], metavar="NAME=X", help="another setting, such as momentum=0.9 (may be repeated)")


def _train(p: argparse.ArgumentParser) -> None:
    p.add_argument("worksheet", nargs="?", default="first", help="a worksheet with [training] (shipped: first, ages, xor, digits)")
    p.add_argument("--optimizer", help=RULES)
    _rule(p)
    p.add_argument("--init", help="starting weights: xavier, kaiming or lecun, with _uniform or _normal (default: xavier_uniform)")
    p.add_argument("--lr", help="learning rate, exact: 0.1 or 1/10")
    p.add_argument("--epochs", type=int)
    p.add_argument("--batch-size", type=int)
    p.add_argument("--seed", type=int, default=None)
    p.add_argument("--dtype", choices=("float64", "float32"))
    data = p.add_argument_group("data")
    data.add_argument("--data", metavar="FILE", help="a table (.csv), arrays by the names of the inputs (.npz), or xor, ages, digits")
    data.add_argument("--target", metavar="COLUMNS", help="of a table, the columns of the target (default: the last)")
    data.add_argument("--classes", action="store_true", help="the target column holds classes, also where they are numbers")
    data.add_argument("--class-weight", metavar="TEXT", help="balanced, or weights such as 0:1,1:2.5")
    data.add_argument("--no-shuffle", action="store_true", help="batches in the order of the rows")
    seen = p.add_argument_group("validation")
    seen.add_argument("--validation", metavar="SHARE", help="this share of the samples is kept apart, such as 0.2")
    seen.add_argument("--metric", action="append", default=[], metavar="NAME",
                      help="accuracy, f1, mse, rmse, mae or r2 (may be repeated)")
    seen.add_argument("--patience", type=int, metavar="EPOCHS", help="stop after so many epochs without a better value, and take the best")
    seen.add_argument("--min-delta", metavar="X", help="what is not better by more than this is not better")
    seen.add_argument("--monitor", metavar="NAME", help="what must get better: loss, val_loss, accuracy, val_accuracy, …")
    files = p.add_argument_group("files")
    files.add_argument("--checkpoint", metavar="FILE", help="written after every epoch, whole at every moment")
    files.add_argument("--checkpoint-every", type=int, metavar="STEPS", help="written after so many steps instead")
    files.add_argument("--resume", action="store_true", help="go on from the checkpoint where it is there")
    files.add_argument("--log", metavar="FILE", help="a line of JSON for each epoch")
    files.add_argument("--curve", metavar="FILE", help="the loss over the epochs, as SVG")
    files.add_argument("--save", metavar="FILE", help="the parameters, as .npz")
    p.add_argument("--format", choices=("text", "json"), default="text")
    p.set_defaults(run=commands.train)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):  # a console without "≠" gets "?" in its place, not a traceback
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        options = parser().parse_args(arguments)
        if options.command is None:
            parser().print_help()
            return 0
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except FaultError as error:
        print(f"symnet: {error.message}", file=sys.stderr)
        return 4
    except SymnetError as error:
        print(f"symnet: {error.message}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("symnet: stopped", file=sys.stderr)
        return 3
    except (RecursionError, MemoryError):
        print("symnet: the input is too large or too deeply nested; expected something smaller", file=sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
