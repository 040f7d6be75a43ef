"""One network or many of one shape behind one interface, for `fpbook.training.train`."""

import copy
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from fpbook.networks import MLP, Antisymmetric, Ricker, Sine

# Modules that may stand between linear layers: they act on each number apart, or only call what they hold.
ELEMENTWISE = (nn.Tanh, nn.ReLU, nn.Sigmoid, nn.GELU, nn.Identity, Ricker, Sine)
CONTAINERS = (MLP, Antisymmetric, nn.Sequential, nn.ModuleList)


class Model(Protocol):
    """What `train` needs: parameters to update, a function of one network applied to each, and the way back."""

    parameters: list[torch.Tensor]

    def each(self, function: Callable[..., torch.Tensor], member_data: tuple, batch: tuple) -> torch.Tensor: ...

    def losses(self, loss: Callable[..., torch.Tensor], member_data: tuple, batch: tuple) -> torch.Tensor: ...

    def write_back(self) -> None: ...


def as_model(nets: nn.Module | Sequence[nn.Module]) -> Model:
    """One network, an ensemble by stacked products, or an ensemble by `vmap`; ValueError if they are no ensemble."""
    if isinstance(nets, nn.Module):
        return _Single(nets)
    if not nets:
        raise ValueError("no network to train: the list is empty")
    shapes = [[(name, p.shape, p.dtype) for name, p in net.named_parameters()] for net in nets]
    if any(s != shapes[0] for s in shapes):
        raise ValueError("an ensemble needs networks of one shape; train other shapes in a loop")
    if any(True for _ in nets[0].buffers()):
        raise ValueError("an ensemble cannot hold buffers (batch norm); train such networks in a loop")
    settings = [_settings(net) for net in nets]
    for other in settings:
        for name in other.keys() | settings[0].keys():
            if (mine := settings[0].get(name)) != (its := other.get(name)):
                raise ValueError(
                    f"members of an ensemble differ in nothing but their parameters, and {name} is {mine} and {its}; "
                    "train such networks in a loop"
                )
    return _Stacked(nets) if _stackable(nets) else _Mapped(nets)


def _settings(net: nn.Module) -> dict[str, Any]:
    """What one network stands for all others in: the type of each module, and its plain attributes."""
    found: dict[str, Any] = {}
    for name, module in net.named_modules():
        found[f"{name}: the type"] = type(module)
        plain = {key: value for key, value in vars(module).items() if isinstance(value, (bool, int, float, str))}
        found |= {f"{name}.{key}".removeprefix("."): value for key, value in plain.items()}
    return found


class _Single:
    """One network."""

    def __init__(self, net: nn.Module):
        self.net = net
        self.parameters: list[torch.Tensor] = [p for p in net.parameters() if p.requires_grad]

    def each(self, function: Callable[..., torch.Tensor], member_data: tuple, batch: tuple) -> torch.Tensor:
        return function(self.net, *member_data, *batch)

    losses = each

    def write_back(self) -> None:
        pass


class _StackedLinear(nn.Module):
    """One linear layer of every member: (n, in) or (members, n, in) -> (members, n, out), as one product."""

    def __init__(self, layers: Sequence[nn.Linear]):
        super().__init__()
        weight = torch.stack([layer.weight.detach().T for layer in layers]).contiguous()
        self.weight = nn.Parameter(weight)  # (members, in, out)
        self.bias = nn.Parameter(torch.stack([layer.bias.detach() for layer in layers])[:, None])  # (members, 1, out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.ndim == 2:
            x = x.expand(len(self.weight), *x.shape)
        if x.shape[-1] == 1:  # the outer product of a scalar input needs no matrix product
            return torch.addcmul(self.bias, x, self.weight)
        return torch.baddbmm(self.bias, x, self.weight)


class _Stacked:
    """Members whose parameters all lie in linear layers: each layer of all members is one batched product.

    A loss is still a function of one network. It is mapped over the members with `vmap`, but the network that it is
    given computes the outputs of all members outside the map, and picks this member's. Where the input is the member's
    own, that would compute all outputs once a member; there each member's weights are mapped over instead.

    A loss that keeps leading axes, as `mean_squared_error` does, gives the losses of all members in one call on the
    stacked network, without the bookkeeping of the map. Whether it does is seen at the first step, where the losses and
    gradients of both ways are compared.
    """

    def __init__(self, nets: Sequence[nn.Module]):
        self.nets = nets
        self.stack, self.base = copy.deepcopy(nets[0]), copy.deepcopy(nets[0]).to("meta")
        self.places = [name for name, module in nets[0].named_modules() if isinstance(module, nn.Linear)]
        for name in self.places:
            _replace(self.stack, name, _StackedLinear([_linear(net, name) for net in nets]))
        self.parameters: list[torch.Tensor] = list(self.stack.parameters())
        self.members = torch.arange(len(nets), device=self.parameters[0].device)
        self.at_once: bool | None = None  # whether the loss keeps leading axes; not known before it was tried

    def each(self, function: Callable[..., torch.Tensor], member_data: tuple, batch: tuple) -> torch.Tensor:
        weights = self._weights() if member_data else {}  # mapped over where they are likely to be needed

        def of_one(member: torch.Tensor, own: dict[str, torch.Tensor], *data: torch.Tensor) -> torch.Tensor:
            def net(*args: Any, **kw: Any) -> torch.Tensor:
                if any(_mapped(arg) for arg in args):
                    picked = own or {name: w.index_select(0, member)[0] for name, w in self._weights().items()}
                    return functional_call(self.base, picked, args, kw)
                return self.stack(*args, **kw).index_select(0, member)[0]

            return function(net, *data, *batch)

        return vmap(of_one, randomness="different")(self.members[:, None], weights, *member_data)

    def losses(self, loss: Callable[..., torch.Tensor], member_data: tuple, batch: tuple) -> torch.Tensor:
        """The loss of each member, (members,): called once on the outputs of all where it keeps leading axes."""
        if self.at_once:
            return loss(self.stack, *member_data, *batch)
        if self.at_once is None:
            self.at_once = self._keeps_leading_axes(loss, member_data, batch)
        return self.each(loss, member_data, batch)

    def _keeps_leading_axes(self, loss: Callable[..., torch.Tensor], member_data: tuple, batch: tuple) -> bool:
        """True if the loss of all members at once has the values and the gradients of the loss of each."""
        device = self.members.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of shapes that do not fit, say
            try:
                found = loss(self.stack, *member_data, *batch)
                if found.shape != self.members.shape:
                    return False
                slopes = torch.autograd.grad(found.sum(), self.parameters)
            except (RuntimeError, ValueError, IndexError, TypeError, AttributeError):
                return False  # the loss needs one network
            expected = self.each(loss, member_data, batch)
            known = torch.autograd.grad(expected.sum(), self.parameters)
            found, expected = found.detach(), expected.detach()
        pairs = [(found, expected), *zip(slopes, known)]
        if found.dtype != expected.dtype or not any(bool(slope.any()) for slope in known):
            return False
        return all(torch.allclose(a, b, rtol=1e-4, atol=1e-5 * float(b.abs().max())) for a, b in pairs)

    def _weights(self) -> dict[str, torch.Tensor]:
        """The parameters under the names and in the form that they have in a member, with a leading axis of members."""
        layers = {name: _stacked(self.stack, name) for name in self.places}
        weights = {f"{name}.weight": layer.weight.mT for name, layer in layers.items()}
        return weights | {f"{name}.bias": layer.bias[:, 0] for name, layer in layers.items()}

    @torch.no_grad()
    def write_back(self) -> None:
        weights = self._weights()
        for i, net in enumerate(self.nets):
            for name, parameter in net.named_parameters():
                parameter.copy_(weights[name][i])


class _Mapped:
    """Any other networks of one shape: the parameters are stacked, and each member's whole loss is mapped over them."""

    def __init__(self, nets: Sequence[nn.Module]):
        self.nets = nets
        self.state, _ = stack_module_state(list(nets))
        self.base = copy.deepcopy(nets[0])  # on no other device: a move would part what two layers share
        self.parameters: list[torch.Tensor] = list(self.state.values())

    def each(self, function: Callable[..., torch.Tensor], member_data: tuple, batch: tuple) -> torch.Tensor:
        def of_one(state: dict[str, Any], *data: torch.Tensor) -> torch.Tensor:
            return function(lambda *args, **kw: functional_call(self.base, state, args, kw), *data, *batch)

        return vmap(of_one, randomness="different")(self.state, *member_data)

    losses = each

    @torch.no_grad()
    def write_back(self) -> None:
        for i, net in enumerate(self.nets):
            for name, parameter in net.named_parameters():
                parameter.copy_(self.state[name][i])


def _stackable(nets: Sequence[nn.Module]) -> bool:
    """True if all parameters are trained and lie in plain linear layers, each in one place, between known modules."""
    known = {nn.Linear, *ELEMENTWISE, *CONTAINERS}
    layers = [name for name, one in nets[0].named_modules(remove_duplicate=False) if type(one) is nn.Linear]
    inside = {f"{name}.{part}" for name in layers for part in ("weight", "bias")}
    trained = [{name for name, p in net.named_parameters() if p.requires_grad} for net in nets]
    return all(type(one) in known for one in nets[0].modules()) and all(names == inside for names in trained)


def _linear(net: nn.Module, name: str) -> nn.Linear:
    layer = net.get_submodule(name)
    assert isinstance(layer, nn.Linear)
    return layer


def _stacked(net: nn.Module, name: str) -> _StackedLinear:
    layer = net.get_submodule(name)
    assert isinstance(layer, _StackedLinear)
    return layer


def _mapped(value: Any) -> bool:
    """True for a tensor that differs between the members of a `vmap`, also below derivatives that are being taken."""
    while isinstance(value, torch.Tensor) and torch._C._functorch.is_functorch_wrapped_tensor(value):
        if torch._C._functorch.is_batchedtensor(value):
            return True
        value = torch._C._functorch.get_unwrapped(value)
    return False


def _replace(root: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(root.get_submodule(parent), last, module)
