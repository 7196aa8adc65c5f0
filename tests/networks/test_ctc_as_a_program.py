"""The CTC loss is no layer, since its alignments depend on the data; it is a program, for any number of steps, labels and symbols."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn

torch = pytest.importorskip("torch")

# E tells which symbol each place of the labels with blanks has, k where a blank may be left out, m the last two places; q are log-shares
LINES = ["e[t, s] = sum(E[s, v]*q[t, v] for v in 1..V)",
         "a[1, s] = (e[1, s] if s <= 2 else -200)",
         "a[t, s] = e[t, s] + log(exp(a[t-1, s]) + (exp(a[t-1, s-1]) if s > 1 else 0) + (k[s]*exp(a[t-1, s-2]) if s > 2 else 0)) for t in 2..T",
         "L = -log(sum(m[s]*exp(a[T, s]) for s in 1..S))"]


def test_its_value_and_slopes_are_those_of_pytorch() -> None:
    d = sn.derive(sn.program(LINES, tensors={"q": ("T", "V"), "E": ("S", "V"), "k": "S", "m": "S"}), wrt="q")
    f = d.compile()
    dice = np.random.default_rng(0)
    for labels, steps in (([1, 2, 2, 4], 9), ([3, 1], 4)):
        places = [0] * (2 * len(labels) + 1)
        places[1::2] = labels
        jumps = [float(s > 1 and c != 0 and c != places[s - 2]) for s, c in enumerate(places)]
        z = torch.tensor(dice.normal(size=(steps, 5)) * 3, requires_grad=True)
        q = torch.log_softmax(z, 1)
        loss = torch.nn.functional.ctc_loss(q[:, None], torch.tensor([labels]), [steps], [len(labels)], reduction="sum")
        loss.backward()
        ends = np.array([0.0] * (len(places) - 2) + [1.0, 1.0])
        value, slopes = f({"q": q.detach().numpy()}, E=np.eye(5)[places], k=np.array(jumps), m=ends)
        assert abs(value - loss.item()) < 1e-10
        dq = np.asarray(slopes["q"])
        through = dq - torch.softmax(z, 1).detach().numpy() * dq.sum(1, keepdims=True)  # through the logarithm of the softmax
        assert np.abs(through - z.grad.numpy()).max() < 1e-10
