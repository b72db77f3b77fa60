"""Answers that are tried on a real optimizer or on the toy regression; torch is imported when one is."""

import copy
import functools
import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from lrlearn import regression
from lrlearn.comparison import ROUNDED, Feedback, UnusableAnswer, called, close_to, read_number, read_numbers
from lrlearn.regression import GAMMAS, SEEDS
from lrlearn.schedules import exponential_lr


def training_loop(*, first: str = "", start: str = "", batch: str = "o", end: str = "", more: int = 0) -> Callable:
    """A training loop that steps the optimizer (o), the scheduler (s) or makes a new optimizer (n) at these places."""

    def loop(optimizer: Any, scheduler: Any, num_epochs: int, batches_per_epoch: int) -> None:
        def do(actions: str) -> None:
            nonlocal optimizer
            for action in actions:
                if action == "n":
                    parameters = optimizer.param_groups[0]["params"]
                    optimizer = type(optimizer)(parameters, lr=scheduler.base_lrs[0])
                else:
                    (optimizer if action == "o" else scheduler).step()

        do(first * num_epochs)
        for _ in range(num_epochs + more):
            do(start + batch * batches_per_epoch + end)

    return loop


def rates_used(loop: Callable, initial_lr: float, gamma: float, num_epochs: int, batches_per_epoch: int) -> dict:
    """The rate of every step that any optimizer makes with the weight of this exercise."""
    from torch.optim.optimizer import register_optimizer_step_pre_hook

    optimizer, scheduler = _fresh(initial_lr, gamma)
    (weight,) = optimizer.param_groups[0]["params"]
    rates: dict[str, float] = {}

    def note(stepping: Any, *_: Any) -> None:
        for group in stepping.param_groups:
            if any(parameter is weight for parameter in group["params"]):
                rates[f"rate of step {len(rates) + 1}"] = float(group["lr"])

    hook = register_optimizer_step_pre_hook(note)
    try:
        called(loop, optimizer, scheduler, num_epochs, batches_per_epoch)
    finally:
        hook.remove()
    if not rates:
        raise UnusableAnswer("optimizer.step() was never called: nothing was trained")
    return rates | {"scheduler stepped (1) or not (0)": float(scheduler.last_epoch > 0)}


def rates_after_resume(resume: Callable, initial_lr: float, gamma: float, epochs_done: int) -> dict:
    """The next three rates after a resume, and the scheduler's count of epochs."""
    optimizer, scheduler = _fresh(initial_lr, gamma)
    training_loop(end="s")(optimizer, scheduler, epochs_done, 1)
    checkpoint = copy.deepcopy({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()})
    optimizer, scheduler = _fresh(initial_lr, gamma)
    called(resume, optimizer, scheduler, checkpoint)
    seen = {"scheduler.last_epoch": float(scheduler.last_epoch)}
    for epoch in range(epochs_done, epochs_done + 3):
        seen[f"rate of epoch {epoch}"] = float(optimizer.param_groups[0]["lr"])
        training_loop(end="s")(optimizer, scheduler, 1, 1)
    if seen["scheduler.last_epoch"] == 0 and seen[f"rate of epoch {epochs_done}"] == initial_lr:
        raise UnusableAnswer("Nothing was restored: optimizer and scheduler are as new")
    return seen


def _fresh(initial_lr: float, gamma: float) -> tuple:
    import torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=initial_lr)
    return optimizer, torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)


def resume(optimizer: Any, scheduler: Any, checkpoint: dict) -> None:
    """The right way: both states are loaded."""
    optimizer.load_state_dict(checkpoint["optimizer"])
    scheduler.load_state_dict(checkpoint["scheduler"])


def resume_from_last_epoch(optimizer: Any, scheduler: Any, checkpoint: dict) -> None:
    """The wrong belief that last_epoch brings the rate back."""
    optimizer = type(optimizer)(optimizer.param_groups[0]["params"], lr=scheduler.base_lrs[0])
    type(scheduler)(optimizer, scheduler.gamma, last_epoch=checkpoint["scheduler"]["last_epoch"])


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


@functools.cache
def _final_losses() -> tuple[list[float], list[float]]:
    """Mean final excess loss of each of GAMMAS at initial_lr 0.1, and the gammas that cannot be told from the best."""
    excess = regression.sweep([0.1], GAMMAS, SEEDS, num_epochs=40).excess[0, :, :, -1]
    means = excess.mean(1)
    worse = excess - excess[means.argmin()]  # the same seeds, so the same orders of samples: compared in pairs
    tied = worse.mean(1) <= 2 * worse.std(1) / worse.shape[1] ** 0.5
    return means.tolist(), [gamma for gamma, tie in zip(GAMMAS, tied.tolist(), strict=True) if tie]


def best_gamma(answer: Any) -> Feedback:
    """Right if no other gamma ends measurably lower; else whether the training was frozen or noisy."""
    gamma, (means, best) = read_number(answer), _final_losses()
    if any(close_to(1 - gamma, right, ROUNDED) for right in best):
        return Feedback(False, "gamma-is-the-reduction", "")
    at = next((at for at, choice in enumerate(GAMMAS) if close_to(gamma, choice)), None)
    if at is None:
        raise UnusableAnswer("Choose one of the gammas 0.50, 0.51, ... 1.00")
    loss = f"With gamma {gamma:.2f} the mean excess loss at the end is {means[at]:.2g}"
    if GAMMAS[at] in best:
        return Feedback(True, None, f"{loss}: no other gamma is measurably better.")
    loss += f", at the best gamma {min(means):.2g}"
    if gamma < min(best):
        return Feedback(False, "decay-always-converges", f"{loss}: frozen.")
    return Feedback(False, None, f"{loss}: the noise floor. The last steps are still too large; decay faster.")


CAPSTONE_EPOCHS = 25
HIGHEST_RATE = 1e6  # what a growing rate is cut at: beyond it every run has diverged long before


def capstone_problem() -> regression.Problem:
    """The data of the capstone: 64 samples that no lesson has trained on.

    >>> len(capstone_problem().x)
    64
    """
    return regression.make_problem(weight=-4, bias=2, noise=1.5, width=0.6, seed=6)


def _capstone_losses(initial_lrs: Sequence[float], gammas: Sequence[float]) -> Any:
    """Mean final excess loss [initial_lr, gamma] over 32 seeds."""
    pairs = product(initial_lrs, gammas)
    rates = [[min(exponential_lr(*pair, epoch), HIGHEST_RATE) for epoch in range(CAPSTONE_EPOCHS)] for pair in pairs]
    runs = regression.sweep_rates(rates, SEEDS, capstone_problem())
    return runs.excess[..., -1].mean(1).unflatten(0, (len(initial_lrs), len(gammas)))


@functools.cache
def _capstone_best() -> tuple[float, float, float]:
    """The lowest loss of a sweep of 24 first rates and 51 gammas, and its initial_lr and gamma."""
    initial_lrs = [0.02 * 50 ** (step / 23) for step in range(24)]  # 0.02 ... 1
    losses = _capstone_losses(initial_lrs, GAMMAS)
    row, column = divmod(int(losses.argmin()), len(GAMMAS))
    return losses.min().item(), initial_lrs[row], GAMMAS[column]


def capstone(answer: Any) -> Feedback:
    """Right within a factor of two of the best; else how far off, and which way is better."""
    initial_lr, gamma = read_numbers(answer, 2)
    if not (0 < initial_lr < math.inf and 0 <= gamma < math.inf):
        raise UnusableAnswer("initial_lr must be above 0 and gamma at least 0, both finite: (initial_lr, gamma)")
    best, best_lr, best_gamma = _capstone_best()
    loss, *row = _capstone_losses([initial_lr], [gamma, *GAMMAS])[0].tolist()
    if not loss < capstone_problem().untrained:
        return Feedback(False, None, "It diverged: worse than the untrained line. Start with a smaller initial_lr.")
    words = f"The mean excess loss is {loss:.2g}, {loss / best:.3g} times the best of the sweep"
    if loss <= 2 * best:
        return Feedback(True, None, f"{words} ({best:.2g} at initial_lr {best_lr:.2g}, gamma {best_gamma:.2f}).")
    frozen = gamma < GAMMAS[row.index(min(row))]
    why = "Frozen on the way: raise gamma." if frozen else "It arrives, but its last steps are too large: lower gamma."
    if min(row) > 2 * best:  # no gamma is good enough here
        why += f" A {'larger' if initial_lr < best_lr else 'smaller'} initial_lr helps more."
    return Feedback(False, "decay-always-converges" if frozen else None, f"{words}. {why}")
