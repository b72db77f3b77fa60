"""Answers that are tried on a real optimizer, with whatever torch is installed; it is imported when one is.

A wrong answer is modelled by what it does: each action has a letter, and a word of them is a loop or a resume.
"""

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import Any

from lrlearn.answers import UnusableAnswer, called


def training_loop(
    *, first: str = "", start: str = "", batch: str = "o", end: str = "", last: str = "", more: int = 0
) -> Callable:
    """A training loop that does these things ``first`` as often as there are epochs, at the ``start`` of an epoch ...

    o: step the optimizer; s: the scheduler; e: the scheduler with the epoch, f: with the next one; t: a second
    scheduler; n: make a new optimizer. ``more``: that many epochs more than were asked for.
    """

    def loop(optimizer: Any, scheduler: Any, num_epochs: int, batches_per_epoch: int) -> None:
        second = None

        def do(actions: str, epoch: int = 0) -> None:
            nonlocal optimizer, second
            for action in actions:
                if action == "n":
                    optimizer = type(optimizer)(optimizer.param_groups[0]["params"], lr=scheduler.base_lrs[0])
                elif action == "o":
                    optimizer.step()
                elif action == "t":
                    second = second or type(scheduler)(optimizer, scheduler.gamma)
                    second.step()
                else:
                    scheduler.step(*{"e": [epoch], "f": [epoch + 1]}.get(action, []))

        do(first * num_epochs)
        for epoch in range(num_epochs + more):
            do(start + batch * batches_per_epoch + end, epoch)
        do(last)

    return loop


def accumulating(size: int, each: str) -> Callable:
    """A loop that steps the scheduler (s) for every batch and the optimizer (o) for every ``size`` of them."""

    def loop(optimizer: Any, scheduler: Any, num_epochs: int, batches_per_epoch: int) -> None:
        for _ in range(num_epochs):
            for batch in range(1, batches_per_epoch + 1):
                for action in each:
                    if action == "s":
                        scheduler.step()
                    elif batch % size == 0:
                        optimizer.step()

    return loop


def loops_in_a_row(*, epoch: str, batch: str, last: str = "") -> Callable:
    """A loop over epochs and then, beside it, one over batches."""

    def loop(optimizer: Any, scheduler: Any, num_epochs: int, batches_per_epoch: int) -> None:
        for action in epoch * num_epochs + batch * batches_per_epoch + last:
            (optimizer if action == "o" else scheduler).step()

    return loop


def rates_used(loop: Callable, initial_lr: float, gamma: float, num_epochs: int, batches_per_epoch: int) -> dict:
    """The rate of every step that any optimizer makes with the weight of this exercise, and the epoch counted there."""
    from torch.optim.optimizer import register_optimizer_step_pre_hook

    optimizer, scheduler = _fresh(initial_lr, gamma)
    (weight,) = optimizer.param_groups[0]["params"]
    rates: list[float] = []
    epochs: list[float] = []

    def note(stepping: Any, *_: Any) -> None:
        for group in stepping.param_groups:
            if any(parameter is weight for parameter in group["params"]):
                rates.append(float(group["lr"]))
                epochs.append(float(scheduler.last_epoch))

    hook = register_optimizer_step_pre_hook(note)
    try:
        called(loop, optimizer, scheduler, num_epochs, batches_per_epoch)
    finally:
        hook.remove()
    if not rates:
        raise UnusableAnswer("optimizer.step() was never called: nothing was trained")
    seen = {f"rate of step {at}": rate for at, rate in enumerate(rates, start=1)}
    seen["scheduler stepped (1) or not (0)"] = float(scheduler.last_epoch > 0)
    return seen | {f"scheduler.last_epoch at step {at}": epoch for at, epoch in enumerate(epochs, start=1)}


def rates_after_resume(resume: Callable, initial_lr: float, gamma: float, epochs_done: int) -> dict:
    """The next three rates after a resume, the scheduler's count of epochs, and what was made or undone on the way."""
    optimizer, scheduler = _fresh(initial_lr, gamma)
    training_loop(end="s")(optimizer, scheduler, epochs_done, 1)
    checkpoint = copy.deepcopy({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()})
    saved = optimizer.param_groups[0]["lr"]
    optimizer, scheduler = _fresh(initial_lr, gamma)
    brought: list[float] = []
    optimizer.register_load_state_dict_post_hook(lambda loaded: brought.append(loaded.param_groups[0]["lr"]))
    with _schedulers_made() as made:
        try:
            called(resume, optimizer, scheduler, checkpoint)
        except KeyError as error:
            if error.args != ("param_groups",):
                raise
            raise UnusableAnswer(
                "The optimizer was given another state than its own: one with no param_groups"
            ) from None
    rate = float(optimizer.param_groups[0]["lr"])
    seen = {"scheduler.last_epoch": float(scheduler.last_epoch)}
    for epoch in range(epochs_done, epochs_done + 3):
        seen[f"rate of epoch {epoch}"] = float(optimizer.param_groups[0]["lr"])
        training_loop(end="s")(optimizer, scheduler, 1, 1)
    untouched = seen["scheduler.last_epoch"] == 0
    if untouched and rate == initial_lr and not made:
        raise UnusableAnswer("Nothing was restored: optimizer and scheduler are as new")
    seen["another scheduler was restored instead (1) or not (0)"] = float(untouched and bool(made))
    seen["the rate was set back (1) or not (0)"] = float(saved in brought and rate == initial_lr)
    return seen


@contextlib.contextmanager
def _schedulers_made() -> Iterator[list]:
    """The schedulers that are made inside."""
    from torch.optim.lr_scheduler import LRScheduler

    made: list[Any] = []
    init = LRScheduler.__init__

    def noting(self: Any, *args: Any, **kwargs: Any) -> None:
        made.append(self)
        init(self, *args, **kwargs)

    LRScheduler.__init__ = noting
    try:
        yield made
    finally:
        LRScheduler.__init__ = init


def restore(actions: str) -> Callable:
    """A resume: o, s: load the optimizer, the scheduler (both is right); n, N: load a new scheduler, or give it
    last_epoch; p: a new pair; r: set the rate back; a, c: step once, or as often as there were epochs; +, -: set
    last_epoch to one more or one less.
    """

    def resume(optimizer: Any, scheduler: Any, checkpoint: dict) -> None:
        done = checkpoint["scheduler"]["last_epoch"]
        for action in actions:
            if action == "o":
                optimizer.load_state_dict(checkpoint["optimizer"])
            elif action == "s":
                scheduler.load_state_dict(checkpoint["scheduler"])
            elif action == "n":
                type(scheduler)(optimizer, scheduler.gamma).load_state_dict(checkpoint["scheduler"])
            elif action == "N":
                type(scheduler)(optimizer, scheduler.gamma, last_epoch=done)
            elif action == "p":
                optimizer = type(optimizer)(optimizer.param_groups[0]["params"], lr=scheduler.base_lrs[0])
                scheduler = type(scheduler)(optimizer, scheduler.gamma)
                optimizer.load_state_dict(checkpoint["optimizer"])
                scheduler.load_state_dict(checkpoint["scheduler"])
            elif action == "r":
                optimizer.param_groups[0]["lr"] = scheduler.base_lrs[0]
            elif action in "ac":
                training_loop(batch="", end="s")(optimizer, scheduler, 1 if action == "a" else done, 0)
            else:
                scheduler.last_epoch = {"+": done + 1, "-": done - 1}[action]

    return resume


def resume_from_last_epoch(optimizer: Any, scheduler: Any, checkpoint: dict) -> None:
    """The wrong belief that last_epoch brings the rate back."""
    optimizer = type(optimizer)(optimizer.param_groups[0]["params"], lr=scheduler.base_lrs[0])
    type(scheduler)(optimizer, scheduler.gamma, last_epoch=checkpoint["scheduler"]["last_epoch"])


def read_from_get_lr(initial_lr: float, gamma: float) -> list[float]:
    """What the installed torch's get_lr() says before each of five steps; releases differ in the first."""
    optimizer, scheduler = _fresh(initial_lr, gamma)
    rates = []
    for _ in range(5):
        rates.append(float(scheduler.get_lr()[0]))
        training_loop(end="s")(optimizer, scheduler, 1, 1)
    return rates


def _fresh(initial_lr: float, gamma: float) -> tuple:
    import torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=initial_lr)
    return optimizer, torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)


def rates_of_fine_tuning(start: Callable, initial_lr: float, gamma: float) -> dict:
    """What an answer makes of a checkpoint whose rate has decayed: its weight, the next rates, the base rate."""
    import torch

    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    training_loop(end="s")(optimizer, scheduler, 40, 1)
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    with torch.no_grad():
        model.weight.fill_(2.0)
        checkpoint = copy.deepcopy({name: part.state_dict() for name, part in parts.items()})
        model.weight.fill_(0.0)
    made = called(start, model, checkpoint, initial_lr, gamma)
    if not isinstance(made, (tuple, list)) or len(made) != 2 or not hasattr(made[0], "param_groups"):
        raise UnusableAnswer("Two things are wanted: return optimizer, scheduler")
    optimizer, scheduler = made
    seen = {"the weight": model.weight.item(), "base_lrs": float(scheduler.base_lrs[0])}
    for epoch in range(3):
        seen[f"rate of epoch {epoch}"] = float(optimizer.param_groups[0]["lr"])
        training_loop(end="s")(optimizer, scheduler, 1, 1)
    return seen


def start_fine_tuning(*load: str, base: bool = True) -> Callable:
    """An answer to that: load the weights and the named parts of the checkpoint; the right one loads no more."""

    def start(model: Any, checkpoint: dict, initial_lr: float, gamma: float) -> tuple:
        import torch

        model.load_state_dict(checkpoint["model"])
        optimizer = torch.optim.SGD(model.parameters(), lr=initial_lr)
        if "optimizer" in load:
            optimizer.load_state_dict(checkpoint["optimizer"])
        if not base:
            optimizer.param_groups[0]["lr"] = initial_lr
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)
        if "scheduler" in load:
            scheduler.load_state_dict(checkpoint["scheduler"])
        return optimizer, scheduler

    return start


def rates_of_a_new_group(unfreeze: Callable, initial_lr: float, gamma: float, epochs_done: int) -> dict:
    """The next three rates of the old group and of the one that an answer adds after some epochs."""
    import torch

    optimizer, scheduler = _fresh(initial_lr, gamma)
    training_loop(end="s")(optimizer, scheduler, epochs_done, 1)
    frozen = [torch.nn.Parameter(torch.zeros(1))]
    called(unfreeze, optimizer, scheduler, frozen)
    groups = [group for group in optimizer.param_groups if any(one is frozen[0] for one in group["params"])]
    if not groups:
        raise UnusableAnswer("The optimizer that was handed in does not hold the new parameters")
    seen = {}
    for epoch in range(epochs_done, epochs_done + 3):
        seen[f"old group, epoch {epoch}"] = float(optimizer.param_groups[0]["lr"])
        seen[f"new group, epoch {epoch}"] = float(groups[0]["lr"])
        training_loop(end="s")(optimizer, scheduler, 1, 1)
    return seen


def unfreeze(rate: Callable | None) -> Callable:
    """An answer to that: add the group with ``rate(optimizer, scheduler)``, or with no rate of its own."""

    def add(optimizer: Any, scheduler: Any, parameters: list) -> None:
        optimizer.add_param_group({"params": parameters} | ({"lr": rate(optimizer, scheduler)} if rate else {}))

    return add
