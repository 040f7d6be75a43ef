"""Convolutional networks: what they are made of, and that their two parts compose to the whole."""

import copy

import pytest
import torch
from torch import nn

from fpbook.convnets import BasicBlock, evaluate, plain_convnet, resnet, vgg

SMALL = [
    lambda: vgg(9, width=1 / 16, head=16),
    lambda: vgg(19, width=1 / 16, head=16),
    lambda: resnet(4, width=4, head=16),
    lambda: resnet(1, width=4),
    lambda: plain_convnet(channels=(3, 4), hidden=9),
]


def count(net, kind):
    return sum(isinstance(module, kind) for module in net.modules())


def parameters(layers):
    return sum(p.numel() for p in layers.parameters())


@pytest.mark.parametrize("depth, convolutions, body", [(9, 6, None), (16, 13, 14_718_912), (19, 16, 20_029_888)])
def test_vgg_has_as_many_layers_with_weights_as_its_name_says(depth, convolutions, body):
    """Parameters before the head: those known of VGG-16 and VGG-19 with batch norm, less the biases that batch norm makes idle."""
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


def test_what_cannot_be_built():
    for options in (dict(depth=11), dict(depth=9, width=0.001)):
        with pytest.raises(ValueError, match="depth must be one of"):
            vgg(**options)
    for options in (dict(stages=0), dict(stages=5), dict(stages=2, width=0)):
        with pytest.raises(ValueError, match="stages must be 1 to 4"):
            resnet(**options)
