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


def test_the_energy_is_least_at_the_exact_solution():
    x = (torch.arange(20_000, dtype=torch.float64)[:, None] + 0.5) / 10_000 - 1  # midpoint rule
    assert pde.energy_loss(solution(pde.exact_solution), x).item() == pytest.approx(-1 / 2, abs=1e-6)
    for bump in (0.1, -0.1):
        moved = solution(lambda x, bump=bump: pde.exact_solution(x) + bump * (1 - x**2))
        assert pde.energy_loss(moved, x) > -1 / 2 + 1e-3
    assert pde.energy_loss(solution(pde.modified_solution), x) > -1 / 2 + 1e-2
