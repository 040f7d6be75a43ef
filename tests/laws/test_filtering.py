"""The fast Gaussian filter against the formula: accuracy, hard point sets, block boundaries, any grid of cut-offs."""

import numpy as np
import pytest
import torch

from fpbook import _kernels, filtering
from fpbook._kernels import gaussian_means
from fpbook.filtering import (
    low_frequency_part,
    low_frequency_ratio,
    neighbour_disagreement,
    ratio_density,
    unit_distance,
)
from fpbook.spectra import principal_direction

GEOMETRIC = 1 / (0.01 * 2 ** (np.arange(32) / 4))


def direct(x, y, delta):
    """The formula by differences, one cut-off at a time: (m, c, n)."""
    square = ((x[:, None] - x[None]) ** 2).sum(2)
    means = []
    for one in delta:
        kernel = np.exp(-square / (2 * one))
        means.append((kernel @ y / kernel.sum(1, keepdims=True)).T)
    return np.array(means)


def data(n, d, c=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(n, c))


@pytest.fixture
def small_tiles(monkeypatch):
    monkeypatch.setattr(_kernels, "TILE", 16)


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 32, 33, 49])
def test_block_boundaries(n, small_tiles):
    x, y = data(n, 5)
    np.testing.assert_allclose(gaussian_means(x, y, GEOMETRIC), direct(x, y, GEOMETRIC), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype, rtol", [(torch.float64, 1e-10), (torch.float32, 1e-4)])
@pytest.mark.parametrize("d", [1, 20, 784])
def test_the_ratio_agrees_with_the_formula(d, dtype, rtol, monkeypatch):
    monkeypatch.setattr(filtering, "SINGLE_FROM", 0 if dtype is torch.float32 else 10**9)
    x, y = data(600, d)
    y = np.sign(x[:, :3]) if d > 1 else np.sin(3 * x)
    delta = GEOMETRIC * (d / 8 if d > 1 else 0.01)
    exact = (direct(x, y - y.mean(0), delta) ** 2).sum((1, 2)) / ((y - y.mean(0)) ** 2).sum()
    assert exact.min() < 0.2 and exact.max() > 0.9  # the grid spans the whole range
    np.testing.assert_allclose(low_frequency_ratio(x, y - y.mean(0), delta), exact, rtol=rtol)


def test_a_long_chain_does_not_lose_its_accuracy():
    """Twenty-four doublings of 1/delta: without new exponentials the float32 error would be doubled as often."""
    x, y = data(300, 4)
    delta = 2.0 ** -np.arange(-12, 12)
    exact = direct(x, y, delta)
    assert abs(gaussian_means(x, y, delta, dtype=torch.float32) - exact).max() < 1e-4 * abs(exact).max()
    np.testing.assert_allclose(gaussian_means(x, y, delta), exact, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "delta",
    [np.array([1.0, 0.9, 0.33, 0.1]), np.array([0.1, 3.0, 0.2, 0.1, 1.5]), np.linspace(0.1, 2, 7), np.array([0.5])],
    ids=["no chain", "unordered, with a repeat", "linear", "one"],
)
def test_any_grid(delta, small_tiles):
    x, y = data(50, 3)
    np.testing.assert_allclose(gaussian_means(x, y, delta), direct(x, y, delta), rtol=1e-10, atol=1e-13)


def test_a_geometric_grid_costs_four_exponentials_and_twenty_eight_squarings():
    chains = _kernels._chains(1 / GEOMETRIC)
    assert len(chains) == 4 and sum(squarings for _, chain in chains for _, squarings in chain) == 28
    assert sorted(place for _, chain in chains for place, _ in chain) == list(range(32))


@pytest.mark.parametrize("dtype, rtol", [(torch.float64, 1e-6), (torch.float32, 1e-4)])
@pytest.mark.parametrize("spread", [1e-3, 1e-6, 1e-8])
def test_tight_clusters_far_apart_keep_their_inner_distances(spread, dtype, rtol, small_tiles):
    """The inner product forgets distances below 1e-8 of the norms; the filter must not."""
    rng = np.random.default_rng(0)
    centres = 2.0 ** rng.integers(
        -3, 4, (4, 8)
    )  # so that differences within a cluster are exact to rounding of the points
    inner = rng.normal(size=(60, 8))
    x = np.repeat(centres, 15, axis=0) + spread * inner
    y = rng.normal(size=(60, 2))
    delta = spread**2 * np.array([16.0, 8.0, 4.0, 2.0, 1.0])
    np.testing.assert_allclose(gaussian_means(x, y, delta, dtype=dtype), direct(x, y, delta), rtol=rtol, atol=rtol)


def test_repeated_points_share_one_mean(small_tiles):
    x, y = data(20, 6)
    x = 100 + np.repeat(x, 3, axis=0)
    y = np.random.default_rng(1).normal(size=(60, 2))
    low = gaussian_means(x, y, [1e-14, 1e-18])  # far below any distance but zero
    np.testing.assert_allclose(
        low, np.broadcast_to(np.repeat(y.reshape(20, 3, 2).mean(1), 3, axis=0).T, low.shape), atol=1e-12
    )


def test_far_from_the_origin():
    x, y = data(100, 5)
    np.testing.assert_allclose(gaussian_means(x + 1e6, y, GEOMETRIC), gaussian_means(x, y, GEOMETRIC), atol=1e-7)


def test_one_cut_off_and_many_agree():
    x, y = data(200, 7)
    for i in (0, 13, 31):
        np.testing.assert_allclose(
            low_frequency_part(x, y, GEOMETRIC[i]), gaussian_means(x, y, GEOMETRIC)[i].T, atol=1e-12
        )
    assert low_frequency_part(x, y[:, 0], 1.0).shape == (200,)


def test_memory_stays_below_a_kernel_matrix():
    """The largest tensor made on the way holds a block, or one number a point: never n x n."""
    n = 4000
    x, y = data(n, 2)
    with torch.profiler.profile(profile_memory=True, record_shapes=False) as profile:
        gaussian_means(x, y, [1.0, 0.5])
    assert max(event.self_cpu_memory_usage for event in profile.events()) < 0.2 * n * n * 8


def test_the_log_density_integrates_to_the_same_share():
    k0 = np.geomspace(0.1, 30, 200)
    lfr = np.exp(-4 / k0**2)
    density = ratio_density(k0, lfr, log=True)
    assert np.trapezoid(density, np.log(k0)) == pytest.approx(lfr[-1] - lfr[0], rel=1e-3)
    np.testing.assert_allclose(density[5:-5], (k0 * ratio_density(k0, lfr))[5:-5], rtol=0.02, atol=1e-6)
    assert k0[density.argmax()] == pytest.approx(
        2, rel=0.02
    )  # of (8 / k0^2) exp(-4 / k0^2), the maximum is at k0 = w = 2
    with pytest.raises(ValueError, match="positive cut-offs"):
        ratio_density([0.0, 1.0, 2.0], [0.1, 0.2, 0.3], log=True)


@pytest.mark.parametrize("delta", [[0.1, 0.0], [[0.1]], [np.nan]])
def test_bad_variances(delta):
    x, y = data(5, 2)
    with pytest.raises(ValueError, match="delta"):
        low_frequency_ratio(x, y, delta)
    with pytest.raises(ValueError, match="delta"):
        low_frequency_part(x, y, delta)


def test_many_variances_are_each_one_alone():
    x, y = data(30, 2)
    delta = [0.1, 0.2, 0.37]
    for labels in (y, y[:, 0] if y.ndim > 1 else np.column_stack([y, y**2])):
        together = low_frequency_part(x, labels, delta)
        np.testing.assert_allclose(together, [low_frequency_part(x, labels, one) for one in delta], atol=1e-12)


def test_unit_distance_is_the_mean_over_all_pairs():
    x, y = data(60, 5)
    scaled, scale = unit_distance(3 * x + 7)
    square = ((scaled[:, None] - scaled[None]) ** 2).sum(2)
    assert square.sum() / (60 * 59) == pytest.approx(1) and unit_distance(scaled)[1] == pytest.approx(1)
    k0 = np.array([0.5, 2.0])
    np.testing.assert_allclose(
        low_frequency_ratio(3 * x, y, 1 / k0**2), low_frequency_ratio(scaled, y, 1 / (k0**2 * scale))
    )
    with pytest.raises(ValueError, match="all points are the same"):
        unit_distance(np.ones((4, 2)))


def test_neighbours_of_another_class(small_tiles):
    """Against distances by differences; the share rises with the frequency of the label function."""
    x, _ = data(70, 3)
    for y in (x[:, 0] > 0, np.sin(9 * x[:, 0]) > 0):
        square = ((x[:, None] - x[None]) ** 2).sum(2)
        np.fill_diagonal(square, np.inf)
        nearest = np.argsort(square, axis=1)[:, :5]
        np.testing.assert_allclose(neighbour_disagreement(x, y, neighbours=5), (y[nearest] != y[:, None]).mean(1))
    smooth, rough = (neighbour_disagreement(x, np.sin(w * x[:, 0]) > 0).mean() for w in (1, 9))
    assert smooth < 0.6 * rough
    for wrong in (0, 70):
        with pytest.raises(ValueError, match="neighbours"):
            neighbour_disagreement(x, y, neighbours=wrong)


def test_the_principal_direction_has_the_largest_variance():
    rng = np.random.default_rng(0)
    true = np.array([3.0, -4.0, 0.0]) / 5
    x = 100 + rng.normal(size=(500, 1)) * 5 * true + 0.1 * rng.normal(size=(500, 3))
    found = principal_direction(x)
    np.testing.assert_allclose(found, -true, atol=0.01)
    assert np.linalg.norm(found) == pytest.approx(1)
    np.testing.assert_allclose(
        principal_direction(x[:2]), np.sign(x[0] - x[1])[1] * (x[0] - x[1]) / np.linalg.norm(x[0] - x[1]), rtol=1e-9
    )
    wide = rng.normal(size=(6, 9))  # fewer points than dimensions: the same direction as by singular values
    np.testing.assert_allclose(abs(principal_direction(wide)), abs(np.linalg.svd(wide - wide.mean(0))[2][0]), rtol=1e-9)
