"""Sixty backward passes as they stand in repositories and homework: finite differences of a loss in NumPy say which are right.

What is right is never refuted, what is wrong is never proved.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.verdict import Answer


@dataclass(frozen=True)
class Problem:
    """A program, its shapes, what is differentiated by, and the same loss in NumPy. Labels are the classes of a one-hot array."""

    text: str
    wrt: str
    shapes: dict[str, Any]
    loss: Callable[..., Any]
    labels: tuple[str, str] | None = None  # the argument that holds them, and the array

    def derivation(self) -> Any:
        return sn.derive(sn.program(*self.text.split("; "), tensors=self.shapes), wrt=self.wrt.split())


def softmax(z: Any) -> Any:
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def normalized(X: Any, axis: int) -> Any:
    return (X - X.mean(axis, keepdims=True)) / np.sqrt(X.var(axis, keepdims=True) + 0.001)


def convolved(x: Any, k: Any) -> Any:
    return np.array([x[i:i + len(k)] @ k for i in range(len(x) - len(k) + 1)])


def lstm_loss(Wx: Any, Wh: Any, x: Any, h: Any, c: Any, G: Any) -> Any:
    z = x @ Wx + h @ Wh
    d = len(h)
    i, f, o, g = sigmoid(z[:d]), sigmoid(z[d:2 * d]), sigmoid(z[2 * d:3 * d]), np.tanh(z[3 * d:])
    return G @ (o * np.tanh(f * c + i * g))


P = {
    "TANH": Problem("H = tanh(X @ W1 + b1); S = H @ W2 + b2; L = sum((S - Y)**2)/N", "W1 b1 W2 b2",
                    {"X": ("N", "d"), "W1": ("d", "h"), "b1": ("h",), "W2": ("h", "k"), "b2": ("k",), "Y": ("N", "k")},
                    lambda X, W1, b1, W2, b2, Y: ((np.tanh(X @ W1 + b1) @ W2 + b2 - Y)**2).sum() / len(X)),
    "CE": Problem("S = X @ W + b; L = sum(log(sum(exp(S), axis=1)) - sum(Y*S, axis=1))/N", "W b",
                  {"X": ("N", "d"), "W": ("d", "k"), "b": ("k",), "Y": ("N", "k")},
                  lambda X, W, b, Y: -(Y * np.log(softmax(X @ W + b))).sum() / len(X), ("y", "Y")),
    "BN": Problem("mu = mean(X, axis=0); v = mean((X - mu)**2, axis=0); xh = (X - mu)/sqrt(v + 1/1000); L = sum((g*xh + b)*D)", "X g b",
                  {"X": ("N", "d"), "g": ("d",), "b": ("d",), "D": ("N", "d")},
                  lambda X, g, b, D: ((g * normalized(X, 0) + b) * D).sum()),
    "LN": Problem("mu = mean(X, axis=1, keepdims=True); v = mean((X - mu)**2, axis=1, keepdims=True); xh = (X - mu)/sqrt(v + 1/1000); "
                  "L = sum((g*xh + b)*D)", "X g b", {"X": ("N", "d"), "g": ("d",), "b": ("d",), "D": ("N", "d")},
                  lambda X, g, b, D: ((g * normalized(X, 1) + b) * D).sum()),
    "ATT": Problem("S = Q @ K.T; A = softmax(S); L = sum((A @ V)*G)", "Q K V",
                   {"Q": ("T", "k"), "K": ("T", "k"), "V": ("T", "m"), "G": ("T", "m")}, lambda Q, K, V, G: (softmax(Q @ K.T) @ V * G).sum()),
    "LSTM": Problem("z = x @ Wx + h @ Wh; gi[u] = sigmoid(z[u]); gf[u] = sigmoid(z[u + 2]); go[u] = sigmoid(z[u + 4]); "
                    "gg[u] = tanh(z[u + 6]); cn = gf*c + gi*gg; L = sum(G*go*tanh(cn))", "Wx Wh",
                    {"Wx": (3, 8), "Wh": (2, 8), "x": (3,), "h": (2,), "c": (2,), "G": (2,), "gi": (2,), "gf": (2,), "go": (2,), "gg": (2,)},
                    lstm_loss),
    "CONV": Problem("o[i] = sum(x[i + j - 1]*k[j] for j in 1..3); L = sum(o*G)", "x k",
                    {"x": (7,), "k": (3,), "o": (5,), "G": (5,)}, lambda x, k, G: convolved(x, k) @ G),
    "EMB": Problem("A = Y @ E; L = sum((A - T)**2)/2", "E", {"Y": ("N", "v"), "E": ("v", "e"), "T": ("N", "e")},
                   lambda Y, E, T: ((Y @ E - T)**2).sum() / 2, ("idx", "Y")),
    "LOGIT": Problem("m = y*(X @ w + b); L = sum(log(1 + exp(-m)))/N", "w b", {"X": ("N", "d"), "w": ("d",), "b": (), "y": ("N",)},
                     lambda X, w, b, y: np.log1p(np.exp(-y * (X @ w + b))).mean()),
    "COS": Problem("L = 1 - sum(u*v)/(sqrt(sum(u**2))*sqrt(sum(v**2)))", "u v", {"u": ("d",), "v": ("d",)},
                   lambda u, v: 1 - u @ v / np.sqrt((u @ u) * (v @ v))),
    "TRI": Problem("p = sum((A - P)**2, axis=1); q = sum((A - Q)**2, axis=1); L = sum(relu(p - q + 1))/N", "A P Q",
                   {"A": ("N", "d"), "P": ("N", "d"), "Q": ("N", "d")},
                   lambda A, P, Q: np.maximum(((A - P)**2).sum(1) - ((A - Q)**2).sum(1) + 1, 0).mean()),
    "HUBER": Problem("r = X @ w - y; L = sum(r**2/2 if abs(r) <= 1 else abs(r) - 1/2)/N", "w", {"X": ("N", "d"), "w": ("d",), "y": ("N",)},
                     lambda X, w, y: np.where(np.abs(X @ w - y) <= 1, (X @ w - y)**2 / 2, np.abs(X @ w - y) - 0.5).mean()),
    "BCE": Problem("z = X @ w; L = sum(log(1 + exp(z)) - y*z)/N", "w", {"X": ("N", "d"), "w": ("d",), "y": ("N",)},
                   lambda X, w, y: (np.log1p(np.exp(X @ w)) - y * (X @ w)).mean()),
    "SVM": Problem("S = X @ W; M = relu(S - sum(Y*S, axis=1, keepdims=True) + 1); L = (sum(M) - N)/N + lam*sum(W**2)", "W",
                   {"X": ("N", "d"), "W": ("d", "k"), "Y": ("N", "k"), "lam": ()},
                   lambda X, W, Y, lam: (np.maximum(X @ W - (Y * (X @ W)).sum(1, keepdims=True) + 1, 0).sum() - len(X)) / len(X)
                   + lam * (W**2).sum(), ("y", "Y")),
    "GELU": Problem("u = 79788456/100000000*(x + 44715/1000000*x**3); a = x*(1 + tanh(u))/2; L = sum(a*G)", "x", {"x": ("n",), "G": ("n",)},
                    lambda x, G: G @ (x * (1 + np.tanh(0.79788456 * (x + 0.044715 * x**3))) / 2)),
    "VAE": Problem("z = m + exp(s/2)*e; R = sum((z - t)**2)/2; K = sum(exp(s) + m**2 - 1 - s)/2; L = R + K", "m s",
                   {"m": ("d",), "s": ("d",), "e": ("d",), "t": ("d",)},
                   lambda m, s, e, t: ((m + np.exp(s / 2) * e - t)**2).sum() / 2 + (np.exp(s) + m**2 - 1 - s).sum() / 2),
    "RES": Problem("a = relu(X @ W1); O = X + a @ W2; L = sum(O*G)", "X W1 W2",
                   {"X": ("N", "d"), "W1": ("d", "h"), "W2": ("h", "d"), "G": ("N", "d")},
                   lambda X, W1, W2, G: ((X + np.maximum(X @ W1, 0) @ W2) * G).sum()),
    "BIL": Problem("L = sum((x @ A)*y) + lam*sum(abs(A))", "A x", {"x": ("n",), "A": ("n", "m"), "y": ("m",), "lam": ()},
                   lambda x, A, y, lam: x @ A @ y + lam * np.abs(A).sum()),
    "FM": Problem("p = X @ V; L = sum((sum(p**2, axis=1) - sum((X**2) @ (V**2), axis=1))*c)/2", "V",
                  {"X": ("N", "d"), "V": ("d", "k"), "c": ("N",)},
                  lambda X, V, c: 0.5 * (((X @ V)**2).sum(1) - ((X**2) @ (V**2)).sum(1)) @ c),
}
RIGHT: list[tuple[Callable[..., Any], str]] = []
WRONG: list[tuple[Callable[..., Any], str]] = []


def right(problem: str) -> Callable[[Any], Any]:
    return lambda f: RIGHT.append((f, problem)) or f


def wrong(problem: str) -> Callable[[Any], Any]:
    return lambda f: WRONG.append((f, problem)) or f


class TwoLayers:
    """A classifier as a class: forward leaves a cache, backward reads it."""

    def __init__(self, W1: Any, b1: Any, W2: Any, b2: Any) -> None:
        self.params = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}

    def forward(self, X: Any) -> Any:
        p = self.params
        H = np.tanh(X @ p["W1"] + p["b1"])
        self.cache = {"X": X, "H": H}
        return H @ p["W2"] + p["b2"]

    def backward(self, dS: Any, slope: Callable[[Any], Any] = lambda H: 1 - H**2) -> dict[str, Any]:
        X, H = self.cache["X"], self.cache["H"]
        dH = dS @ self.params["W2"].T
        dZ = dH * slope(H)
        return {"dW1": X.T @ dZ, "db1": dZ.sum(axis=0), "dW2": H.T @ dS, "db2": dS.sum(axis=0)}


@right("TANH")
def tanh_class(X: Any, W1: Any, b1: Any, W2: Any, b2: Any, Y: Any) -> Any:
    net = TwoLayers(W1, b1, W2, b2)
    S = net.forward(X)
    return net.backward(2 * (S - Y) / X.shape[0])


@wrong("TANH")
def tanh_class_w(X: Any, W1: Any, b1: Any, W2: Any, b2: Any, Y: Any) -> Any:
    net = TwoLayers(W1, b1, W2, b2)
    S = net.forward(X)
    return net.backward(2 * (S - Y) / X.shape[0], slope=lambda H: 1 - np.tanh(H)**2)


def affine_forward(x: Any, w: Any, b: Any) -> Any:
    return x @ w + b, (x, w)


def affine_backward(dout: Any, cache: Any) -> Any:
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(0)


@right("TANH")
def tanh_tuples(X: Any, W1: Any, b1: Any, W2: Any, b2: Any, Y: Any) -> Any:
    caches = []
    out, cache = affine_forward(X, W1, b1)
    caches.append(cache)
    act = np.tanh(out)
    S, cache = affine_forward(act, W2, b2)
    caches.append(cache)
    loss = np.sum((S - Y)**2) / len(X)
    da, dW2, db2 = affine_backward(2.0 / len(X) * (S - Y), caches.pop())
    _, dW1, db1 = affine_backward(da * (1 - act * act), caches.pop())
    return loss, (dW1, db1, dW2, db2)


@wrong("TANH")
def tanh_tuples_w(X: Any, W1: Any, b1: Any, W2: Any, b2: Any, Y: Any) -> Any:
    out, first = affine_forward(X, W1, b1)
    act = np.tanh(out)
    S, second = affine_forward(act, W2, b2)
    _, dW2, db2 = affine_backward(2.0 / len(X) * (S - Y), second)
    _, dW1, db1 = affine_backward(1 - act * act, first)
    return dW1, db1, dW2, db2


@wrong("TANH")
def tanh_mean_w(X: Any, W1: Any, b1: Any, W2: Any, b2: Any, Y: Any) -> Any:
    H = np.tanh(X @ W1 + b1)
    dS = 2 * (H @ W2 + b2 - Y) / Y.size
    dZ = dS @ W2.T * (1 - H**2)
    return X.T @ dZ, dZ.sum(0), H.T @ dS, dS.sum(0)


@right("CE")
def ce_labels(X: Any, W: Any, b: Any, y: Any) -> Any:
    scores = X.dot(W) + b
    scores -= np.max(scores, axis=1, keepdims=True)
    probs = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
    probs[range(X.shape[0]), y] -= 1
    probs /= X.shape[0]
    return np.dot(X.T, probs), np.sum(probs, axis=0)


@wrong("CE")
def ce_labels_assigned(X: Any, W: Any, b: Any, y: Any) -> Any:
    scores = X.dot(W) + b
    probs = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
    probs[range(X.shape[0]), y] = -1
    probs /= X.shape[0]
    return np.dot(X.T, probs), np.sum(probs, axis=0)


@wrong("CE")
def ce_axis(X: Any, W: Any, b: Any, y: Any) -> Any:
    e = np.exp(X @ W + b)
    p = e / e.sum(axis=0, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    return X.T @ p / len(y), p.sum(0) / len(y)


@right("CE")
def ce_one_hot(X: Any, W: Any, b: Any, y: Any) -> Any:
    Y = np.zeros((X.shape[0], W.shape[1]))
    Y[np.arange(X.shape[0]), y] = 1
    delta = softmax(X @ W + b) - Y
    return X.T @ delta / X.shape[0], delta.mean(0)


@wrong("CE")
def ce_twice(X: Any, W: Any, b: Any, y: Any) -> Any:
    p = softmax(X @ W + b)
    p[np.arange(len(y)), y] -= 1
    p /= len(y)
    return X.T @ p / len(y), p.sum(0)


@right("BN")
def bn_cs231n(X: Any, g: Any, b: Any, D: Any) -> Any:
    N = X.shape[0]
    mu, var = X.mean(axis=0), X.var(axis=0)
    std = np.sqrt(var + 0.001)
    xhat = (X - mu) / std
    dxhat = D * g
    dX = (N * dxhat - dxhat.sum(axis=0) - xhat * (dxhat * xhat).sum(axis=0)) / (N * std)
    return dX, (D * xhat).sum(axis=0), D.sum(axis=0)


@right("BN")
def bn_stages(X: Any, g: Any, b: Any, D: Any) -> Any:
    N, _ = X.shape
    xmu = X - 1. / N * np.sum(X, axis=0)
    sq = xmu ** 2
    var = 1. / N * np.sum(sq, axis=0)
    sqrtvar = np.sqrt(var + 0.001)
    ivar = 1. / sqrtvar
    xhat = xmu * ivar
    dxhat = D * g
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1. / (sqrtvar**2) * divar
    dvar = 0.5 * 1. / np.sqrt(var + 0.001) * dsqrtvar
    dsq = 1. / N * np.ones_like(X) * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
    dx2 = 1. / N * np.ones_like(X) * dmu
    return dx1 + dx2, np.sum(D * xhat, axis=0), np.sum(D, axis=0)


@wrong("BN")
def bn_no_mean(X: Any, g: Any, b: Any, D: Any) -> Any:
    std = np.sqrt(X.var(axis=0) + 0.001)
    xhat = (X - X.mean(axis=0)) / std
    return g * D / std, (D * xhat).sum(axis=0), D.sum(axis=0)


@wrong("BN")
def bn_gain(X: Any, g: Any, b: Any, D: Any) -> Any:
    N = len(X)
    std = np.sqrt(X.var(axis=0) + 0.001)
    xhat = (X - X.mean(axis=0)) / std
    dX = (N * D - D.sum(axis=0) - xhat * (D * xhat).sum(axis=0)) / (N * std)
    return dX, (D * xhat).sum(axis=0), D.sum(axis=0)


@right("LN")
def ln_cache(X: Any, g: Any, b: Any, D: Any) -> Any:
    cache = {"mu": X.mean(-1, keepdims=True), "rstd": 1 / np.sqrt(X.var(-1, keepdims=True) + 1e-3)}
    norm = (X - cache["mu"]) * cache["rstd"]
    dnorm = D * g
    dX = dnorm - dnorm.mean(-1, keepdims=True) - norm * (dnorm * norm).mean(-1, keepdims=True)
    dX *= cache["rstd"]
    return {"X": dX, "g": np.einsum("nd,nd->d", D, norm), "b": np.einsum("nd->d", D)}


@wrong("LN")
def ln_axis(X: Any, g: Any, b: Any, D: Any) -> Any:
    rstd = 1 / np.sqrt(X.var(-1, keepdims=True) + 1e-3)
    norm = (X - X.mean(-1, keepdims=True)) * rstd
    dnorm = D * g
    dX = (dnorm - dnorm.mean(0) - norm * (dnorm * norm).mean(0)) * rstd
    return {"X": dX, "g": (D * norm).sum(0), "b": D.sum(0)}


@right("ATT")
def attention(Q: Any, K: Any, V: Any, G: Any) -> Any:
    A = softmax(Q @ K.T)
    dV = A.T @ G
    dA = G @ V.T
    dS = A * (dA - (dA * A).sum(axis=-1, keepdims=True))
    return dS @ K, dS.T @ Q, dV


@wrong("ATT")
def attention_transposed(Q: Any, K: Any, V: Any, G: Any) -> Any:
    A = softmax(Q @ K.T)
    dA = G @ V.T
    dS = A * (dA - (dA * A).sum(axis=-1, keepdims=True))
    return dS @ K, dS @ Q, A.T @ G


@wrong("ATT")
def attention_diagonal(Q: Any, K: Any, V: Any, G: Any) -> Any:
    A = softmax(Q @ K.T)
    dS = G @ V.T * A * (1 - A)
    return dS @ K, dS.T @ Q, A.T @ G


@right("LSTM")
def lstm_cell(Wx: Any, Wh: Any, x: Any, h: Any, c: Any, G: Any) -> Any:
    z = x @ Wx + h @ Wh
    i, f, o, g = sigmoid(z[:2]), sigmoid(z[2:4]), sigmoid(z[4:6]), np.tanh(z[6:])
    t = np.tanh(f * c + i * g)
    dc = G * o * (1 - t**2)
    dz = np.concatenate([dc * g * i * (1 - i), dc * c * f * (1 - f), G * t * o * (1 - o), dc * i * (1 - g**2)])
    return np.outer(x, dz), np.outer(h, dz)


@wrong("LSTM")
def lstm_gates(Wx: Any, Wh: Any, x: Any, h: Any, c: Any, G: Any) -> Any:
    z = x @ Wx + h @ Wh
    i, f, o, g = sigmoid(z[:2]), sigmoid(z[2:4]), sigmoid(z[4:6]), np.tanh(z[6:])
    t = np.tanh(f * c + i * g)
    dc = G * o * (1 - t**2)
    dz = np.hstack((dc * g * i * (1 - i), dc * c * f * (1 - f), G * t * o * (1 - o), dc * g * (1 - g**2)))
    return np.outer(x, dz), np.outer(h, dz)


def im2col(x: Any, k: int) -> Any:
    return np.stack([x[i:i + k] for i in range(len(x) - k + 1)])


@right("CONV")
def conv_im2col(x: Any, k: Any, G: Any) -> Any:
    cols = im2col(x, 3)
    dcols = np.outer(G, k)
    dx = np.zeros_like(x)
    for i in range(len(G)):
        dx[i:i + 3] += dcols[i]
    return dx, cols.T @ G


@wrong("CONV")
def conv_assigned(x: Any, k: Any, G: Any) -> Any:
    dx = np.zeros_like(x)
    for i in range(len(G)):
        dx[i:i + 3] = G[i] * k
    return dx, im2col(x, 3).T @ G


@right("CONV")
def conv_full(x: Any, k: Any, G: Any) -> Any:
    padded = np.concatenate((np.zeros(2), G, np.zeros(2)))
    return im2col(padded, 3) @ k[::-1], im2col(x, 3).T @ G


@wrong("CONV")
def conv_not_flipped(x: Any, k: Any, G: Any) -> Any:
    padded = np.concatenate((np.zeros(2), G, np.zeros(2)))
    return im2col(padded, 3) @ k, im2col(x, 3).T @ G


@right("EMB")
def embedding_add_at(E: Any, idx: Any, T: Any) -> Any:
    dout = E[idx] - T
    dE = np.zeros_like(E)
    np.add.at(dE, idx, dout)
    return dE


@wrong("EMB")
def embedding_buffered(E: Any, idx: Any, T: Any) -> Any:
    dE = np.zeros_like(E)
    dE[idx] += E[idx] - T
    return dE


@right("EMB")
def embedding_loop(E: Any, idx: Any, T: Any) -> Any:
    dE = np.zeros(E.shape)
    for n, word in enumerate(idx):
        dE[word] += E[word] - T[n]
    return dE


@wrong("EMB")
def embedding_loop_assigned(E: Any, idx: Any, T: Any) -> Any:
    dE = np.zeros(E.shape)
    for n, word in enumerate(idx):
        dE[word] = E[word] - T[n]
    return dE


@right("LOGIT")
def logistic_signs(X: Any, w: Any, b: Any, y: Any) -> Any:
    margin = y * (X @ w + b)
    s = -y / (1 + np.exp(margin))
    return X.T @ s / len(y), s.mean()


@right("LOGIT")
def logistic_loop(X: Any, w: Any, b: Any, y: Any) -> Any:
    gw, gb = np.zeros_like(w), 0.0
    for xi, yi in zip(X, y, strict=False):
        p = sigmoid(-yi * (xi @ w + b))
        gw -= p * yi * xi
        gb -= p * yi
    return gw / len(y), gb / len(y)


@wrong("LOGIT")
def logistic_sign(X: Any, w: Any, b: Any, y: Any) -> Any:
    s = y * sigmoid(-y * (X @ w + b))
    return X.T @ s / len(y), s.mean()


@wrong("LOGIT")
def logistic_zero_one(X: Any, w: Any, b: Any, y: Any) -> Any:
    s = sigmoid(X @ w + b) - y
    return X.T @ s / len(y), s.mean()


@right("COS")
def cosine(u: Any, v: Any) -> Any:
    nu, nv = np.linalg.norm(u), np.linalg.norm(v)
    c = u @ v / (nu * nv)
    return -(v / (nu * nv) - c * u / nu**2), -(u / (nu * nv) - c * v / nv**2)


@wrong("COS")
def cosine_norm(u: Any, v: Any) -> Any:
    nu, nv = np.linalg.norm(u), np.linalg.norm(v)
    c = u @ v / (nu * nv)
    return -(v / (nu * nv) - c * u / nu), -(u / (nu * nv) - c * v / nv)


@right("TRI")
def triplet(A: Any, P: Any, Q: Any) -> Any:
    dp, dq = A - P, A - Q
    active = ((dp**2).sum(1) - (dq**2).sum(1) + 1 > 0)[:, None]
    N = len(A)
    return 2 * (Q - P) * active / N, -2 * dp * active / N, 2 * dq * active / N


@right("TRI")
def triplet_masked(A: Any, P: Any, Q: Any) -> Any:
    loss = np.maximum(0, np.sum((A - P)**2, axis=1) - np.sum((A - Q)**2, axis=1) + 1)
    dA, dP, dQ = 2 * (Q - P), 2 * (P - A), 2 * (A - Q)
    for d in (dA, dP, dQ):
        d[loss == 0] = 0
        d /= len(A)
    return dA, dP, dQ


@wrong("TRI")
def triplet_anchor(A: Any, P: Any, Q: Any) -> Any:
    dp, dq = A - P, A - Q
    active = ((dp**2).sum(1) - (dq**2).sum(1) + 1 > 0)[:, None]
    return 2 * dp * active / len(A), -2 * dp * active / len(A), 2 * dq * active / len(A)


@wrong("TRI")
def triplet_all(A: Any, P: Any, Q: Any) -> Any:
    return 2 * (Q - P) / len(A), 2 * (P - A) / len(A), 2 * (A - Q) / len(A)


@right("HUBER")
def huber_clip(X: Any, w: Any, y: Any) -> Any:
    return X.T @ np.clip(X @ w - y, -1, 1) / len(y)


@right("HUBER")
def huber_masks(X: Any, w: Any, y: Any) -> Any:
    r = X @ w - y
    small = np.abs(r) <= 1
    loss = np.where(small, 0.5 * r**2, np.abs(r) - 0.5).mean()
    return loss, X.T @ (r * small + np.sign(r) * (1 - small)) / len(y)


@wrong("HUBER")
def huber_outside(X: Any, w: Any, y: Any) -> Any:
    r = X @ w - y
    return X.T @ np.where(np.abs(r) <= 1, r, 1) / len(y)


@wrong("HUBER")
def huber_inside(X: Any, w: Any, y: Any) -> Any:
    r = X @ w - y
    return X.T @ (r * (np.abs(r) <= 1)) / len(y)


@right("BCE")
def bce_stable(X: Any, w: Any, y: Any) -> Any:
    z = X @ w
    loss = np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))
    e = np.exp(-np.abs(z))
    p = np.where(z >= 0, 1 / (1 + e), e / (1 + e))
    return loss, X.T @ (p - y) / len(y)


@wrong("BCE")
def bce_unstable(X: Any, w: Any, y: Any) -> Any:
    z = X @ w
    loss = np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(np.abs(z))))
    return loss, X.T @ (sigmoid(z) - y) / len(y)


@right("SVM")
def svm(X: Any, W: Any, y: Any, lam: Any) -> Any:
    N = X.shape[0]
    S = X @ W
    margins = np.maximum(0, S - S[np.arange(N), y][:, None] + 1)
    margins[np.arange(N), y] = 0
    mask = np.zeros(margins.shape)
    mask[margins > 0] = 1
    mask[np.arange(N), y] = -np.sum(mask, axis=1)
    return X.T @ mask / N + 2 * lam * W


@wrong("SVM")
def svm_own_class(X: Any, W: Any, y: Any, lam: Any) -> Any:
    N = X.shape[0]
    S = X @ W
    mask = (S - S[np.arange(N), y][:, None] + 1 > 0).astype(float)
    mask[np.arange(N), y] -= mask.sum(1) - 1
    return X.T @ mask / N + 2 * lam * W


@right("GELU")
def gelu(x: Any, G: Any) -> Any:
    t = np.tanh(0.79788456 * (x + 0.044715 * x**3))
    return G * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * 0.79788456 * (1 + 3 * 0.044715 * x**2))


@wrong("GELU")
def gelu_three(x: Any, G: Any) -> Any:
    t = np.tanh(0.79788456 * (x + 0.044715 * x**3))
    return G * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * 0.79788456 * (1 + 0.044715 * x**2))


@right("VAE")
def vae(m: Any, s: Any, e: Any, t: Any) -> Any:
    std = np.exp(0.5 * s)
    dz = m + std * e - t
    return dz + m, dz * e * std * 0.5 + 0.5 * (np.exp(s) - 1)


@wrong("VAE")
def vae_half(m: Any, s: Any, e: Any, t: Any) -> Any:
    std = np.exp(0.5 * s)
    dz = m + std * e - t
    return dz + m, dz * e * std + 0.5 * (np.exp(s) - 1)


@right("RES")
def residual(X: Any, W1: Any, W2: Any, G: Any) -> Any:
    Z = X @ W1
    A = np.where(Z > 0, Z, 0)
    dZ = G @ W2.T
    dZ[Z <= 0] = 0
    return G + dZ @ W1.T, X.T @ dZ, A.T @ G


@wrong("RES")
def residual_forgotten(X: Any, W1: Any, W2: Any, G: Any) -> Any:
    Z = X @ W1
    dZ = np.multiply(G @ W2.T, Z > 0)
    return dZ @ W1.T, X.T @ dZ, np.maximum(Z, 0).T @ G


@right("BIL")
def bilinear_l1(A: Any, x: Any, y: Any, lam: Any) -> Any:
    return x[:, None] * y[None, :] + lam * np.sign(A), A @ y


@wrong("BIL")
def bilinear_abs(A: Any, x: Any, y: Any, lam: Any) -> Any:
    return x[:, None] * y[None, :] + lam * np.abs(A), A @ y


@right("FM")
def factorization_machine(X: Any, V: Any, c: Any) -> Any:
    return X.T @ (c[:, None] * (X @ V)) - V * ((X**2).T @ c)[:, None]


@wrong("FM")
def factorization_machine_square(X: Any, V: Any, c: Any) -> Any:
    return X.T @ (c[:, None] * (X @ V)) - V * (X.T @ c)[:, None]


@right("BN")
def bn_gains_alone(X: Any, g: Any, b: Any, D: Any) -> Any:
    xhat = (X - np.mean(X, 0)) * (np.var(X, 0) + 1e-3) ** -0.5
    return {"dg": np.sum(D * xhat, 0), "db": D.sum(0)}


@right("CE")
def ce_eye(X: Any, W: Any, b: Any, y: Any) -> Any:
    P = softmax(X @ W + b)
    D = (P - np.eye(len(b))[y]) / len(y)
    return {"loss": -np.log(P[np.arange(len(y)), y]).mean(), "W": X.T @ D, "b": D.sum(0)}


@right("TRI")
def triplet_where(A: Any, P: Any, Q: Any) -> Any:
    gap = np.linalg.norm(A - P, axis=1)**2 - np.linalg.norm(A - Q, axis=1)**2 + 1
    g = np.where(gap > 0, 1 / len(A), 0)[:, np.newaxis]
    return g * 2 * (Q - P), g * 2 * (P - A), g * 2 * (A - Q)


@wrong("SVM")
def svm_not_regularized(X: Any, W: Any, y: Any, lam: Any) -> Any:
    N = X.shape[0]
    S = X @ W
    mask = (S - S[np.arange(N), y][:, None] + 1 > 0).astype(float)
    mask[np.arange(N), y] -= mask.sum(1)
    return X.T @ mask / N


SIZES = {"N": 5, "d": 3, "h": 4, "k": 3, "m": 2, "T": 4, "v": 4, "e": 2, "n": 4}
UNDECIDED = {"huber_masks"}  # right, and not decided yet


def numbers(problem: Problem, seed: int) -> dict[str, Any]:
    """Arrays for the inputs; a one-hot array with a class that occurs twice where labels stand for it."""
    rng = np.random.default_rng(seed)
    made = {n: rng.normal(size=[SIZES.get(s, s) for s in shape]) for n, shape in problem.shapes.items() if not re.search(rf"(^|; ){n}\[\w\] = ", problem.text)}
    if problem.labels:
        rows, classes = made[problem.labels[1]].shape
        made[problem.labels[0]] = np.array([0, 1, 2, 1, 0])[:rows] % classes
        made[problem.labels[1]] = np.eye(classes)[made[problem.labels[0]]]
    return made


def by_differences(problem: Problem, at: dict[str, Any], name: str) -> Any:
    """The gradient by central differences of the loss."""
    own = {n: v for n, v in at.items() if problem.labels is None or n != problem.labels[0]}
    grad = np.zeros(np.shape(at[name]))
    for place in np.ndindex(*grad.shape):
        ends = []
        for step in (1e-6, -1e-6):
            moved = np.array(at[name])
            moved[place] += step
            ends.append(problem.loss(**{**own, name: moved}))
        grad[place] = (ends[0] - ends[1]) / 2e-6
    return grad


def by_name(result: Any, problem: Problem) -> dict[str, Any]:
    """The returned gradients by name, without the loss."""
    if isinstance(result, dict):
        return {n.removeprefix("d"): g for n, g in result.items() if n != "loss"}
    if isinstance(result, tuple) and isinstance(result[-1], tuple):
        result = result[-1]
    parts = result if isinstance(result, tuple) else (result,)
    wrt = problem.wrt.split()
    return dict(zip(wrt, parts[-len(wrt):], strict=True))


def agrees(f: Callable[..., Any], problem: Problem) -> bool:
    """Is what the function returns the gradient by differences, at three random points?"""
    taken = f.__code__.co_varnames[:f.__code__.co_argcount]
    for seed in range(3):
        at = numbers(problem, seed)
        result = f(**{n: np.array(at[n]) for n in taken})
        for name, grad in by_name(result, problem).items():
            if not np.allclose(grad, by_differences(problem, at, name), atol=1e-5):
                return False
        if isinstance(result, tuple) and not np.shape(result[0]) and len(result) != len(problem.wrt.split()):
            own = {n: v for n, v in at.items() if problem.labels is None or n != problem.labels[0]}
            if not np.isclose(result[0], problem.loss(**own)):
                return False
    return True


def judged(f: Callable[..., Any], problem: Problem) -> Any:
    labels = dict([problem.labels]) if problem.labels and problem.labels[0] in f.__code__.co_varnames else None
    return sn.check_code(f, problem.derivation(), labels=labels, seconds=30)


def test_there_are_thirty_of_either_kind() -> None:
    assert len(RIGHT) >= 30 and len(WRONG) >= 30


@pytest.mark.parametrize(("f", "problem"), RIGHT, ids=[f.__name__ for f, _ in RIGHT])
def test_what_is_right_is_never_refuted(f: Callable[..., Any], problem: str) -> None:
    assert agrees(f, P[problem])
    found = judged(f, P[problem])
    assert found.worst is (Answer.UNDECIDED if f.__name__ in UNDECIDED else Answer.PROVED), str(found)


@pytest.mark.parametrize(("f", "problem"), WRONG, ids=[f.__name__ for f, _ in WRONG])
def test_what_is_wrong_is_never_proved(f: Callable[..., Any], problem: str) -> None:
    assert not agrees(f, P[problem])
    found = judged(f, P[problem])
    assert found.worst is Answer.REFUTED, str(found)
