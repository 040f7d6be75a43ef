"""The loop: an ensemble equals its members trained alone, stopping, records, mini-batches, errors."""

import itertools
from functools import partial

import numpy as np
import pytest
import torch

from fpbook.networks import MLP
from fpbook.training import column, minibatches, train

adam = partial(torch.optim.Adam, lr=1e-2)
x = torch.linspace(-3, 3, 25, dtype=torch.float64)[:, None]


def make(seeds, device="cpu", widths=(1, 20, 20, 1)):
    nets = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        nets.append(MLP(widths).double().to(device))
    return nets


def mse(net, x, y):
    return ((net(x) - y) ** 2).mean()


def weights(net):
    return torch.cat([p.detach().flatten().cpu() for p in net.parameters()])


@pytest.mark.parametrize("optimizer", [adam, partial(torch.optim.SGD, lr=1e-2, momentum=0.9)])
def test_an_ensemble_equals_its_members_trained_alone(optimizer, device):
    grid = x.to(device)
    y = torch.stack([torch.sin((s + 1) * grid) for s in range(3)])
    record = {"h": lambda net: net(grid)}
    together, alone = make(3, device), make(3, device)
    history = train(
        together,
        lambda net, y: mse(net, grid, y),
        steps=200,
        optimizer=optimizer,
        member_data=(y,),
        record=record,
        every=50,
    )
    for s, net in enumerate(alone):
        one = train(net, lambda net, y=y[s]: mse(net, grid, y), steps=200, optimizer=optimizer, record=record, every=50)
        np.testing.assert_allclose(history["loss"][:, s], one["loss"], rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(history["h"][:, s], one["h"], rtol=1e-7, atol=1e-9)
        torch.testing.assert_close(weights(together[s]), weights(net), rtol=1e-7, atol=1e-9)


def test_each_member_stops_as_if_alone():
    y, loss = torch.sin(x), 0.05
    together, alone = make(3), make(3)
    history = train(together, lambda net: mse(net, x, y), steps=400, optimizer=adam, stop=loss)
    assert len(set(history["stopped"].tolist())) > 1 and (history["stopped"] > 0).all()
    for s, net in enumerate(alone):
        one = train(net, lambda net: mse(net, x, y), steps=400, optimizer=adam, stop=loss)
        assert one["stopped"] == history["stopped"][s] == one["step"][-1]
        assert one["loss"][-1] < loss <= one["loss"][-2]
        torch.testing.assert_close(weights(together[s]), weights(net), rtol=1e-7, atol=1e-9)


def test_the_schedule_is_followed():
    y = torch.sin(x)
    halt = partial(torch.optim.lr_scheduler.LambdaLR, lr_lambda=lambda step: float(step < 5))
    loss = train(
        make(2), lambda net: mse(net, x, y), steps=20, optimizer=partial(torch.optim.SGD, lr=0.1), schedule=halt
    )["loss"]
    assert (loss[5] < loss[0]).all()
    np.testing.assert_array_equal(loss[5:], np.broadcast_to(loss[5], loss[5:].shape))


def test_one_step_of_gradient_descent_is_the_formula():
    net = torch.nn.Linear(1, 1, bias=False).double()
    w = net.weight.item()
    history = train(net, lambda net: mse(net, x, 2 * x), steps=1, optimizer=partial(torch.optim.SGD, lr=0.01))
    gradient = (2 * (w - 2) * x**2).mean().item()
    assert net.weight.item() == pytest.approx(w - 0.01 * gradient, rel=1e-12)
    assert history["loss"] == pytest.approx(
        [((w - 2) ** 2 * x**2).mean().item(), ((net.weight.item() - 2) ** 2 * x**2).mean().item()]
    )


def test_records_are_taken_at_the_steps_asked_for_and_at_the_last():
    record = {"w": lambda net: net(x).mean()}
    history = train(make(2), lambda net: mse(net, x, x), steps=25, optimizer=adam, record=record, every=[0, 7, 40])
    np.testing.assert_array_equal(history["step"], [0, 7, 25])
    assert history["w"].shape == (3, 2) and history["loss"].shape == (26, 2)
    assert (history["stopped"] == -1).all()


def test_a_recorded_parameter_is_kept_as_it_was_at_its_step():
    net = torch.nn.Linear(1, 1).double()
    before = net.weight.detach().clone()
    history = train(net, lambda net: mse(net, x, 2 * x), steps=5, optimizer=adam, record={"w": lambda net: net.weight})
    assert history["w"][0] == before.numpy() and history["w"][-1] == net.weight.detach().numpy()
    assert (history["w"][0] != history["w"][-1]).all()


def test_dtype_follows_the_network():
    assert train(make(2), lambda net: mse(net, x, x), steps=1, optimizer=adam)["loss"].dtype == np.float64
    assert (
        train(MLP([1, 1]), lambda net: mse(net, x.float(), x.float()), steps=1, optimizer=adam)["loss"].dtype
        == np.float32
    )


def test_minibatches_show_each_sample_once_an_epoch():
    rows = torch.arange(10)
    batches = minibatches(rows, 2 * rows, size=4, seed=0)
    epochs = [[next(batches) for _ in range(3)] for _ in range(2)]
    for epoch in epochs:
        assert sorted(torch.cat([a for a, _ in epoch]).tolist()) == list(range(10))
        assert all((b == 2 * a).all() for a, b in epoch)
    assert not torch.equal(epochs[0][0][0], epochs[1][0][0])
    torch.testing.assert_close(next(minibatches(rows, size=4, seed=0))[0], epochs[0][0][0])


def test_training_on_minibatches_lowers_the_whole_loss():
    nets, y = make(2), torch.sin(x)
    whole = {"mse": lambda net: mse(net, x, y)}
    history = train(
        nets, mse, steps=150, optimizer=adam, batches=minibatches(x, y, size=10, seed=0), record=whole, every=150
    )
    assert (history["mse"][-1] < history["mse"][0] / 3).all()


def test_a_loss_that_diverges_is_one_error_with_its_step():
    with pytest.raises(FloatingPointError, match=r"no longer finite at step \d+"):
        train(make(2), lambda net: mse(net, x, 1e150 * x) ** 2, steps=50, optimizer=partial(torch.optim.SGD, lr=1e9))


def test_column():
    assert column(np.arange(3)).shape == (3, 1) and column([1.0]).dtype == torch.float32


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: train([], None, steps=1, optimizer=adam), "list is empty"),
        (lambda: train([MLP([1, 2, 1]), MLP([1, 3, 1])], None, steps=1, optimizer=adam), "one shape"),
        (lambda: train([torch.nn.BatchNorm1d(2)] * 2, None, steps=1, optimizer=adam), "batch norm"),
        (
            lambda: train(MLP([1, 1]), None, steps=1, optimizer=adam, record={"loss": None}),
            "reserved|names of the history",
        ),
        (lambda: next(minibatches(x, x[:3], size=2, seed=0)), "one length"),
    ],
)
def test_bad_input_gets_one_error_that_names_the_cause(call, names):
    with pytest.raises(ValueError, match=names):
        call()


def test_training_ends_where_its_progress_ends_and_records_that_step():
    def run(**options):
        torch.manual_seed(0)
        net = torch.nn.Linear(1, 1)
        sgd = partial(torch.optim.SGD, lr=0.1)
        history = train(
            net,
            lambda net: (net.weight**2).sum(),
            optimizer=sgd,
            record={"w": lambda net: net.weight},
            every=100,
            **options,
        )
        return history, net.weight

    ended, weight = run(steps=100, progress=lambda steps: itertools.islice(steps, 6))
    whole, expected = run(steps=5)
    assert list(ended["step"]) == [0, 5] and len(ended["loss"]) == 6
    torch.testing.assert_close(weight, expected)
    np.testing.assert_array_equal(ended["w"], whole["w"])
