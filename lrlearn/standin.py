"""A stand-in for torch where there is none, in a page of the site: what keeps the rates, and nothing that trains.

Optimizers with their groups, ``ExponentialLR`` and what the exercises of `lrlearn.probes` ask of both; its
tests give every answer that those exercises know to torch and to this, and expect the same words. Weights
have no gradients here, so that a step changes none.
"""

import contextlib
import copy
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

HOOKS: dict[object, Callable] = {}  # called before each step of any optimizer
LACKS = "this page holds only a part of PyTorch, and the lesson in Jupyter all of it"
TOO_EARLY = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. "
    "The first value of the learning rate schedule is skipped."
)
WITH_EPOCH = "`scheduler.step(epoch)` is deprecated: call it without the epoch."


class Parameter:
    """A weight: one number, which no step changes."""

    def __init__(self, value: float = 0.0) -> None:
        self.value, self.grad = value, None

    def fill_(self, value: float) -> "Parameter":
        """Set it."""
        self.value = value
        return self

    def item(self) -> float:
        """What it is."""
        return self.value


class Handle:
    """A hook that can be taken away again."""

    def __init__(self, hooks: dict[object, Callable], hook: Callable) -> None:
        self.hooks = hooks
        hooks[self] = hook

    def remove(self) -> None:
        """Take it away."""
        self.hooks.pop(self, None)


class Linear:
    """A model with a weight and a bias."""

    def __init__(self, inputs: int, outputs: int) -> None:
        self.weight, self.bias = Parameter(), Parameter()

    def parameters(self) -> Iterator[Parameter]:
        """Both, in the order of torch."""
        yield from (self.weight, self.bias)

    def state_dict(self) -> dict[str, Any]:
        """Both, by name."""
        return {"weight": self.weight, "bias": self.bias}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take both from a state."""
        if not isinstance(state, dict) or state.keys() != {"weight", "bias"}:
            raise RuntimeError("Error(s) in loading state_dict for Linear: the keys weight and bias are wanted")
        self.weight.value, self.bias.value = state["weight"].value, state["bias"].value


class Optimizer:
    """Groups of parameters, each with its rate."""

    def __init__(self, params: Iterable, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.loaded: dict[object, Callable] = {}
        self.watched = self.has_stepped = False
        given = list(params)
        if not given:
            raise ValueError("optimizer got an empty parameter list")
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Hold more parameters; what the group does not say is as the optimizer was made."""
        params = group["params"]
        group["params"] = [params] if isinstance(params, Parameter) else list(params)
        for name, value in self.defaults.items():
            group.setdefault(name, value)
        held = {id(one) for each in self.param_groups for one in each["params"]}
        if any(id(one) in held for one in group["params"]):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(group)

    def step(self) -> None:
        """Make a step, which changes no weight."""
        for hook in [*HOOKS.values()]:
            hook(self, (), {})
        self.has_stepped = True

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, of which there are none."""

    def state_dict(self) -> dict[str, Any]:
        """What the groups say, their parameters by number."""
        numbers = {id(one): at for at, one in enumerate(one for each in self.param_groups for one in each["params"])}
        groups = [group | {"params": [numbers[id(one)] for one in group["params"]]} for group in self.param_groups]
        return {"state": {}, "param_groups": groups}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take what the groups of a state say; the parameters stay."""
        groups = copy.deepcopy(state["param_groups"])
        if len(groups) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        pairs = list(zip(self.param_groups, groups, strict=True))
        if any(len(mine["params"]) != len(theirs["params"]) for mine, theirs in pairs):
            raise ValueError("loaded state dict contains a parameter group that doesn't match the size of group")
        self.param_groups = [theirs | {"params": mine["params"]} for mine, theirs in pairs]
        for hook in [*self.loaded.values()]:
            hook(self)

    def register_load_state_dict_post_hook(self, hook: Callable) -> Handle:
        """Have a function called after each load."""
        return Handle(self.loaded, hook)


class SGD(Optimizer):
    """The optimizer of the exercises."""

    def __init__(self, params: Iterable, lr: float = 1e-3, **further: Any) -> None:
        super().__init__(params, {"lr": lr} | further)


class LRScheduler:
    """What sets the rate of every group, once when it is made and then at each step."""

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        for at, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(f"param 'initial_lr' is not specified in param_groups[{at}] when resuming scheduler")
        self.optimizer = optimizer
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch, self._step_count = last_epoch + 1, 1
        self._last_lr = [group["lr"] for group in optimizer.param_groups]
        if not optimizer.watched:  # steps count from here on
            optimizer.watched, optimizer.has_stepped = True, False

    def step(self, epoch: int | None = None) -> None:
        """Set the rates of the next epoch, or of the one that is named."""
        if self._step_count == 1 and not self.optimizer.has_stepped:
            warnings.warn(TOO_EARLY, UserWarning, stacklevel=2)
        self._step_count += 1
        if epoch is None:
            self.last_epoch += 1
            rates = self.get_lr()
        else:
            warnings.warn(WITH_EPOCH, UserWarning, stacklevel=2)
            self.last_epoch = epoch
            rates = self._get_closed_form_lr()
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        self._last_lr = list(rates)

    def get_lr(self) -> list[float]:
        """The rates after one more step."""
        raise NotImplementedError

    def _get_closed_form_lr(self) -> list[float]:
        raise NotImplementedError

    def get_last_lr(self) -> list[float]:
        """The rates that the last step has set."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer."""
        return {name: value for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take everything from a state."""
        vars(self).update(state)


class ExponentialLR(LRScheduler):
    """The rate of every group times gamma, after each epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rates after one more step."""
        return [group["lr"] * self.gamma for group in self.optimizer.param_groups]

    def _get_closed_form_lr(self) -> list[float]:
        return [base * self.gamma**self.last_epoch for base in self.base_lrs]


def modules() -> dict[str, ModuleType]:
    """The stand-in's modules by the names that torch has for them."""
    held: dict[str, dict[str, Any]] = {
        "torch": {"zeros": lambda *_: 0.0, "no_grad": contextlib.nullcontext},
        "torch.nn": {"Parameter": Parameter, "Linear": Linear},
        "torch.optim": {"SGD": SGD, "Optimizer": Optimizer},
        "torch.optim.optimizer": {
            "Optimizer": Optimizer,
            "register_optimizer_step_pre_hook": lambda hook: Handle(HOOKS, hook),
        },
        "torch.optim.lr_scheduler": {"LRScheduler": LRScheduler, "ExponentialLR": ExponentialLR},
    }
    made = {name: ModuleType(name) for name in held}
    for name, module in made.items():
        module.__dict__.update(held[name], __path__=[], __getattr__=_lacks(name))
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(made[parent], last, module)
    return made


def _lacks(module: str) -> Callable[[str], Any]:
    def lacks(name: str) -> Any:
        raise AttributeError(f"{LACKS} ({module}.{name})")

    return lacks


def install() -> None:
    """Have ``import torch`` find the stand-in, unless torch itself is there."""
    import importlib.util

    if importlib.util.find_spec("torch") is None:
        sys.modules.update(modules())
