r"""The elliptic interface problem of figure 1.6: its exact and its modified solution, and two losses for a network.

.. math::
    -(A u')' = f \ \text{on} \ (-1, 1), \qquad u(\pm 1) = 0, \qquad
    A = 1/2, \ f = 0 \ (x < 0), \quad A = 1, \ f = -2 \ (x \ge 0)

The coefficient, the right-hand side and both solutions take and give numpy arrays or tensors, elementwise. The losses
take a network and tensors.
"""

from collections.abc import Callable
from typing import TypeVar

import torch
from numpy.typing import NDArray
from torch.func import jvp

Points = TypeVar("Points", NDArray, torch.Tensor)  # elementwise functions give what they are given
Field = Callable[[torch.Tensor], torch.Tensor]  # (n, 1) -> (n, 1), a network say


def coefficient(x: Points) -> Points:
    """Diffusion coefficient A(x): 1/2 for x < 0 and 1 for x >= 0."""
    return 0.5 + 0.5 * (x >= 0)


def source(x: Points) -> Points:
    """Right-hand side f(x): 0 for x < 0 and -2 for x >= 0."""
    return -2.0 * (x >= 0)


def exact_solution(x: Points) -> Points:
    """Solution of -(A u')' = f. The flux A u' is continuous at 0, so the slope u' jumps there from -2/3 to -1/3."""
    return (x < 0) * (-2 * x - 2) / 3 + (x >= 0) * (x**2 - x / 3 - 2 / 3)


def modified_solution(x: Points) -> Points:
    """Solution of -A u'' = f with u' continuous at 0. Minimizing the residual leads to it (Luo & Zhou, 2025)."""
    return (x < 0) * (-x - 1) / 2 + (x >= 0) * (x**2 - x / 2 - 1 / 2)


def trial(net: Field) -> Field:
    """The function u(x) = (1 - x^2) net(x), which meets the boundary conditions for any network; x of shape (n, 1)."""
    return lambda x: (1 - x**2) * net(x)


def derivative(u: Field, x: torch.Tensor) -> torch.Tensor:
    """u'(x) of a function that acts on each row by itself; x of shape (n, 1) -> (n, 1). Apply it twice for u''."""
    return jvp(u, (x,), (torch.ones_like(x),))[1]


def strong_form_loss(net: Field, x: torch.Tensor) -> torch.Tensor:
    r"""Mean squared residual of the strong form, the PINN loss; x of shape (n, 1), points away from the interface.

    .. math:: \frac{1}{n} \sum_i \big( A(x_i) u''(x_i) + f(x_i) \big)^2

    Here u is ``trial(net)``. At every sampled point A' = 0, so the loss never sees the jump of A. This is why the exact
    and the modified solution both have loss 0.

    Source: Raissi et al. (2019).
    """
    second = derivative(lambda z: derivative(trial(net), z), x)
    return ((coefficient(x) * second + source(x)) ** 2).mean()


def energy_loss(net: Field, x: torch.Tensor) -> torch.Tensor:
    r"""Monte Carlo estimate of the energy, the Deep Ritz loss; x of shape (n, 1), uniform in (-1, 1).

    .. math::
        \int_{-1}^{1} \tfrac12 A u'^2 - f u \; dx \approx \frac{2}{n} \sum_i \tfrac12 A(x_i) u'(x_i)^2 - f(x_i) u(x_i)

    Here u is ``trial(net)``. Among the H^1 functions with zero boundary values the exact solution has the lowest
    energy, which is -1/2.

    Source: E & Yu (2018).
    """
    u = trial(net)
    return 2 * (coefficient(x) * derivative(u, x) ** 2 / 2 - source(x) * u(x)).mean()
