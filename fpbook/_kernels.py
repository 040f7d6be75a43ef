"""The engine of the filtering method: Gaussian means over data points for many filter variances at once."""

import numpy as np
import torch
from numpy.typing import NDArray

TILE = 512  # points a side of the square block in which kernels are held
SQUARINGS = 7  # in a row at most: each doubles the relative rounding error
NEAR = 1e-8  # pairs closer than this, relative to their distance from the mean, are measured by differences
TINY = 1e-18  # kernel values below this become 0: they cannot count, and their squares would be slow subnormal numbers


def gaussian_means(
    x: NDArray,
    y: NDArray,
    delta: NDArray,
    *,
    dtype: torch.dtype = torch.float64,
    device: str | torch.device = "cpu",
) -> NDArray[np.float64]:
    r"""Normalised Gaussian means of labels over their data points, for every filter variance at once.

    .. math:: m_i(\delta) = \sum_j G_{ij} \, y_j \Big/ \sum_j G_{ij}, \qquad G_{ij} = e^{-|x_i - x_j|^2 / (2 \delta)}

    Halving delta squares the kernel. So cut-offs whose 1/delta differ by powers of two share one exponential, and the
    others of their chain are squarings in place. Any other grid is computed one exponential a cut-off.

    Parameters
    ----------
    x : array, shape (n, d)
    y : array, shape (n, c)
    delta : array, shape (m,)
        Filter variances, positive, in any order.
    dtype : torch.dtype
        Of the kernels; distances are float64 always. In float32 the relative error of one kernel value stays below
        1e-4, that of a mean is usually 1e-6.
    device : str
        Where to compute.

    Returns
    -------
    array, shape (m, c, n)

    Notes
    -----
    Time O(n^2 (d + m c)). Memory O(n (d + m c)): no n x n matrix is held. Half of the kernel is computed, the other
    half is its mirror image. Pairs that are close to each other but far from the mean are measured by differences, so
    that clustered and repeated points keep their distances.

    Examples
    --------
    >>> gaussian_means(np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]]), np.array([1e9, 1e-9])).round(3)
    array([[[0.5, 0.5]],
    <BLANKLINE>
           [[0. , 1. ]]])
    """
    points = torch.as_tensor(x - np.mean(x, axis=0), device=device)
    ones_last = np.column_stack([y, np.ones(len(y))]).T.copy()
    labels = torch.as_tensor(ones_last, device=device, dtype=dtype)  # (c + 1, n)
    sums = torch.zeros(len(delta), *labels.shape, device=device, dtype=dtype)
    chains = _chains(1 / np.asarray(delta, dtype=float))
    tiles = [slice(start, start + TILE) for start in range(0, len(points), TILE)]
    for i, rows in enumerate(tiles):
        for columns in tiles[i:]:
            distance = _half_squares(points[rows], points[columns], same=rows == columns)
            for first, chain in chains:
                kernel = (distance * -first).to(dtype).exp_()
                for place, squarings in chain:
                    for _ in range(squarings):
                        torch.threshold_(kernel, TINY, 0).square_()
                    sums[place, :, columns] += labels[:, rows] @ kernel
                    if rows != columns:
                        sums[place, :, rows] += labels[:, columns] @ kernel.T
    return (sums[:, :-1] / sums[:, -1:]).double().cpu().numpy()


def filters(x: NDArray, delta: NDArray, *, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """The matrices whose product with labels (n, c) is `gaussian_means`: (m, n, n), rows of sum 1."""
    points = torch.as_tensor(x - np.mean(x, axis=0))
    kernels = torch.empty(len(delta), len(points), len(points), dtype=dtype)
    tiles = [slice(start, start + TILE) for start in range(0, len(points), TILE)]
    for i, rows in enumerate(tiles):
        for columns in tiles[i:]:
            distance = _half_squares(points[rows], points[columns], same=rows == columns)
            for kernel, inverse in zip(kernels, 1 / np.asarray(delta, dtype=float)):
                kernel[rows, columns] = (distance * -inverse).to(dtype).exp_()
                if rows != columns:
                    kernel[columns, rows] = kernel[rows, columns].T
    return kernels.div_(kernels.sum(2, keepdim=True))


def _chains(inverse: NDArray) -> list[tuple[float, list[tuple[int, int]]]]:
    """Group 1/delta into chains: [(first value, [(its place, squarings since the place before), ...]), ...]."""
    chains: list[tuple[float, list[tuple[int, int]], list[int]]] = []
    for place in np.argsort(inverse):
        for first, chain, done in chains:
            doublings = np.log2(inverse[place] / first)
            if abs(doublings - round(doublings)) < 1e-9 and round(doublings) <= SQUARINGS:
                chain.append((place, round(doublings) - sum(done)))
                done.append(chain[-1][1])
                break
        else:
            chains.append((inverse[place], [(place, 0)], [0]))
    return [(first, chain) for first, chain, _ in chains]


def _half_squares(a: torch.Tensor, b: torch.Tensor, *, same: bool) -> torch.Tensor:
    """|a_i - b_j|^2 / 2 for centred points, shape (len(a), len(b)); zeros on the diagonal of a block with itself."""
    size = ((a**2).sum(1)[:, None] + (b**2).sum(1)) / 2
    half = torch.addmm(size, a, b.T, alpha=-1).clamp_(min=0)
    near = half < NEAR * size
    if same:
        half.fill_diagonal_(0)
        near.fill_diagonal_(False)
    for row in near.any(1).nonzero()[:, 0]:
        columns = near[row].nonzero()[:, 0]
        half[row, columns] = ((a[row] - b[columns]) ** 2).sum(1) / 2
    return half
