"""Laws of the activations, initialisations and the empirical neural tangent kernel."""

import math

import numpy as np
import pytest
import torch

from fpbook.networks import ACTIVATIONS, MLP, Antisymmetric, Ricker, Sine, empirical_ntk, normal_init, xavier_init


def ricker_spectrum(a, w):
    """Continuous Fourier transform of the activation at angular frequencies w, by quadrature."""
    x = torch.linspace(-8 * a, 8 * a, 4001, dtype=torch.float64)
    return np.trapezoid(Ricker(a)(x).numpy() * np.exp(-1j * np.outer(w, x.numpy())), x.numpy(), axis=1)


@pytest.mark.parametrize("a", [0.1, 0.3, 1.0])
def test_ricker_spectrum_has_the_closed_form(a):
    w = np.linspace(0, 6 / a, 300)
    closed = np.pi**0.25 * np.sqrt(2 * np.pi) / 15 * (a * w) ** 2 * np.exp(-((a * w) ** 2) / 2)
    np.testing.assert_allclose(ricker_spectrum(a, w), closed, atol=1e-9)


@pytest.mark.parametrize("a", [0.1, 0.3, 1.0])
def test_ricker_spectrum_peaks_at_root_two_over_a_with_one_height(a):
    w = np.linspace(0.5, 2, 3001) * np.sqrt(2) / a
    height = abs(ricker_spectrum(a, w))
    assert w[np.argmax(height)] == pytest.approx(np.sqrt(2) / a, rel=1e-3)
    assert height.max() == pytest.approx(np.pi**0.25 * np.sqrt(2 * np.pi) / 15 * 2 / np.e, rel=1e-6)


FORMULAS = {
    "tanh": lambda z: 1 - 2 / (np.exp(2 * z) + 1),
    "relu": lambda z: np.maximum(z, 0),
    "sin": lambda z: np.cos(z - np.pi / 2),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "gelu": lambda z: z * (1 + np.vectorize(math.erf)(z / np.sqrt(2))) / 2,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_named_activation_is_its_formula(name):
    z = np.linspace(-3, 3, 31)
    np.testing.assert_allclose(MLP([1, 1], name).activation(torch.tensor(z)), FORMULAS[name](z), atol=1e-12)


def test_an_mlp_is_its_formula_with_tanh_unless_another_is_named():
    torch.manual_seed(0)
    x = np.random.default_rng(0).normal(size=(6, 2))
    for activation, formula in ((None, np.tanh), ("relu", FORMULAS["relu"]), (Sine(), np.sin), (Ricker(0.5), None)):
        net = (MLP([2, 4, 3, 2], activation) if activation else MLP([2, 4, 3, 2])).double()
        w = [p.detach().numpy() for p in net.parameters()]
        formula = formula or (lambda z: np.pi**0.25 / 7.5 * (1 - 4 * z**2) * np.exp(-2 * z**2))
        hidden = formula(formula(x @ w[0].T + w[1]) @ w[2].T + w[3])
        np.testing.assert_allclose(net(torch.tensor(x)).detach(), hidden @ w[4].T + w[5], atol=1e-12)


def test_pre_condition_and_learning_component_compose_to_the_network():
    net, x = MLP([3, 7, 5, 4, 2], "relu"), torch.randn(6, 3)
    for layer in range(net.depth + 2):
        torch.testing.assert_close(net(net(x, stop=layer), start=layer), net(x))
    assert net.depth == 3
    torch.testing.assert_close(net(x, stop=0), x)  # the effective target of layer 0 is the data


def test_an_mlp_without_hidden_layer_is_linear():
    net, x = MLP([2, 1], "tanh"), torch.randn(5, 2)
    torch.testing.assert_close(net(2 * x) - net(0 * x), 2 * (net(x) - net(0 * x)))


def test_normal_init_has_the_standard_deviation_asked_for():
    torch.manual_seed(0)
    net = normal_init(MLP([50, 300, 300, 1]), std=0.07)
    values = torch.cat([p.detach().flatten() for p in net.parameters()])
    assert values.std().item() == pytest.approx(0.07, rel=0.02)
    assert net.layers[1].bias.std().item() == pytest.approx(0.07, rel=0.2)


def test_xavier_init_keeps_the_variance_rule():
    torch.manual_seed(0)
    net = xavier_init(MLP([100, 300, 1]), gain=2.0)
    assert net.layers[0].weight.var().item() == pytest.approx(4 * 2 / 400, rel=0.05)
    assert not net.layers[0].bias.any() and not net.layers[1].bias.any()
    one = xavier_init(MLP([100, 300, 1]))
    assert one.layers[0].weight.var().item() == pytest.approx(2 / 400, rel=0.05)


def test_antisymmetric_starts_at_zero_with_the_kernel_of_one_copy():
    torch.manual_seed(0)
    net, x = MLP([2, 30, 30, 1]).double(), torch.randn(6, 2, dtype=torch.float64)
    pair = Antisymmetric(net)
    assert not pair(x).any()
    assert pair.plus is not net and pair.minus is not net and pair.plus is not pair.minus
    torch.testing.assert_close(empirical_ntk(pair, x), empirical_ntk(net, x))
    with torch.no_grad():
        pair.plus.layers[0].weight.add_(1)
    assert pair(x).any()
    assert (net.layers[0].weight == pair.minus.layers[0].weight).all()


def test_empirical_ntk_is_the_gram_matrix_of_gradients():
    torch.manual_seed(0)
    net, x = MLP([2, 9, 9, 1], Ricker(0.5)).double(), torch.randn(5, 2, dtype=torch.float64)
    rows = []
    for point in x:
        net.zero_grad()
        net(point[None]).sum().backward()
        rows.append(torch.cat([p.grad.flatten() for p in net.parameters()]))
    rows = torch.stack(rows)
    kernel = empirical_ntk(net, x)
    torch.testing.assert_close(kernel, rows @ rows.T)
    assert not kernel.requires_grad  # a graph that is kept would hold the Jacobian
    torch.testing.assert_close(empirical_ntk(net, x, memory=500), kernel)  # in blocks of points


def test_gradients_of_the_empirical_ntk_stay_within_the_memory_that_is_given():
    """All of them would take 14 MB here."""
    torch.manual_seed(0)
    memory = 2**23
    net, x = MLP([1, 300, 300, 1]), torch.randn(40, 1)
    with torch.profiler.profile(profile_memory=True, record_shapes=False) as profile:
        empirical_ntk(net, x, memory=memory)
    assert max(event.self_cpu_memory_usage for event in profile.events()) <= 1.1 * memory


def test_empirical_ntk_of_several_outputs_is_that_of_one_or_their_sum():
    torch.manual_seed(0)
    net, x = MLP([2, 9, 3], "tanh").double(), torch.randn(5, 2, dtype=torch.float64)
    ones = [empirical_ntk(Picked(net, i), x) for i in range(3)]
    for i, one in enumerate(ones):
        torch.testing.assert_close(empirical_ntk(net, x, output=i), one)
    torch.testing.assert_close(empirical_ntk(net, x, output="trace"), sum(ones))
    torch.testing.assert_close(empirical_ntk(net, x.numpy(), output=0), ones[0])
    torch.testing.assert_close(empirical_ntk(torch.nn.DataParallel(net), x, output=0), ones[0])


class Picked(torch.nn.Module):
    """One output of a network, without its axis."""

    def __init__(self, net, i):
        super().__init__()
        self.net, self.i = net, i

    def forward(self, x):
        return self.net(x)[:, self.i]


def test_frozen_parameters_are_no_part_of_the_empirical_ntk():
    line = torch.nn.Linear(1, 1)
    line.bias.requires_grad_(False)
    torch.testing.assert_close(empirical_ntk(line, torch.tensor([1.0, 2.0])), torch.tensor([[1.0, 2.0], [2.0, 4.0]]))
    line.weight.requires_grad_(False)
    with pytest.raises(ValueError, match="no parameter of this network is trained"):
        empirical_ntk(line, torch.tensor([1.0]))


@pytest.mark.parametrize("part", [torch.nn.Dropout(), torch.nn.BatchNorm1d(3), torch.nn.Dropout1d()], ids=repr)
def test_the_empirical_ntk_is_of_a_network_in_evaluation_mode(part):
    torch.manual_seed(0)
    net, x = torch.nn.Sequential(torch.nn.Linear(2, 3), part, torch.nn.Linear(3, 1)), torch.randn(4, 2)
    with pytest.raises(ValueError, match=f"{type(part).__name__} in training mode"):
        empirical_ntk(net.train(), x)
    torch.testing.assert_close(empirical_ntk(net.eval(), x).diagonal() > 0, torch.ones(4, dtype=torch.bool))


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: MLP([1, 5, 1], "thanh"), "unknown activation 'thanh'"),
        (lambda: MLP([1]), "at least two"),
        (lambda: MLP([1, 0, 1]), "at least two positive"),
        (lambda: Ricker(0.0), "a > 0"),
        (lambda: Ricker(float("nan")), "a > 0"),
        (lambda: Ricker(float("inf")), "a > 0"),
        (lambda: normal_init(MLP([1, 1]), std=0), "std must be positive"),
        (lambda: empirical_ntk(MLP([1, 2]), torch.zeros(3, 1)), "2 outputs"),
        (lambda: empirical_ntk(MLP([1, 2]), torch.zeros(3, 1), output=2), "below 2 or 'trace'"),
        (lambda: empirical_ntk(torch.nn.Sequential(torch.nn.Dropout()), torch.zeros(3, 1)), "no parameter"),
        (
            lambda: empirical_ntk(torch.nn.Sequential(MLP([1, 1]), torch.nn.Dropout()), torch.zeros(3, 1)),
            "call net.eval",
        ),
    ],
)
def test_bad_input_gets_one_error_that_names_the_cause(call, names):
    with pytest.raises(ValueError, match=names):
        call()
