r"""Twenty sheets, right answers to each as students, teachers and papers spell them, and wrong ones with a planted slip.

The labels are not ours: each answer stands beside a NumPy expression of what it says, and that is compared with central differences of
the loss, written in NumPy too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.checking.answers import check_answer
from symnet.core.verdict import Answer

SIZES = {"N": 4, "d": 3, "k": 2, "h": 5, "n": 6}
HELD = (Answer.PROVED, Answer.CONDITIONAL, Answer.ALMOST_EVERYWHERE)
UNFIT = "the shapes do not fit"  # what NumPy refuses


@dataclass(frozen=True)
class Sheet:
    """A program, its loss and names in NumPy, the right value in NumPy and its spellings, wrong values in NumPy and one spelling of each."""

    lines: tuple[str, ...]
    shapes: Mapping[str, tuple[str, ...]]
    wrt: str
    loss: str
    value: str
    right: tuple[str, ...]
    wrong: tuple[tuple[str, str], ...]
    names: Mapping[str, str] = field(default_factory=dict)
    shares: str = ""  # an input whose entries add up to 1


SHEETS: dict[str, Sheet] = {
    "tanh neuron": Sheet(
        ("z = w*x + b", "a = tanh(z)", "L = (a - t)**2/2"),
        {"w": (), "x": (), "b": (), "t": ()},
        "w", "(np.tanh(w*x + b) - t)**2/2", "(a - t)*(1 - a**2)*x", (
            "(a-t)*(1-a**2)*x", "(a - t)(1 - a^2)x", "x(a-t)(1-a²)", "dL/da * da/dz * dz/dw",
            "dL/dw = (tanh(wx+b) - t)*(1 - tanh(wx+b)**2)*x", "x*dL/dz", "a = tanh(wx + b); (a - t)(1 - a^2) x", "-(t-a)*(1-a)*(1+a)*x",
            "(a-t)(1-a^2)x", r"\frac{\partial L}{\partial a}\frac{\partial a}{\partial z}\frac{\partial z}{\partial w}",
            r"\frac{\partial L}{\partial w} = (a - t)\,\tanh'(z)\,x",
            r"\frac{dL}{dw} = \left(\tanh(wx+b)-t\right)\left(1-\tanh^2(wx+b)\right)x \tag{2}",
        ), (
            ("2*(a-t)*(1-a**2)*x", "2(a-t)(1-a^2)x"), ("(a-t)*(1-a)*x", "(a-t)(1-a)x"), ("(a-t)*x", "(a - t)*x"),
            ("(a-t)*(1-a**2)", "(a-t)(1-a^2)"), ("(t-a)*(1-a**2)*x", r"\frac{\partial L}{\partial w} = (t-a)(1-a^2)x"),
            ("(a-t)*(1-a**2)*w", "dL/dw = (a-t)(1-a²)w"), ("(a-t)*a*(1-a)*x", "(a-t)*a*(1-a)*x"),
            ("(a-t)*(1+a**2)*x", "(a-t)(1+a^{2})x"), ("(z-t)*(1-a**2)*x", "(z-t)(1-a^2)x"), ("(1-a**2)*x", "da/dz*x"),
            ("(a-t)*(1-a**2)*t", r"(a-t)(1-a^2)\,t"), ("(a-t)*(1-z**2)*x", "(a-t)*(1-z**2)*x"),
        ), {"z": "w*x + b", "a": "np.tanh(w*x+b)"}),
    "two neurons": Sheet(
        ("u = v*x", "h = sigmoid(u)", "o = w*h", "E = (o - t)**2"),
        {"v": (), "x": (), "w": (), "t": ()},
        "v", "(w/(1+np.exp(-v*x)) - t)**2", "2*(o-t)*w*h*(1-h)*x", (
            "2*(o-t)*w*h*(1-h)*x", "2(o - t) w h(1 - h) x", "2x(o-t)w·h·(1-h)", "dE/do * do/dh * dh/du * du/dv", "dE/dh * h(1-h) x",
            "d = 2*(o-t); d*w*h*(1-h)*x", "2(wσ(vx) - t) w σ(vx)(1-σ(vx)) x", "dE/dv = 2*x*w*(o-t)*(h-h^2)", "2(o-t)wh(1-h)x",
            r"\frac{\partial E}{\partial v} = 2(o-t)\,w\,\sigma'(u)\,x",
            r"\frac{\partial E}{\partial o}\frac{\partial o}{\partial h}\frac{\partial h}{\partial u}\frac{\partial u}{\partial v}",
            r"\frac{\partial{C}}{\partial{v}} = \frac{2 w x (o-t) e^{-u}}{(1+e^{-u})^2}",
        ), (
            ("(o-t)*w*h*(1-h)*x", "(o-t)*w*h*(1-h)*x"), ("2*(o-t)*w*x", "2(o-t)w x"), ("2*(o-t)*h*(1-h)*x", "2(o-t)h(1-h)x"),
            ("2*(o-t)*w*h*(1-h)", "dE/do * do/dh * dh/du"), ("2*(o-t)*v*h*(1-h)*x", "2*(o-t)*v*h*(1-h)*x"),
            ("2*(t-o)*w*h*(1-h)*x", r"\frac{\partial E}{\partial v} = 2(t-o)wh(1-h)x"), ("2*(o-t)*w*(1-h)*x", "2(o-t)w(1-h)x"),
            ("2*(o-t)*h", "2(o-t)h"), ("2*(h-t)*w*h*(1-h)*x", "2(h-t)wh(1-h)x"), ("2*(o-t)*w*o*(1-o)*x", "2*(o-t)*w*o*(1-o)*x"),
            ("2*(o-t)*w*u*(1-u)*x", r"2(o-t)w\,u(1-u)x"), ("2*(o+t)*w*h*(1-h)*x", "2(o+t) w h (1-h) x"),
        ), {"u": "v*x", "h": "1/(1+np.exp(-v*x))", "o": "w*h"}),
    "ridge": Sheet(
        ("J = sum((X@theta - y)**2)/(2*N) + lam*sum(theta**2)/2",),
        {"X": ("N", "d"), "theta": ("d",), "y": ("N",), "lam": ()},
        "theta", "((X@theta - y)**2).sum()/(2*N) + lam*(theta**2).sum()/2", "X.T@(X@theta-y)/N + lam*theta", (
            "X.T@(X@theta-y)/N + lam*theta", "1/N X^T (Xθ − y) + λθ", "(X.T@X@theta - X.T@y)/N + lam*theta",
            "X.T.dot(X.dot(theta)-y)/len(y) + lam*theta", "((X@theta-y)[:,None]*X).mean(0) + lam*theta",
            "dJ/dtheta_j = (1/N) sum_n (sum_k X_nk theta_k - y_n) X_nj + lam theta_j", "(X^T X/N + lam I) theta - X^T y/N",
            r"\frac{1}{N}X^\top(X\theta - y) + \lambda\theta", r"\nabla_\theta J(\theta) = \frac1N X^\top (X\theta-y)+\lambda\theta",
            r"\frac{\partial J}{\partial\theta_j} = \frac1N\sum_{n=1}^{N}(\theta^\top x^{(n)} - y^{(n)})x^{(n)}_j + \lambda\theta_j",
            r"\left(\frac{1}{N}X^\top X + \lambda I\right)\theta - \frac{1}{N}X^\top y",
            r"\frac1N\sum_{i=1}^{N}(x_i^\top\theta - y_i)x_i + \lambda\theta",
        ), (
            ("X.T@(X@theta-y)/N + 2*lam*theta", "X.T@(X@theta-y)/N + 2*lam*theta"),
            ("X.T@(X@theta-y)/N", r"\frac{1}{N}X^\top(X\theta-y)"), ("X.T@(X@theta-y) + lam*theta", "X.T@(X@theta-y) + lam*theta"),
            ("2*X.T@(X@theta-y)/N + lam*theta", "2/N X^T(Xθ−y) + λθ"),
            ("X.T@(y-X@theta)/N + lam*theta", r"\frac1N X^\top(y-X\theta)+\lambda\theta"),
            ("X.T@(X@theta-y)/N + lam", "X.T@(X@theta-y)/N + lam"), ("X.T@(X@theta-y)/d + lam*theta", "X.T@(X@theta-y)/d + lam*theta"),
            ("X.T@(X@theta-y)/N - lam*theta", "1/N X^T (Xθ − y) − λθ"), ("X.T@y/N + lam*theta", r"\frac1N X^\top y + \lambda\theta"),
            ("X.T@(X@theta+y)/N + lam*theta", r"\nabla_\theta J = \frac1N X^\top(X\theta+y)+\lambda\theta"),
            (UNFIT, "X@(X@theta-y)/N + lam*theta"),
            ("(X@theta-y).sum()/N*np.ones(d) + lam*theta", "dJ/dtheta_j = (1/N) sum_n (sum_k X_nk theta_k - y_n) + lam theta_j"),
        )),
    "softmax layer": Sheet(
        ("z = W@x + b", "p = softmax(z)", "L = -sum(y*log(p))"),
        {"W": ("k", "d"), "x": ("d",), "b": ("k",), "y": ("k",)},
        "W", "-(y*np.log(np.exp(W@x+b)/np.exp(W@x+b).sum())).sum()", "np.outer(p-y, x)", (
            "outer(p-y, x)", "(p-y) x^T", "(p − y)xᵀ", "np.outer(p - y, x)", "(p-y)[:,None]*x", "dL/dz x^T",
            "np.einsum('i,j->ij', p-y, x)", "dL/dW_ij = (p_i - y_i) x_j", r"(p-y)x^\top",
            r"\frac{\partial L}{\partial W_{ij}} = (p_i-y_i)x_j",
            r"\frac{\partial \mathcal{L}}{\partial W} = \frac{\partial\mathcal{L}}{\partial z}x^\top",
            r"\nabla_W L = (\operatorname{softmax}(Wx+b)-y)x^\top",
        ), (
            ("np.outer(y-p,x)", "(y-p) x^T"), ("np.outer(x,p-y)", r"x(p-y)^\top"),
            ("np.outer((p-y)*p*(1-p), x)", "outer((p-y)*p*(1-p), x)"), ("p-y", "p - y"), ("np.outer(p,x)", r"p x^\top"),
            ("np.outer(p-y,b)", "dL/dW_ij = (p_i - y_i) b_j"), ("2*np.outer(p-y,x)", "2*outer(p-y,x)"),
            ("np.outer(p+y,x)", r"(p+y)x^\top"), ("np.outer(p-y,x)/k", "outer(p-y,x)/k"), ("np.outer(z-y,x)", "(z-y) x^T"),
            (UNFIT, "x^T (p-y)"), ("(p-y)[:,None]*np.ones(d)", r"\frac{\partial L}{\partial W_{ij}} = p_i - y_i"),
        ), {"z": "W@x+b", "p": "np.exp(W@x+b)/np.exp(W@x+b).sum()"}, "y"),
    "batch of two layers": Sheet(
        ("H = tanh(X@U)", "O = H@V", "L = sum((O-Y)**2)/(2*N)"),
        {"X": ("N", "d"), "U": ("d", "h"), "V": ("h", "k"), "Y": ("N", "k")},
        "U", "((np.tanh(X@U)@V - Y)**2).sum()/(2*N)", "X.T@(((O-Y)@V.T)*(1-H**2))/N", (
            "X.T@(((O-Y)@V.T)*(1-H**2))/N", "1/N X^T (((O-Y)V^T) ⊙ (1-H²))", "dO = (O-Y)/N; dH = dO@V.T; X.T@(dH*(1-H**2))",
            "X.T @ (dL/dH * (1-H*H))", "np.dot(X.T, np.multiply((O-Y)@V.T, 1-H**2))/N", "Xᵀ(((O−Y)Vᵀ)⊙(1−H²))/N",
            "dL/dU_ij = (1/N) sum_n X_ni (1 - H_nj**2) sum_m (O_nm - Y_nm) V_jm", "X.T@((dL/dO@V.T)*(1-np.tanh(X@U)**2))",
            r"\frac{1}{N}X^\top\left(\left((O-Y)V^\top\right)\odot(1-H\odot H)\right)",
            r"X^\top\left(\frac{\partial L}{\partial H}\odot(1-H^{\odot 2})\right)",
            r"\frac{\partial L}{\partial U} = \frac1N X^\top\left((O-Y)V^\top\odot\left(1-\tanh^2(XU)\right)\right)",
            r"\frac{\partial L}{\partial U_{ij}} = \frac1N\sum_{n=1}^N x_{ni}(1-h_{nj}^2)\sum_{m=1}^{k}(o_{nm}-y_{nm})v_{jm}",
        ), (
            ("X.T@(((O-Y)@V.T)*(1-H**2))", "X.T@(((O-Y)@V.T)*(1-H**2))"), ("X.T@((O-Y)@V.T)/N", r"\frac1N X^\top (O-Y)V^\top"),
            ("X.T@(((O-Y)@V.T)*(1-H))/N", "X.T@(((O-Y)@V.T)*(1-H))/N"),
            ("2*X.T@(((O-Y)@V.T)*(1-H**2))/N", "2/N X^T (((O-Y)V^T) ⊙ (1-H²))"), (UNFIT, "X.T@(((O-Y)@V)*(1-H**2))/N"),
            (UNFIT, "X@(((O-Y)@V.T)*(1-H**2))/N"),
            ("X.T@(((Y-O)@V.T)*(1-H**2))/N", r"\frac1N X^\top\left(\left((Y-O)V^\top\right)\odot(1-H\odot H)\right)"),
            ("X.T@(((O-Y)@V.T)*H)/N", "X.T@(((O-Y)@V.T)*H)/N"), ("X.T@(((O-Y)@V.T)*(1-H**2))/d", "X.T@(((O-Y)@V.T)*(1-H**2))/d"),
            (UNFIT, r"\frac1N H^\top(O-Y)"), ("X.T@((O@V.T)*(1-H**2))/N", "X.T@((O@V.T)*(1-H**2))/N"),
            ("X.T@(((O-Y)@V.T)*H*(1-H))/N", "X.T@(((O-Y)@V.T)*H*(1-H))/N"),
        ), {"H": "np.tanh(X@U)", "O": "np.tanh(X@U)@V"}),
    "bias of a batch": Sheet(
        ("Z = X@W + b", "A = sigmoid(Z)", "L = sum(G*A)"),
        {"X": ("N", "d"), "W": ("d", "k"), "b": ("k",), "G": ("N", "k")},
        "b", "(G/(1+np.exp(-(X@W+b)))).sum()", "(G*A*(1-A)).sum(0)", (
            "(G*A*(1-A)).sum(axis=0)", "np.sum(G*A*(1-A), axis=0)", "sum(G*A*(1-A), axis=0)", "(G*A*(1-A)).T @ np.ones(N)",
            "dL/dZ.sum(0)", "N*np.mean(G*A*(1-A), 0)", "dL/db_j = sum_n G_nj A_nj (1 - A_nj)", "Σ_n G_nj A_nj (1 − A_nj)",
            r"\sum_{n=1}^N G_{nj}A_{nj}(1-A_{nj})", r"\left(G\odot A\odot(1-A)\right)^\top\mathbf{1}",
            r"\frac{\partial L}{\partial b_j} = \sum_n g_{nj}\sigma'(z_{nj})", r"\sum_{n}\frac{\partial L}{\partial Z_{n}}",
        ), (
            ("G*A*(1-A)", "G*A*(1-A)"), ("(G*A*(1-A)).sum(1)", "(G*A*(1-A)).sum(axis=1)"),
            ("(G*A*(1-A)).mean(0)", "(G*A*(1-A)).mean(0)"), ("(G*A).sum(0)", "(G*A).sum(0)"),
            ("(G*(1-A)).sum(0)", r"\frac{\partial L}{\partial b_j} = \sum_n G_{nj}(1-A_{nj})"),
            ("(G*A*(1-A)).sum()", "(G*A*(1-A)).sum()"), ("G.sum(0)", r"G^\top\mathbf 1"), ("-(G*A*(1-A)).sum(0)", "-(G*A*(1-A)).sum(0)"),
            ("(A*(1-A)).sum(0)", "(A*(1-A)).sum(0)"), ("X.T@(G*A*(1-A))", "X.T@(G*A*(1-A))"),
            ("(G*Z*(1-Z)).sum(0)", "dL/db_j = sum_n G_nj Z_nj (1 - Z_nj)"),
            ("2*(G*A*(1-A)).sum(0)", r"2\left(G\odot A\odot(1-A)\right)^\top\mathbf{1}"),
        ), {"Z": "X@W+b", "A": "1/(1+np.exp(-(X@W+b)))"}),
    "quadratic": Sheet(
        ("f = x@A@x/2 - b@x",),
        {"x": ("n",), "A": ("n", "n"), "b": ("n",)},
        "x", "x@A@x/2 - b@x", "(A+A.T)@x/2 - b", (
            "(A+A.T)@x/2 - b", "1/2 (A + A^T) x - b", "(A@x + A.T@x)/2 - b", "(A x + Aᵀ x)/2 − b", "0.5*(A.dot(x) + x.dot(A)) - b",
            "df/dx_k = (1/2) sum_i (A_ik + A_ki) x_i - b_k", "∇f = ½(A+Aᵀ)x − b", r"\frac12(A+A^\top)x-b",
            r"\nabla f(x) = \frac{1}{2}(A+A^T)x - b", r"\frac{\partial f}{\partial x_k} = \frac12\sum_i(a_{ik}+a_{ki})x_i-b_k",
            r"\frac{Ax+A^\top x}{2}-b", r"\frac{df}{dx} = \frac12 A x+\frac12 A^{\top}x-b",
        ), (
            ("A@x-b", "A@x - b"), ("(A+A.T)@x-b", r"(A+A^\top)x-b"), ("(A+A.T)@x/2+b", "(A+A.T)@x/2 + b"), ("A.T@x-b", "A^T x - b"),
            ("(A-A.T)@x/2-b", r"\frac12(A-A^\top)x-b"), ("(A+A.T)@x/2", "(A+A.T)@x/2"),
            ("A@x/2-b", "df/dx_k = (1/2) sum_i A_ki x_i - b_k"), ("(A+A.T)@x/2-x", "(A+A.T)@x/2 - x"), ("x@A@x-b", "x@A@x - b"),
            ("(A+A.T)@x/2-2*b", r"\frac12(A+A^\top)x-2b"), ("A@A@x/2-b", "A A x/2 - b"), ("2*A@x-b", "2A x - b"),
        )),
    "mean of embeddings": Sheet(
        ("m = mean(E, axis=0)", "s = m@w", "L = (s - t)**2"),
        {"E": ("n", "d"), "w": ("d",), "t": ()},
        "E", "(E.mean(0)@w - t)**2", "2*(s-t)/n*np.outer(np.ones(n), w)", (
            "2*(s-t)/n*outer(ones(n), w)", "2/n*(s-t)*ones(n)[:,None]*w", "2*(s-t)*np.outer(np.ones(n), w)/n",
            "dL/dE_ij = (2/n) (s-t) w_j", "2(s-t)/n * ones(n, d)*w", "dL/ds * outer(ones(n), w)/n", "outer(ones(n), dL/dm)/n",
            r"\frac{2(s-t)}{n}\mathbf{1}w^\top", r"\frac{\partial L}{\partial E_{ij}} = \frac{2}{n}(s-t)w_j",
            r"\frac2n(s-t)\,\mathbf 1\, w^\top", r"\frac1n\mathbf{1}\left(\frac{\partial L}{\partial m}\right)^\top",
            r"\frac{\partial L}{\partial e_{ij}} = \frac{2}{n}(s-t)w_j",
        ), (
            ("2*(s-t)*np.outer(np.ones(n),w)", "2*(s-t)*outer(ones(n), w)"),
            ("(s-t)/n*np.outer(np.ones(n),w)", r"\frac{(s-t)}{n}\mathbf{1}w^\top"),
            ("2*(s-t)/d*np.outer(np.ones(n),w)", "2*(s-t)/d*outer(ones(n), w)"),
            ("2*(t-s)/n*np.outer(np.ones(n),w)", "dL/dE_ij = (2/n) (t-s) w_j"), (UNFIT, "dL/dE_ij = (2/n) (s-t) w_i"),
            ("2/n*np.outer(np.ones(n),w)", r"\frac2n\mathbf 1 w^\top"), ("2*(s-t)/n*E", "2*(s-t)/n*E"),
            ("2*(s-t)/n*np.outer(np.ones(n),E.mean(0))", "2*(s-t)/n*outer(ones(n), m)"),
            ("2*s/n*np.outer(np.ones(n),w)", "2*s/n*outer(ones(n), w)"),
            ("2*(s-t)/n*np.outer(w,np.ones(n))", r"\frac{2(s-t)}{n}w\mathbf{1}^\top"),
            ("2*(s+t)/n*np.outer(np.ones(n),w)", "2*(s+t)/n*outer(ones(n),w)"), ("2*(s-t)/n*np.ones((n,d))", "2*(s-t)/n*ones(n,d)"),
        ), {"m": "E.mean(0)", "s": "E.mean(0)@w"}),
    "log-sum-exp": Sheet(
        ("s = K@q", "L = log(sum(exp(s)))"),
        {"K": ("n", "d"), "q": ("d",)},
        "q", "np.log(np.exp(K@q).sum())", "K.T@(np.exp(s)/np.exp(s).sum())", (
            "K.T@softmax(s)", "K^T softmax(s)", "Kᵀ softmax(Kq)", "softmax(K@q)@K", "K.T @ (np.exp(s)/np.exp(s).sum())",
            "K.T@exp(s)/sum(exp(s))", "K.T @ dL/ds", "dL/dq_j = sum_i K_ij exp(s_i)/sum(exp(s))", r"K^\top\operatorname{softmax}(s)",
            r"\frac{\partial L}{\partial q_j} = \frac{\sum_{i=1}^n K_{ij}e^{s_i}}{\sum_{i=1}^n e^{s_i}}",
            r"K^\top\frac{\partial L}{\partial s}", r"\nabla_q L = K^\top \operatorname{softmax}(Kq)",
        ), (
            ("K.T@np.exp(s)", "K.T@exp(s)"), (UNFIT, r"K\operatorname{softmax}(s)"), ("np.exp(s)/np.exp(s).sum()", "softmax(s)"),
            ("K.T@s", "K.T@s"), ("-K.T@(np.exp(s)/np.exp(s).sum())", r"-K^\top\operatorname{softmax}(s)"),
            ("2*K.T@(np.exp(s)/np.exp(s).sum())", "2*K.T@softmax(s)"), ("K.T@(np.exp(s)/np.exp(s).sum())/n", "K.T@softmax(s)/n"),
            ("K.sum(0)/np.exp(s).sum()", "K.T@ones(n)/sum(exp(s))"), ("K.sum(0)", "K.sum(0)"),
            ("K.T@((lambda p: p*(1-p))(np.exp(s)/np.exp(s).sum()))", "K.T@(softmax(s)*(1-softmax(s)))"),
            ("K.T@(1-np.exp(s)/np.exp(s).sum())", r"K^\top(1-\operatorname{softmax}(s))"),
            ("K.T@(np.exp(s)/np.exp(s).sum()) - q", "K.T@softmax(s) - q"),
        ), {"s": "K@q"}),
    "Poisson": Sheet(
        ("eta = X@w", "mu = exp(eta)", "L = sum(mu - y*eta)/N"),
        {"X": ("N", "d"), "w": ("d",), "y": ("N",)},
        "w", "(np.exp(X@w) - y*(X@w)).sum()/N", "X.T@(mu-y)/N", (
            "X.T@(mu-y)/N", "1/N Xᵀ(μ−y)", "X.T.dot(np.exp(X@w)-y)/N", "((mu-y)[:,None]*X).mean(axis=0)", "(mu-y)@X/len(y)",
            "dL/dw_j = (1/N) sum_n (mu_n - y_n) X_nj", "(1/N) sum_n (mu_n - y_n) X_n", "X.T @ dL/deta", r"\frac1N X^\top(\mu-y)",
            r"\frac{1}{N}\sum_{n=1}^N(e^{w^\top x_n}-y_n)x_n", r"\frac{\partial L}{\partial w_j} = \frac1N\sum_n(\mu_n-y_n)x_{nj}",
            r"\nabla_{\mathbf w}L = \frac1N\mathbf X^\top(\boldsymbol\mu-\mathbf y)",
        ), (
            ("X.T@(mu-y)", "X.T@(mu-y)"), ("X.T@(y-mu)/N", r"\frac1N X^\top(y-\mu)"), ("X.T@(eta-y)/N", "X.T@(eta-y)/N"),
            ("X.T@mu/N", r"\frac1NX^\top\mu"), ("2*X.T@(mu-y)/N", "2/N X^T (mu - y)"), (UNFIT, "X@(mu-y)/N"), ("(mu-y)/N", "(mu-y)/N"),
            ("X.T@(mu+y)/N", "dL/dw_j = (1/N) sum_n (mu_n + y_n) X_nj"), ("X.T@(mu-y)/d", "X.T@(mu-y)/d"),
            ("X.T@(mu*(mu-y))/N", "X.T@(mu*(mu-y))/N"),
            ("(mu-y).sum()/N*np.ones(d)", r"\frac{\partial L}{\partial w_j} = \frac1N\sum_n(\mu_n-y_n)"),
            ("X.T@((mu-y)**2)/N", "X.T@((mu-y)**2)/N"),
        ), {"eta": "X@w", "mu": "np.exp(X@w)"}),
}

SHEETS |= {
    "ReLU and log-loss": Sheet(
        ("z1 = w1*x + b1", "h = relu(z1)", "z2 = w2*h + b2", "yhat = sigmoid(z2)", "L = -(y*log(yhat) + (1-y)*log(1-yhat))"),
        {"w1": (), "x": (), "b1": (), "w2": (), "b2": (), "y": ()},
        "w1", "np.log(1 + np.exp(w2*max(w1*x + b1, 0) + b2)) - y*(w2*max(w1*x + b1, 0) + b2)", "(yhat-y)*w2*(z1>0)*x", (
            "(ŷ − y) w₂ 1[z₁ > 0] x", "(yhat-y)w2 1{z1>0} x", "(yhat - y) w2 x 1(z1 > 0)", "(yhat - y)*w2*relu'(z1)*x", "x ∂L/∂z₁",
            "∂L/∂z₂ · ∂z₂/∂h · ∂h/∂z₁ · ∂z₁/∂w₁", "(yhat - y) w2 g'(z1) x", "x*w2*(yhat-y) if z1 > 0 else 0",
            "delta2 = yhat - y\ndelta1 = delta2*w2*(z1 > 0)\ndelta1*x", r"\frac{\partial L}{\partial w_1} = (\hat y - y)\,w_2\,\mathbf{1}[z_1>0]\,x",
            r"(\hat{y}-y) w_2 f'(z_1) x", r"\begin{cases}(\hat y-y)w_2x & z_1>0\\0&\text{otherwise}\end{cases}",
        ), (
            ("(yhat-y)*w2*x", "(yhat - y)*w2*x"), ("(yhat-y)*w1*(z1>0)*x", "(yhat-y)*w1*(z1>0)*x"), ("(yhat-y)*w2*(z1<0)*x", "(yhat-y) w2 x 1(z1 < 0)"),
            ("(yhat-y)*w2*h*x", r"(\hat y - y)w_2 h x"), ("(yhat-y)*yhat*(1-yhat)*w2*(z1>0)*x", "(yhat-y)*yhat*(1-yhat)*w2*(z1>0)*x"),
            ("(yhat-y)*w2*yhat*(1-yhat)*x", "(yhat-y)*w2*yhat'(z2)*x"),
        ), {"z1": "w1*x+b1", "h": "np.maximum(w1*x+b1, 0)", "z2": "w2*h+b2", "yhat": "1/(1+np.exp(-z2))"}),
    "tanh layer, its bias": Sheet(
        ("Z = X@W + b", "A = tanh(Z)", "L = sum((A-Y)**2)/(2*N)"),
        {"X": ("N", "d"), "W": ("d", "k"), "b": ("k",), "Y": ("N", "k")},
        "b", "((np.tanh(X@W+b)-Y)**2).sum()/(2*N)", "((A-Y)*(1-A**2)).sum(0)/N", (
            "1ᵀ[(A − Y) ⊙ (1 − A²)]/N", "(1/N) 1^T ((A-Y)*(1-A**2))", "𝟏ᵀ((A − Y) ∘ (1 − A ∘ A))/N", "np.ones(N) @ ((A-Y)*g'(Z))/N",
            "((A-Y)*(1-A**2))^T 1/N", "1_N^T ((A-Y)*(1-A**2))/N", "np.tensordot(np.ones(N), (A-Y)*(1-A**2), axes=1)/N", "((A-Y)*(1-A.pow(2))).T @ np.ones((N,))/N",
            r"\frac{1}{N}\mathbf{1}^\top\left((A-Y)\odot f'(Z)\right)", "dL/db_j = 1/N sum_{n=1}^{N} (A_{n,j} - Y_{n,j}) (1 - A_{nj}^2)",
        ), (
            ("((A-Y)*(1-A**2)).sum(0)", "1ᵀ[(A − Y) ⊙ (1 − A²)]"), (UNFIT, "((A-Y)*(1-A**2)) 1/N"), ("(A-Y).sum(0)/N", "1ᵀ(A − Y)/N"),
            ("((A-Y)*(1-A**2)).sum(0)/d", "1ᵀ[(A − Y) ⊙ (1 − A²)]/d"), ("((A-Y)*(1-A)).sum(0)/N", "np.tensordot(np.ones(N), (A-Y)*(1-A), axes=1)/N"),
        ), {"Z": "X@W+b", "A": "np.tanh(X@W+b)"}),
    "softmax regression": Sheet(
        ("S = X@W", "P = softmax(S)", "L = -sum(Y*log(P))/N"),
        {"X": ("N", "d"), "W": ("d", "k"), "Y": ("N", "k")},
        "W", "-(Y*np.log(np.exp(X@W)/np.exp(X@W).sum(1)[:, None])).sum()/N", "X.T@(Y.sum(1)[:, None]*P - Y)/N", (
            "X.T@(Y.sum(axis=1)[:, None]*P - Y)/N", "1/N Xᵀ((Y 1) 1ᵀ ⊙ P − Y)", "np.tensordot(X, ((Y 1) 1^T)*P - Y, axes=([0],[0]))/N",
            "dL/dW_jk = 1/N sum_n X_nj (P_nk sum_l Y_nl - Y_nk)", "X.transpose(1, 0) @ (Y.sum(1, keepdims=True)*P - Y)/N",
            r"\frac{1}{N}\sum_{n=1}^{N} x_n \otimes \left(p_n\sum_{l} Y_{nl} - y_n\right)", "1/N X^⊤ (diag(Y 1) P - Y)",
            "np.mean(X[:,:,None]*(Y.sum(1)[:,None]*P-Y)[:,None,:], axis=0)", "X.swapaxes(0, 1) @ (np.diag(Y @ np.ones(k)) @ P - Y)/N",
        ), (
            ("X.T@(P-Y)/N", r"\frac{1}{N}\sum_{n=1}^{N}x_n(p_n-y_n)^\top"), (UNFIT, r"\frac1N\sum_n (p_n-y_n)x_n^\top"), ("X.T@(P-Y)", "X.T@(P-Y)"),
            ("X.T@(Y-Y.sum(1)[:, None]*P)/N", "1/N Xᵀ(Y − (Y 1) 1ᵀ ⊙ P)"), (UNFIT, r"\sum_n (p_n - y_n) \otimes x_n"),
        ), {"S": "X@W", "P": "np.exp(S)/np.exp(S).sum(1)[:, None]"}),
    "recurrent step": Sheet(
        ("z = Wx@x + Wh@hp + b", "h = tanh(z)", "L = sum((h-t)**2)/2"),
        {"Wx": ("k", "d"), "x": ("d",), "Wh": ("k", "k"), "hp": ("k",), "b": ("k",), "t": ("k",)},
        "Wh", "((np.tanh(Wx@x + Wh@hp + b)-t)**2).sum()/2", "np.outer((h-t)*(1-h**2), hp)", (
            "((h-t)*(1-h**2))[:,None]*hp[None,:]", "((h-t) ⊙ (1−h²)) hpᵀ", "(h-t)*(1-h**2) ⊗ hp", "np.multiply.outer((h-t)*(1-h**2), hp)",
            "np.tensordot((h-t)*(1-h**2), hp, axes=0)", "torch.ger((h - t)*(1 - h.pow(2)), hp)", "outer((h-t)*g'(z), hp)", "dL/dz hp^T",
            r"\operatorname{diag}(1-h\odot h)(h-t)h_p^\top", r"\left[(h-t)\odot\tanh'(z)\right]\otimes h_p", "dL/dWh_ij = (h_i - t_i) g'(z_i) hp_j",
            "diag(1-h**2) @ ((h-t) ⊗ hp)", "((h-t)*(1-h*h)).reshape((-1, 1)) @ hp.reshape((1, -1))",
        ), (
            ("np.outer(hp, (h-t)*(1-h**2))", r"h_p\otimes((h-t)\odot(1-h\odot h))"), ("np.outer(h-t, hp)", r"(h-t)h_p^\top"),
            ("np.outer((h-t)*(1-h**2), h)", "(h-t)*(1-h**2) ⊗ h"), (UNFIT, r"\left((h-t)\odot\tanh'(z)\right)\otimes x"),
            ("np.outer((h-t)*(1-hp**2), hp)", "outer((h-t)*(1-hp**2), hp)"), (UNFIT, "hp^T ((h-t)*(1-h**2))"),
        ), {"z": "Wx@x + Wh@hp + b", "h": "np.tanh(z)"}),
    "attention, its queries": Sheet(
        ("S = Q@K.T/sqrt(d)", "A = softmax(S)", "O = A@V", "L = sum(G*O)"),
        {"Q": ("N", "d"), "K": ("n", "d"), "V": ("n", "k"), "G": ("N", "k")},
        "Q", "(G*(np.exp(Q@K.T/np.sqrt(d))/np.exp(Q@K.T/np.sqrt(d)).sum(1)[:, None]@V)).sum()",
        "(A*(G@V.T - (G*O).sum(1)[:, None]))@K/np.sqrt(d)", (
            "dA = G@V.T; dS = A*(dA - (dA*A).sum(-1, keepdims=True)); dS@K/sqrt(d)", "dA = G Vᵀ, dS = A ⊙ (dA − ((dA ⊙ A) 1) 1ᵀ), dS K/√d",
            "dL/dS @ K/sqrt(d)", r"\frac{1}{\sqrt{d}}\left(A\odot\left(GV^\top-\left((G V^\top)\odot A\right)\mathbf{1}\mathbf{1}^\top\right)\right)K",
        ), (
            ("(A*(G@V.T - (G*O).sum(1)[:, None]))@K", "(A*(G@V.T - (G*O).sum(axis=1, keepdims=True)))@K"),
            ("(A*(1-A)*(G@V.T))@K/np.sqrt(d)", "(A*(1-A)*(G@V.T))@K/sqrt(d)"),
            ("(A*(G@V.T - (G@V.T).sum(1)[:, None]))@K/np.sqrt(d)", "(A ⊙ (G Vᵀ − ((G Vᵀ) 1) 1ᵀ)) K/√d"),
        ), {"A": "np.exp(Q@K.T/np.sqrt(d))/np.exp(Q@K.T/np.sqrt(d)).sum(1)[:, None]", "O": "A@V"}),
    "layer norm": Sheet(
        ("mu = mean(x)", "s2 = mean((x-mu)**2)", "xh = (x-mu)/sqrt(s2+1)", "y = g*xh + b", "L = sum(t*y)"),
        {"x": ("n",), "g": ("n",), "b": ("n",), "t": ("n",)},
        "x", "(t*(g*(x-x.mean())/np.sqrt(x.var()+1) + b)).sum()", "(t*g - (t*g).mean() - xh*(t*g*xh).mean())/np.sqrt(s2+1)", (
            "(t*g - mean(t*g) - xh*mean(t*g*xh))/sqrt(s2+1)", "dxh = t*g; (1/n)*(1/sqrt(s2+1))*(n*dxh - dxh.sum() - xh*(dxh*xh).sum())",
            "var = x.var(); std = np.sqrt(var + 1); (t*g - (t*g).mean() - xh*(t*g*xh).mean())/std",
            "rstd = 1/sqrt(x.var() + 1), rstd*(t*g - mean(t*g) - xh*mean(t*g*xh))",
            "dL/dx_i = (t_i g_i - (1/n) sum_j t_j g_j - xh_i/n sum_{j=1}^{n} t_j g_j xh_j)/sqrt(s2+1)",
        ), (
            ("t*g/np.sqrt(s2+1)", "t*g/sqrt(x.var()+1)"), ("(t*g - (t*g).mean())/np.sqrt(s2+1)", "(t*g - mean(t*g))/sqrt(s2+1)"),
            ("(t*g - (t*g).mean() + xh*(t*g*xh).mean())/np.sqrt(s2+1)", "(t*g - mean(t*g) + xh*mean(t*g*xh))/sqrt(s2+1)"),
            ("(t*g - (t*g).mean() - xh*(t*g*xh).mean())/(s2+1)", "(t*g - mean(t*g) - xh*mean(t*g*xh))/(s2+1)"),
        ), {"s2": "x.var()", "xh": "(x-x.mean())/np.sqrt(s2+1)"}),
    "convolution": Sheet(
        ("o[i] = sum(w[k]*x[i+k-1] for k in 1..3)", "L = sum((o[i]-t[i])**2 for i in 1..n)/2"),
        {"w": ("3",), "x": ("n+2",), "t": ("n",)},
        "w", "((np.correlate(x, w, 'valid')-t)**2).sum()/2", "np.correlate(x, o-t, 'valid')", (
            "dL/dw_k = sum_i (o_i - t_i) x_{i+k-1}", "sum((o[i]-t[i])*x[i+k-1] for i in 1..n)", "dL/dw_k = Σ_i (o_i − t_i) x_{i+k−1}",
            "dL/dw_k = sum_{i=1}^{n} (o_i - t_i) x_{i+k-1}", r"\sum_{i=1}^{n}\frac{\partial L}{\partial o_i}x_{i+k-1}",
            "sum(dL/do[i]*x[i+k-1] for i in 1..n)", "dL/dw_k = sum_i sum_j [j = i+k-1] (o_i - t_i) x_j",
            "[sum((o[i]-t[i])*x[i] for i in 1..n), sum((o[i]-t[i])*x[i+1] for i in 1..n), sum((o[i]-t[i])*x[i+2] for i in 1..n)]",
        ), (
            ("np.correlate(x, o-t, 'valid')[::-1]", "sum((o[i]-t[i])*x[i+3-k] for i in 1..n)"),
            ("((o-t)*x[:n]).sum()*np.ones(3)", "dL/dw_k = sum_{i=1}^{n} (o_i - t_i) x_{i}"), ("2*np.correlate(x, o-t, 'valid')", "2*sum(dL/do[i]*x[i+k-1] for i in 1..n)"),
            ("np.correlate(x, t-o, 'valid')", r"\frac{\partial L}{\partial w_k} = \sum_{i=1}^{n}(t_i-o_i)x_{i+k-1}"),
            ("np.array([((o-t)*x[:n]).sum(), ((o-t)*x[1:n+1]).sum(), 0])",
             "[sum((o[i]-t[i])*x[i] for i in 1..n), sum((o[i]-t[i])*x[i+1] for i in 1..n), 0]"),
        ), {"o": "np.correlate(x, w, 'valid')"}),
    "matrix factorisation": Sheet(
        ("E = M*(R - U@V.T)", "J = sum(E**2)/2 + lam/2*(sum(U**2)+sum(V**2))"),
        {"M": ("N", "n"), "R": ("N", "n"), "U": ("N", "k"), "V": ("n", "k"), "lam": ()},
        "U", "((M*(R-U@V.T))**2).sum()/2 + lam/2*((U**2).sum() + (V**2).sum())", "-(M*E)@V + lam*U", (
            "λU − (M ∘ M ∘ (R − UVᵀ))V", "-np.tensordot(M*E, V, axes=(1, 0)) + lam*U", "lambda U - (M ⊙ E)V", r"-(M\circ E)V+\lambda U",
            "dJ/dU_ik = λ U_{i,k} − Σ_{j=1}^{n} M_{i,j} E_{i,j} V_{j,k}", "lam*U - np.multiply(M, E).dot(V)",
        ), (
            ("(M*E)@V + lam*U", "(M ⊙ E)V + λU"), ("-(M*E)@V", r"-(M\circ E)V"), ("-E@V + lam*U", "-np.tensordot(E, V, axes=(1, 0)) + lam*U"),
            ("-(M*E)@V + 2*lam*U", r"-(M\circ E)V+2\lambda U"), (UNFIT, "-(M*E).T@V + lam*U"),
        ), {"E": "M*(R-U@V.T)"}),
    "a hypothesis": Sheet(
        ("h = sigmoid(X@theta)", "J = -sum(y*log(h)+(1-y)*log(1-h))/N"),
        {"X": ("N", "d"), "theta": ("d",), "y": ("N",)},
        "theta", "(np.log(1+np.exp(X@theta)) - y*(X@theta)).sum()/N", "X.T@(h-y)/N", (
            r"\frac1N\sum_{i=1}^{N}\left(h_\theta(x^{(i)})-y^{(i)}\right)x^{(i)}", "dJ/dtheta_j = (1/N) sum_i (h_theta(x_i) - y_i) x_ij",
            r"\frac{\partial J}{\partial\theta_j}=\frac1N\sum_{i=1}^{N}(h_\theta(x_i)-y_i)x_{ij}", "(1/N) Xᵀ(h_θ(X) − y)", "Xᵀ(h − y)/N", "dJ/dtheta_j = (1/N) Σᵢ (hᵢ − yᵢ) Xᵢⱼ",
            r"\frac1N X^\top(h_\theta(X)-y)", r"\frac1N\sum_i(\sigma(x_i^\top\theta)-y_i)x_i", "1/N X^T (1/(1+e^{-X θ}) - y)", "((h-y)*X.T).mean(axis=-1)",
        ), (
            ("X.T@(y-h)/N", "(1/N) Xᵀ(y − h_θ(X))"), ("X.T@((h-y)*h*(1-h))/N", "X.T@((h_theta(X)-y)*h*(1-h))/N"),
            ("X.T@(h-y)", r"\sum_{i=1}^{N}\left(h_\theta(x^{(i)})-y^{(i)}\right)x^{(i)}"), ("X.T@(X@theta-y)/N", r"\frac1N\sum_i(x_i^\top\theta-y_i)x_i"),
        ), {"h": "1/(1+np.exp(-X@theta))"}),
    "divergence of a VAE": Sheet(
        ("KL = -1/2*sum(1 + v - mu**2 - exp(v))",),
        {"v": ("k",), "mu": ("k",)},
        "v", "-(1 + v - mu**2 - np.exp(v)).sum()/2", "(np.exp(v)-1)/2", (
            "½(exp(v) − 1)", "dKL/dv_i = (e^{v_i} - 1)/2", r"\frac{\partial KL}{\partial v_j} = \tfrac12(e^{v_j}-1)", "np.expm1(v)/2", "(v.exp() - 1)/2",
            r"\frac{\partial \mathrm{KL}}{\partial v} = \frac12(\exp(v)-\mathbf{1})", "(s2 - 1)/2 where s2 = exp(v)", "std = exp(v/2); (std**2 - 1)/2",
            r"\nabla_v \mathrm{KL} = \frac{e^v - \mathbf 1}{2}",
        ), (
            ("(np.exp(v)+1)/2", "dKL/dv_i = (e^{v_i} + 1)/2"), ("np.exp(v)/2", r"\frac{\partial KL}{\partial v_j} = \tfrac12 e^{v_j}"),
            ("(1-np.exp(v))/2", "½(1 − exp(v))"), ("(np.exp(v/2)-1)/2", "std = exp(v/2); (std - 1)/2"), ("np.exp(v)-1", "np.expm1(v)"),
        )),
}


@cache
def derived(name: str) -> sn.Derivation:
    sheet = SHEETS[name]
    assumptions = [f"sum({sheet.shares}) == 1"] if sheet.shares else []
    return sn.derive(sn.program(*sheet.lines, tensors=sheet.shapes, assumptions=assumptions), wrt=[sheet.wrt])


@cache
def oracle(name: str) -> Callable[[str], bool]:
    """Is the value of a NumPy expression the gradient by differences, at every point?"""
    points = [oracle_at(name, seed) for seed in (7, 8, 9)]
    return lambda text: all(right(text) for right in points)


def oracle_at(name: str, seed: int) -> Callable[[str], bool]:
    sheet, dice = SHEETS[name], np.random.default_rng(seed)
    given: dict[str, Any] = {n: dice.normal(size=[eval(a, dict(SIZES)) for a in axes]) for n, axes in sheet.shapes.items()}  # noqa: S307
    if sheet.shares:
        given[sheet.shares] = dice.dirichlet(np.ones(len(given[sheet.shares])))

    def evaluated(text: str, names: Mapping[str, Any]) -> Any:
        return eval(text, {"np": np, **SIZES, **names})  # noqa: S307 - the table's own texts
    at = given[sheet.wrt]
    slopes = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        ends = []
        for step in (1e-5, -1e-5):
            moved = at.copy()
            moved[place] += step
            ends.append(float(evaluated(sheet.loss, {**given, sheet.wrt: moved})))
        slopes[place] = (ends[0] - ends[1]) / 2e-5
    names = dict(given)
    for n, e in sheet.names.items():
        names[n] = evaluated(e, names)

    def right(text: str) -> bool:
        value = np.asarray(evaluated(text, names), dtype=float)
        return value.shape == slopes.shape and np.allclose(value, slopes, atol=1e-6, rtol=1e-5)
    return right


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, s in SHEETS.items() for t in s.right])
def test_a_right_answer_holds(name: str, text: str) -> None:
    assert oracle(name)(SHEETS[name].value)
    found = check_answer(text, derived(name), SHEETS[name].wrt)
    assert found.answer in HELD, found
    assert found.answer is Answer.PROVED or "sum(y) = 1" in found.condition or "y[" in found.condition


@pytest.mark.parametrize(("name", "value", "text"), [(n, v, t) for n, s in SHEETS.items() for v, t in s.wrong])
def test_a_wrong_answer_is_refuted(name: str, value: str, text: str) -> None:
    assert value == UNFIT or not oracle(name)(value)
    found = check_answer(text, derived(name), SHEETS[name].wrt)
    assert found.answer is Answer.REFUTED, found
    assert value != UNFIT or found.method == "shape"
