"""The options that say how to train, for `symnet train` and `symnet prove`."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest

from symnet.cli.main import main


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


TRAINED: dict[str, tuple[tuple[str, ...], str, dict[str, str]]] = {
    "optimizer": (("--optimizer", "lion", "--lr", "1/50"), "Lion", {"lr": "1/50", "beta1": "9/10", "beta2": "99/100"}),
    "setting": (("--optimizer", "momentum", "--set", "momentum=0.8", "--set", "dampening=1/4"), "Momentum", {"mu": "4/5", "tau": "1/4"}),
    "schedule": (("--schedule", "warmup(3, cosine(20))"), "Adam with WarmupLR and CosineAnnealingLR", {"warmup": "3", "T_max": "20"}),
    "decay": (("--optimizer", "sgd", "--weight-decay", "0.01"), "SGD with weight decay", {"lam": "1/100"}),
    "clip value": (("--clip-value", "1/2"), "Adam with gradients clipped by value", {"limit": "1/2"}),
    "clip norm": (("--clip-norm", "2"), "Adam with gradients clipped by norm", {"limit": "2"}),
    "init": (("--init", "he_normal"), "Adam", {"lr": "1/10"}),
}


@pytest.mark.parametrize(("options", "name", "settings"), TRAINED.values(), ids=TRAINED)
def test_train_takes_the_options(options: tuple[str, ...], name: str, settings: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "train", "xor", "--epochs", "3", "--format", "json", *options)
    data: dict[str, Any] = json.loads(out)
    assert code == 0 and err == "" and data["optimizer"] == name and len(data["losses"]) == 4
    assert settings.items() <= data["settings"].items()


def test_the_start_changes_with_the_initializer(capsys: pytest.CaptureFixture[str]) -> None:
    starts = {name: json.loads(said(capsys, "train", "xor", "--epochs", "1", "--init", name, "--format", "json")[1])["losses"][0]
              for name in ("xavier_uniform", "xavier_normal", "lecun_normal")}
    assert len(set(starts.values())) == 3


PROVED: dict[str, tuple[tuple[str, ...], int, str]] = {
    **{name: (("--optimizer", name), 0, "proved") for name in ("sgd", "momentum", "heavyball", "nesterov")},
    **{name: (("--optimizer", name), 1, "refuted") for name in ("adagrad", "rmsprop", "adam", "adamw", "nadam", "lion", "signsgd")},
    "decay": (("--weight-decay", "1/100"), 1, "refuted"), "value": (("--clip-value", "1"), 1, "refuted"), "norm": (("--clip-norm", "1"), 1, "refuted"),
    "schedule": (("--schedule", "inversetime(1)", "--optimizer", "nesterov"), 0, "proved"),
    "schedule with a least rate": (("--schedule", "cosine(10, 0.001)"), 1, "refuted"),
    "setting": (("--optimizer", "momentum", "--set", "dampening=1/2"), 0, "proved"), "far limit": (("--clip-norm", "1e30"), 3, "undecided"),
}


@pytest.mark.parametrize(("options", "code", "word"), PROVED.values(), ids=PROVED)
def test_prove_takes_the_options(options: tuple[str, ...], code: int, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    found, out, err = said(capsys, "prove", "loss-scaling", *options)
    assert (found, err) == (code, "") and out.startswith(word)
    assert ("it checks" in out) is (word == "proved")


def test_prove_prints_the_conditions(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys, "prove", "--optimizer", "momentum")
    assert "Conditions: c > 0; both runs start from the same parameters; " in out and "; the states start at 0.\n" in out
    for claim, word in (("variance", "the inputs have mean 0"), ("loss-scaling", "c > 0")):
        _, out, _ = said(capsys, "prove", claim, "--format", "json")
        assert word in json.loads(out)["conditions"]


def test_a_rounded_number_is_marked_and_a_fraction_given_where_it_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    for options, told in ((("--optimizer", "adam"), "9990001/10000001 ≈ 0.9990000001 and 99990001/100000001 ≈ 0.9999000000."), (("--weight-decay", "1/7", "--set", "lr=1/100"), "6983/7000 ≈ 0.9975714286"),
                          (("--weight-decay", "1/10", "--set", "lr=1/100"), " reach 0.998 and 0.9989."), (("--optimizer", "SignSGD"), " reach 0.9999 and 0.99999.")):
        assert told in said(capsys, "prove", *options)[1]


def test_the_counterexample_and_the_explanation_are_data(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "prove", "--weight-decay", "1/7", "--set", "lr=1/100", "--format", "json")
    data = json.loads(out)
    found = data["counterexample"]
    c, rate, lam, w = (Fraction(found["case"][k]) for k in ("c", "α", "lam", "the start"))
    assert code == 1 and found["case"]["steps"] == "1" and data["explanation"].startswith("the decay") and data["lines"] == []
    assert Fraction(found["left"]["exact"]) == w - rate * (w / c + lam * w) and Fraction(found["right"]["exact"]) == w - rate / c * (w + lam * w)
    assert found["left"]["text"] == "6983/7000 ≈ 0.9975714286" and found["left"]["decimal"] == "0.9975714286"


@pytest.mark.parametrize("claim", ["variance", "variance-relu"])
def test_the_variance_is_proved(claim: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "prove", claim, "--format", "json")
    data = json.loads(out)
    assert code == 0 and data["status"] == "proved" and data["checked"] and data["lines"][-1]["rule"] == "induction"


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "optimizer": (("train", "xor", "--optimizer", "adma"), "did you mean 'adam'"), "schedule": (("train", "xor", "--schedule", "steep(3)"), "did you mean 'step'"),
    "open": (("train", "xor", "--schedule", "step(3"), "a schedule such as"), "no sign": (("train", "xor", "--set", "momentum"), "a name and a value"),
    "hostile": (("train", "xor", "--set", "__class__.x=1"), "a name and a value"), "setting": (("prove", "--set", "beta1=1"), "no setting 'beta1'"),
    "number": (("prove", "--clip-norm", "much"), "'much'"), "both": (("prove", "--clip-norm", "1", "--clip-value", "1"), "one kind of clipping"),
    "init": (("train", "xor", "--init", "xaviar"), "did you mean 'xavier"), "claim": (("prove", "varience"), "did you mean 'variance'"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_told_in_one_line(arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, *arguments)
    assert code == 2 and out == "" and words in err and err.count("\n") == 1
