"""symnet: the mathematics of neural networks, derived, proved, checked, run and printed."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"

# The public names and the file each lives in; loaded on first use, so that `import symnet` stays light.
_WHERE = {
    "program": "symnet.parsing.program", "derive": "symnet.face", "check": "symnet.face", "check_code": "symnet.checking.code.check",
    "diagnose": "symnet.checking.diagnosis", "prove": "symnet.proofs",
    "report": "symnet.face", "fit": "symnet.training.fit", "load": "symnet.loading", "compare": "symnet.face",
    "check_page": "symnet.loading",
    "Program": "symnet.core.program", "Definition": "symnet.core.program", "Assumption": "symnet.core.program",
    "Tensor": "symnet.core.tensors", "Axis": "symnet.core.axes", "Derivation": "symnet.core.derivation",
    "SymnetError": "symnet.errors",
    "from_jax": "symnet.interop.jaxpr", "from_sklearn": "symnet.interop.sklearn_models",
    "from_torch": "symnet.interop.torch_modules", "from_onnx": "symnet.interop.onnx_models", "Imported": "symnet.interop.imported",
    "export": "symnet.interop.export",
    "symmetric": "symnet.calculus.matrices",
    "jacobian": "symnet.calculus.second", "hessian": "symnet.calculus.second",
    "hessian_vector_product": "symnet.calculus.second",
    "Sequential": "symnet.networks.sequential",
    "Linear": "symnet.networks.layers", "Sigmoid": "symnet.networks.layers", "Tanh": "symnet.networks.layers",
    "ReLU": "symnet.networks.layers", "LeakyReLU": "symnet.networks.layers", "Softplus": "symnet.networks.layers",
    "Softmax": "symnet.networks.layers", "LogSoftmax": "symnet.networks.layers",
    "RNN": "symnet.networks.recurrent", "GRU": "symnet.networks.recurrent", "LSTM": "symnet.networks.recurrent",
    "MultiheadAttention": "symnet.networks.attention", "TransformerEncoderLayer": "symnet.networks.attention",
    "Convolution": "symnet.networks.convolution", "Conv1d": "symnet.networks.convolution", "Conv2d": "symnet.networks.convolution",
    "MaxPool1d": "symnet.networks.pooling", "MaxPool2d": "symnet.networks.pooling",
    "AvgPool1d": "symnet.networks.pooling", "AvgPool2d": "symnet.networks.pooling",
    "BatchNorm1d": "symnet.networks.normalization", "LayerNorm": "symnet.networks.normalization",
    "RMSNorm": "symnet.networks.normalization",
    "Input": "symnet.networks.structure", "Flatten": "symnet.networks.structure", "Dropout": "symnet.networks.structure",
    "Residual": "symnet.networks.structure", "Embedding": "symnet.networks.structure",
    "PositionalBias": "symnet.networks.structure",
    "MSELoss": "symnet.networks.losses", "SquaredError": "symnet.networks.losses", "HalfSquaredError": "symnet.networks.losses",
    "BCELoss": "symnet.networks.losses", "CrossEntropyLoss": "symnet.networks.losses", "L1Loss": "symnet.networks.losses",
    "HuberLoss": "symnet.networks.losses", "SmoothL1Loss": "symnet.networks.losses",
    **dict.fromkeys(("BCEWithLogitsLoss", "NLLLoss", "KLDivLoss", "HingeLoss", "HingeEmbeddingLoss", "SoftMarginLoss",
                     "PoissonNLLLoss"), "symnet.networks.losses_classes"),
    **dict.fromkeys(("CosineEmbeddingLoss", "TripletMarginLoss", "InfoNCE", "GaussianNLLLoss", "VAEKLLoss", "loss_program"),
                    "symnet.networks.losses_pairs"),
    "L2Penalty": "symnet.networks.losses_penalty", "L1Penalty": "symnet.networks.losses_penalty",
    **dict.fromkeys(("ELU", "SELU", "GELU", "SiLU", "Mish", "Softsign", "Hardtanh", "ReLU6", "LogSigmoid", "Softshrink"),
                    "symnet.networks.activations"),
    **dict.fromkeys(("SGD", "Momentum", "HeavyBall", "Nesterov", "Adagrad", "RMSprop", "Adam", "AdamW", "NAdam", "Lion", "SignSGD",
                     "optimizer"),
                    "symnet.networks.optimizers"),
    **dict.fromkeys(("weight_decay", "decoupled_decay", "clip_by_value", "clip_by_norm", "global_norm"), "symnet.networks.modifiers"),
    **dict.fromkeys(("StepLR", "MultiStepLR", "ExponentialLR", "CosineAnnealingLR", "LinearLR", "WarmupLR", "InverseTimeLR", "schedule",
                     "with_schedule"), "symnet.networks.schedules"),
    **dict.fromkeys(("xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "lecun_uniform", "lecun_normal",
                    "calculate_gain"),
                    "symnet.networks.initializers"),
}

__all__ = [*_WHERE, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'symnet' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_WHERE[name]), name)


def _join_readings() -> None:
    """Give the nouns their verbs. Core imports no room, so the rooms are named here and loaded on first use."""
    from symnet.core.verbs import install

    def verb(module: str, name: str) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            import importlib

            return getattr(importlib.import_module(module), name)(*args, **options)
        return call

    install("check_derivation", verb("symnet.calculus.checking", "check_derivation"))
    install("check_step", verb("symnet.calculus.checking", "check_step"))
    install("closed_form", verb("symnet.calculus.closed", "closed_form"))
    install("lambdify", verb("symnet.backends.lambdified", "lambdify"))
    install("instantiate", verb("symnet.calculus.instantiate", "instantiate"))
    install("proved_zero", verb("symnet.equality.zero", "proved_zero"))
    install("evaluate", verb("symnet.calculus.evaluate", "evaluate"))
    install("check_proved", verb("symnet.proofs.checking", "check_proved"))
    install("compile", verb("symnet.backends", "compile_derivation"))


_join_readings()
