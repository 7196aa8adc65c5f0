"""Worksheets: every key is read, every other is refused in one line with what was probably meant; nothing is executed."""

from __future__ import annotations

from pathlib import Path

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.errors import SymnetError, WorksheetError
from symnet.parsing.fields import KEYS
from symnet.parsing.worksheet import Call, call, parse_worksheet, read_worksheet
from symnet.worksheet_loader import derivation_of
from symnet.worksheets.builtin import names, worksheet_text

FULL = """
title = "Least squares"
sizes = { N = 3 }
simplify = "sqrt(x^2)"
claim = ["abs(tanh(q)) <= abs(q)", "p > 0"]
given = ["q > 0"]
[symbols]
X = { shape = ["N", "d"], note = "rows are samples" }
w = { shape = ["d"] }
y = { shape = ["N"], assume = ["sum(y) == 1"] }
p = { domain = "positive", value = "1/3" }
c = { shape = ["N"], domain = "index", classes = "d" }
q = 0.5
m = { value = [["1", "1/2"], [2, 0.1]] }
S = { shape = ["d", "d"], structure = "symmetric" }
[program]
definitions = ["r = X @ w - y"]
objective = "sum(r**2)/N"
wrt = ["w"]
learning_rate = "0.1"
batch = false
[[answers]]
id = "mine"
wrt = "w"
text = "2 X.T @ r / N"
[[answers]]
wrt = "w"
latex = '\\frac{2}{N}X^{\\top}r'
[training]
data = "xor"
optimizer = "adam"
learning_rate = "1/100"
epochs = 20
batch_size = 2
seed = 0
schedule = "warmup(5, cosine(100))"
init = "lecun_normal"
clip_value = 2
clip_norm = 1
momentum = 0.9
dampening = 0.1
weight_decay = "1/1000"
beta1 = 0.8
beta2 = 0.9
alpha = 0.95
eps = "1e-6"
dtype = "float32"
shuffle = false
metrics = ["mse"]
monitor = "val_mse"
patience = 3
class_weight = "balanced"
validation_split = 0.25
min_delta = "1/1000"
[errata]
file = "first.txt"
text = "z = 1"
"""
LAYERS = """
[program]
layers = ["Linear(d, 3)", "LeakyReLU(negative_slope=0.2)", "Linear(3, 1, bias=False)", "Sigmoid()"]
loss = "BCELoss()"
"""


def test_every_key_is_read() -> None:
    sheet, half = parse_worksheet(FULL), sp.Rational(1, 2)
    assert (sheet.title, sheet.sizes, sheet.simplify) == ("Least squares", {"N": 3}, "sqrt(x^2)")
    assert sheet.symbols["X"].shape == ("N", "d") and sheet.symbols["X"].note == "rows are samples"
    assert sheet.symbols["y"].assume == ("sum(y) == 1",)
    assert (sheet.symbols["p"].domain, sheet.symbols["p"].value) == ("positive", sp.Rational(1, 3))
    assert sheet.symbols["q"].value == half and sheet.symbols["m"].value == [[1, half], [2, sp.Rational(1, 10)]]
    assert (sheet.definitions, sheet.objective, sheet.wrt) == (("r = X @ w - y",), "sum(r**2)/N", ("w",))
    assert (sheet.learning_rate, sheet.batch) == (sp.Rational(1, 10), False)
    assert [a["id"] for a in sheet.answers] == ["mine", "A2"] and "latex" in sheet.answers[1]
    assert sheet.training == {
        "data": "xor",
        "optimizer": "adam",
        "learning_rate": sp.Rational(1, 100),
        "epochs": 20,
        "batch_size": 2,
        "seed": 0,
        "schedule": Call("warmup", (5, Call("cosine", (100,)))),
        "init": "lecun_normal",
        **{k: sp.Rational(v) for k, v in {"clip_value": 2, "clip_norm": 1, "momentum": "9/10", "dampening": "1/10"}.items()},
        **{k: sp.Rational(v) for k, v in {"weight_decay": "1/1000", "beta1": "4/5", "beta2": "9/10"}.items()},
        **{k: sp.Rational(v) for k, v in {"alpha": "19/20", "eps": "1e-6", "validation_split": "1/4", "min_delta": "1/1000"}.items()},
        **{"dtype": "float32", "shuffle": False, "metrics": ["mse"], "monitor": "val_mse", "patience": 3, "class_weight": "balanced"},
    }
    assert sheet.errata == {"file": "first.txt", "text": "z = 1"}
    assert (sheet.claim, sheet.given) == ("abs(tanh(q)) <= abs(q) and p > 0", ("q > 0",))


def test_the_full_page_and_the_layers_use_every_key_there_is() -> None:
    used = {line.split("=")[0].strip() for line in (FULL + LAYERS).splitlines() if "=" in line}
    inline = {key for key in KEYS["symbols"] if f"{key} = " in FULL}
    tables = {"symbols", "program", "answers", "training", "errata"}
    assert used | inline | tables >= {key for keys in KEYS.values() for key in keys}


def test_layers_are_calls_as_data() -> None:
    sheet = parse_worksheet(LAYERS)
    assert sheet.layers[0] == Call("Linear", ("d", 3)) and sheet.loss == Call("BCELoss", ())
    assert sheet.layers[1] == Call("LeakyReLU", (), (("negative_slope", sp.Rational(1, 5)),))
    assert sheet.layers[2] == Call("Linear", (3, 1), (("bias", False),))


@pytest.mark.parametrize("name", names())
def test_the_worksheets_that_ship_are_read(name: str) -> None:
    assert parse_worksheet(worksheet_text(name), name).title


UNKNOWN = {
    "top": ('titel = "x"', "the key 'titel'", "did you mean 'title'"),
    "program": ('program.wtr = ["w"]', "the key 'wtr'", "did you mean 'wrt'"),
    "symbols": ("symbols.w = { shpae = [2] }", "the key 'shpae'", "did you mean 'shape'"),
    "answers": ('[[answers]]\ntxet = "1"', "the key 'txet'", "did you mean 'text'"),
    "training": ("training.epoch = 3", "the key 'epoch'", "did you mean 'epochs'"),
    "errata": ('errata.fiel = "x"', "the key 'fiel'", "did you mean 'file'"),
    "domain": ('symbols.w = { domain = "postive" }', "'postive'", "did you mean 'positive'"),
    "hostile": ('"<script>" = 1', "the key '<script>'", "one of title"),
}


@pytest.mark.parametrize("text, found, hint", UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_key_is_refused_with_what_was_meant(text: str, found: str, hint: str) -> None:
    with pytest.raises(WorksheetError) as caught:
        parse_worksheet(text)
    assert found in str(caught.value) and hint in str(caught.value) and "\n" not in str(caught.value)


BAD = {
    "no TOML": "title = ",
    "unclosed text": 'title = "x',
    "a key twice": "title = 'a'\ntitle = 'b'",
    "deep TOML": "x = " + "[" * 5000,
    "title": "title = 3",
    "long title": f'title = "{"x" * 30_000}"',
    "symbols": "symbols = 3",
    "sizes": "sizes.N = 0",
    "size": "sizes.N = true",
    "big size": "sizes.N = 10000000",
    "size text": 'sizes.N = "three"',
    "program": "program = []",
    "definitions": "program.definitions = 3",
    "definition": "program.definitions = [3]",
    "both": 'program = { definitions = ["y = x"], layers = ["Tanh()"] }',
    "wrt": 'program.wrt = "w"',
    "rate": 'program.learning_rate = "fast"',
    "rate true": "program.learning_rate = true",
    "rate nan": "program.learning_rate = nan",
    "layer": 'program.layers = ["Linear"]',
    "layer code": "program.layers = [\"Linear(__import__('os'), 2)\"]",
    "layer nested": 'program.layers = ["Linear(Linear(2, 3)"]',
    "layer brackets": 'program.layers = ["Linear([2), 3)"]',
    "loss": "program.loss = 3",
    "value": 'symbols.w = { value = "x" }',
    "value inf": "symbols.w = { value = inf }",
    "value date": "symbols.w = 2020-01-01",
    "value true": "symbols.w = true",
    "value by zero": 'symbols.w = "1/0"',
    "value comma": 'symbols.w = "0,5"',
    "value empty": "symbols.w = []",
    "ragged": "symbols.w = [[1, 2], [3]]",
    "mixed": "symbols.w = [1, [2]]",
    "shape": 'symbols.w = { shape = "d" }',
    "domain": "symbols.w = { domain = 3 }",
    "assume": 'symbols.w = { assume = "w > 0" }',
    "note": "symbols.w = { note = 3 }",
    "answers": "answers = 3",
    "answer": "answers = [3]",
    "answer empty": '[[answers]]\nwrt = "w"',
    "answer twice": "[[answers]]\ntext = '1'\nlatex = '1'",
    "epochs": "training.epochs = 0",
    "epochs text": 'training.epochs = "3"',
    "momentum": 'training.momentum = "big"',
    "seed": 'training.seed = "x"',
    "optimizer": "training.optimizer = 3",
    "schedule": "training.schedule = 3",
    "data file": "training.data = '/etc/passwd.csv'",
    "shuffle": "training.shuffle = 1",
    "metrics": "training.metrics = 'mse'",
    "patience": "training.patience = 0",
    "split": "training.validation_split = 'half'",
    "schedule not closed": "training.schedule = 'cosine('",
    "schedule hostile": "training.schedule = '__import__(1)'",
    "clip": "training.clip_norm = 'much'",
    "training": "training = 1",
    "errata": "errata = 1",
    "errata path": "errata.file = '../../x'",
    "errata absolute": "errata.file = '/etc/passwd'",
    "errata hidden": "errata.file = '.x.txt'",
    "errata script": "errata.file = '<script>.txt'",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_bad_page_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(WorksheetError) as caught:
        parse_worksheet(text, "page.toml")
    assert str(caught.value).startswith("page.toml") and "\n" not in str(caught.value) and len(str(caught.value)) < 700


@pytest.mark.parametrize("name", ["__class__", "if", "_", "w-1", "<script>", "../../x", "", "x" * 500, r"\input{x}"])
def test_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(SymnetError) as caught:
        parse_worksheet(f"[symbols]\n'{name}' = 1")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["Linear(2 3)", "Linear(2,)", "Linear(2, 3", "os.system(x)", "Linear(x.y)", "", "()", "Linear(2)()", "L" * 99 + "()"],
)
def test_a_call_that_is_no_layer_is_refused(text: str) -> None:
    with pytest.raises(WorksheetError):
        call(text, "layers")


def test_files_that_cannot_be_read_say_so(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "large.toml").write_text("#" * 1_000_001)
    cases = {
        tmp_path / "none.toml": "no such file",
        tmp_path: "a folder",
        tmp_path / "binary.toml": "not a text file",
        tmp_path / "large.toml": "more than 1 MB",
        "a\0b.toml": "not a text file",
        "../../x": "no such file",
        "x" * 5000: "too long",
    }
    for path, words in cases.items():
        with pytest.raises(WorksheetError) as caught:
            read_worksheet(path)
        assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_reads_like_its_text(tmp_path: Path) -> None:
    (tmp_path / "page.toml").write_text(FULL, encoding="utf-8")
    assert read_worksheet(tmp_path / "page.toml") == parse_worksheet(FULL)


USELESS = {
    "nothing to do": "title = 'x'",
    "layers without a loss": 'program.layers = ["Linear(2, 3)"]',
    "unknown layer": 'program = { layers = ["Linaer(2, 3)"], loss = "MSELoss()" }',
    "unknown loss": 'program = { layers = ["Linear(2, 3)"], loss = "MSE()" }',
    "layers that do not fit": 'program = { layers = ["Linear(2, 3)", "Linear(4, 1)"], loss = "MSELoss()" }',
    "a layer as a size": 'program = { layers = ["Linear(Linear(2, 3), 3)"], loss = "MSELoss()" }',
    "a layer with too few arguments": 'program = { layers = ["Linear(2)"], loss = "MSELoss()" }',
    "a batch of nothing": 'program = { layers = ["Linear(2, 3)"], loss = "MSELoss()", batch = [] }',
    "a symbol that is not there": 'symbols.W9 = 1\nprogram = { layers = ["Linear(2, 3)"], loss = "MSELoss()" }',
    "a value of another shape": 'symbols.w = { shape = [3], value = [1, 2] }\nprogram.objective = "sum(w)"',
    "a wrt that is not there": 'program = { definitions = ["L = w**2"], wrt = ["q"] }',
    "a name that is not declared": 'symbols.w = 1\nprogram.objective = "w*q"',
}


@pytest.mark.parametrize("text", USELESS.values(), ids=USELESS)
def test_a_page_that_makes_no_derivation_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(SymnetError) as caught:
        derivation_of(parse_worksheet(text))
    assert "\n" not in str(caught.value)


@given(
    st.text(max_size=60),
    st.sampled_from(["", "program.", "symbols.", "training.", "answers."]),
    st.sampled_from(["", "= 1", "= 'x'", "= []"]),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_text_is_a_page_or_refused_in_one_line(text: str, start: str, end: str) -> None:
    try:
        parse_worksheet(start + text + end)
    except SymnetError as error:
        assert "\n" not in str(error)
