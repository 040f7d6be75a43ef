"""Fully connected networks: activations, initializations and the empirical neural tangent kernel.

Networks are made on the CPU, so that one seed gives the same weights on every device. Afterwards move them with
``.to(device)``.
"""

import copy
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import nn
from torch.func import functional_call, grad, vmap

Net = TypeVar("Net", bound=nn.Module)


class Ricker(nn.Module):
    r"""Ricker activation (equation 1.1), a band-pass whose peak frequency sqrt(2)/a is set by its scale a.

    .. math:: \sigma(x) = \frac{\pi^{1/4}}{15 a} \left(1 - \frac{x^2}{a^2}\right) e^{-x^2 / (2 a^2)}

    Parameters
    ----------
    a : float
        Scale, positive. Because of the factor 1/a the spectrum has the same height for every a. (The Ricker wavelet
        that is normalized in L2 has another factor.)

    Raises
    ------
    ValueError
        If a <= 0 or a is not finite.

    Examples
    --------
    >>> round(Ricker(0.3)(torch.zeros(1)).item(), 4)
    0.2959
    """

    def __init__(self, a: float):
        super().__init__()
        if not (a > 0 and math.isfinite(a)):
            raise ValueError(f"the Ricker activation needs a scale a > 0, not {a}")
        self.a = a

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        square = (x / self.a) ** 2
        return math.pi**0.25 / (15 * self.a) * (1 - square) * torch.exp(-square / 2)


class Sine(nn.Module):
    """sin(x), the activation of SIREN (Sitzmann et al., 2020)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(x)


ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU, "sin": Sine, "sigmoid": nn.Sigmoid, "gelu": nn.GELU}


class MLP(nn.Module):
    """Fully connected network with a linear output layer and PyTorch's default initialization.

    Parameters
    ----------
    widths : sequence of int
        Input dimension, width of each hidden layer, output dimension: ``[1, 200, 200, 1]`` has depth 2, and
        ``[1, 1]`` is a linear model.
    activation : str or module
        "tanh", "relu", "sin", "sigmoid" or "gelu", or a module such as ``Ricker(0.3)``. It is applied after every layer
        but the last.

    Raises
    ------
    ValueError
        If there are fewer than two widths, one is not positive, or the activation is unknown.

    Notes
    -----
    ``net(x)`` maps (n, d) to (n, c). The network can also be run in two parts, for example to see what reaches its
    upper layers. ``net(x, stop=l)`` returns the output z of hidden layer l. ``net(z, start=l)`` runs the remaining
    layers on z, so that ``net(net(x, stop=l), start=l)`` equals ``net(x)``. The book calls these two parts the
    pre-condition component and the learning component.

    Examples
    --------
    >>> net = MLP([1, 50, 50, 1], "tanh")
    >>> net(torch.zeros(7, 1)).shape, net(torch.zeros(7, 1), stop=1).shape, net.depth
    (torch.Size([7, 1]), torch.Size([7, 50]), 2)
    """

    def __init__(self, widths: Sequence[int], activation: str | nn.Module = "tanh"):
        super().__init__()
        widths = list(widths)
        if len(widths) < 2 or min(widths) < 1:
            raise ValueError(f"widths must be at least two positive numbers, not {widths}")
        if isinstance(activation, str) and activation not in ACTIVATIONS:
            raise ValueError(f"unknown activation {activation!r}; choose one of {sorted(ACTIVATIONS)} or pass a module")
        self.activation: nn.Module = ACTIVATIONS[activation]() if isinstance(activation, str) else activation
        self.layers = nn.ModuleList(nn.Linear(n_in, n_out) for n_in, n_out in zip(widths, widths[1:]))

    @property
    def depth(self) -> int:
        """Number of hidden layers."""
        return len(self.layers) - 1

    def forward(self, x: torch.Tensor, start: int = 0, stop: int | None = None) -> torch.Tensor:
        """Layers `start` to `stop` (all by default); shape (n, width of layer start) -> (n, width of layer stop)."""
        stop = len(self.layers) if stop is None else stop
        for i in range(start, stop):
            x = self.layers[i](x)
            if i < self.depth:
                x = self.activation(x)
        return x


class Antisymmetric(nn.Module):
    r"""Antisymmetric initialization (ASI): a network whose output starts at zero, with the tangent kernel of `net`.

    .. math:: h(x) = \big(g(x; \theta) - g(x; \theta')\big) / \sqrt 2, \qquad \theta' = \theta \text{ at the start}

    Both copies are trained. Because the output is zero at the start, all that is seen later comes from training, and
    nothing from the initial output of `net`.

    Parameters
    ----------
    net : module
        It is copied twice and not changed.

    Notes
    -----
    Source: Zhang et al. (2020).

    Examples
    --------
    >>> Antisymmetric(MLP([1, 9, 1]))(torch.ones(1, 1)).item()
    0.0
    """

    def __init__(self, net: nn.Module):
        super().__init__()
        self.plus, self.minus = copy.deepcopy(net), copy.deepcopy(net)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.plus(x) - self.minus(x)) / math.sqrt(2)


def normal_init(net: Net, std: float) -> Net:
    """Draw every weight and bias from N(0, std^2), in place; returns `net`. ValueError if `std` is not positive."""
    if not std > 0:
        raise ValueError(f"std must be positive, not {std}")
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=std)
    return net


def xavier_init(net: Net, *, gain: float = 1.0) -> Net:
    """Draw Xavier normal weights, of variance 2 gain^2 / (fan in + fan out), and set biases to zero; returns `net`.

    The network is changed in place.

    Source: Glorot & Bengio (2010).
    """
    for parameter in net.parameters():
        if parameter.ndim > 1:
            nn.init.xavier_normal_(parameter, gain=gain)
        else:
            nn.init.zeros_(parameter)
    return net


def empirical_ntk(
    net: nn.Module, x: torch.Tensor, *, output: int | str | None = None, memory: float = 2**29
) -> torch.Tensor:
    r"""Empirical neural tangent kernel (NTK) of a network at its present parameters.

    .. math:: K_{ij} = \nabla_\theta h(x_i) \cdot \nabla_\theta h(x_j)

    If the loss (1/2n) sum (h - y)^2 is minimized by gradient flow and the kernel stays constant, then the error r = h -
    y at the n points obeys dr/dt = -K r / n. An error along a unit vector s therefore begins to shrink at the rate s^T
    K s / n, and keeps this rate if s is an eigenvector of K. The larger s^T K s is, the faster the error begins to
    shrink. Frozen parameters (``requires_grad`` False) do not count.

    Parameters
    ----------
    net : module
        It maps (n, d) to (n, 1) or (n,), or to (n, c) if `output` is given. Batch norm and dropout must be in
        evaluation mode.
    x : tensor or array, shape (n, d) or (n,)
    output : int or "trace", optional
        For a network with c outputs: the number of the one whose kernel is computed, or "trace" for the sum of the
        kernels of all c.
    memory : float
        Bytes that the gradients may take. If those at all points do not fit, they are computed for blocks of points,
        and then each gradient is computed several times.

    Returns
    -------
    tensor, shape (n, n), dtype of the network

    Raises
    ------
    ValueError
        If the network has several outputs and `output` names none of them, if none of its parameters is trained, or
        if batch norm or dropout is in training mode.

    Notes
    -----
    The kernel is summed over the tensors of parameters, one at a time. For a tensor of p numbers, the gradients at n
    points are n p numbers.

    Source: Jacot et al. (2018).

    Examples
    --------
    >>> empirical_ntk(MLP([1, 1]), torch.tensor([[1.0], [2.0]]))   # h = wx + b: K = xx' + 1
    tensor([[2., 3.],
            [3., 5.]])
    """
    net = net.module if isinstance(net, (nn.DataParallel, nn.parallel.DistributedDataParallel)) else net
    parameters = {name: p.detach() for name, p in net.named_parameters()}
    trained = [name for name, p in net.named_parameters() if p.requires_grad]
    if not trained:
        raise ValueError("no parameter of this network is trained: all have requires_grad=False")
    for module in net.modules():
        if module.training and isinstance(module, (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)):
            raise ValueError(f"the network has {type(module).__name__} in training mode; call net.eval()")
    first = parameters[trained[0]]
    points = torch.as_tensor(x, device=first.device).detach()
    if points.is_floating_point():
        points = points.to(first.dtype).reshape(len(points), 1) if points.ndim == 1 else points.to(first.dtype)
    with torch.no_grad():
        outputs = functional_call(net, parameters, (points[:1],)).numel()
    if outputs > 1 and output is None:
        raise ValueError(f"the network has {outputs} outputs; choose one, output=0, or output='trace' for their sum")
    if isinstance(output, int) and not -outputs <= output < outputs or isinstance(output, str) and output != "trace":
        raise ValueError(f"output is a number below {outputs} or 'trace', not {output!r}")
    kernel = first.new_zeros(len(points), len(points))
    for chosen in range(outputs) if output == "trace" else [output or 0]:
        for name in trained:
            _add_products(kernel, _gradients(net, parameters, name, int(chosen)), points, parameters[name], memory)
    return kernel


def _gradients(
    net: nn.Module, parameters: dict[str, torch.Tensor], name: str, output: int
) -> Callable[[torch.Tensor], torch.Tensor]:
    """A function of points: gradients of one output with respect to one tensor of parameters, (points, numbers)."""

    def value(parameter: torch.Tensor, point: torch.Tensor) -> torch.Tensor:
        return functional_call(net, parameters | {name: parameter}, (point[None],)).reshape(-1)[output]

    of_each = vmap(grad(value), in_dims=(None, 0))
    return lambda points: of_each(parameters[name], points).flatten(1)


def _add_products(
    kernel: torch.Tensor,
    gradients: Callable[[torch.Tensor], torch.Tensor],
    points: torch.Tensor,
    parameter: torch.Tensor,
    memory: float,
) -> None:
    """Add the scalar products of all gradients, held for all points at once or for two blocks of them at a time."""
    n, one = len(points), parameter.numel() * parameter.element_size()
    size = n if n * one <= memory else max(1, int(memory / one / 2))
    for start in range(0, n, size):
        rows = slice(start, start + size)
        held = gradients(points[rows])
        kernel[rows, rows] += held @ held.T
        for other in range(start + size, n, size):
            columns = slice(other, other + size)
            product = held @ gradients(points[columns]).T
            kernel[rows, columns] += product
            kernel[columns, rows] += product.T
