"""Targets against their formulas."""

import numpy as np

from fpbook.targets import cosines, hypercube, parity, runge, sines, two_halves


def test_sums_of_waves():
    x = np.linspace(-3, 3, 11)
    np.testing.assert_allclose(sines(x, (1, 3)), np.sin(x) + np.sin(3 * x))
    np.testing.assert_allclose(cosines(x, (3, 5)) - 1j * sines(x, (3, 5)), np.exp(-3j * x) + np.exp(-5j * x))


def test_two_halves_is_fast_on_the_left_and_slow_on_the_right():
    np.testing.assert_allclose(two_halves(np.array([-np.pi / 10, 0, np.pi / 2])), [-1, 0, 1])


def test_runge_is_even_with_height_one():
    assert runge(0.0) == 1 and runge(1.0) == runge(-1.0) == 1 / 26


def test_parity_flips_with_every_coordinate():
    x = hypercube(4)
    assert x.shape == (16, 4) and len(np.unique(x, axis=0)) == 16
    assert x.tolist() == sorted(x.tolist()) and x[1].tolist() == [-1, -1, -1, 1]
    assert parity(x).sum() == 0
    for j in range(4):
        flipped = x.copy()
        flipped[:, j] *= -1
        np.testing.assert_array_equal(parity(flipped), -parity(x))
