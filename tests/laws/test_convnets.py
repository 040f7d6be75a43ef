"""Convolutional networks: what they are made of, and that their two parts compose to the whole."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from fpbook.convnets import BasicBlock, evaluate, plain_convnet, resnet, vgg

SMALL = [
    lambda: vgg(9, width=1 / 16, head=16),
    lambda: vgg(19, width=1 / 16, head=16),
    lambda: resnet(4, width=4, head=16),
    lambda: resnet(1, width=4),
    lambda: plain_convnet(channels=(3, 4), hidden=(9, 5)),
]


def count(net, kind):
    return sum(isinstance(module, kind) for module in net.modules())


def parameters(layers):
    return sum(p.numel() for p in layers.parameters())


@pytest.mark.parametrize("depth, convolutions, body", [(9, 6, None), (16, 13, 14_718_912), (19, 16, 20_029_888)])
def test_vgg_has_as_many_layers_with_weights_as_its_name_says(depth, convolutions, body):
    """Parameters before the head: those known of VGG-16 and VGG-19 with batch norm, less biases that it makes idle."""
    net = vgg(depth)
    assert count(net, nn.Conv2d) == convolutions and count(net, nn.Linear) == 3 and convolutions + 3 == depth
    if body:
        assert parameters(net.layers[:-3]) == body
    assert parameters(net.layers[-3:]) == 2 * (512 * 512 + 512) + 512 * 10 + 10
    assert [len(p) for p in vgg(depth, width=0.25).layers[0][0].parameters()] == [16]


@pytest.mark.parametrize("stages", [1, 2, 3, 4])
def test_a_cut_resnet_has_two_blocks_a_stage_and_the_same_head(stages):
    net = resnet(stages, width=8, head=32)
    assert count(net, BasicBlock) == 2 * stages
    assert count(net, nn.Conv2d) == 1 + 4 * stages + (
        stages - 1
    )  # first, two a block, one shortcut where the width doubles
    assert [layer.out_features for layer in net.modules() if isinstance(layer, nn.Linear)] == [32, 32, 10]
    assert evaluate(net, torch.zeros(2, 3, 32, 32), stop=-3).shape == (2, 8 * 2 ** (stages - 1))


def test_four_stages_are_resnet_18():
    """11,173,962 parameters with its one linear layer of 5,130, as published for 32 x 32 images."""
    assert parameters(resnet(4).layers[:-3]) == 11_173_962 - 5_130


def test_a_cut_resnet_begins_as_the_whole_one():
    torch.manual_seed(0)
    whole = resnet(4, width=4)
    torch.manual_seed(0)
    cut = resnet(2, width=4)
    for ours, theirs in zip(cut.layers[:3].parameters(), whole.layers[:3].parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("make", SMALL)
def test_the_two_components_compose_to_the_network(make):
    torch.manual_seed(0)
    net, x = make(), torch.randn(5, 3, 32, 32)
    whole = evaluate(net, x)
    assert whole.shape == (5, 10) and whole.std() > 0
    for cut in (0, 1, len(net.layers) // 2, -3, -1):
        part = evaluate(net, x, stop=cut) if cut else x
        torch.testing.assert_close(evaluate(net, part, start=cut), whole)
    assert evaluate(net, x, stop=-1).ndim == 2


def test_evaluate_uses_running_statistics_and_keeps_the_mode():
    torch.manual_seed(0)
    net, x = resnet(1, width=4), torch.randn(7, 3, 32, 32)
    torch.testing.assert_close(
        evaluate(net, x, batch=3), evaluate(net, x, batch=7)
    )  # in training mode batches would differ
    assert net.training
    before = copy.deepcopy(net.state_dict())
    evaluate(net, x)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    net.eval()
    evaluate(net, x)
    assert not net.training


@pytest.mark.parametrize("make", SMALL)
def test_every_parameter_is_trained(make):
    torch.manual_seed(0)
    net = make()
    nn.functional.cross_entropy(net(torch.randn(8, 3, 32, 32)), torch.arange(8)).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for name, p in net.named_parameters())


@torch.no_grad()
def test_every_option_reaches_its_layer():
    x = torch.zeros(2, 3, 32, 32)
    for net in (
        vgg(9, width=1 / 16, head=4, classes=3),
        resnet(1, width=4, head=4, classes=3),
        plain_convnet(classes=3),
    ):
        assert evaluate(net, x).shape == (2, 3)
    for c_out, stride, side in ((3, 1, 32), (5, 1, 32), (3, 2, 16), (5, 2, 16)):
        assert BasicBlock(3, c_out, stride)(x).shape == (2, c_out, side, side)


def test_what_cannot_be_built():
    for options in (dict(depth=11), dict(depth=9, width=0.001)):
        with pytest.raises(ValueError, match="depth must be one of"):
            vgg(**options)
    for options in (dict(stages=0), dict(stages=5), dict(stages=2, width=0)):
        with pytest.raises(ValueError, match="stages must be 1 to 4"):
            resnet(**options)


# --- the same networks written out once more, by functions


def shaken(net):
    """Every weight, and the running averages of batch norm, at random, so that no part is idle."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                noise = torch.randn(value.shape, generator=generator)
                value.copy_(0.5 + noise.abs() if "running_var" in name else noise / max(value[0].numel(), 1) ** 0.5)
    return net.double()


def normed(x, convolution, norm, padding=1, stride=1):
    x = F.conv2d(x, convolution.weight, stride=stride, padding=padding)
    return F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias)


def linear(x, layer):
    return x @ layer.weight.T + layer.bias


def head_by_hand(x, layers):
    for layer in layers[:2]:
        x = linear(x, layer[0]).clamp(min=0)
    return linear(x, layers[2])


def pictures(n=3):
    return torch.randn(n, 3, 32, 32, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@torch.no_grad()
@pytest.mark.parametrize("depth, blocks", [(9, (1, 1, 2, 1, 1)), (16, (2, 2, 3, 3, 3)), (19, (2, 2, 4, 4, 4))])
def test_vgg_is_convolutions_with_relu_then_the_largest_of_four(depth, blocks):
    net, x = shaken(vgg(depth, width=1 / 16, head=40)), pictures()
    expected, layers = evaluate(net, x), iter(net.layers)
    for convolutions in blocks:
        for _ in range(convolutions):
            convolution, norm, _ = next(layers)
            x = normed(x, convolution, norm).clamp(min=0)
        next(layers)
        x = x.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).amax((3, 5))
    next(layers)
    torch.testing.assert_close(head_by_hand(x.flatten(1), list(layers)), expected)
    assert expected.std(0).min() > 0


@torch.no_grad()
@pytest.mark.parametrize("stages", [1, 2, 4])
def test_a_resnet_block_adds_then_cuts_at_zero(stages):
    net, x = shaken(resnet(stages, width=4, head=7)), pictures()
    expected = evaluate(net, x)
    first, *middle, pool = list(net.layers)[:-3]
    x = normed(x, first[0], first[1]).clamp(min=0)
    for stage, blocks in enumerate(middle):
        for place, block in enumerate(blocks):
            stride, g = (2 if stage and not place else 1), block.residual
            residual = normed(normed(x, g[0], g[1], stride=stride).clamp(min=0), g[3], g[4])
            shortcut = x
            if stride == 2:
                shortcut = normed(x, block.shortcut[0], block.shortcut[1], padding=0, stride=2)
            x = (shortcut + residual).clamp(min=0)
    torch.testing.assert_close(head_by_hand(x.mean((2, 3)), list(net.layers)[-3:]), expected)


@torch.no_grad()
def test_the_plain_convnet_pools_after_each_convolution_and_has_relu_after_each_layer_but_the_last():
    net, x = shaken(plain_convnet(channels=(3, 4), hidden=(9, 5))), pictures()
    expected = evaluate(net, x)
    c = [layer for layer in net.layers if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert len(c) == 5
    for layer in c[:2]:
        x = F.conv2d(x, layer.weight, layer.bias).clamp(min=0)
        x = x[..., : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2]  # 13 rows and columns: the last are dropped
        x = x.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).amax((3, 5))
    x = x.flatten(1)
    for layer in c[2:4]:
        x = linear(x, layer).clamp(min=0)
    torch.testing.assert_close(linear(x, c[4]), expected)


def test_evaluate_keeps_no_graph():
    assert not evaluate(vgg(9, width=1 / 16, head=4), torch.zeros(2, 3, 32, 32)).requires_grad


def test_resnet_18_at_the_sizes_of_its_table():
    """Sides 32, 16, 8, 4 and channels 64 to 512 after the stages, as for small images."""
    net = resnet(4)
    shapes = [tuple(evaluate(net, torch.zeros(1, 3, 32, 32), stop=stop).shape[1:]) for stop in range(1, 7)]
    assert shapes == [(64, 32, 32), (64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), (512,)]
