r"""The elliptic interface problem of figure 1.6: its exact and its modified solution, and two losses for a network.

.. math::
    -(A u')' = f \ \text{on} \ (-1, 1), \qquad u(\pm 1) = 0, \qquad
    A = 1/2, \ f = 0 \ (x < 0), \quad A = 1, \ f = -2 \ (x \ge 0)

Functions of x take and give numpy arrays or tensors alike, elementwise.
"""

from collections.abc import Callable
from typing import TypeVar

import torch
from numpy.typing import NDArray
from torch.func import jvp

Points = TypeVar("Points", NDArray, torch.Tensor)  # elementwise functions give what they are given
Field = Callable[[torch.Tensor], torch.Tensor]  # (n, 1) -> (n, 1), a network say


def coefficient(x: Points) -> Points:
    """Diffusion coefficient A(x): 1/2 left of the interface at 0, 1 from there on (0 included)."""
    return 0.5 + 0.5 * (x >= 0)


def source(x: Points) -> Points:
    """Right-hand side f(x): 0 left of the interface, -2 from there on (0 included)."""
    return -2.0 * (x >= 0)


def exact_solution(x: Points) -> Points:
    """Solution of -(A u')' = f: the flux A u' is continuous, so the slope jumps from -2/3 to -1/3 at 0."""
    return (x < 0) * (-2 * x - 2) / 3 + (x >= 0) * (x**2 - x / 3 - 2 / 3)


def modified_solution(x: Points) -> Points:
    """Solution of -A u'' = f with u' continuous, to which residual minimisation tends (Luo & Zhou, 2025)."""
    return (x < 0) * (-x - 1) / 2 + (x >= 0) * (x**2 - x / 2 - 1 / 2)


def trial(net: Field) -> Field:
    """The function u(x) = (1 - x^2) net(x), which meets the boundary conditions for any network; x of shape (n, 1)."""
    return lambda x: (1 - x**2) * net(x)


def derivative(u: Field, x: torch.Tensor) -> torch.Tensor:
    """u'(x) of a function that acts on each row alone; x of shape (n, 1) -> (n, 1). Apply it twice for u''."""
    return jvp(u, (x,), (torch.ones_like(x),))[1]


def strong_form_loss(net: Field, x: torch.Tensor) -> torch.Tensor:
    r"""Mean squared residual of the strong form, the PINN loss; x of shape (n, 1), points away from the interface.

    .. math:: \frac{1}{n} \sum_i \big( A(x_i) u''(x_i) + f(x_i) \big)^2

    A' vanishes at every sampled point, so the jump of A never enters: exact and modified solution both have loss 0.
    Source: Raissi et al. (2019).
    """
    second = derivative(lambda z: derivative(trial(net), z), x)
    return ((coefficient(x) * second + source(x)) ** 2).mean()


def energy_loss(net: Field, x: torch.Tensor) -> torch.Tensor:
    r"""Monte Carlo estimate of the energy, the Deep Ritz loss; x of shape (n, 1), uniform in (-1, 1).

    .. math::
        \int_{-1}^{1} \tfrac12 A u'^2 - f u \; dx \approx \frac{2}{n} \sum_i \tfrac12 A(x_i) u'(x_i)^2 - f(x_i) u(x_i)

    Its minimiser over H^1 functions with zero boundary values is the exact solution, with energy -1/2.
    Source: E & Yu (2018).
    """
    u = trial(net)
    return 2 * (coefficient(x) * derivative(u, x) ** 2 / 2 - source(x) * u(x)).mean()
