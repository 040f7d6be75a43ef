"""Convolutional networks for 32 x 32 images, above all VGG and ResNet, which can be run in two parts."""

from collections.abc import Iterable, Sequence

import torch
from torch import nn

VGG_CONVOLUTIONS = {9: (1, 1, 2, 1, 1), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}  # in each of the five blocks
VGG_WIDTHS = (64, 128, 256, 512, 512)


class Layers(nn.Module):
    """Layers one after the other, which can be run in part.

    Parameters
    ----------
    layers : sequence of modules
        The layers in order. In a network of `vgg` or `resnet` the last three are the fully connected head.

    Notes
    -----
    ``net(x)`` runs all layers. ``net(x, stop=l)`` is the output of the first l layers, that is of the pre-condition
    component. ``net(z, start=l)`` is the output of the learning component, which comes after it. A negative l counts
    from the end, so l = -3 cuts before the head. In evaluation mode ``net(net(x, stop=l), start=l)`` equals ``net(x)``.
    In training mode this holds only without batch norm, and therefore `evaluate` calls a network in evaluation mode.
    """

    def __init__(self, layers: Iterable[nn.Module]):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: torch.Tensor, start: int = 0, stop: int | None = None) -> torch.Tensor:
        for layer in list(self.layers)[start:stop]:
            x = layer(x)
        return x


class BasicBlock(nn.Module):
    """relu(x + g(x)), where g has two 3 x 3 convolutions. If the shape changes, x first passes a 1 x 1 convolution.

    Source: He et al. (2016), fig. 2.
    """

    def __init__(self, c_in: int, c_out: int, stride: int):
        super().__init__()
        self.residual = nn.Sequential(*_convolution(c_in, c_out, stride), *_convolution(c_out, c_out)[:2])
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.shortcut = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.shortcut(x) + self.residual(x))


def vgg(depth: int, *, width: float = 1.0, head: int = 512, classes: int = 10) -> Layers:
    """VGG for 32 x 32 colour images: five blocks of 3 x 3 convolutions with batch norm, then the head.

    Parameters
    ----------
    depth : {9, 16, 19}
        Number of layers with weights: 6, 13 or 16 convolutions, and 3 fully connected layers. The five blocks of VGG-9
        have 1, 1, 2, 1 and 1 convolutions.
    width : float
        Factor on the numbers of channels, which are 64 to 512 without it.
    head : int
        Width of the two hidden layers of the head.
    classes : int

    Returns
    -------
    Layers
        Each convolution, with its batch norm and ReLU, is one layer, and so is each max-pooling. Then come the
        flattening and the three fully connected layers of the head, one layer each.

    Raises
    ------
    ValueError
        If the depth is unknown or the width leaves no channel.

    Notes
    -----
    Source: Simonyan & Zisserman (2015); batch norm and the head are those usual for CIFAR-10.

    Examples
    --------
    >>> net = vgg(9, width=0.25)
    >>> net(torch.zeros(2, 3, 32, 32)).shape, net(torch.zeros(2, 3, 32, 32), stop=-3).shape
    (torch.Size([2, 10]), torch.Size([2, 128]))
    """
    if depth not in VGG_CONVOLUTIONS or 64 * width < 1:
        raise ValueError(
            f"depth must be one of {sorted(VGG_CONVOLUTIONS)} and 64 * width at least 1, not {depth} and {width}"
        )
    layers: list[nn.Module] = []
    channels = 3
    for convolutions, c in zip(VGG_CONVOLUTIONS[depth], VGG_WIDTHS):
        for _ in range(convolutions):
            layers.append(nn.Sequential(*_convolution(channels, int(c * width))))
            channels = int(c * width)
        layers.append(nn.MaxPool2d(2))
    return Layers([*layers, nn.Flatten(), *_head(channels, head, classes)])


def resnet(stages: int, *, width: int = 64, head: int = 512, classes: int = 10) -> Layers:
    """ResNet-18 for 32 x 32 colour images, ended after some of its stages, with three fully connected layers on top.

    Parameters
    ----------
    stages : {1, 2, 3, 4}
        Number of stages, which have two basic blocks each; 4 is the whole ResNet-18.
    width : int
        Channels of the first stage. Each further stage doubles them and halves the side of the image.
    head : int
        Width of the two hidden layers of the head.
    classes : int

    Returns
    -------
    Layers
        A first convolution, the stages, global average pooling, and the three fully connected layers, one layer each.

    Raises
    ------
    ValueError
        If `stages` is not 1 to 4 or the width is not positive.

    Notes
    -----
    Source: He et al. (2016), with the 3 x 3 first convolution usual for CIFAR-10.

    Examples
    --------
    >>> net = resnet(2, width=16)
    >>> net(torch.zeros(2, 3, 32, 32), stop=-3).shape
    torch.Size([2, 32])
    """
    if stages not in (1, 2, 3, 4) or width < 1:
        raise ValueError(f"stages must be 1 to 4 and width positive, not {stages} and {width}")
    layers: list[nn.Module] = [nn.Sequential(*_convolution(3, width))]
    channels = width
    for stage in range(stages):
        c = width * 2**stage
        layers.append(nn.Sequential(BasicBlock(channels, c, 1 if stage == 0 else 2), BasicBlock(c, c, 1)))
        channels = c
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Layers([*layers, pool, *_head(channels, head, classes)])


def plain_convnet(
    *, channels: Sequence[int] = (64, 128), hidden: Sequence[int] = (800, 400, 400, 400), classes: int = 10
) -> Layers:
    """3 x 3 convolutions, each with ReLU and a max-pooling, then fully connected layers with ReLU; no batch norm.

    The convolutions have no padding. The network maps images (n, 3, 32, 32) to (n, classes).

    Source: the network behind the CIFAR-10 spectrum in figure 1.8.

    Examples
    --------
    >>> plain_convnet()(torch.zeros(1, 3, 32, 32)).shape
    torch.Size([1, 10])
    """
    layers: list[nn.Module] = []
    side, before = 32, 3
    for width in channels:
        layers += [nn.Conv2d(before, width, 3), nn.ReLU(), nn.MaxPool2d(2)]
        side, before = (side - 2) // 2, width
    layers.append(nn.Flatten())
    before *= side**2
    for width in hidden:
        layers += [nn.Linear(before, width), nn.ReLU()]
        before = width
    return Layers([*layers, nn.Linear(before, classes)])


@torch.no_grad()
def evaluate(
    net: nn.Module, x: torch.Tensor, *, start: int = 0, stop: int | None = None, batch: int = 500
) -> torch.Tensor:
    """Output of layers `start` to `stop` in evaluation mode, batch by batch; a tensor on the CPU.

    Each batch is moved to the device of the network's parameters. Afterwards the whole network is put into the mode,
    training or evaluation, that ``net.training`` named before.
    """
    training, device = net.training, next(net.parameters()).device
    net.eval()
    try:
        return torch.cat([net(part.to(device), start=start, stop=stop).cpu() for part in x.split(batch)])
    finally:
        net.train(training)


def _convolution(c_in: int, c_out: int, stride: int = 1) -> list[nn.Module]:
    """3 x 3 convolution, batch norm, ReLU."""
    return [nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU()]


def _head(c_in: int, hidden: int, classes: int) -> list[nn.Module]:
    """The three fully connected layers that all networks share but for the width of their input."""
    return [*(nn.Sequential(nn.Linear(n, hidden), nn.ReLU()) for n in (c_in, hidden)), nn.Linear(hidden, classes)]
