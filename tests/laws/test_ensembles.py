"""An ensemble equals its members trained alone: every kind of network, data, loss and optimiser that the pages use."""

import copy
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fpbook import pde
from fpbook.networks import MLP, Antisymmetric, Ricker, Sine, xavier_init
from fpbook.training import mean_squared_error, minibatches, seeded, train

adam = partial(torch.optim.Adam, lr=1e-3)
sgd = partial(torch.optim.SGD, lr=1e-2, momentum=0.9)
x = torch.linspace(-3, 3, 25, dtype=torch.float64)[:, None]
y = torch.sin(x)
SEEDS = 3


class Residual(nn.Module):
    """A network that is no chain: only `vmap` can train it as an ensemble."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(1, 9), nn.Linear(9, 1)

    def forward(self, x):
        return x + self.last(torch.tanh(self.first(x)))


class Half(nn.Linear):
    """A linear layer by type, and another function."""

    def forward(self, x):
        return super().forward(x) / 2


class Doubled(nn.Sequential):
    """A container by type that does more than call what it holds."""

    def forward(self, x):
        return 2 * super().forward(x)


def shared():
    """Two layers with one weight."""
    chain = nn.Sequential(nn.Linear(1, 9), nn.Tanh(), nn.Linear(9, 9), nn.Tanh(), nn.Linear(9, 9), nn.Linear(9, 1))
    chain[4].weight = chain[2].weight
    return chain


KINDS = {
    "tanh": lambda: MLP([1, 20, 20, 1]),
    "ricker": lambda: xavier_init(MLP([1, 30, 1], Ricker(0.3))),
    "sine": lambda: MLP([1, 20, 1], Sine()),
    "relu": lambda: MLP([1, 20, 20, 1], "relu"),
    "gelu": lambda: MLP([1, 20, 1], "gelu"),
    "linear": lambda: MLP([1, 1]),
    "antisymmetric": lambda: Antisymmetric(MLP([1, 20, 1], Ricker(1.0))),
    "sequence": lambda: nn.Sequential(nn.Linear(1, 9), nn.Sigmoid(), nn.Linear(9, 1)),
    "no bias": lambda: nn.Sequential(nn.Linear(1, 9, bias=False), nn.Tanh(), nn.Linear(9, 1)),
    "layer norm": lambda: nn.Sequential(nn.Linear(1, 9), nn.LayerNorm(9), nn.Tanh(), nn.Linear(9, 1)),
    "own module": Residual,
    "own linear layer": lambda: nn.Sequential(nn.Linear(1, 9), nn.Tanh(), Half(9, 1)),
    "own container": lambda: Doubled(nn.Linear(1, 9), nn.Tanh(), nn.Linear(9, 1)),
    "one weight twice": shared,
    "one layer": lambda: nn.Linear(1, 1),
}


def make(kind="tanh", n=SEEDS):
    return [net.double() for net in seeded(KINDS[kind], range(n))]


def weights(net):
    return torch.cat([p.detach().flatten().cpu() for p in net.parameters()])


def assert_equal(together, history, alone, s):
    """Member s of the ensemble, after training, against the network trained alone."""
    net, one = alone
    torch.testing.assert_close(weights(together[s]), weights(net), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(history["loss"][: len(one["loss"]), s], one["loss"], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_network(kind, device):
    grid, label = x.to(device), y.to(device)
    together, alone = ([net.to(device) for net in make(kind)] for _ in range(2))
    before = [weights(net) for net in together]
    how = {"steps": 60, "optimizer": adam, "record": {"h": lambda net: net(grid)}, "every": 15}
    history = train(together, lambda net: mean_squared_error(net, grid, label), **how)
    assert history["h"].shape == (5, SEEDS, 25, 1)
    for s, net in enumerate(alone):
        one = train(net, lambda net: mean_squared_error(net, grid, label), **how)
        assert_equal(together, history, (net, one), s)
        np.testing.assert_allclose(history["h"][:, s], one["h"], rtol=1e-10, atol=1e-10)
        assert not torch.equal(weights(net), before[s])


@pytest.mark.parametrize("kind", ["tanh", "antisymmetric", "own module"])
def test_a_list_of_one_network_is_an_ensemble_of_one(kind):
    (member,), (net,) = make(kind, 1), make(kind, 1)
    how = {"steps": 5, "optimizer": adam, "record": {"h": lambda net: net(x)}, "every": 5}
    history = train([member], lambda net: mean_squared_error(net, x, y), **how)
    one = train(net, lambda net: mean_squared_error(net, x, y), **how)
    assert history["loss"].shape == (6, 1) and history["h"].shape == (2, 1, 25, 1)
    assert_equal([member], history, (net, one), 0)


@pytest.mark.parametrize("optimizer", [adam, sgd, partial(torch.optim.Adam, lr=1e-3, fused=True)])
@pytest.mark.parametrize("kind", ["tanh", "own module"])
def test_labels_of_their_own(kind, optimizer):
    labels = torch.stack([torch.sin((s + 1) * x) for s in range(SEEDS)])
    together, alone = make(kind), make(kind)
    how = {"steps": 60, "optimizer": optimizer, "every": 60}
    history = train(together, lambda net, y: mean_squared_error(net, x, y), member_data=(labels,), **how)
    for s, net in enumerate(alone):
        one = train(net, lambda net, y=labels[s]: mean_squared_error(net, x, y), **how)
        assert_equal(together, history, (net, one), s)


@pytest.mark.parametrize("kind", ["tanh", "antisymmetric", "own module"])
def test_points_of_their_own(kind):
    points = torch.stack([x + 0.1 * s for s in range(SEEDS)])
    together, alone = make(kind), make(kind)
    how = {"steps": 60, "optimizer": adam, "every": 60}
    history = train(together, lambda net, x: mean_squared_error(net, x, y), member_data=(points,), **how)
    for s, net in enumerate(alone):
        one = train(net, lambda net, x=points[s]: mean_squared_error(net, x, y), **how)
        assert_equal(together, history, (net, one), s)


@pytest.mark.parametrize("kind", ["tanh", "antisymmetric", "own module"])
def test_points_of_their_own_cost_as_much_for_each_member(kind):
    """Outputs of all members at each member's points would be members times too many."""

    def products(members):
        points = torch.stack([x + 0.1 * s for s in range(members)])
        with FlopCounterMode(display=False) as counter:
            how = {"steps": 3, "optimizer": adam, "every": 3}
            train(make(kind, members), lambda net, x: mean_squared_error(net, x, y), member_data=(points,), **how)
        return counter.get_total_flops()

    assert products(8) < 3 * products(4) and products(4) > 0


@pytest.mark.parametrize("kind", ["tanh", "own module"])
def test_what_is_frozen_stays_in_each_member(kind):
    together, alone = make(kind), make(kind)
    for net in [*together, *alone]:
        next(net.parameters()).requires_grad_(False)  # the weights of the first layer, and not its biases
    before = [[p.detach().clone() for p in net.parameters()] for net in together]
    how = {"steps": 5, "optimizer": adam, "every": 5}
    history = train(together, lambda net: mean_squared_error(net, x, y), **how)
    for s, net in enumerate(alone):
        one = train(net, lambda net: mean_squared_error(net, x, y), **how)
        assert_equal(together, history, (net, one), s)
        same = [torch.equal(old, new) for old, new in zip(before[s], together[s].parameters())]
        assert same == [True] + [False] * (len(same) - 1)


@pytest.mark.parametrize("kind", ["tanh", "own module"])
def test_a_loss_may_give_a_network_its_own_output(kind):
    """The second call is at points that differ between the members, though they have no data of their own."""
    together, alone = make(kind), make(kind)

    def loss(net):
        return ((net(net(x)) - y) ** 2).mean()

    how = {"steps": 20, "optimizer": adam, "every": 20}
    history = train(together, loss, **how)
    for s, net in enumerate(alone):
        assert_equal(together, history, (net, train(net, loss, **how)), s)


@pytest.mark.parametrize("kind", ["tanh", "own module"])
def test_data_come_before_batches(kind):
    factors = torch.tensor([1.0, 2.0, -1.0], dtype=torch.float64)
    together, alone = make(kind), make(kind)

    def loss(net, factor, points, labels):
        return mean_squared_error(net, points, factor * labels)

    def batches():
        return minibatches(x, y, size=10, seed=4)

    history = train(together, loss, steps=60, optimizer=sgd, member_data=(factors,), batches=batches())
    for s, net in enumerate(alone):
        own = partial(loss, factor=factors[s])
        one = train(
            net, lambda net, a, b, own=own: own(net, points=a, labels=b), steps=60, optimizer=sgd, batches=batches()
        )
        assert_equal(together, history, (net, one), s)


@pytest.mark.parametrize("loss", [pde.strong_form_loss, pde.energy_loss])
@pytest.mark.parametrize("own", [False, True])
def test_losses_with_derivatives(loss, own):
    points = torch.rand(SEEDS, 12, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 1.9 - 0.95
    together, alone = make(), make()
    how = {"steps": 15, "optimizer": adam, "every": 15}
    if own:
        history = train(together, loss, member_data=(points,), **how)
    else:
        history = train(together, lambda net: loss(net, points[0]), **how)
    for s, net in enumerate(alone):
        one = train(net, lambda net, s=s: loss(net, points[s if own else 0]), **how)
        assert_equal(together, history, (net, one), s)


def test_each_member_stops_as_if_alone_and_stays():
    loss = 0.05
    together, alone = make(), make()
    quick = partial(torch.optim.Adam, lr=1e-2)
    record = {"h": lambda net: net(x)}
    history = train(
        together, lambda net: mean_squared_error(net, x, y), steps=400, optimizer=quick, stop=loss, record=record
    )
    assert len(set(history["stopped"].tolist())) > 1 and (history["stopped"] > 0).all()
    assert history["step"][-1] == history["stopped"].max() == len(history["loss"]) - 1
    for s, net in enumerate(alone):
        one = train(net, lambda net: mean_squared_error(net, x, y), steps=400, optimizer=quick, stop=loss)
        assert one["stopped"] == history["stopped"][s] == one["step"][-1]
        assert one["loss"][-1] < loss <= one["loss"][-2]
        assert_equal(together, history, (net, one), s)
        np.testing.assert_array_equal(history["loss"][one["stopped"] :, s], history["loss"][one["stopped"], s])


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"antisymmetric"}))  # of which all members start at zero
def test_a_member_that_is_fitted_from_the_start_is_left_as_it_is_while_the_others_are_trained(kind):
    nets = make(kind)
    goal, before = nets[0](x).detach() + 0.01, [weights(net) for net in nets]
    stop = 2 * mean_squared_error(nets[0], x, goal).item()
    history = train(nets, lambda net: mean_squared_error(net, x, goal), steps=3, optimizer=adam, stop=stop)
    assert history["stopped"].tolist() == [0] + [-1] * (len(nets) - 1)
    assert [bool((weights(net) == old).all()) for net, old in zip(nets, before)] == [True] + [False] * (len(nets) - 1)


def test_a_loss_equal_to_the_tolerance_does_not_stop():
    net = nn.Linear(1, 1)
    still = partial(torch.optim.SGD, lr=0.0)
    assert train(net, lambda net: 0 * net.weight.sum() + 0.5, steps=3, optimizer=still, stop=0.5)["stopped"] == -1
    assert train(net, lambda net: 0 * net.weight.sum() + 0.5, steps=3, optimizer=still, stop=0.51)["stopped"] == 0


@pytest.mark.parametrize("kind", ["tanh", "own module"])
def test_members_draw_random_numbers_of_their_own(kind):
    one = make(kind, 1)[0]
    twins = [copy.deepcopy(one), copy.deepcopy(one)]
    history = train(twins, lambda net: (net(x + torch.rand_like(x)) ** 2).mean(), steps=1, optimizer=adam)
    assert history["loss"][0, 0] != history["loss"][0, 1]
    dropped = [nn.Sequential(nn.Linear(1, 50), nn.Dropout(0.5), nn.Linear(50, 1)).double() for _ in range(2)]
    dropped[1].load_state_dict(dropped[0].state_dict())
    history = train(dropped, lambda net: mean_squared_error(net, x, y), steps=1, optimizer=adam)
    assert history["loss"][0, 0] != history["loss"][0, 1]


def test_members_that_differ_in_more_than_their_parameters_are_refused():
    for nets in ([MLP([1, 9, 1], Ricker(a)) for a in (0.3, 1.0)], [MLP([1, 9, 1], name) for name in ("tanh", "relu")]):
        with pytest.raises(ValueError, match="differ in nothing but their parameters.*in a loop"):
            train(nets, lambda net: mean_squared_error(net, x.float(), y.float()), steps=1, optimizer=adam)


def test_a_layer_in_two_places_is_trained_as_alone():
    def tied(seed):
        torch.manual_seed(seed)
        layer = nn.Linear(9, 9)
        return nn.Sequential(nn.Linear(1, 9), nn.Tanh(), layer, nn.Tanh(), layer, nn.Tanh(), nn.Linear(9, 1)).double()

    def loss(net):
        return mean_squared_error(net, x, y)

    together = train([tied(0), tied(1)], loss, steps=20, optimizer=adam)["loss"]
    alone = [train(tied(seed), loss, steps=20, optimizer=adam)["loss"] for seed in (0, 1)]
    np.testing.assert_allclose(together, np.stack(alone, 1), rtol=1e-9)


def test_a_schedule_is_that_of_all_members():
    halt = partial(torch.optim.lr_scheduler.LambdaLR, lr_lambda=lambda step: float(step < 5))
    steep = partial(torch.optim.SGD, lr=0.1)
    loss = train(make(), lambda net: mean_squared_error(net, x, y), steps=20, optimizer=steep, schedule=halt)["loss"]
    assert (loss[5] < loss[0]).all()
    np.testing.assert_array_equal(loss[5:], np.broadcast_to(loss[5], loss[5:].shape))


def test_the_networks_handed_in_are_the_trained_ones():
    nets = make()
    parameters = [list(net.parameters()) for net in nets]
    train(nets, lambda net: mean_squared_error(net, x, y), steps=2, optimizer=adam)
    assert all(a is b for net, old in zip(nets, parameters) for a, b in zip(net.parameters(), old, strict=True))
    assert all(p.shape == q.shape for p, q in zip(nets[0].parameters(), make()[0].parameters()))


LOSSES = {  # and whether one call on the stacked network gives the loss of each member
    "mean squared error": (lambda net: mean_squared_error(net, x, y), True),
    "of two point sets": (lambda net: mean_squared_error(net, x, y) + 3 * mean_squared_error(net, x[:5], y[:5]), True),
    "mean of all": (lambda net: ((net(x) - y) ** 2).mean(), False),
    "a column, which of all members would be a point": (lambda net: ((net(x)[:, 0] - y[:, 0]) ** 2).mean(-1), False),
    "the first point": (lambda net: (net(x)[0] ** 2).sum(-1), False),
    "the largest of the points": (lambda net: ((net(x) - y) ** 2).amax((-2, -1)), True),
}


@pytest.mark.parametrize(("loss", "at_once"), LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("make", [lambda: MLP([1, 9, 1]).double(), lambda: Antisymmetric(MLP([1, 9, 1]).double())])
def test_a_loss_that_keeps_leading_axes_is_called_once_and_no_other(loss, at_once, make):
    together, alone = (seeded(make, range(len(x))) for _ in range(2))  # as many as points: shapes decide nothing
    axes, state = [], torch.random.get_rng_state()

    def watched(net):
        def outputs(points):
            out = net(points)
            axes.append(out.ndim)
            return out

        return loss(outputs)

    history = train(together, watched, steps=3, optimizer=adam)
    assert (axes[-1] == 3) is at_once and (state == torch.random.get_rng_state()).all()
    for s, net in enumerate(alone):
        one = train(net, loss, steps=3, optimizer=adam)
        assert_equal(together, history, (net, one), s)
