"""Names of PyTorch that have no counterpart here, each with the reason and what to use instead."""

from __future__ import annotations

_RANDOM = "draws at random where it looks, so that there is no one program"
_CONTAINER = "a container of modules, no layer", "Sequential, or a program"

UNAVAILABLE: dict[str, tuple[str, str]] = {
    "AdaptiveLogSoftmaxWithLoss": ("clusters of classes of different widths", "CrossEntropyLoss"),
    "CTCLoss": ("a sum over alignments whose number depends on the data", "a program with the recurrence of its forward variables"),
    "CrossMapLRN2d": ("PyTorch's old name", "LocalResponseNorm"),
    "Container": _CONTAINER,
    "DataParallel": ("spreads a module over devices and changes no mathematics", "the module itself"),
    "FractionalMaxPool2d": (_RANDOM, "MaxPool2d or AdaptiveMaxPool2d"),
    "FractionalMaxPool3d": (_RANDOM, "MaxPool3d or AdaptiveMaxPool3d"),
    "Module": ("the base of PyTorch's layers", "Layer, or a program"),
    "ModuleDict": _CONTAINER,
    "ModuleList": _CONTAINER,
    "NLLLoss2d": ("PyTorch's old name", "NLLLoss"),
    "ParameterDict": _CONTAINER,
    "ParameterList": _CONTAINER,
    "RNNBase": ("the base of PyTorch's recurrent layers", "RNN, GRU or LSTM"),
    "RNNCellBase": ("the base of PyTorch's recurrent cells", "RNNCell, GRUCell or LSTMCell"),
    "LBFGS": ("a line search whose steps depend on values of the loss", "SGD or Momentum"),
    "Muon": ("orthogonalizes whole matrices, while a rule here is a program for one entry", "Adam or Momentum"),
    "Adafactor": ("keeps sums over rows and columns, while a rule here is a program for one entry", "Adam or Adagrad"),
    "SparseAdam": ("Adam of the rows that occur in a batch, which depends on the data", "Adam"),
    "ReduceLROnPlateau": ("depends on values of the loss", "StepLR or ExponentialLR"),
}
