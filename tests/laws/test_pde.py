"""The interface problem: both closed forms satisfy what they claim to, and the two losses tell them apart."""

import numpy as np
import pytest
import torch

from fpbook import pde


def solution(u):
    """A 'network' whose trial function is u."""
    return lambda x: u(x) / (1 - x**2)


left = torch.linspace(-0.99, -0.01, 50, dtype=torch.float64)[:, None]
right = -left
both = torch.cat([left, right])


def test_the_interface_belongs_to_its_right_side():
    zero = np.zeros(1)
    assert pde.coefficient(zero) == 1 and pde.source(zero) == -2
    assert pde.coefficient(zero - 1e-9) == 0.5 and pde.source(zero - 1e-9) == 0
    assert pde.exact_solution(zero) == pytest.approx(-2 / 3) and pde.modified_solution(zero) == pytest.approx(-1 / 2)


@pytest.mark.parametrize("u", [pde.exact_solution, pde.modified_solution])
def test_both_solutions_meet_the_boundary_and_the_pointwise_equation(u):
    np.testing.assert_allclose(u(np.array([-1.0, 1.0])), 0, atol=1e-15)
    second = pde.derivative(lambda z: pde.derivative(u, z), both)
    torch.testing.assert_close(pde.coefficient(both) * second, -pde.source(both), check_dtype=False)
    assert pde.strong_form_loss(solution(u), both).item() == pytest.approx(0, abs=1e-18)


def test_only_the_exact_solution_keeps_the_flux_and_only_the_modified_one_the_slope():
    ends = torch.tensor([[-1e-9], [1e-9]], dtype=torch.float64)
    exact, modified = (pde.derivative(u, ends)[:, 0] for u in (pde.exact_solution, pde.modified_solution))
    flux = pde.coefficient(ends)[:, 0] * exact
    assert flux[0].item() == pytest.approx(flux[1].item(), abs=1e-6)
    assert modified[0].item() == pytest.approx(modified[1].item(), abs=1e-6)
    assert abs(exact[0] - exact[1]) > 0.3


def test_the_gap_is_one_sixth_at_the_interface():
    x = np.linspace(-1, 1, 2001)
    gap = abs(pde.exact_solution(x) - pde.modified_solution(x))
    assert gap.max() == pytest.approx(1 / 6) and x[gap.argmax()] == pytest.approx(0, abs=1e-12)


def test_a_loss_is_a_mean_over_points():
    """For u = 0 the residual is f: 0 on the left and -2 on the right. For u = 1 - x^2 both losses are sums by hand."""
    nothing, one = (lambda x: 0 * x), (lambda x: 0 * x + 1)
    assert pde.strong_form_loss(nothing, both).item() == pytest.approx(2)
    assert pde.strong_form_loss(nothing, right).item() == pytest.approx(4)
    assert pde.energy_loss(nothing, both).item() == 0
    points = torch.tensor([[-0.5], [0.25]], dtype=torch.float64)
    assert pde.strong_form_loss(one, points).item() == pytest.approx(((-2 * 0.5) ** 2 + (-2 - 2) ** 2) / 2)
    energies = [0.5 * 1.0**2 / 2, 0.5**2 / 2 + 2 * (1 - 0.25**2)]
    assert pde.energy_loss(one, points).item() == pytest.approx(2 * sum(energies) / 2)
    for loss in (pde.strong_form_loss, pde.energy_loss):
        assert loss(one, points.repeat(7, 1)).item() == pytest.approx(loss(one, points).item())


def test_the_trial_function_vanishes_at_the_ends_and_derivatives_are_exact():
    x = torch.tensor([[-1.0], [0.3], [1.0]], dtype=torch.float64)
    torch.testing.assert_close(pde.trial(torch.exp)(x), (1 - x**2) * torch.exp(x))
    torch.testing.assert_close(pde.derivative(torch.sin, x), torch.cos(x))


def test_the_energy_is_least_at_the_exact_solution():
    x = (torch.arange(20_000, dtype=torch.float64)[:, None] + 0.5) / 10_000 - 1  # midpoint rule
    assert pde.energy_loss(solution(pde.exact_solution), x).item() == pytest.approx(-1 / 2, abs=1e-6)
    for bump in (0.1, -0.1):
        moved = solution(lambda x, bump=bump: pde.exact_solution(x) + bump * (1 - x**2))
        assert pde.energy_loss(moved, x) > -1 / 2 + 1e-3
    assert pde.energy_loss(solution(pde.modified_solution), x) > -1 / 2 + 1e-2
