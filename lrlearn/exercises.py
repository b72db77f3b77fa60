"""Questions, answers, and the misconception behind a wrong answer.

A misconception is written as what somebody who believes it would answer. ``check`` asks the
learner's answer, the right one and each misconception's for numbers, on the same inputs, and compares
those numbers only: no source text is looked at and no wrong number is stored. torch is imported
when an exercise needs it.
"""

import copy
import functools
import html
import inspect
import math
import reprlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any

from lrlearn import regression
from lrlearn.schedules import exponential_lr, gamma_for, half_life, step_budget

EXACT = 1e-6  # relative; answers computed in float32 are right answers
ROUNDED = 1e-3  # relative; a misconception's number may be copied by hand with three digits
LONGEST = 120  # characters quoted from an answer or its error
GAMMAS = [round(0.5 + 0.01 * step, 2) for step in range(51)]  # 0.50, 0.51, ... 1.00

HINTS = {
    "off-by-one-epoch": "That is one epoch off: the first epoch is epoch 0, and its rate is not multiplied yet.",
    "additive-decay": "That takes the same amount away in every epoch; gamma multiplies, so each cut is smaller.",
    "never-stepped": "That rate never changes: scheduler.step(), once an epoch, is what multiplies it by gamma.",
    "gamma-is-the-reduction": "gamma is what is kept, not what is taken away: 0.9 keeps nine tenths of the rate.",
    "exp-minus-gamma": "No exp is needed: gamma itself is the base of the power, gamma ** epoch.",
    "one-multiplication": "gamma is multiplied in once for every epoch: that makes a power, gamma ** epoch.",
    "gamma-to-the-initial-lr": "Only gamma is raised to the power; initial_lr is multiplied in once, outside it.",
    "per-batch-step": "That multiplies by the epoch's gamma in every batch: the rate falls many times too fast.",
    "scheduler-before-optimizer": "scheduler.step() comes before optimizer.step() there: the first rate is never used.",
    "double-step": "That multiplies twice an epoch: one scheduler, stepped once (two on one optimizer compound).",
    "get-lr-as-current": "That is what get_lr() says; the rate that the optimizer holds is in get_last_lr().",
    "tensor-lr-alias": "All entries are the last rate: a tensor logged while it changes in place; log float(lr).",
    "fence-post": "Count the steps, not the posts: T things in a row have only T - 1 steps between them.",
    "scheduler-state-not-saved": "The rates go on, but scheduler.last_epoch is 0 again: restore the scheduler as well.",
    "optimizer-state-not-restored": "The scheduler is back; the optimizer still has its initial rate: restore both.",
    "last-epoch-is-the-end": "last_epoch is only a count: it brings no rate back. Load both state dicts.",
    "plotting-consumes-it": "The scheduler was stepped before training began, so training starts where that ended.",
    "recreated-optimizer": "The steps were made by a new optimizer; the scheduler went on changing the old one's rate.",
    "decay-always-converges": "Shrinking steps have a finite sum, initial_lr / (1 - gamma): they may never arrive.",
    "gamma-above-one": "gamma above 1 is allowed: the rate grows, as a learning-rate range test wants it.",
    "rounded-to-zero": "That is the right number, rounded. Keep the digits: a small rate would become 0.",
}
ONE_AHEAD = (
    "A log written after scheduler.step() (logged-after-step) and scheduler-before-optimizer look like that too."
)


@dataclass(frozen=True)
class Feedback:
    """What `check` says: right or not, the misconception's slug if one explains the answer, and a hint."""

    correct: bool
    misconception: str | None
    hint: str
    answered: bool = True

    @property
    def verdict(self) -> str:
        return "Right" if self.correct else "Not right yet" if self.answered else "Not answered yet"

    def __repr__(self) -> str:
        name = f" ({self.misconception})" if self.misconception else ""
        return f"{self.verdict}{name}. {self.hint}"

    def _repr_html_(self) -> str:
        symbol, colour = ("✔", "#00694c") if self.correct else ("✘", "#a33b00") if self.answered else ("…", "#555555")
        style = "background:#ffffff;color:#111111"  # said everywhere: a dark theme colours code on its own
        name = f' <code style="{style}">{html.escape(self.misconception)}</code>' if self.misconception else ""
        return (
            f'<div role="status" style="{style};border:2px solid {colour};'
            f'border-left-width:10px;padding:8px 12px;max-width:50em">'
            f'<strong style="color:{colour}"><span aria-hidden="true">{symbol}</span> {self.verdict}.</strong>{name} '
            f"{html.escape(self.hint)}</div>"
        )


class _Unusable(Exception):
    """An answer that is no number, no list of the right length, no function ...: its text is the hint."""


class _Unanswered(Exception):
    """The dots are still there."""


def check(exercise_id: str, answer: Any) -> Feedback:
    """Judge an answer and say which misconception explains it, if one does.

    Args:
        exercise_id: a key of `EXERCISES`.
        answer: a number, a list of numbers or a function, as the exercise asks; ``...`` or None: not answered yet.

    Returns:
        The feedback; it shows itself in a notebook. No answer makes ``check`` raise.

    Raises:
        ValueError: there is no such exercise; the message lists those that there are.

    >>> check("lr-at-epoch", 0.2 * 0.8**5).misconception
    'off-by-one-epoch'
    """
    if not isinstance(exercise_id, str) or exercise_id not in EXERCISES:
        raise ValueError(f"exercise_id must be one of {', '.join(EXERCISES)}; not {exercise_id!r}")
    try:
        if any(part is None or part is ... for part in (answer if type(answer) in (tuple, list) else [answer])):
            raise _Unanswered
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an answer is asked for corners, where numpy and torch may warn
            return EXERCISES[exercise_id](answer)
    except KeyboardInterrupt:
        raise  # the way out of an endless loop
    except _Unanswered:
        return Feedback(False, None, "Put your answer in the place of the dots and run the cell again.", answered=False)
    except _Unusable as problem:
        return Feedback(False, None, f"{problem}.")
    except BaseException as error:  # not even exit() in an answer may end the lesson
        return Feedback(False, None, f"That answer cannot be used: it raises {_raised(error)}.")


def read_number(value: Any) -> float:
    """The float in a number of any kind (int, Fraction, Decimal, numpy scalar, 0-d tensor), or a hint is raised."""
    if value is None:
        raise _Unusable("There is no value, only None; perhaps a return is missing")
    if isinstance(value, (bool, str, bytes)) or getattr(value, "ndim", 0) or not hasattr(value, "__float__"):
        raise _Unusable(f"One number is wanted, not {_shown(value)}")
    return float(value)


def read_numbers(values: Any, size: int) -> list[float]:
    """``size`` floats from a list, tuple, array or tensor, or a hint is raised."""
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__iter__"):
        raise _Unusable(f"A list of {size} numbers is wanted, not {_shown(values)}")
    found = list(islice(iter(values), size + 1))  # one more shows that it is too long, and it may have no end
    if len(found) != size:
        raise _Unusable(f"{size} numbers are wanted, and here are {'more' if len(found) > size else len(found)}")
    return [read_number(value) for value in found]


@dataclass(frozen=True)
class Comparison:
    """An exercise that compares an answer with the right one and with each misconception's, input by input.

    Args:
        truth: the right answer, a function.
        mistakes: slug -> functions, each what somebody who believes that would answer; the likeliest slug first.
        inputs: tuples of arguments that tell all of these apart.
        corners: name -> arguments of a special case; asked only when all inputs are right.
        also: slug -> a sentence after the one of `HINTS`: what else gives the same numbers.
        size: how many numbers an answer has; None for a single one.
        given: the learner gives the value itself, not a function.
        observe: (answer, *inputs) -> {label: number}: how an answer is asked if it is not just called.
    """

    truth: Callable
    mistakes: Mapping[str, Sequence[Callable]]
    inputs: Sequence[tuple]
    corners: Mapping[str, tuple] = field(default_factory=dict)
    also: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    given: bool = False
    observe: Callable[..., dict[str, float]] | None = None

    def __call__(self, answer: Any) -> Feedback:
        if self.given:
            value = self._read(answer)
            seen = [value for _ in self.inputs]
        else:
            _check_signature(answer, list(inspect.signature(self.truth).parameters))
            seen = [self.ask(answer, inputs) for inputs in self.inputs]
        asked, corner = list(self.inputs), ""
        wrong = self._first_wrong(seen, asked)
        if wrong is None:
            # only now: a loop that is wrong anyway might never end at gamma 1
            asked += self.corners.values()
            seen += [self.ask(answer, inputs) for inputs in self.corners.values()]
            wrong = self._first_wrong(seen, asked)
            if wrong is None:
                return Feedback(
                    True, None, "You have it." if self.given else f"It agrees on all {len(asked)} inputs tried."
                )
            corner = f"Right but for one corner, {list(self.corners)[wrong - len(self.inputs)]}."
        slug = self.diagnose(seen, asked)
        if slug is None and isinstance(seen[0], str) and len(set(map(str, seen))) == 1:
            return Feedback(False, None, f"{seen[0]}.")  # the same trouble everywhere: no example is needed
        hints = [HINTS[slug], self.also.get(slug, "")] if slug else [corner]
        if not (self.given and slug):  # the value would give the answer away
            hints.append(self._example(asked[wrong], seen[wrong]))
        return Feedback(False, slug, " ".join(filter(None, hints)))

    def ask(self, answer: Callable, inputs: tuple) -> dict[str, float] | str:
        """The numbers that an answer gives for an input, or what keeps it from giving any."""
        try:
            return self.observe(answer, *inputs) if self.observe else self._read(_called(answer, *inputs))
        except (KeyboardInterrupt, _Unanswered):
            raise
        except _Unusable as problem:
            return str(problem)
        except BaseException as error:
            if "ellipsis" in (raised := _raised(error)):
                raise _Unanswered from None  # a blank is still open, as in gamma ** ...
            return f"It raises {raised}"

    def diagnose(self, seen: Sequence[dict[str, float] | str], asked: Sequence[tuple]) -> str | None:
        """The first misconception that would have given what was seen."""
        for tolerance in (EXACT, ROUNDED) if self.given else (EXACT,):
            for slug, forms in self.mistakes.items():
                for form in forms:
                    pairs = zip(seen, asked, strict=True)
                    if all(_same(one, self.ask(form, inputs), tolerance) for one, inputs in pairs):
                        return slug
        return None

    def _read(self, value: Any) -> dict[str, float]:
        if self.size is None:
            return {"": read_number(value)}
        return {f"number {at}": number for at, number in enumerate(read_numbers(value, self.size), start=1)}

    def _first_wrong(self, seen: Sequence[dict[str, float] | str], asked: Sequence[tuple]) -> int | None:
        right = (_same(one, self.ask(self.truth, inputs)) for one, inputs in zip(seen, asked, strict=True))
        return next((at for at, is_right in enumerate(right) if not is_right), None)

    def _example(self, inputs: tuple, got: dict[str, float] | str) -> str:
        """A counter-example: the input, what was given and what was expected."""
        names = list(inspect.signature(self.observe or self.truth).parameters)[-len(inputs) :]
        where = ", ".join(f"{name} {value:g}" for name, value in zip(names, inputs, strict=True))
        want = self.ask(self.truth, inputs)
        if isinstance(got, str):
            return f"For {where}: {got}."
        missing = math.nan
        label = next(key for key in [*want, *got] if not _close(got.get(key, missing), want.get(key, missing)))
        gave, expected = (f"{one[label]:.9g}" if label in one else "nothing" for one in (got, want))
        return f"For {where}: {label}{label and ', '}you gave {gave}, expected {expected}."


def _called(answer: Callable, *inputs: float) -> Any:
    value = answer(*inputs)
    if value is ...:
        raise _Unanswered
    return value


def _check_signature(answer: Any, names: list[str]) -> None:
    """An answer has to be a function that can be called with as many arguments, in the same order."""
    wanted = f"A function of ({', '.join(names)}) is wanted"
    if not callable(answer):
        raise _Unusable(f"{wanted}, its name without brackets after it, not {_shown(answer)}")
    try:
        signature = inspect.signature(answer)
    except (TypeError, ValueError):
        return  # some functions written in C do not tell
    try:
        signature.bind(*names)
    except TypeError:
        raise _Unusable(_clean(f"{wanted}, and this one takes ({', '.join(signature.parameters)})")) from None
    if list(signature.parameters) != names and sorted(signature.parameters) == sorted(names):
        raise _Unusable(f"{wanted}: the arguments in this order")


def _close(one: float, other: float, tolerance: float = EXACT) -> bool:
    return math.isclose(one, other, rel_tol=tolerance)


def _same(got: dict[str, float] | str, want: dict[str, float] | str, tolerance: float = EXACT) -> bool:
    if isinstance(got, str) or isinstance(want, str):
        # a misconception that refuses an input leaves the text empty: any trouble is the same then
        return isinstance(got, str) and isinstance(want, str) and got.startswith(want)
    return got.keys() == want.keys() and all(_close(got[label], want[label], tolerance) for label in want)


def _clean(text: str) -> str:
    """One short line without control characters: what is quoted cannot disturb the page or the terminal."""
    text = "".join(letter if letter.isprintable() else " " for letter in text[: LONGEST + 1])
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."


def _shown(value: Any) -> str:
    """Strings are quoted, all else is named by its type: a repr may be long, change from run to run or raise."""
    return _clean(reprlib.repr(value) if type(value) is str else f"a value of type {type(value).__name__}")


def _raised(error: BaseException) -> str:
    name = type(error).__name__
    try:
        message = str(error)
    except BaseException:
        message = ""
    return _clean(f"{name}: {message}" if message else name)


def _rounded(*digits: int) -> list[Callable]:
    return [lambda *inputs, n=n: round(exponential_lr(*inputs), n) for n in digits]


def _table(lr: Callable) -> Callable:
    return lambda initial_lr, gamma: [lr(initial_lr, gamma, epoch) for epoch in range(5)]


def _refused() -> float:
    raise _Unusable("")


# the rate that somebody who believes it gives to an epoch; here i is the initial_lr, g gamma, e the epoch
WRONG_RATES: dict[str, list[Callable]] = {
    "off-by-one-epoch": [lambda i, g, e: i * g ** (e + 1), lambda i, g, e: i * g ** (e - 1)],
    "additive-decay": [lambda i, g, e: i - (1 - g) * i * e, lambda i, g, e: max(0.0, i - (1 - g) * i * e)],
    "never-stepped": [lambda i, g, e: i],
    "gamma-is-the-reduction": [lambda i, g, e: i * (1 - g) ** e],
    "one-multiplication": [lambda i, g, e: i * g * e, lambda i, g, e: i * g, lambda i, g, e: i * g if e else i],
    "exp-minus-gamma": [lambda i, g, e: i * math.exp(-g * e), lambda i, g, e: i * math.exp((g - 1) * e)],
    "gamma-to-the-initial-lr": [lambda i, g, e: (i * g) ** e],
    "double-step": [lambda i, g, e: i * g ** (2 * e)],
}


def _loop(*, first: str = "", start: str = "", batch: str = "o", end: str = "", more: int = 0) -> Callable:
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


def _rates_used(loop: Callable, initial_lr: float, gamma: float, num_epochs: int, batches_per_epoch: int) -> dict:
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
        _called(loop, optimizer, scheduler, num_epochs, batches_per_epoch)
    finally:
        hook.remove()
    if not rates:
        raise _Unusable("optimizer.step() was never called: nothing was trained")
    return rates | {"scheduler stepped (1) or not (0)": float(scheduler.last_epoch > 0)}


def _resumed(resume: Callable, initial_lr: float, gamma: float, epochs_done: int) -> dict:
    """The next three rates after a resume, and the scheduler's count of epochs."""
    optimizer, scheduler = _fresh(initial_lr, gamma)
    _loop(end="s")(optimizer, scheduler, epochs_done, 1)
    checkpoint = copy.deepcopy({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()})
    optimizer, scheduler = _fresh(initial_lr, gamma)
    _called(resume, optimizer, scheduler, checkpoint)
    seen = {"scheduler.last_epoch": float(scheduler.last_epoch)}
    for epoch in range(epochs_done, epochs_done + 3):
        seen[f"rate of epoch {epoch}"] = float(optimizer.param_groups[0]["lr"])
        _loop(end="s")(optimizer, scheduler, 1, 1)
    if seen["scheduler.last_epoch"] == 0 and seen[f"rate of epoch {epochs_done}"] == initial_lr:
        raise _Unusable("Nothing was restored: optimizer and scheduler are as new")
    return seen


def _fresh(initial_lr: float, gamma: float) -> tuple:
    import torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=initial_lr)
    return optimizer, torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)


def _resume(optimizer: Any, scheduler: Any, checkpoint: dict) -> None:
    optimizer.load_state_dict(checkpoint["optimizer"])
    scheduler.load_state_dict(checkpoint["scheduler"])


def _resume_from_last_epoch(optimizer: Any, scheduler: Any, checkpoint: dict) -> None:
    optimizer = type(optimizer)(optimizer.param_groups[0]["params"], lr=scheduler.base_lrs[0])
    type(scheduler)(optimizer, scheduler.gamma, last_epoch=checkpoint["scheduler"]["last_epoch"])


@functools.cache
def _final_losses() -> tuple[list[float], list[float]]:
    """Mean final excess loss of each of GAMMAS at initial_lr 0.1, and the gammas that cannot be told from the best."""
    excess = regression.sweep([0.1], GAMMAS, range(32), num_epochs=40).excess[0, :, :, -1]
    means = excess.mean(1)
    worse = excess - excess[means.argmin()]  # the same seeds, so the same orders of samples: compared in pairs
    tied = worse.mean(1) <= 2 * worse.std(1) / worse.shape[1] ** 0.5
    return means.tolist(), [gamma for gamma, tie in zip(GAMMAS, tied.tolist(), strict=True) if tie]


def _best_gamma(answer: Any) -> Feedback:
    gamma, (means, best) = read_number(answer), _final_losses()
    if any(_close(1 - gamma, right, ROUNDED) for right in best):
        return Feedback(False, "gamma-is-the-reduction", HINTS["gamma-is-the-reduction"])
    at = next((at for at, choice in enumerate(GAMMAS) if _close(gamma, choice)), None)
    if at is None:
        raise _Unusable("Choose one of the gammas 0.50, 0.51, ... 1.00")
    loss = f"With gamma {gamma:.2f} the mean excess loss at the end is {means[at]:.2g}"
    if GAMMAS[at] in best:
        return Feedback(True, None, f"{loss}: no other gamma is measurably better.")
    loss += f", at the best gamma {min(means):.2g}"
    if gamma < min(best):
        return Feedback(False, "decay-always-converges", f"{loss}: frozen. {HINTS['decay-always-converges']}")
    return Feedback(False, None, f"{loss}: the noise floor. The last steps are still too large; decay faster.")


CAPSTONE_EPOCHS = 25


def capstone_problem() -> regression.Problem:
    """The data of the capstone: 64 samples that no lesson has trained on.

    >>> len(capstone_problem().x)
    64
    """
    return regression.make_problem(weight=-4, bias=2, noise=1.5, width=0.6, seed=6)


def _capstone_losses(initial_lrs: Sequence[float], gammas: Sequence[float]) -> Any:
    """Mean final excess loss [initial_lr, gamma] over 32 seeds."""
    pairs = product(initial_lrs, gammas)
    rates = [[min(exponential_lr(*pair, epoch), 1e6) for epoch in range(CAPSTONE_EPOCHS)] for pair in pairs]
    runs = regression.sweep_rates(rates, range(32), capstone_problem())
    return runs.excess[..., -1].mean(1).unflatten(0, (len(initial_lrs), len(gammas)))


@functools.cache
def _capstone_best() -> tuple[float, float, float]:
    """The lowest loss of a sweep of 24 first rates and 51 gammas, and its initial_lr and gamma."""
    initial_lrs = [0.02 * 50 ** (step / 23) for step in range(24)]  # 0.02 ... 1
    losses = _capstone_losses(initial_lrs, GAMMAS)
    row, column = divmod(int(losses.argmin()), len(GAMMAS))
    return losses.min().item(), initial_lrs[row], GAMMAS[column]


def _capstone(answer: Any) -> Feedback:
    """Right within a factor of two of the best; else how far off, and which way is better."""
    initial_lr, gamma = read_numbers(answer, 2)
    if not (0 < initial_lr < math.inf and 0 <= gamma < math.inf):
        raise _Unusable("initial_lr must be above 0 and gamma at least 0, both finite: (initial_lr, gamma)")
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


# id -> what judges an answer: a Comparison, or any function from the answer to a Feedback
EXERCISES: dict[str, Callable[[Any], Feedback]] = {
    "lr-at-epoch": Comparison(
        exponential_lr, WRONG_RATES | {"rounded-to-zero": _rounded(4, 3, 2)}, inputs=[(0.2, 0.8, 4)], given=True
    ),
    "exponential-lr": Comparison(
        truth=exponential_lr,
        mistakes=WRONG_RATES
        | {
            "rounded-to-zero": _rounded(2, 3, 4, 5, 6, 8),
            "gamma-above-one": [
                lambda i, g, e: i * g**e if g <= 1 else _refused(),
                lambda i, g, e: i * min(g, 1.0) ** e,
            ],
        },
        inputs=list(product((0.1, 0.25, 1e-4), (0.9, 0.5, 0.75), (1, 2, 3, 7))),
        corners={"epoch 0": (0.1, 0.9, 0), "gamma 1": (0.1, 1.0, 3), "gamma above 1": (0.1, 1.1, 3)},
        also={"off-by-one-epoch": ONE_AHEAD},
    ),
    "half-life": Comparison(
        truth=half_life,
        mistakes={
            "additive-decay": [lambda g: 0.5 / (1 - g)],
            "gamma-is-the-reduction": [lambda g: half_life(1 - g)],
            "off-by-one-epoch": [lambda g: half_life(g) + 1, lambda g: half_life(g) - 1],
            "never-stepped": [lambda g: math.inf],
            "one-multiplication": [lambda g: 0.5 / g],
            "exp-minus-gamma": [lambda g: math.log(2) / g, lambda g: math.log(2) / (1 - g)],
            "double-step": [lambda g: half_life(g) / 2],
        },
        inputs=[(gamma,) for gamma in (0.9, 0.8, 0.75, 0.6, 0.5, 0.3)],
        corners={"gamma 1 (the rate never halves: math.inf)": (1.0,)},
    ),
    "step-budget": Comparison(
        truth=lambda initial_lr, gamma: step_budget(initial_lr, gamma),
        mistakes={
            "decay-always-converges": [lambda i, g: math.inf],
            "off-by-one-epoch": [lambda i, g: i * g / (1 - g), lambda i, g: i / g / (1 - g)],
            "gamma-is-the-reduction": [lambda i, g: i / g],
            "additive-decay": [lambda i, g: sum(max(0.0, i - (1 - g) * i * e) for e in range(99))],
            "exp-minus-gamma": [lambda i, g: i / (1 - math.exp(-g))],
            "gamma-to-the-initial-lr": [lambda i, g: 1 / (1 - i * g)],
            "double-step": [lambda i, g: i / (1 - g**2)],
        },
        inputs=list(product((0.1, 0.5), (0.9, 0.75, 0.5, 0.2))),
        corners={"gamma 1 (no limit: math.inf)": (0.1, 1.0)},
        also={"decay-always-converges": "(Without any decay there is no limit indeed: never-stepped.)"},
    ),
    "worked-table": Comparison(
        truth=_table(exponential_lr),
        mistakes={
            slug: [_table(form) for form in forms]
            for slug, forms in {
                **WRONG_RATES,
                "rounded-to-zero": _rounded(3, 2, 1),
                "get-lr-as-current": [lambda i, g, e: i * g ** (e + 1) if e else i],
                "tensor-lr-alias": [lambda i, g, e: i * g**4, lambda i, g, e: i * g**5],
            }.items()
        },
        inputs=[(0.5, 0.8)],
        also={"off-by-one-epoch": ONE_AHEAD},
        size=5,
        given=True,
    ),
    "best-gamma": _best_gamma,
    "training-loop": Comparison(
        truth=_loop(end="s"),
        mistakes={
            "never-stepped": [_loop()],
            "per-batch-step": [_loop(batch="os"), _loop(batch="so"), _loop(batch="os", end="s")],
            "scheduler-before-optimizer": [_loop(start="s")],
            "double-step": [_loop(end="ss"), _loop(start="s", end="s")],
            "recreated-optimizer": [_loop(start="n", end="s")],
            "plotting-consumes-it": [_loop(first="s", end="s")],
            "off-by-one-epoch": [_loop(end="s", more=-1), _loop(end="s", more=1)],
        },
        inputs=[(0.1, 0.9, 3, 4), (0.1, 0.5, 4, 2), (0.1, 0.75, 2, 3)],
        observe=_rates_used,
    ),
    "gamma-per-batch": Comparison(  # n is the number of batches
        truth=lambda gamma, batches_per_epoch: gamma ** (1 / batches_per_epoch),
        mistakes={
            "per-batch-step": [lambda g, n: g, lambda g, n: g**n],
            "additive-decay": [lambda g, n: 1 - (1 - g) / n],
            "one-multiplication": [lambda g, n: g / n],
            "gamma-is-the-reduction": [lambda g, n: (1 - g) ** (1 / n), lambda g, n: 1 - g ** (1 / n)],
            "exp-minus-gamma": [lambda g, n: math.exp(-g / n)],
            "fence-post": [lambda g, n: g ** (1 / (n - 1))],
            "off-by-one-epoch": [lambda g, n: g ** (1 / (n + 1))],
        },
        inputs=list(product((0.9, 0.5, 0.75), (2, 8, 100))),
        corners={"one batch": (0.9, 1), "gamma 1": (1.0, 8)},
    ),
    "resume": Comparison(
        truth=_resume,
        mistakes={
            "scheduler-state-not-saved": [lambda opt, sched, saved: opt.load_state_dict(saved["optimizer"])],
            "optimizer-state-not-restored": [lambda opt, sched, saved: sched.load_state_dict(saved["scheduler"])],
            "last-epoch-is-the-end": [_resume_from_last_epoch],
        },
        inputs=[(0.1, 0.9, 5), (0.5, 0.75, 2)],
        also={"optimizer-state-not-restored": "(Setting last_epoch alone does the same: last-epoch-is-the-end.)"},
        observe=_resumed,
    ),
    "gamma-for": Comparison(  # f is the final_lr, n num_epochs
        truth=gamma_for,
        mistakes={
            "fence-post": [lambda i, f, n: (f / i) ** (1 / n)],
            "off-by-one-epoch": [lambda i, f, n: (f / i) ** (1 / (n + 1)), lambda i, f, n: (f / i) ** (1 / (n - 2))],
            "additive-decay": [lambda i, f, n: 1 - (1 - f / i) / (n - 1), lambda i, f, n: 1 - (1 - f / i) / n],
            "gamma-is-the-reduction": [lambda i, f, n: 1 - gamma_for(i, f, n)],
            "one-multiplication": [lambda i, f, n: f / i, lambda i, f, n: f / i / (n - 1), lambda i, f, n: f / i / n],
            "exp-minus-gamma": [lambda i, f, n: math.log(i / f) / (n - 1)],
            "gamma-to-the-initial-lr": [lambda i, f, n: f ** (1 / (n - 1)) / i],
            "gamma-above-one": [
                lambda i, f, n: gamma_for(i, f, n) if f <= i else _refused(),
                lambda i, f, n: min(gamma_for(i, f, n), 1.0),
            ],
        },
        inputs=[(0.01, 1e-4, 30), (0.1, 1e-3, 10), (1.0, 0.05, 5), (0.5, 0.25, 3), (0.3, 0.02, 12)],
        corners={"two epochs": (0.1, 0.01, 2), "a rate that grows": (1e-3, 0.1, 5)},
    ),
    "capstone": _capstone,
}
