"""The loop: the formula of a step, stopping, records, mini-batches, divergence, threads, errors."""

import itertools
from functools import partial

import numpy as np
import pytest
import torch

from fpbook.networks import MLP
from fpbook.training import column, cross_entropy, mean_squared_error, minibatches, seeded, train

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


def test_the_schedule_is_followed():
    y = torch.sin(x)
    halt = partial(torch.optim.lr_scheduler.LambdaLR, lr_lambda=lambda step: float(step < 5))
    loss = train(
        make(2), lambda net: mse(net, x, y), steps=20, optimizer=partial(torch.optim.SGD, lr=0.1), schedule=halt
    )["loss"]
    assert (np.diff(loss[:6], axis=0) < 0).all()  # five updates, the first of them at the first rate
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


def test_the_order_of_minibatches_depends_on_their_seed_alone():
    rows = torch.arange(50)

    def order(seed, epochs=2):
        torch.manual_seed(np.random.default_rng().integers(1000))  # the global generator must not matter
        batches = minibatches(rows, size=20, seed=seed)
        return [torch.cat([next(batches)[0] for _ in range(3)]).tolist() for _ in range(epochs)]

    assert order(0) == order(0)
    assert len({tuple(epoch) for seed in range(3) for epoch in order(seed)}) == 6
    assert [len(batch) for (batch,) in itertools.islice(minibatches(rows, size=20, seed=0), 3)] == [20, 20, 10]


def test_a_batch_is_drawn_for_each_update_and_none_more():
    drawn = []

    def batches():
        while True:
            drawn.append(len(drawn))
            yield x, torch.sin(x)

    history = train(MLP([1, 5, 1]).double(), mse, steps=7, optimizer=adam, batches=batches())
    assert len(drawn) == 7 and len(history["loss"]) == 7 and history["step"][-1] == 7


def test_the_loss_with_batches_is_that_of_the_batch_of_its_update():
    net = torch.nn.Linear(1, 1).double()
    whole = [net(x).detach().clone()]
    parts = [(x[:5], x[:5]), (x[5:9], x[5:9])]
    record = {"h": lambda net: net(x)}
    history = train(net, mse, steps=2, optimizer=adam, batches=parts, record=record)
    expected = [((history["h"][t] - x.numpy())[rows] ** 2).mean() for t, rows in enumerate((slice(5), slice(5, 9)))]
    np.testing.assert_allclose(history["loss"], expected)
    np.testing.assert_array_equal(history["h"][0], whole[0])


@pytest.mark.parametrize("when", [0, 3])
def test_one_diverged_member_is_one_error_with_its_step_and_place(when):
    spoils = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    batches = [(torch.tensor(torch.inf if step == when else 0.0),) for step in range(6)]

    def loss(net, spoiled, term):
        return (net(x) ** 2).mean() + torch.where(spoiled > 0, term, 0.0)

    with pytest.raises(FloatingPointError, match=rf"member 1 is no longer finite at step {when};"):
        train(make(3), loss, steps=5, optimizer=adam, member_data=(spoils,), batches=batches)


def test_one_network_that_diverges_is_one_error_with_its_step():
    """w -> -3 w at each step, and w^2 is finite as long as 9^t is."""
    net = torch.nn.Linear(1, 1, bias=False).double()
    torch.nn.init.ones_(net.weight)
    first = int(np.floor(np.log(np.finfo(float).max) / np.log(9))) + 1
    with pytest.raises(FloatingPointError, match=f"the loss is no longer finite at step {first};"):
        train(net, lambda net: (net.weight**2).sum(), steps=999, optimizer=partial(torch.optim.SGD, lr=2.0))


def test_an_optimizer_keeps_its_state_from_one_call_to_the_next():
    parts, whole = make(1)[0], make(1)[0]
    sgd = torch.optim.SGD(parts.parameters(), lr=0.01, momentum=0.9)
    for steps in (4, 6):
        train(parts, lambda net: mse(net, x, torch.sin(x)), steps=steps, optimizer=sgd)
    momentum = partial(torch.optim.SGD, lr=0.01, momentum=0.9)
    train(whole, lambda net: mse(net, x, torch.sin(x)), steps=10, optimizer=momentum)
    for ours, theirs in zip(parts.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=0)


def test_both_groups_of_an_optimizer_are_trained_each_at_its_rate():
    """Gradient descent on a sum: each weight falls by the rate of its group, whichever stands first."""
    for order in ((0, 1), (1, 0)):
        parts = [torch.nn.Linear(1, 1).double(), torch.nn.Linear(1, 1).double()]
        net, before = torch.nn.ModuleList(parts), [part.weight.item() for part in parts]
        groups = [{"params": parts[i].parameters(), "lr": (0.1, 0.5)[i]} for i in order]
        train(net, lambda net: net[0].weight.sum() + net[1].weight.sum(), steps=3, optimizer=torch.optim.SGD(groups))
        fallen = [then - part.weight.item() for then, part in zip(before, parts)]
        np.testing.assert_allclose(fallen, [0.3, 1.5])


def test_one_network_gets_its_data_before_the_batch():
    seen = []

    def loss(net, a, b):
        seen.append((a.item(), b.item()))
        return net(x).mean()

    data, batches = (torch.tensor(1.0),), [(torch.tensor(2.0),)] * 3
    train(make(1)[0], loss, steps=3, optimizer=adam, member_data=data, batches=batches)
    assert set(seen) == {(1.0, 2.0)}


def test_what_is_frozen_stays():
    net = MLP([1, 6, 1]).double()
    net.layers[0].requires_grad_(False)
    before = [p.detach().clone() for p in net.parameters()]
    train(net, lambda net: mse(net, x, torch.sin(x)), steps=3, optimizer=adam)
    same = [torch.equal(p, old) for p, old in zip(net.parameters(), before)]
    assert same == [True, True, False, False]


class Wide(torch.nn.Module):
    """As many parameters as it takes to be large."""

    def __init__(self, *shape):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(shape))

    def forward(self, x):
        return x * self.weight.sum()


@pytest.mark.parametrize(
    "net, threads",
    [
        (MLP([1, 50, 1]), 1),
        (Wide(299_999), 1),
        (Wide(300_000), 2),
        (Wide(4, 3, 3, 3), 2),
        (torch.nn.Sequential(torch.nn.Unflatten(1, (1, 1, 1)), torch.nn.Conv2d(1, 2, 1), torch.nn.Flatten()), 2),
        ([MLP([1, 9, 1])] * 2, 1),
    ],
    ids=["small", "just small", "large", "convolution", "convolution with biases", "ensemble"],
)
def test_small_networks_train_on_one_thread_and_the_setting_is_restored(net, threads):
    seen, before = [], torch.get_num_threads()

    def loss(net, spoil=False):
        seen.append(torch.get_num_threads())
        return net(torch.ones(2, 1)).sum() / (0 if spoil else 1)

    torch.set_num_threads(2)
    try:
        train(net, loss, steps=1, optimizer=adam)
        assert set(seen) == {threads} and torch.get_num_threads() == 2
        with pytest.raises(FloatingPointError):
            train(net, partial(loss, spoil=True), steps=1, optimizer=adam)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("building", ["1", "0"])
def test_a_bar_is_shown_but_not_while_the_book_is_built(building, monkeypatch, capsys):
    monkeypatch.setenv("FPBOOK_BUILD", building)
    train(MLP([1, 1]), lambda net: mse(net, x.float(), x.float()), steps=2, optimizer=adam)
    out, err = capsys.readouterr()
    assert out == "" and bool(err) == (building == "0")


def test_seeded_networks_are_those_of_their_seeds(device):
    nets = seeded(lambda: torch.nn.Linear(2, 2), [5, 3, 5], device)
    torch.manual_seed(3)
    alone = torch.nn.Linear(2, 2)
    assert torch.equal(nets[1].weight.cpu(), alone.weight) and torch.equal(nets[0].weight, nets[2].weight)
    assert not torch.equal(nets[0].weight, nets[1].weight) and nets[0].weight.device.type == device


def test_the_losses_are_their_formulas():
    net = torch.nn.Linear(2, 3).double()
    inputs, values, classes = torch.randn(5, 2).double(), torch.randn(5, 3).double(), torch.tensor([0, 1, 2, 1, 1])
    h = net(inputs).detach().numpy()
    assert mean_squared_error(net, inputs, values).item() == pytest.approx(((h - values.numpy()) ** 2).mean())
    log_softmax = h - np.log(np.exp(h).sum(1, keepdims=True))
    assert cross_entropy(net, inputs, classes).item() == pytest.approx(-log_softmax[np.arange(5), classes].mean())


def test_column():
    assert column(np.arange(3)).shape == (3, 1) and column(np.zeros((2, 4, 3))).shape == (2, 4, 3, 1)
    assert column([1.0]).dtype == torch.float32 and column([1.0], dtype=torch.float64).dtype == torch.float64
    assert column([1.0, 2.0]).flatten().tolist() == [1, 2]


def fit(nets=None, loss=lambda net: (net(x) ** 2).mean(), steps=9, optimizer=adam, **options):
    return train(nets or MLP([1, 2, 1]).double(), loss, steps=steps, optimizer=optimizer, **options)


def test_an_interval_may_be_a_number_of_numpy():
    assert fit(every=np.int64(4))["step"].tolist() == [0, 4, 8, 9]


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: train([], None, steps=1, optimizer=adam), "list is empty"),
        (lambda: train([MLP([1, 2, 1]), MLP([1, 3, 1])], None, steps=1, optimizer=adam), "one shape"),
        (lambda: train([MLP([1, 2, 1]), MLP([1, 2, 1]).double()], None, steps=1, optimizer=adam), "one shape"),
        (lambda: train([torch.nn.BatchNorm1d(2)] * 2, None, steps=1, optimizer=adam), "batch norm"),
        *(
            (
                lambda name=name: train(MLP([1, 1]), None, steps=1, optimizer=adam, record={name: None}),
                f"{name}.*history",
            )
            for name in ("step", "loss", "stopped")
        ),
        (lambda: next(minibatches(x, x[:3], size=2, seed=0)), "one length"),
        (lambda: next(minibatches(x, size=0, seed=0)), "size >= 1"),
        (lambda: fit(steps=-1), "steps >= 0"),
        (lambda: fit(every=0), "every >= 1"),
        (lambda: fit(batches=[()] * 4), "batches end at step 4 of 9"),
        (lambda: fit(loss=lambda net: net(x) ** 2), "a scalar.*its mean"),
        (lambda: fit(nets=[MLP([1, 2, 1]).double()] * 2, loss=lambda net: net(x) ** 2), "a scalar.*its mean"),
        (lambda: fit(optimizer=adam(list(MLP([1, 2, 1]).parameters()))), "none of the parameters"),
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
