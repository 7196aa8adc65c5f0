"""symnet: the mathematics of neural networks, derived, proved, checked, run and printed.

    >>> import symnet as sn
    >>> net = sn.Sequential(sn.Linear(1, 1), sn.Sigmoid())
    >>> d = sn.derive(net, loss="mse")
    >>> print(d.gradients["w1"])
    dL_dw1 = dL_dz1*x

What there is; ``help(sn.NAME)`` says more of each.

Work
    derive                   a network with a loss, or a program: every gradient, step by step
    program                  lines of plain maths as a program
    load                     a worksheet, or one that comes with symnet ("first"), derived
    check                    is this formula the gradient? proved, refuted or undecided
    check_code               is this backward pass (NumPy, or operators alone) the gradient?
    check_function           is this torch or JAX function's own backward its derivative?
    check_page               every line of a worked page, judged
    diagnose                 the slip in a wrong answer
    compare                  is left = right? with its certificate
    prove                    a theorem about training: a proof, or a counterexample
    certify                  gradients as theorems in a file for a foreign kernel, Rocq or Lean
    certify_theorem          a general theorem, for all sizes and steps, as such a file
    certifiable              will certify be able to say it?
    report                   the whole derivation to read: HTML, LaTeX, PDF, text, Markdown, JSON
    fit                      train on arrays with the derived gradients
    export                   the gradients as a module for NumPy, JAX or torch
    jacobian                 the derivatives of one line of a program
    hessian                  the second derivatives of the objective
    hessian_vector_product   the Hessian times a vector
    symmetric                the gradient by a symmetric matrix

Models of other libraries
    from_torch               a PyTorch module
    from_jax                 a JAX function
    from_numpy               a NumPy function
    from_onnx                an ONNX model or file
    to_onnx                  loss and gradients as an ONNX model
    from_sklearn             a fitted MLPClassifier or MLPRegressor
    Imported                 what they give: a program and the weights

Nouns
    Program                  an ordered list of definitions that checks itself
    Definition               one line: v[i, j] := expression
    Tensor                   a named array, its axes and its domain
    Axis                     the values of an index
    Assumption               a declared equality
    Derivation               a program, its gradients and the steps that made them
    Step                     one line of the backward pass, with its rule
    Formula                  a gradient as a formula
    Verdict                  proved, almost everywhere, conditional, refuted or undecided
    Mistake                  the slip that was found in an answer
    Errata                   the lines of a page, judged
    CodeCheck                what was found of a backward pass
    Proved                   a claim with its proof
    Refutation               a claim with a counterexample
    Report                   a report that can be written in any format
    Certificate              theorems in a file, and what a kernel says of it
    TheoremCertificate       the same for a general theorem
    Fit                      fitted parameters and the log of the run
    Epoch                    what a callback is told after an epoch
    EarlyStopping            when a training run ends before its time
    SymbolicMLPClassifier    scikit-learn's MLPClassifier, trained by symnet
    SymbolicMLPRegressor     scikit-learn's MLPRegressor, trained by symnet
    SymnetError              the base of every error raised on purpose

Networks
    Sequential               layers one after another
    Layer                    what every layer is
    Linear                   x W + b
    Conv1d                   convolution over a sequence
    Conv2d                   convolution over an image
    Convolution              convolution of one channel, without padding
    MaxPool1d                the largest entry of each window
    MaxPool2d                the largest entry of each window of an image
    AvgPool1d                the mean of each window
    AvgPool2d                the mean of each window of an image
    RNN                      the Elman network
    GRU                      the gated recurrent unit
    LSTM                     long short-term memory
    MultiheadAttention       self-attention with several heads
    TransformerEncoderLayer  attention and a small network, each with its residual
    BatchNorm1d              normalization of each feature over the samples
    LayerNorm                normalization of each sample
    RMSNorm                  division by the root of the mean square
    Embedding                a row of a table for each word
    PositionalBias           a learned vector for each place
    Dropout                  entries dropped at random in training
    Residual                 x + F(x)
    Flatten                  the axes of a sample as one
    Input                    the shape of one sample
    Conv3d                   convolution over a volume
    ConvTranspose1d          what a convolution's backward pass does, as a layer
    ConvTranspose2d          the same for an image
    ConvTranspose3d          the same for a volume
    MaxPool3d                the largest entry of each window of a volume
    AvgPool3d                the mean of each window of a volume
    LPPool1d                 the p-norm of each window
    LPPool2d                 the p-norm of each window of an image
    LPPool3d                 the p-norm of each window of a volume
    AdaptiveAvgPool1d        the mean of as many windows as are asked for
    AdaptiveAvgPool2d        the same for an image
    AdaptiveAvgPool3d        the same for a volume
    AdaptiveMaxPool1d        the largest entry of as many windows as are asked for
    AdaptiveMaxPool2d        the same for an image
    AdaptiveMaxPool3d        the same for a volume
    ZeroPad1d                zeros around a signal
    ZeroPad2d                zeros around a signal, 2 axes
    ZeroPad3d                zeros around a signal, 3 axes
    ConstantPad1d            a number around a signal
    ConstantPad2d            a number around a signal, 2 axes
    ConstantPad3d            a number around a signal, 3 axes
    ReflectionPad1d          a signal mirrored at its ends
    ReflectionPad2d          a signal mirrored at its ends, 2 axes
    ReflectionPad3d          a signal mirrored at its ends, 3 axes
    ReplicationPad1d         the ends of a signal repeated
    ReplicationPad2d         the ends of a signal repeated, 2 axes
    ReplicationPad3d         the ends of a signal repeated, 3 axes
    CircularPad1d            a signal as a ring
    CircularPad2d            a signal as a ring, 2 axes
    CircularPad3d            a signal as a ring, 3 axes
    RNNCell                  one step of an Elman network
    GRUCell                  one step of a GRU
    LSTMCell                 one step of an LSTM
    TransformerEncoder       encoder layers, one after another
    TransformerDecoderLayer  self-attention, attention to a memory, a small network
    TransformerDecoder       decoder layers, one after another
    Transformer              an encoder and a decoder that attends to it
    BatchNorm2d              normalization of each channel of images
    BatchNorm3d              normalization of each channel of volumes
    SyncBatchNorm            batch normalization over all processes
    InstanceNorm1d           normalization of each channel of each sample
    InstanceNorm2d           the same for images
    InstanceNorm3d           the same for volumes
    GroupNorm                normalization of groups of channels
    LocalResponseNorm        division by the channels around
    EmbeddingBag             the sum or mean of rows of a table
    Identity                 the input, unchanged
    Dropout1d                channels dropped at random in training
    Dropout2d                channels of images dropped
    Dropout3d                channels of volumes dropped
    AlphaDropout             dropout that keeps mean and variance
    FeatureAlphaDropout      the same for whole channels
    Bilinear                 products of two inputs, weighted
    CosineSimilarity         the cosine of the angle between two inputs
    PairwiseDistance         the distance between two inputs
    Unflatten                one axis as several
    PixelShuffle             channels as places
    PixelUnshuffle           places as channels
    ChannelShuffle           the channels of groups dealt out in turn
    Unfold                   each window of an image as a column
    Fold                     such columns added up where they lie
    Upsample                 a signal on a finer grid
    UpsamplingNearest2d      an image with repeated entries
    UpsamplingBilinear2d     an image, interpolated
    MaxUnpool1d              entries put back where a maximum stood
    MaxUnpool2d              the same for an image
    MaxUnpool3d              the same for a volume
    LazyLinear               Linear that reads its input width
    LazyConv1d               Conv1d that reads its input width
    LazyConv2d               Conv2d that reads its input width
    LazyConv3d               Conv3d that reads its input width
    LazyConvTranspose1d      ConvTranspose1d that reads its input width
    LazyConvTranspose2d      ConvTranspose2d that reads its input width
    LazyConvTranspose3d      ConvTranspose3d that reads its input width
    LazyBatchNorm1d          BatchNorm1d that reads its input width
    LazyBatchNorm2d          BatchNorm2d that reads its input width
    LazyBatchNorm3d          BatchNorm3d that reads its input width
    LazyInstanceNorm1d       InstanceNorm1d that reads its input width
    LazyInstanceNorm2d       InstanceNorm2d that reads its input width
    LazyInstanceNorm3d       InstanceNorm3d that reads its input width

Activations
    Sigmoid                  1/(1 + e^-z)
    LogSigmoid               its logarithm
    Tanh                     the hyperbolic tangent
    ReLU                     max(z, 0)
    ReLU6                    ReLU cut off at 6
    LeakyReLU                z, or a small part of it below 0
    ELU                      z, or e^z - 1 below 0
    SELU                     ELU, scaled to keep mean 0 and variance 1
    GELU                     z Φ(z)
    SiLU                     z σ(z), also called swish
    Mish                     z tanh(softplus(z))
    Softplus                 log(1 + e^z)
    Softsign                 z/(1 + |z|)
    Hardtanh                 z cut off at both ends
    Softshrink               z moved towards 0
    Softmax                  e^z, scaled to add up to 1
    LogSoftmax               its logarithm
    CELU                     ELU, smooth for every α
    Hardsigmoid              a straight line cut off at 0 and 1
    Hardswish                z times a Hardsigmoid
    Hardshrink               z, or 0 near 0
    Tanhshrink               z - tanh(z)
    Threshold                z, or a number below a threshold
    PReLU                    LeakyReLU with a learned slope
    RReLU                    LeakyReLU with random slopes
    GLU                      one half gated by the other
    Softmin                  the softmax of -z
    Softmax2d                the softmax over channels

Losses
    Loss                     what every loss is
    MSELoss                  mean of (a - y)²
    SquaredError             sum of (a - y)²
    HalfSquaredError         half of it
    L1Loss                   mean of |a - y|
    HuberLoss                squared near 0, straight beyond δ
    SmoothL1Loss             Huber's over β
    BCELoss                  cross-entropy of probabilities
    BCEWithLogitsLoss        the same of scores, with the sigmoid inside
    CrossEntropyLoss         softmax and cross-entropy over classes
    NLLLoss                  the same of log-probabilities
    KLDivLoss                Kullback-Leibler divergence
    HingeLoss                max(0, 1 - y a)
    HingeEmbeddingLoss       distances pulled or pushed
    SoftMarginLoss           log(1 + e^(-y a))
    PoissonNLLLoss           counts by their log-rate
    GaussianNLLLoss          a mean with its variance
    CosineEmbeddingLoss      angles of pairs of rows
    TripletMarginLoss        nearer to what is alike by a margin
    InfoNCE                  the contrastive loss of pairs
    VAEKLLoss                the divergence term of a variational autoencoder
    L1Penalty                a loss with λ Σ |w| added
    L2Penalty                a loss with λ Σ w²/2 added
    loss_program             a loss alone, as a program of its outputs
    MarginRankingLoss        one score above another by a margin
    MultiMarginLoss          the right class above the others by a margin
    MultiLabelMarginLoss     every label that holds above every other
    MultiLabelSoftMarginLoss  cross-entropy of each label
    TripletMarginWithDistanceLoss  the triplet loss with the default distance
    LinearCrossEntropyLoss   a linear layer and cross-entropy

Optimizers
    Optimizer                what every optimizer is: a program for one entry
    SGD                      w - lr g
    Momentum                 with a memory of the gradients (PyTorch's)
    HeavyBall                with the last move kept (Polyak's)
    Nesterov                 with the gradient ahead
    Adagrad                  divided by the root of all squares so far
    RMSprop                  divided by a running mean of squares
    Adam                     averages of g and g², corrected
    AdamW                    Adam with decoupled decay
    NAdam                    Adam with Nesterov's look ahead
    Lion                     the sign of an average
    SignSGD                  the sign of the gradient
    optimizer                one of these by its name
    weight_decay             a rule with decay of the weights
    decoupled_decay          a rule with decay outside its averages
    clip_by_value            a rule with each entry of the gradient cut off
    clip_by_norm             a rule with the whole gradient made shorter
    global_norm              the norm of all gradients, as a program
    Adadelta                 steps as large as the last ones were
    Adamax                   Adam by the largest gradient of late
    RAdam                    Adam whose division waits
    Rprop                    a step length for each entry, by the signs
    ASGD                     a falling rate, and the average of the parameters

Learning rates
    Schedule                 what every schedule is: a program for lr_t
    StepLR                   times γ after every s steps
    MultiStepLR              times γ at each milestone
    ExponentialLR            times γ after every step
    CosineAnnealingLR        half a cosine down
    LinearLR                 a straight line
    WarmupLR                 up from 0, then another
    InverseTimeLR            lr/(1 + δ t)
    schedule                 one of these by its name
    with_schedule            an optimizer with a schedule
    ConstantLR               a part of lr at first
    PolynomialLR             a power of what is left
    CosineAnnealingWarmRestarts  a cosine down, again and again
    OneCycleLR               up once and down, the momentum the other way
    CyclicLR                 up and down again and again
    LambdaLR                 lr times a function of the epoch
    MultiplicativeLR         times a constant after every step
    SequentialLR             one schedule after another
    ChainedScheduler         several schedules at once

Starting weights
    xavier_uniform           variance 2/(n + m), uniform
    xavier_normal            variance 2/(n + m), normal
    kaiming_uniform          for ReLU, uniform
    kaiming_normal           for ReLU, normal
    lecun_uniform            variance 1/n, uniform
    lecun_normal             variance 1/n, normal
    calculate_gain           the gain behind a function
    orthogonal               orthonormal rows or columns
    trunc_normal             normal numbers within bounds
    uniform                  numbers between two bounds
    normal                   numbers of a mean and a deviation
    constant                 one number everywhere
    ones                     1 everywhere
    zeros                    0 everywhere
    eye                      1 on the diagonal
    dirac                    a kernel that passes channels on
    sparse                   normal numbers, many of them 0
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors and type checkers; a test keeps it equal to _PLACES
    from symnet.api import check, check_code, check_function, compare, derive, report
    from symnet.calculus.jacobian import hessian, hessian_vector_product, jacobian
    from symnet.calculus.matrices import symmetric
    from symnet.certificates.certificate import Certificate
    from symnet.certificates.certifying import certifiable, certify
    from symnet.certificates.general import TheoremCertificate, certify_theorem
    from symnet.checking.code.results import CodeCheck
    from symnet.checking.slips.kinds import Mistake
    from symnet.checking.slips.search import diagnose
    from symnet.core.axes import Axis
    from symnet.core.claim import Proved, Refutation
    from symnet.core.derivation import Derivation, Formula, Step
    from symnet.core.page_verdict import Errata
    from symnet.core.program import Assumption, Definition, Program
    from symnet.core.tensors import Tensor
    from symnet.core.verdict import Verdict
    from symnet.errors import SymnetError
    from symnet.frontends.export import export
    from symnet.frontends.imported import Imported
    from symnet.frontends.jaxpr import from_jax
    from symnet.frontends.numpy_binding import from_numpy
    from symnet.frontends.onnx_models import from_onnx
    from symnet.frontends.sklearn_models import from_sklearn
    from symnet.frontends.to_onnx import to_onnx
    from symnet.frontends.torch_modules import from_torch
    from symnet.networks.activations import (
        CELU,
        ELU,
        GELU,
        SELU,
        Hardshrink,
        Hardsigmoid,
        Hardswish,
        Hardtanh,
        LogSigmoid,
        Mish,
        ReLU6,
        SiLU,
        Softshrink,
        Softsign,
        Tanhshrink,
        Threshold,
    )
    from symnet.networks.adaptive_pooling import (
        AdaptiveAvgPool1d,
        AdaptiveAvgPool2d,
        AdaptiveAvgPool3d,
        AdaptiveMaxPool1d,
        AdaptiveMaxPool2d,
        AdaptiveMaxPool3d,
    )
    from symnet.networks.attention import MultiheadAttention, TransformerEncoderLayer
    from symnet.networks.convolution import Conv1d, Conv2d, Conv3d, Convolution
    from symnet.networks.dropping import AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout
    from symnet.networks.gradient_transforms import clip_by_norm, clip_by_value, decoupled_decay, global_norm, weight_decay
    from symnet.networks.initializers import (
        calculate_gain,
        constant,
        dirac,
        eye,
        kaiming_normal,
        kaiming_uniform,
        lecun_normal,
        lecun_uniform,
        normal,
        ones,
        orthogonal,
        sparse,
        trunc_normal,
        uniform,
        xavier_normal,
        xavier_uniform,
        zeros,
    )
    from symnet.networks.layers import (
        Layer,
        LeakyReLU,
        Linear,
        LogSoftmax,
        ReLU,
        Sigmoid,
        Softmax,
        Softmax2d,
        Softmin,
        Softplus,
        Tanh,
    )
    from symnet.networks.lazy import (
        LazyBatchNorm1d,
        LazyBatchNorm2d,
        LazyBatchNorm3d,
        LazyConv1d,
        LazyConv2d,
        LazyConv3d,
        LazyConvTranspose1d,
        LazyConvTranspose2d,
        LazyConvTranspose3d,
        LazyInstanceNorm1d,
        LazyInstanceNorm2d,
        LazyInstanceNorm3d,
        LazyLinear,
    )
    from symnet.networks.losses import (
        BCELoss,
        CrossEntropyLoss,
        HalfSquaredError,
        HuberLoss,
        L1Loss,
        Loss,
        MSELoss,
        SmoothL1Loss,
        SquaredError,
    )
    from symnet.networks.losses_classes import (
        BCEWithLogitsLoss,
        HingeEmbeddingLoss,
        HingeLoss,
        KLDivLoss,
        NLLLoss,
        PoissonNLLLoss,
        SoftMarginLoss,
    )
    from symnet.networks.losses_margin import (
        LinearCrossEntropyLoss,
        MarginRankingLoss,
        MultiLabelMarginLoss,
        MultiLabelSoftMarginLoss,
        MultiMarginLoss,
        TripletMarginWithDistanceLoss,
    )
    from symnet.networks.losses_pairs import (
        CosineEmbeddingLoss,
        GaussianNLLLoss,
        InfoNCE,
        TripletMarginLoss,
        VAEKLLoss,
        loss_program,
    )
    from symnet.networks.losses_penalty import L1Penalty, L2Penalty
    from symnet.networks.normalization import (
        BatchNorm1d,
        BatchNorm2d,
        BatchNorm3d,
        GroupNorm,
        InstanceNorm1d,
        InstanceNorm2d,
        InstanceNorm3d,
        LayerNorm,
        LocalResponseNorm,
        RMSNorm,
        SyncBatchNorm,
    )
    from symnet.networks.optimizer_program import Optimizer
    from symnet.networks.optimizers import SGD, HeavyBall, Momentum, Nesterov, optimizer
    from symnet.networks.optimizers_adaptive import (
        ASGD,
        Adadelta,
        Adagrad,
        Adam,
        Adamax,
        AdamW,
        Lion,
        NAdam,
        RAdam,
        RMSprop,
        Rprop,
        SignSGD,
    )
    from symnet.networks.padding import (
        CircularPad1d,
        CircularPad2d,
        CircularPad3d,
        ConstantPad1d,
        ConstantPad2d,
        ConstantPad3d,
        ReflectionPad1d,
        ReflectionPad2d,
        ReflectionPad3d,
        ReplicationPad1d,
        ReplicationPad2d,
        ReplicationPad3d,
        ZeroPad1d,
        ZeroPad2d,
        ZeroPad3d,
    )
    from symnet.networks.pairwise import Bilinear, CosineSimilarity, PairwiseDistance
    from symnet.networks.parametric_activations import GLU, PReLU, RReLU
    from symnet.networks.pooling import (
        AvgPool1d,
        AvgPool2d,
        AvgPool3d,
        LPPool1d,
        LPPool2d,
        LPPool3d,
        MaxPool1d,
        MaxPool2d,
        MaxPool3d,
    )
    from symnet.networks.rearranging import (
        ChannelShuffle,
        Fold,
        MaxUnpool1d,
        MaxUnpool2d,
        MaxUnpool3d,
        PixelShuffle,
        PixelUnshuffle,
        Unflatten,
        Unfold,
        Upsample,
        UpsamplingBilinear2d,
        UpsamplingNearest2d,
    )
    from symnet.networks.recurrent import GRU, LSTM, RNN
    from symnet.networks.recurrent_cells import GRUCell, LSTMCell, RNNCell
    from symnet.networks.schedules import (
        ChainedScheduler,
        ConstantLR,
        CosineAnnealingLR,
        CosineAnnealingWarmRestarts,
        CyclicLR,
        ExponentialLR,
        InverseTimeLR,
        LambdaLR,
        LinearLR,
        MultiplicativeLR,
        MultiStepLR,
        OneCycleLR,
        PolynomialLR,
        Schedule,
        SequentialLR,
        StepLR,
        WarmupLR,
        schedule,
        with_schedule,
    )
    from symnet.networks.sequential import Sequential
    from symnet.networks.structure import (
        Embedding,
        EmbeddingBag,
        Flatten,
        Identity,
        Input,
        PositionalBias,
        Residual,
    )
    from symnet.networks.transformer import Transformer, TransformerDecoder, TransformerDecoderLayer, TransformerEncoder
    from symnet.networks.transposed_convolution import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
    from symnet.parsing.program import program
    from symnet.reports.report import Report
    from symnet.theorems.proving import prove
    from symnet.training.callbacks import Epoch
    from symnet.training.estimators import SymbolicMLPClassifier, SymbolicMLPRegressor
    from symnet.training.fit import Fit, fit
    from symnet.training.stopping import EarlyStopping
    from symnet.worksheet_loader import check_page, load

__version__ = "0.1.0"

__all__ = [  # noqa: RUF022  (sorted; one name a line would fill two screens)
    "ASGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "AdaptiveAvgPool1d", "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d", "AlphaDropout",
    "Assumption", "AvgPool1d", "AvgPool2d", "AvgPool3d", "Axis", "BCELoss", "BCEWithLogitsLoss",
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "Bilinear", "CELU", "Certificate", "ChainedScheduler", "ChannelShuffle",
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "CodeCheck", "ConstantLR", "ConstantPad1d",
    "ConstantPad2d", "ConstantPad3d", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d",
    "ConvTranspose3d", "Convolution", "CosineAnnealingLR", "CosineAnnealingWarmRestarts",
    "CosineEmbeddingLoss", "CosineSimilarity", "CrossEntropyLoss", "CyclicLR", "Definition", "Derivation",
    "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "ELU", "EarlyStopping", "Embedding",
    "EmbeddingBag", "Epoch", "Errata",
    "ExponentialLR", "FeatureAlphaDropout", "Fit", "Flatten", "Fold", "Formula", "GELU", "GLU", "GRU",
    "GRUCell", "GaussianNLLLoss", "GroupNorm", "HalfSquaredError", "Hardshrink", "Hardsigmoid", "Hardswish",
    "Hardtanh", "HeavyBall", "HingeEmbeddingLoss", "HingeLoss", "HuberLoss", "Identity", "Imported",
    "InfoNCE", "Input", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "InverseTimeLR", "KLDivLoss",
    "L1Loss", "L1Penalty", "L2Penalty", "LPPool1d", "LPPool2d", "LPPool3d", "LSTM", "LSTMCell", "LambdaLR",
    "Layer", "LayerNorm", "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d",
    "LazyConv2d", "LazyConv3d", "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d",
    "LazyInstanceNorm1d", "LazyInstanceNorm2d", "LazyInstanceNorm3d", "LazyLinear", "LeakyReLU", "Linear",
    "LinearCrossEntropyLoss", "LinearLR", "Lion", "LocalResponseNorm", "LogSigmoid", "LogSoftmax", "Loss",
    "MSELoss", "MarginRankingLoss", "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d",
    "MaxUnpool3d", "Mish", "Mistake", "Momentum", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss",
    "MultiMarginLoss", "MultiStepLR", "MultiheadAttention", "MultiplicativeLR", "NAdam", "NLLLoss",
    "Nesterov", "OneCycleLR", "Optimizer", "PReLU", "PairwiseDistance", "PixelShuffle", "PixelUnshuffle",
    "PoissonNLLLoss", "PolynomialLR", "PositionalBias", "Program", "Proved", "RAdam", "RMSNorm", "RMSprop",
    "RNN", "RNNCell", "RReLU", "ReLU", "ReLU6", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d",
    "Refutation", "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d", "Report", "Residual", "Rprop",
    "SELU", "SGD", "Schedule", "Sequential", "SequentialLR", "SiLU", "Sigmoid", "SignSGD", "SmoothL1Loss",
    "SoftMarginLoss", "Softmax", "Softmax2d", "Softmin", "Softplus", "Softshrink", "Softsign",
    "SquaredError", "Step", "StepLR", "SymbolicMLPClassifier", "SymbolicMLPRegressor",
    "SymnetError", "SyncBatchNorm", "Tanh", "Tanhshrink", "Tensor",
    "TheoremCertificate", "Threshold", "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder",
    "TransformerEncoderLayer", "TripletMarginLoss", "TripletMarginWithDistanceLoss", "Unflatten", "Unfold",
    "Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d", "VAEKLLoss", "Verdict", "WarmupLR",
    "ZeroPad1d", "ZeroPad2d", "ZeroPad3d", "__version__", "calculate_gain", "certifiable", "certify", "certify_theorem", "check",
    "check_code", "check_function", "check_page", "clip_by_norm", "clip_by_value", "compare", "constant",
    "decoupled_decay", "derive", "diagnose", "dirac", "export", "eye", "fit", "from_jax", "from_numpy",
    "from_onnx", "from_sklearn", "from_torch", "global_norm", "hessian", "hessian_vector_product",
    "jacobian", "kaiming_normal", "kaiming_uniform", "lecun_normal", "lecun_uniform", "load",
    "loss_program", "normal", "ones", "optimizer", "orthogonal", "program", "prove", "report", "schedule",
    "sparse", "symmetric", "to_onnx", "trunc_normal", "uniform", "weight_decay", "with_schedule", "xavier_normal",
    "xavier_uniform", "zeros",
]

# The public names by the file they live in; loaded on first use, so that `import symnet` stays light.
_PLACES = {
    "symnet.api": "check check_code check_function compare derive report",
    "symnet.parsing.program": "program",
    "symnet.worksheet_loader": "check_page load",
    "symnet.certificates.certificate": "Certificate",
    "symnet.certificates.certifying": "certifiable certify",
    "symnet.certificates.general": "TheoremCertificate certify_theorem",
    "symnet.checking.code.results": "CodeCheck",
    "symnet.checking.slips.kinds": "Mistake",
    "symnet.checking.slips.search": "diagnose",
    "symnet.theorems.proving": "prove",
    "symnet.training.callbacks": "Epoch",
    "symnet.training.estimators": "SymbolicMLPClassifier SymbolicMLPRegressor",
    "symnet.training.fit": "Fit fit",
    "symnet.training.stopping": "EarlyStopping",
    "symnet.reports.report": "Report",
    "symnet.calculus.matrices": "symmetric",
    "symnet.calculus.jacobian": "hessian hessian_vector_product jacobian",
    "symnet.frontends.export": "export",
    "symnet.frontends.imported": "Imported",
    "symnet.frontends.jaxpr": "from_jax",
    "symnet.frontends.numpy_binding": "from_numpy",
    "symnet.frontends.onnx_models": "from_onnx",
    "symnet.frontends.to_onnx": "to_onnx",
    "symnet.frontends.sklearn_models": "from_sklearn",
    "symnet.frontends.torch_modules": "from_torch",
    "symnet.core.axes": "Axis",
    "symnet.core.claim": "Proved Refutation",
    "symnet.core.derivation": "Derivation Formula Step",
    "symnet.core.page_verdict": "Errata",
    "symnet.core.verdict": "Verdict",
    "symnet.core.program": "Assumption Definition Program",
    "symnet.core.tensors": "Tensor",
    "symnet.errors": "SymnetError",
    "symnet.networks.sequential": "Sequential",
    "symnet.networks.layers": "Layer LeakyReLU Linear LogSoftmax ReLU Sigmoid Softmax Softmax2d Softmin Softplus Tanh",
    "symnet.networks.activations":
        "CELU ELU GELU Hardshrink Hardsigmoid Hardswish Hardtanh LogSigmoid Mish ReLU6 SELU SiLU Softshrink "
        "Softsign Tanhshrink Threshold",
    "symnet.networks.attention": "MultiheadAttention TransformerEncoderLayer",
    "symnet.networks.convolution": "Conv1d Conv2d Conv3d Convolution",
    "symnet.networks.normalization":
        "BatchNorm1d BatchNorm2d BatchNorm3d GroupNorm InstanceNorm1d InstanceNorm2d InstanceNorm3d LayerNorm "
        "LocalResponseNorm RMSNorm SyncBatchNorm",
    "symnet.networks.pooling": "AvgPool1d AvgPool2d AvgPool3d LPPool1d LPPool2d LPPool3d MaxPool1d MaxPool2d MaxPool3d",
    "symnet.networks.recurrent": "GRU LSTM RNN",
    "symnet.networks.structure": "Embedding EmbeddingBag Flatten Identity Input PositionalBias Residual",
    "symnet.networks.transposed_convolution": "ConvTranspose1d ConvTranspose2d ConvTranspose3d",
    "symnet.networks.adaptive_pooling":
        "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d "
        "AdaptiveMaxPool3d",
    "symnet.networks.padding":
        "CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d ReflectionPad1d "
        "ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d ZeroPad1d "
        "ZeroPad2d ZeroPad3d",
    "symnet.networks.recurrent_cells": "GRUCell LSTMCell RNNCell",
    "symnet.networks.transformer": "Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder",
    "symnet.networks.dropping": "AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout",
    "symnet.networks.pairwise": "Bilinear CosineSimilarity PairwiseDistance",
    "symnet.networks.rearranging":
        "ChannelShuffle Fold MaxUnpool1d MaxUnpool2d MaxUnpool3d PixelShuffle PixelUnshuffle Unflatten Unfold "
        "Upsample UpsamplingBilinear2d UpsamplingNearest2d",
    "symnet.networks.lazy":
        "LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d "
        "LazyConvTranspose2d LazyConvTranspose3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d "
        "LazyLinear",
    "symnet.networks.parametric_activations": "GLU PReLU RReLU",
    "symnet.networks.losses_margin":
        "LinearCrossEntropyLoss MarginRankingLoss MultiLabelMarginLoss MultiLabelSoftMarginLoss "
        "MultiMarginLoss TripletMarginWithDistanceLoss",
    "symnet.networks.losses":
        "BCELoss CrossEntropyLoss HalfSquaredError HuberLoss L1Loss Loss MSELoss SmoothL1Loss "
        "SquaredError",
    "symnet.networks.losses_classes":
        "BCEWithLogitsLoss HingeEmbeddingLoss HingeLoss KLDivLoss NLLLoss PoissonNLLLoss SoftMarginLoss",
    "symnet.networks.losses_pairs":
        "CosineEmbeddingLoss GaussianNLLLoss InfoNCE TripletMarginLoss VAEKLLoss loss_program",
    "symnet.networks.losses_penalty": "L1Penalty L2Penalty",
    "symnet.networks.optimizers": "SGD HeavyBall Momentum Nesterov optimizer",
    "symnet.networks.optimizers_adaptive":
        "ASGD Adadelta Adagrad Adam AdamW Adamax Lion NAdam RAdam RMSprop Rprop SignSGD",
    "symnet.networks.gradient_transforms": "clip_by_norm clip_by_value decoupled_decay global_norm weight_decay",
    "symnet.networks.optimizer_program": "Optimizer",
    "symnet.networks.schedules":
        "ChainedScheduler ConstantLR CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR ExponentialLR "
        "InverseTimeLR LambdaLR LinearLR MultiStepLR MultiplicativeLR OneCycleLR PolynomialLR Schedule "
        "SequentialLR StepLR WarmupLR schedule with_schedule",
    "symnet.networks.initializers":
        "calculate_gain constant dirac eye kaiming_normal kaiming_uniform lecun_normal lecun_uniform normal "
        "ones orthogonal sparse trunc_normal uniform xavier_normal xavier_uniform zeros",
}
_WHERE = {name: file for file, names in _PLACES.items() for name in names.split()}


def __dir__() -> list[str]:
    return sorted(__all__)


if not TYPE_CHECKING:  # a type checker refuses what is not in the list above

    def __getattr__(name: str) -> object:
        if name in _WHERE:
            import importlib

            found = getattr(importlib.import_module(_WHERE[name]), name)
            globals()[name] = found
            return found
        if name.startswith("__"):
            raise AttributeError(f"module 'symnet' has no attribute {name!r}")
        from symnet.errors import UnknownAttributeError, did_you_mean
        from symnet.networks.unavailable import UNAVAILABLE

        if name in UNAVAILABLE:
            why, instead = UNAVAILABLE[name]
            raise UnknownAttributeError("symnet", f"PyTorch's {name} is not here: {why}", instead)

        raise UnknownAttributeError("symnet", f"no attribute {name!r}", "a name that help(symnet) lists", did_you_mean(name, _WHERE))


def _join_rooms() -> None:
    """Give the nouns their verbs. Core imports no room, so the rooms are named here and loaded on first use."""
    from symnet.core.verbs import install

    install("aligned", "symnet.core.latex")
    install("check_derivation", "symnet.calculus.checking")
    install("check_step", "symnet.calculus.checking")
    install("closed_form", "symnet.calculus.closed")
    install("lambdify", "symnet.backends.lambdified")
    install("instantiate", "symnet.calculus.instantiate")
    install("proved_zero", "symnet.equality.zero")
    install("evaluate", "symnet.calculus.evaluate")
    install("curve_file", "symnet.reports.curve")
    install("check_proved", "symnet.theorems.proving")
    install("compile", "symnet.backends", "compile_derivation")
    install("run", "symnet.backends.compiled", "run_program")
    install("derive_again", "symnet.calculus.derive")


_join_rooms()
