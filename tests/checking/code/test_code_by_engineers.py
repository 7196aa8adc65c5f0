"""Backward passes as engineers write them, right and wrong: finite differences of the loss in NumPy say which, and the verdict agrees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.verdict import Answer

Case = tuple[Callable[..., Any], str]
RIGHT: list[Case] = []
WRONG: list[Case] = []
DATA_DEPENDENT = {"svm_lab", "clipm", "clip2"}  # proved at sizes, or but for kinks


def one(text: str, wrt: list[str], **shapes: Any) -> Any:
    return sn.derive(sn.program(*text.split("; "), tensors=shapes), wrt=wrt)


def right(problem: str) -> Callable[[Any], Any]:
    return lambda f: RIGHT.append((f, problem)) or f


def wrong(problem: str) -> Callable[[Any], Any]:
    return lambda f: WRONG.append((f, problem)) or f


def softmax(z: Any) -> Any:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def normalized(X: Any, axis: int) -> Any:
    return (X - X.mean(axis, keepdims=True)) / np.sqrt(X.var(axis, keepdims=True) + 1e-5)


D = {
    "CE": sn.derive(sn.Sequential(sn.Linear("d", "h"), sn.ReLU(), sn.Linear("h", "k")), sn.CrossEntropyLoss()),
    "SIG": sn.derive(sn.Sequential(sn.Linear("d", "h"), sn.Sigmoid(), sn.Linear("h", "k"), sn.Sigmoid()), sn.MSELoss()),
    "RIDGE": one("r = X @ w - y; L = sum(r**2)/N + lam*sum(w**2)", ["w"], X=("N", "d"), w=("d",), y=("N",), lam=()),
    "LOGREG": one("z = X @ w + b; L = mean(log(1 + exp(z)) - y*z)", ["w", "b"], X=("N", "d"), w=("d",), b=(), y=("N",)),
    "BN": one("mu = mean(X, axis=0); v = mean((X - mu)**2, axis=0); xh = (X - mu)/sqrt(v + 1/100000); L = sum((g*xh + b)*D)",
              ["X", "g", "b"], X=("N", "d"), g=("d",), b=("d",), D=("N", "d")),
    "LN": one("mu = mean(X, axis=1, keepdims=True); v = mean((X - mu)**2, axis=1, keepdims=True); xh = (X - mu)/sqrt(v + 1/100000); "
              "L = sum((g*xh + b)*D)", ["X", "g", "b"], X=("N", "d"), g=("d",), b=("d",), D=("N", "d")),
    "ATT": one("Q = X @ Wq; K = X @ Wk; V = X @ Wv; S = Q @ K.T; P = softmax(S); L = sum((P @ V)*G)", ["Wq", "Wk", "Wv"],
               X=("T", "d"), Wq=("d", "k"), Wk=("d", "k"), Wv=("d", "m"), G=("T", "m")),
    "SVM": one("S = X @ W; M = relu(S - sum(Y*S, axis=1, keepdims=True) + 1); L = (sum(M) - N)/N + lam*sum(W**2)", ["W"],
               X=("N", "d"), W=("d", "k"), Y=("N", "k"), lam=()),
    "CLIP": one("L = sum(c*clip(x, -1, 1))", ["x"], x=("n",), c=("n",)),
    "MF": one("E = M*(R - U @ V.T); L = sum(E**2)", ["U", "V"], M=("n", "m"), R=("n", "m"), U=("n", "k"), V=("m", "k")),
    "LSE": one("L = log(sum(exp(z)))", ["z"], z=("n",)),
    "NORM": one("L = sum(c*x)/sqrt(sum(x**2))", ["x"], x=("n",), c=("n",)),
    "COV": one("Z = X - mean(X, axis=0); C = Z.T @ Z / N; L = sum(C*G)", ["X"], X=("N", "d"), G=("d", "d")),
    "GATE": one("a = X @ A; b = X @ B; L = sum(a*sigmoid(b)*G)", ["A", "B", "X"], X=("N", "d"), A=("d", "h"), B=("d", "h"), G=("N", "h")),
}


def cross_entropy(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, Y: Any) -> Any:
    return -(Y * np.log(softmax(np.maximum(X @ W1 + b1, 0) @ W2 + b2))).sum() / len(X)


def hinge(X: Any, W: Any, Y: Any, lam: Any) -> Any:
    S = X @ W
    return (np.maximum(S - (Y * S).sum(1, keepdims=True) + 1, 0).sum() - len(X)) / len(X) + lam * (W**2).sum()


LOSS: dict[str, Callable[..., Any]] = {
    "CE": cross_entropy, "SVM": hinge,
    "SIG": lambda W1, b1, W2, b2, X, Y: np.mean((sigmoid(sigmoid(X @ W1 + b1) @ W2 + b2) - Y)**2),
    "RIDGE": lambda X, w, y, lam: np.mean((X @ w - y)**2) + lam * w @ w,
    "LOGREG": lambda X, w, b, y: np.mean(np.log(1 + np.exp(X @ w + b)) - y * (X @ w + b)),
    "BN": lambda X, g, b, D: ((g * normalized(X, 0) + b) * D).sum(), "LN": lambda X, g, b, D: ((g * normalized(X, 1) + b) * D).sum(),
    "ATT": lambda X, Wq, Wk, Wv, G: (softmax(X @ Wq @ (X @ Wk).T) @ X @ Wv * G).sum(),
    "CLIP": lambda x, c: (c * np.clip(x, -1, 1)).sum(), "MF": lambda M, R, U, V: ((M * (R - U @ V.T))**2).sum(),
    "LSE": lambda z: np.log(np.exp(z).sum()), "NORM": lambda x, c: c @ x / np.sqrt(x @ x),
    "COV": lambda X, G: ((X - X.mean(0)).T @ (X - X.mean(0)) / len(X) * G).sum(),
    "GATE": lambda X, A, B, G: (X @ A * sigmoid(X @ B) * G).sum(),
}


@right("CE")
def ce_relu(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, y: Any) -> Any:
    N = len(X)
    h = X @ W1 + b1
    a = np.maximum(0, h)
    s = a @ W2 + b2
    s -= s.max(axis=1, keepdims=True)
    p = np.exp(s)
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(N), y]).sum() / N
    ds = p
    ds[np.arange(N), y] -= 1
    ds /= N
    da = ds.dot(W2.T)
    da[h <= 0] = 0
    return (loss, {'W1': X.T.dot(da), 'b1': da.sum(0), 'W2': a.T.dot(ds), 'b2': ds.sum(0)})


@wrong("CE")
def ce_relu_w(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, y: Any) -> Any:
    N = len(X)
    h = X @ W1 + b1
    a = np.maximum(0, h)
    s = a @ W2 + b2
    p = np.exp(s - s.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    ds = p
    ds[:, y] -= 1 / N
    ds /= N
    da = ds.dot(W2.T)
    da[h <= 0] = 0
    return {'W1': X.T.dot(da), 'b1': da.sum(0), 'W2': a.T.dot(ds), 'b2': ds.sum(0)}


@right("CE")
def ce_onehot_eye(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, y: Any) -> Any:
    N, k = (X.shape[0], W2.shape[1])
    Z = X @ W1 + b1
    A = Z * (Z > 0)
    S = A @ W2 + b2
    E = np.exp(S - np.max(S, 1)[:, None])
    P = E / E.sum(1)[:, None]
    T = np.eye(k)[y]
    D = (P - T) / N
    DZ = D @ W2.T * (Z > 0)
    return {'dW1': X.T @ DZ, 'db1': np.sum(DZ, axis=0), 'dW2': A.T @ D, 'db2': np.sum(D, axis=0)}


@right("RIDGE")
def ridge(X: Any, w: Any, y: Any, lam: Any) -> Any:
    N = X.shape[0]
    return 2 * X.T @ (X @ w - y) / N + 2 * lam * w


@right("RIDGE")
def ridge2(X: Any, w: Any, y: Any, lam: Any) -> Any:
    n, d = X.shape
    return 2 * (X.T @ X / n + lam * np.eye(d)) @ w - 2 / n * (X.T @ y)


@right("RIDGE")
def ridge_einsum(X: Any, w: Any, y: Any, lam: Any) -> Any:
    r = np.einsum('nd,d->n', X, w) - y
    return {'loss': np.mean(r ** 2) + lam * np.dot(w, w), 'w': 2 * np.einsum('nd,n->d', X, r) / y.size + 2 * lam * w}


@wrong("RIDGE")
def ridge_w(X: Any, w: Any, y: Any, lam: Any) -> Any:
    N = X.shape[0]
    return X.T @ (X @ w - y) / N + 2 * lam * w


@wrong("RIDGE")
def ridge_w2(X: Any, w: Any, y: Any, lam: Any) -> Any:
    return 2 * X.T @ (X @ w - y) / X.shape[1] + 2 * lam * w


@wrong("RIDGE")
def ridge_w3(X: Any, w: Any, y: Any, lam: Any) -> Any:
    g = 2 * X.T @ (X @ w - y) / 3
    return g + 2 * lam * w


@wrong("RIDGE")
def ridge_w4(X: Any, w: Any, y: Any, lam: Any) -> Any:
    return 2 * X.T @ (X @ w - y) / len(X) + 2 * lam * np.abs(w)


@right("LOGREG")
def logreg(X: Any, w: Any, b: Any, y: Any) -> Any:
    p = 1 / (1 + np.exp(-(X @ w + b)))
    e = (p - y) / y.shape[0]
    return {'w': X.T @ e, 'b': e.sum()}


@wrong("LOGREG")
def logreg_w(X: Any, w: Any, b: Any, y: Any) -> Any:
    p = 1 / (1 + np.exp(-(X @ w + b)))
    e = (p - y) * p * (1 - p) / y.shape[0]
    return {'w': X.T @ e, 'b': e.sum()}


@wrong("LOGREG")
def logreg_w2(X: Any, w: Any, b: Any, y: Any) -> Any:
    p = 1 / (1 + np.exp(X @ w + b))
    e = (p - y) / y.shape[0]
    return {'w': X.T @ e, 'b': e.sum()}


class Net:
    """A forward pass that keeps what the backward pass needs."""

    cache: Any = None

    def forward(self, W1: Any, b1: Any, W2: Any, b2: Any, X: Any) -> Any:
        a1 = sigmoid(X @ W1 + b1)
        a2 = sigmoid(a1 @ W2 + b2)
        self.cache = (X, a1, a2)
        return a2

    def backward(self, W1: Any, b1: Any, W2: Any, b2: Any, X: Any, Y: Any) -> Any:
        self.forward(W1, b1, W2, b2, X)
        x, a1, a2 = self.cache
        d2 = 2 * (a2 - Y) / Y.size * a2 * (1 - a2)
        d1 = (d2 @ W2.T) * a1 * (1 - a1)
        return {"W1": x.T @ d1, "b1": d1.sum(axis=0), "W2": a1.T @ d2, "b2": d2.sum(axis=0)}


RIGHT.append((Net().backward, "SIG"))


def layer_fwd(x: Any, w: Any, b: Any) -> Any:
    out = x @ w + b
    return (out, (x, w, b))


def layer_bwd(dout: Any, cache: Any) -> Any:
    x, w, _ = cache
    return (dout @ w.T, x.T @ dout, dout.sum(axis=0))


def sig_fwd(x: Any) -> Any:
    out = 1 / (1 + np.exp(-x))
    return (out, out)


def sig_bwd(dout: Any, cache: Any) -> Any:
    return dout * cache * (1 - cache)


@right("SIG")
def cs231n(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, Y: Any) -> Any:
    z1, c1 = layer_fwd(X, W1, b1)
    a1, s1 = sig_fwd(z1)
    z2, c2 = layer_fwd(a1, W2, b2)
    a2, s2 = sig_fwd(z2)
    dout = 2.0 * (a2 - Y) / np.prod(Y.shape)
    d2 = sig_bwd(dout, s2)
    da1, dW2, db2 = layer_bwd(d2, c2)
    d1 = sig_bwd(da1, s1)
    _, dW1, db1 = layer_bwd(d1, c1)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "loss": np.square(a2 - Y).mean()}


@wrong("SIG")
def sig_w(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, Y: Any) -> Any:
    z1, c1 = layer_fwd(X, W1, b1)
    a1, s1 = sig_fwd(z1)
    z2, c2 = layer_fwd(a1, W2, b2)
    a2, _ = sig_fwd(z2)
    d2 = 2.0 * (a2 - Y) / len(Y)
    da1, dW2, db2 = layer_bwd(d2, c2)
    d1 = sig_bwd(da1, s1)
    _, dW1, db1 = layer_bwd(d1, c1)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


@right("BN")
def bn(X: Any, g: Any, b: Any, D: Any) -> Any:
    N = X.shape[0]
    mu = X.mean(axis=0)
    xc = X - mu
    var = (xc ** 2).mean(0)
    std = np.sqrt(var + 1e-05)
    xh = xc / std
    dxh = D * g
    dvar = -0.5 * np.sum(dxh * xc, axis=0) / std ** 3
    dmu = -(dxh / std).sum(axis=0) + dvar * np.mean(-2 * xc, axis=0)
    return {'dX': dxh / std + dvar * 2 * xc / N + dmu / N, 'dg': (D * xh).sum(0), 'db': D.sum(0)}


@right("BN")
def bn2(X: Any, g: Any, b: Any, D: Any) -> Any:
    N = len(X)
    s = np.sqrt(np.var(X, axis=0) + 1e-05)
    xh = (X - np.mean(X, axis=0)) / s
    dx = g / s / N * (N * D - D.sum(axis=0) - xh * (D * xh).sum(axis=0))
    return {'X': dx, 'g': np.sum(D * xh, axis=0), 'b': np.sum(D, axis=0)}


@wrong("BN")
def bn_w(X: Any, g: Any, b: Any, D: Any) -> Any:
    N = len(X)
    s = np.sqrt(np.var(X, axis=0) + 1e-05)
    xh = (X - np.mean(X, axis=0)) / s
    dx = g / s / N * (N * D - D.sum(axis=0) - xh * (D * xh).sum())
    return {'X': dx}


@wrong("BN")
def bn_w2(X: Any, g: Any, b: Any, D: Any) -> Any:
    s = np.std(X, axis=0)
    return {'X': D * g / s}


@right("ATT")
def att(X: Any, Wq: Any, Wk: Any, Wv: Any, G: Any) -> Any:
    Q, K, V = (X @ Wq, X @ Wk, X @ Wv)
    S = Q @ K.T
    A = np.exp(S - S.max(axis=-1, keepdims=True))
    A = A / A.sum(axis=-1, keepdims=True)
    dA = G @ V.T
    dV = A.T @ G
    dS = A * (dA - (dA * A).sum(axis=-1, keepdims=True))
    return {'Wq': X.T @ (dS @ K), 'Wk': X.T @ (dS.T @ Q), 'Wv': X.T @ dV}


@wrong("ATT")
def att_w(X: Any, Wq: Any, Wk: Any, Wv: Any, G: Any) -> Any:
    Q, K, V = (X @ Wq, X @ Wk, X @ Wv)
    S = Q @ K.T
    A = np.exp(S - S.max(axis=-1, keepdims=True))
    A = A / A.sum(axis=-1, keepdims=True)
    dA = G @ V.T
    dS = A * (dA - (dA * A).sum(axis=0, keepdims=True))
    return {'Wq': X.T @ (dS @ K)}


@wrong("ATT")
def att_w2(X: Any, Wq: Any, Wk: Any, Wv: Any, G: Any) -> Any:
    Q, K, V = (X @ Wq, X @ Wk, X @ Wv)
    S = Q @ K.T
    A = np.exp(S)
    A /= A.sum(-1)[:, None]
    dA = G @ V.T
    dS = A * (1 - A) * dA
    return {'Wk': X.T @ (dS.T @ Q)}


@right("LN")
def ln(X: Any, g: Any, b: Any, D: Any) -> Any:
    mu = X.mean(1, keepdims=True)
    s = 1 / np.sqrt(X.var(1, keepdims=True) + 1e-05)
    xh = (X - mu) * s
    dxh = D * g
    return {'X': s * (dxh - dxh.mean(1, keepdims=True) - xh * (dxh * xh).mean(1, keepdims=True)), 'g': (D * xh).sum(0), 'b': D.sum(0)}


@wrong("LN")
def ln_w(X: Any, g: Any, b: Any, D: Any) -> Any:
    mu = X.mean(0, keepdims=True)
    s = 1 / np.sqrt(X.var(0, keepdims=True) + 1e-05)
    xh = (X - mu) * s
    dxh = D * g
    return {'X': s * (dxh - dxh.mean(0, keepdims=True) - xh * (dxh * xh).mean(0, keepdims=True))}


@right("CLIP")
def clipm(x: Any, c: Any) -> Any:
    m = (x > -1) & (x < 1)
    return c * m


@right("CLIP")
def clip2(x: Any, c: Any) -> Any:
    g = np.zeros_like(x)
    m = np.logical_and(x > -1, x < 1)
    g[m] = c[m]
    return g


@right("CLIP")
def clip3(x: Any, c: Any) -> Any:
    dx = np.array(c)
    dx[(x < -1) | (x > 1)] = 0
    return dx


@wrong("CLIP")
def clip_w(x: Any, c: Any) -> Any:
    return c * (x < 1)


@right("MF")
def mf(M: Any, R: Any, U: Any, V: Any) -> Any:
    E = M * (R - U @ V.T)
    return {'U': -2 * (M * E) @ V, 'V': -2 * (M * E).T @ U}


@wrong("MF")
def mf_w(M: Any, R: Any, U: Any, V: Any) -> Any:
    E = M * (R - U @ V.T)
    return {'U': -2 * E @ V, 'V': -2 * E.T @ U}


@right("LSE")
def lse(z: Any) -> Any:
    e = np.exp(z - z.max())
    return e / e.sum()


@right("LSE")
def lse2(z: Any) -> Any:
    m = np.max(z)
    return np.exp(z - (m + np.log(np.sum(np.exp(z - m)))))


@wrong("LSE")
def lse_w(z: Any) -> Any:
    e = np.exp(z - z.max())
    p = e / e.sum()
    return p * (1 - p)


@wrong("LSE")
def lse_w2(z: Any) -> Any:
    e = np.exp(z)
    return e / e.mean()


@right("NORM")
def normed(x: Any, c: Any) -> Any:
    n = np.linalg.norm(x)
    u = x / n
    return (c - u * (c @ u)) / n


@wrong("NORM")
def normed_w(x: Any, c: Any) -> Any:
    n = np.linalg.norm(x)
    u = x / n
    return c / n - u * (c @ x) / n ** 2 * n


@right("COV")
def cov(X: Any, G: Any) -> Any:
    Z = X - X.mean(0)
    D = Z @ (G + G.T) / len(X)
    return D - D.mean(0)


@right("COV")
def cov2(X: Any, G: Any) -> Any:
    Z = X - X.mean(0)
    return Z @ (G + G.T) / len(X)


@wrong("COV")
def cov_w(X: Any, G: Any) -> Any:
    Z = X - X.mean(0)
    return 2 * Z @ G / len(X)


@right("GATE")
def gate(X: Any, A: Any, B: Any, G: Any) -> Any:
    a, b = (X @ A, X @ B)
    s = 1 / (1 + np.exp(-b))
    da = G * s
    db = G * a * s * (1 - s)
    return {'dA': X.T @ da, 'dB': X.T @ db, 'dX': da @ A.T + db @ B.T}


@right("GATE")
def gate_out(X: Any, A: Any, B: Any, G: Any) -> Any:
    a, b = (X @ A, X @ B)
    s = np.empty_like(b)
    np.exp(-b, out=s)
    s += 1
    np.divide(1, s, out=s)
    da = np.multiply(G, s)
    db = da * a
    db *= 1 - s
    dX = np.zeros_like(X)
    dX += da @ A.T
    dX += db @ B.T
    return {'dA': X.T @ da, 'dB': np.dot(X.T, db), 'dX': dX}


@wrong("GATE")
def gate_w(X: Any, A: Any, B: Any, G: Any) -> Any:
    a, b = (X @ A, X @ B)
    s = 1 / (1 + np.exp(-b))
    da = G * s
    db = da
    db *= a * (1 - s)
    return {'dA': X.T @ da, 'dB': X.T @ db}


@wrong("GATE")
def gate_w2(X: Any, A: Any, B: Any, G: Any) -> Any:
    a, b = (X @ A, X @ B)
    s = 1 / (1 + np.exp(-b))
    da = G * s
    db = G * a * s * (1 - s)
    dX = da @ A.T
    dX = db @ B.T
    return {'dX': dX}


@right("SVM")
def svm(X: Any, W: Any, Y: Any, lam: Any) -> Any:
    S = X @ W
    c = (Y * S).sum(1, keepdims=True)
    M = (S - c + 1 > 0).astype(float)
    D = M - Y * M.sum(1, keepdims=True)
    return X.T @ D / len(X) + 2 * lam * W


@right("SVM")
def svm_lab(X: Any, W: Any, y: Any, lam: Any) -> Any:
    N = X.shape[0]
    S = X.dot(W)
    cs = S[np.arange(N), y][:, np.newaxis]
    m = np.maximum(0, S - cs + 1)
    m[np.arange(N), y] = 0
    loss = m.sum() / N + lam * np.sum(W * W)
    b = np.zeros(m.shape)
    b[m > 0] = 1
    b[np.arange(N), y] = -np.sum(b, axis=1)
    return (loss, X.T.dot(b) / N + 2 * lam * W)


@wrong("SVM")
def svm_w(X: Any, W: Any, y: Any, lam: Any) -> Any:
    N = X.shape[0]
    S = X.dot(W)
    cs = S[np.arange(N), y][:, np.newaxis]
    m = np.maximum(0, S - cs + 1)
    m[np.arange(N), y] = 0
    b = np.zeros(m.shape)
    b[m > 0] = 1
    b[np.arange(N), y] = -1
    return {'W': X.T.dot(b) / N + 2 * lam * W}


@wrong("SVM")
def svm_w2(X: Any, W: Any, y: Any, lam: Any) -> Any:
    N = X.shape[0]
    S = X.dot(W)
    cs = S[np.arange(N), y][:, np.newaxis]
    m = np.maximum(0, S - cs + 1)
    b = np.zeros(m.shape)
    b[m > 0] = 1
    b[np.arange(N), y] = -np.sum(b, axis=1)
    return {'W': X.T.dot(b) / N + 2 * lam * W}


@wrong("RIDGE")
def intdiv(X: Any, w: Any, y: Any, lam: Any) -> Any:
    g = 2 * X.T @ (X @ w - y) * (1 // len(y)) + 2 * lam * w
    return g


@wrong("CLIP")
def uints(x: Any, c: Any) -> Any:
    m = ((x > -1) & (x < 1)).astype(np.uint8)
    return c * (m - 1) + c


@wrong("COV")
def viewed(X: Any, G: Any) -> Any:
    Z = X - X.mean(0)
    Zt = Z.T
    Z *= 2
    return Zt.T @ (G + G.T) / len(X)


@right("COV")
def viewed_ok(X: Any, G: Any) -> Any:
    Z = X - X.mean(0)
    Zt = Z.T
    Z *= 2
    return Zt.T @ (G + G.T) / (2 * len(X))


@right("MF")
def tiled(M: Any, R: Any, U: Any, V: Any) -> Any:
    n, _ = R.shape
    if n != U.shape[0]:
        raise ValueError('rows')
    E = (R - U @ V.T) * M ** 2
    return (-2 * np.tensordot(E, V, axes=1), -2 * np.tensordot(E, U, axes=[[0], [0]]))


@right("RIDGE")
def ridge_by_hand(X: Any, w: Any, y: Any, lam: Any) -> Any:
    g = np.zeros_like(w)
    g += X.T @ (X @ w)
    g -= np.dot(y, X)
    g *= 2 / X.shape[0]
    return g + 2 * lam * w


@right("LOGREG")
def logreg_by_tanh(X: Any, w: Any, b: Any, y: Any) -> Any:
    e = ((1 + np.tanh((X @ w + b) / 2)) / 2 - y) / y.size
    return np.einsum("n,nd->d", e, X), np.sum(e)


@right("MF")
def factors_in_place(M: Any, R: Any, U: Any, V: Any) -> Any:
    E = np.subtract(R, U @ V.T)
    np.multiply(E, M, out=E)
    E *= M
    E *= -2
    return E @ V, E.T @ U


@right("COV")
def centred_by_ones(X: Any, G: Any) -> Any:
    N = len(X)
    H = np.eye(N) - np.ones((N, N)) / N
    return H @ X @ (G + G.T) / N


@right("LSE")
def shares_of_ones(z: Any) -> Any:
    return np.exp(z) / np.dot(np.exp(z), np.ones(z.shape[0]))


@right("NORM")
def normed_outer(x: Any, c: Any) -> Any:
    s = (x * x).sum()
    return (np.eye(x.size) - np.outer(x, x) / s) @ c / s**0.5


@wrong("NORM")
def normed_squared(x: Any, c: Any) -> Any:
    s = (x * x).sum()
    return (np.eye(x.size) - np.outer(x, x)) @ c / s**0.5


@wrong("COV")
def uncentred(X: Any, G: Any) -> Any:
    return X @ (G + G.T) / len(X)


@wrong("MF")
def masked_once_in_v(M: Any, R: Any, U: Any, V: Any) -> Any:
    E = R - U @ V.T
    return -2 * (M * M * E) @ V, -2 * (M * E).T @ U


@wrong("LSE")
def shares_without_top(z: Any) -> Any:
    e = np.exp(z - z.max())
    return e / np.exp(z).sum()


@wrong("BN")
def statistics_held(X: Any, g: Any, b: Any, D: Any) -> Any:
    return D * g / np.sqrt(X.var(0) + 1e-5), (D * normalized(X, 0)).sum(0), D.sum(0)


def arrays_of(problem: str) -> dict[str, Any]:
    """Numbers for every input, away from kinks; Y is one-hot for the classifiers."""
    dice = np.random.default_rng(3)
    sizes = {"N": 4, "d": 3, "h": 5, "k": 2, "n": 4, "m": 3, "T": 4}
    made = {t.name: dice.normal(size=tuple(sizes[str(s)] for s in t.shape)) for t in D[problem].program.inputs}
    if problem in ("CE", "SVM"):
        made["Y"] = np.eye(2)[[0, 1, 1, 0]]
    return made


def returned(function: Callable[..., Any], problem: str, arrays: dict[str, Any]) -> dict[str, Any]:
    """What the function gives on plain arrays, by the names of the inputs."""
    given = {**{k: v.copy() for k, v in arrays.items()}, "y": arrays["Y"].argmax(1) if "Y" in arrays else arrays.get("y")}
    code = getattr(function, "__func__", function).__code__
    found = function(**{k: given[k] for k in code.co_varnames[:code.co_argcount] if k != "self"})
    if isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], (dict, tuple)):
        found = found[1]
    wrt = D[problem].wrt
    if not isinstance(found, dict):
        parts = found if isinstance(found, tuple) else (found,)
        parts = parts[1:] if len(parts) > len(wrt) else parts
        found = dict(zip(wrt, parts, strict=True))
    by_name = {(k if k in wrt else k[1:]): v for k, v in found.items()}
    return {w: by_name[w] for w in wrt if w in by_name}


def is_right(function: Callable[..., Any], problem: str) -> bool:
    """By central differences of the loss."""
    arrays, step = arrays_of(problem), 1e-6
    for name, got in returned(function, problem, arrays).items():
        slope = np.zeros_like(arrays[name])
        for place in np.ndindex(slope.shape):
            ends = []
            for sign in (1, -1):
                moved = {**arrays, name: arrays[name].copy() if arrays[name].ndim else arrays[name]}
                if arrays[name].ndim:
                    moved[name][place] += sign * step
                else:
                    moved[name] = arrays[name] + sign * step
                ends.append(LOSS[problem](**moved))
            slope[place] = (ends[0] - ends[1]) / (2 * step)
        if np.shape(got) != slope.shape or np.abs(got - slope).max() > 1e-5:
            return False
    return True


def test_there_are_enough_of_either_kind() -> None:
    assert len(RIGHT) >= 30
    assert len(WRONG) >= 30


@pytest.mark.parametrize(("function", "problem"), RIGHT, ids=[f.__name__ for f, _ in RIGHT])
def test_what_is_right_is_proved(function: Callable[..., Any], problem: str) -> None:
    assert is_right(function, problem)
    found = sn.check_code(function, D[problem])
    assert bool(found), str(found)
    if function.__name__ not in DATA_DEPENDENT:
        assert {j.verdict.scope for j in found.judged} == {"for all sizes"}, str(found)


@pytest.mark.parametrize(("function", "problem"), WRONG, ids=[f.__name__ for f, _ in WRONG])
def test_what_is_wrong_is_never_proved(function: Callable[..., Any], problem: str) -> None:
    assert not is_right(function, problem)
    found = sn.check_code(function, D[problem])
    assert found.worst is Answer.REFUTED, str(found)
    assert all(j.verdict.witness is not None or j.verdict.method == "shape" for j in found.judged if j.verdict.answer is Answer.REFUTED)
