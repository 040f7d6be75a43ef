"""One network or many of one shape behind one interface, for `fpbook.training.train`."""

import copy

import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from fpbook.networks import MLP, Antisymmetric, Ricker, Sine

# Modules that may stand between linear layers: they act on each number apart, or only call what they hold.
ELEMENTWISE = (nn.Tanh, nn.ReLU, nn.Sigmoid, nn.GELU, nn.Identity, Ricker, Sine)
CONTAINERS = (MLP, Antisymmetric, nn.Sequential, nn.ModuleList)


def as_model(nets):
    """What `train` needs of a module or of a list of modules: `parameters`, `each` and `write_back`."""
    if not isinstance(nets, (list, tuple)):
        return _Single(nets)
    if not nets:
        raise ValueError("no network to train: the list is empty")
    shapes = [[(name, p.shape, p.dtype) for name, p in net.named_parameters()] for net in nets]
    if any(s != shapes[0] for s in shapes):
        raise ValueError("an ensemble needs networks of one shape; train other shapes in a loop")
    if any(True for _ in nets[0].buffers()):
        raise ValueError("an ensemble cannot hold buffers (batch norm); train such networks in a loop")
    return _Stacked(nets) if _stackable(nets) else _Mapped(nets)


class _Single:
    """One network."""

    def __init__(self, net):
        self.net = net
        self.parameters = [p for p in net.parameters() if p.requires_grad]

    def each(self, function, member_data, batch):
        return function(self.net, *member_data, *batch)

    def write_back(self):
        pass


class _StackedLinear(nn.Module):
    """The same linear layer of every member: (n, in) or (members, n, in) -> (members, n, out), as one product."""

    def __init__(self, layers):
        super().__init__()
        self.weight = nn.Parameter(
            torch.stack([layer.weight.detach().T for layer in layers]).contiguous()
        )  # (members, in, out)
        self.bias = nn.Parameter(torch.stack([layer.bias.detach() for layer in layers])[:, None])  # (members, 1, out)

    def forward(self, x):
        if x.ndim == 2:
            x = x.expand(len(self.weight), *x.shape)
        if x.shape[-1] == 1:  # the outer product of a scalar input needs no matrix product
            return torch.addcmul(self.bias, x, self.weight)
        return torch.baddbmm(self.bias, x, self.weight)


class _Stacked:
    """Members whose parameters all lie in linear layers: each layer of all members is one batched product.

    A loss is still a function of one network. It is mapped over the members with `vmap`, but the network that it is given computes the
    outputs of all members outside the map, and picks this member's.
    """

    def __init__(self, nets):
        self.nets = nets
        self.stack = copy.deepcopy(nets[0])
        self.places = [name for name, module in nets[0].named_modules() if isinstance(module, nn.Linear)]
        for name in self.places:
            _replace(self.stack, name, _StackedLinear([net.get_submodule(name) for net in nets]))
        self.parameters = list(self.stack.parameters())
        self.members = torch.arange(len(nets), device=self.parameters[0].device)

    def each(self, function, member_data, batch):
        def of_one(member, *data):
            return function(lambda *args, **kw: self.stack(*args, **kw).index_select(0, member)[0], *data, *batch)

        return vmap(of_one, randomness="different")(self.members[:, None], *member_data)

    @torch.no_grad()
    def write_back(self):
        for name in self.places:
            layer = self.stack.get_submodule(name)
            for i, net in enumerate(self.nets):
                net.get_submodule(name).weight.copy_(layer.weight[i].T)
                net.get_submodule(name).bias.copy_(layer.bias[i, 0])


class _Mapped:
    """Any other networks of one shape: their parameters are stacked, and the whole of each member's loss is mapped over them."""

    def __init__(self, nets):
        self.nets = nets
        self.state, _ = stack_module_state(nets)
        self.base = copy.deepcopy(nets[0]).to("meta")
        self.parameters = list(self.state.values())

    def each(self, function, member_data, batch):
        def of_one(state, *data):
            return function(lambda *args, **kw: functional_call(self.base, state, args, kw), *data, *batch)

        return vmap(of_one, randomness="different")(self.state, *member_data)

    @torch.no_grad()
    def write_back(self):
        for i, net in enumerate(self.nets):
            for name, parameter in net.named_parameters():
                parameter.copy_(self.state[name][i])


def _stackable(nets):
    """True if every module is a linear layer with bias and trained throughout, acts on each number apart, or only holds such modules."""
    for net in nets:
        for module in net.modules():
            if isinstance(module, nn.Linear):
                if (
                    type(module) is not nn.Linear
                    or module.bias is None
                    or not module.weight.requires_grad
                    or not module.bias.requires_grad
                ):
                    return False
            elif type(module) not in ELEMENTWISE + CONTAINERS:
                return False
    # One stack stands for all members, so nothing but the linear layers may differ between them.
    others = [[repr(m) + repr(vars(m).get("a")) for m in net.modules() if type(m) in ELEMENTWISE] for net in nets]
    return all(other == others[0] for other in others) and any(isinstance(m, nn.Linear) for m in nets[0].modules())


def _replace(root, name, module):
    parent, _, last = name.rpartition(".")
    setattr(root.get_submodule(parent), last, module)
