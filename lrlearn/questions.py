"""The questions that come again: each idea of the course, with fresh numbers drawn for every round."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from random import Random
from typing import Any

from lrlearn.answers import copied, word_or_number
from lrlearn.comparison import Choices, Comparison, Feedback
from lrlearn.schedules import exponential_lr, gamma_for, half_life, step_budget


@dataclass(frozen=True)
class Question:
    """A question with its numbers filled in.

    Args:
        text: what is asked.
        truth: the right answer, a number or a word.
        beliefs: slug -> what somebody who believes that would answer; a tuple, if it may be one of several.
        choices: the words to choose from, if a word is wanted.
        trained: makes the curve that is drawn above the questions, a value for each epoch; judging needs none.
        says: slug -> a sentence that fits this question better than the misconception's own.
        hints: a wrong word that no belief explains -> what is said to it; that of "" is said to any other.
    """

    text: str
    truth: float | str
    beliefs: Mapping[str, float | str | tuple]
    choices: tuple[str, ...] = ()
    trained: Callable[[], list[float]] = list
    says: Mapping[str, str] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)

    @property
    def curve(self) -> list[float]:
        """What is drawn above the questions; empty if nothing is."""
        return self.trained()

    def __call__(self, answer: Any) -> Feedback:
        if isinstance(self.truth, str):
            slugs = {str(word_or_number(word)): slug for slug, word in self.wrong()}
            found = Choices(self.choices, [(self.truth, slugs)])([answer])
            unexplained = not found.correct and found.misconception is None
            hint = self.hints.get(str(word_or_number(answer)), self.hints.get("", ""))
            return replace(found, hint=hint) if unexplained else found
        mistakes = {
            slug: [lambda value=value: value for one, value in self.wrong() if one == slug] for slug in self.beliefs
        }
        return Comparison(lambda: self.truth, mistakes, inputs=[()], given=True)(answer)

    def wrong(self) -> list[tuple[str, Any]]:
        """The beliefs, each with one of its answers."""
        return [
            (slug, value)
            for slug, values in self.beliefs.items()
            for value in (values if isinstance(values, tuple) else (values,))
        ]

    def tells_apart(self) -> bool:
        """Whether no two of the answers, right or wrong, are the same to three digits."""
        pairs = combinations([self.truth, *(value for _, value in self.wrong())], 2)
        return not any(one == two if isinstance(one, str) else copied(one, float(two)) for one, two in pairs)


def _numbers(random: Random) -> tuple[float, float]:
    return random.choice((0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.8)), random.choice((0.6, 0.7, 0.8, 0.9, 0.95))


def definition(random: Random) -> Question:
    """What a scheduler does to a rate."""
    rate, gamma = _numbers(random)
    return Question(
        f"This epoch trains at the rate {rate}, and gamma is {gamma}. At what rate does the next epoch train?",
        rate * gamma,
        {
            "never-stepped": rate,
            "gamma-is-the-reduction": rate * (1 - gamma),
            "additive-decay": rate - (1 - gamma),
            "double-step": rate * gamma**2,
        },
    )


def formula(random: Random) -> Question:
    """The rate of any epoch."""
    (lr, gamma), epoch = _numbers(random), random.randint(3, 6)
    return Question(
        f"initial_lr {lr}, gamma {gamma}: at what rate does epoch {epoch} train?",
        exponential_lr(lr, gamma, epoch),
        {
            "off-by-one-epoch": (lr * gamma ** (epoch + 1), lr * gamma ** (epoch - 1)),
            "additive-decay": lr - (1 - gamma) * lr * epoch,
            "never-stepped": lr,
            "gamma-is-the-reduction": lr * (1 - gamma) ** epoch,
            "exp-minus-gamma": lr * math.exp(-gamma * epoch),
            "one-multiplication": lr * gamma * epoch,
            "gamma-to-the-initial-lr": (lr * gamma) ** epoch,
        },
    )


def first_epoch(random: Random) -> Question:
    """Counting starts at 0."""
    (lr, gamma), (place, name) = _numbers(random), random.choice([(2, "second"), (3, "third"), (4, "fourth")])
    return Question(
        f"initial_lr {lr}, gamma {gamma}: at what rate does the {name} epoch train?",
        exponential_lr(lr, gamma, place - 1),
        {
            "off-by-one-epoch": lr * gamma**place,
            "never-stepped": lr,
            "gamma-is-the-reduction": lr * (1 - gamma) ** (place - 1),
            "gamma-to-the-initial-lr": (lr * gamma) ** (place - 1) if place > 2 else (lr * gamma) ** 2,
        },
    )


def two_half_lives(random: Random) -> Question:
    """What a half-life is."""
    lr, gamma = _numbers(random)
    return Question(
        f"With gamma {gamma} the half-life is {half_life(gamma):.3g} epochs, and training starts at {lr}. "
        f"What is the rate after {2 * half_life(gamma):.3g} epochs, twice as many?",
        lr / 4,
        {"additive-decay": 0.0, "one-multiplication": lr / 2, "never-stepped": lr},
        says={
            "additive-decay": "The second half-life halves what is left, a half: it does not take another half away.",
            "one-multiplication": "That is after one half-life; in the second the rate is halved again.",
        },
    )


def half_life_of(random: Random) -> Question:
    """How to compute it."""
    gamma = round(random.uniform(0.55, 0.97), 2)
    return Question(
        f"After how many epochs has the rate halved, with gamma {gamma}? (`math.log` helps.)",
        half_life(gamma),
        {
            "additive-decay": 0.5 / (1 - gamma),
            "gamma-is-the-reduction": half_life(round(1 - gamma, 2)),
            "one-multiplication": 0.5 / gamma,
            "ratio-upside-down": 1 / half_life(gamma),
        },
    )


def reach_has_a_limit(random: Random) -> Question:
    """The rates have a finite sum."""
    lr, gamma = _numbers(random)
    return Question(
        f"initial_lr {lr}, gamma {gamma}: train long enough, and the rates add up to as much as you like. Is that so?",
        "no",
        {"decay-always-converges": "yes"},
        ("yes", "no"),
    )


def reach(random: Random) -> Question:
    """How far the steps can carry."""
    lr, gamma = _numbers(random)
    return Question(
        f"initial_lr {lr}, gamma {gamma}: what do all rates add up to, for ever?",
        step_budget(lr, gamma),
        {
            "decay-always-converges": math.inf,
            "off-by-one-epoch": step_budget(lr, gamma) - lr,
            "gamma-is-the-reduction": lr / gamma,
            "double-step": lr / (1 - gamma**2),
        },
    )


def three_reasons(random: Random) -> Question:
    """Why a scheduler, and what each reason does not say."""
    low, times = random.choice((0.04, 0.05, 0.06)), random.randint(2, 4)
    claim, truth, slug = random.choice(
        [
            (
                f"A walk with a schedule is {times} times as quick as one at a constant {low}. "
                "So no constant rate can be as quick.",
                "no",
                "schedule-is-the-speed",
            ),
            (
                f"With noise, a walk at a constant {3 * low:.2g} keeps moving about to the end. "
                "Smaller late steps let it end lower.",
                "yes",
                "small-steps-are-slow",
            ),
            (
                f"A rate of {10 * low:.2g} makes the loss grow from the first step on. "
                "With any gamma below 1 such a run is safe.",
                "no",
                "any-rate-is-saved",
            ),
        ]
    )
    wrong = {"yes": "no", "no": "yes"}[truth]
    return Question(f"{claim} Is that what the experiments show?", truth, {slug: wrong}, ("yes", "no"))


def last_bits(random: Random) -> Question:
    """What floats do."""
    lr, gamma = random.choice([(0.1, 0.9), (0.2, 0.9), (0.3, 0.7), (0.1, 0.7), (0.4, 0.9)])
    epoch = next(e for e in range(random.randint(3, 6), 40) if _product(lr, gamma, e) != lr * gamma**e)
    return Question(
        f"Python says that `{lr} * {gamma} ** {epoch}` is not `==` to the same by {epoch} multiplications. Why?",
        "rounding",
        {"rounding-is-a-fault": "one is wrong", "equal-to-the-last-bit": "a bug in Python"},
        ("rounding", "one is wrong", "a bug in Python"),
    )


def _product(lr: float, gamma: float, epoch: int) -> float:
    for _ in range(epoch):
        lr *= gamma
    return lr


# what one training of the toy regression looks like: (initial_lr, gamma) of each regime
REGIMES = {
    "frozen": [(0.1, 0.5), (0.1, 0.6), (0.05, 0.7), (0.08, 0.65)],
    "just right": [(0.1, 0.94), (0.2, 0.9), (0.15, 0.92), (0.3, 0.88)],
    "noise floor": [(0.2, 1.0), (0.3, 1.0), (0.4, 1.0)],
    "diverged": [(1.4, 1.0), (1.6, 1.0), (2.0, 1.0)],
}
LOOKS = {
    "frozen": "A frozen curve falls, and then lies flat long before the last epoch.",
    "just right": "A training that is just right ends below a thousandth of its first value.",
    "noise floor": "At a noise floor the curve goes up and down, mostly above a thousandth of its first value.",
    "diverged": "A curve that diverges ends above its first value.",
}


def regime(random: Random) -> Question:
    """What a loss curve tells."""
    truth = random.choice([*REGIMES])
    (lr, gamma), seed = random.choice(REGIMES[truth]), random.randrange(32)

    def excess() -> list[float]:
        from lrlearn.regression import sweep

        return sweep([lr], [gamma], [seed]).excess[0, 0, 0].tolist()

    slugs = {"frozen": "decay-always-converges", "noise floor": "last-steps-too-large", "diverged": "rate-too-large"}
    wrong = "just right" if truth in slugs else "frozen"
    return Question(
        "The picture shows the excess loss of a training. Which regime is it?",
        truth,
        {slugs.get(truth, "still-on-its-way"): wrong},
        tuple(REGIMES),
        trained=excess,
        hints=LOOKS,
    )


CALLS = ("optimizer.zero_grad()", "loss.backward()", "optimizer.step()", "scheduler.step()")


def four_calls(random: Random) -> Question:
    """Their order in the loop."""
    letters = dict(zip(random.sample(CALLS, 4), "ABCD", strict=True))
    zero, backward, step, schedule = (letters[call].lower() for call in CALLS)
    listed = ", ".join(f"{letter}: `{call}`" for call, letter in letters.items())
    return Question(
        f"An epoch of a single batch: {listed}. In which order do they come? Answer with a word of four letters.",
        zero + backward + step + schedule,
        {
            "scheduler-before-optimizer": zero + backward + schedule + step,
            "gradient-cleared-too-late": backward + zero + step + schedule,
        },
        hints={"": "Ask of each call: what must have been done before it?"},
    )


def when_not(random: Random) -> Question:
    """When another schedule is the better choice."""
    lr, gamma = _numbers(random)
    case, truth, slug = random.choice(
        [
            (
                f"A training starts well at {lr}, but it has no known end: it goes on as long as data come in.",
                "1/t decay",
                "decay-always-converges",
            ),
            (
                f"A training without noise starts at {lr}, far below the rates at which it diverges. "
                "It has to stop long before it has arrived, even at a constant rate.",
                "no decay",
                "decay-when-short",
            ),
        ]
    )
    return Question(
        f"{case} From {lr} on, do you take exponential decay with gamma {gamma}, or another?",
        truth,
        {slug: "exponential decay"},
        ("exponential decay", "no decay", "1/t decay"),
        hints={
            "no decay": "At a constant rate the noise of the steps stays what it is, however long it goes on.",
            "1/t decay": "That makes the steps smaller too, and at the full rate they do not arrive as it is.",
        },
    )


def gamma_from_the_end(random: Random) -> Question:
    """Gamma from the rate of the last epoch."""
    first, ratio, epochs = (
        random.choice((0.01, 0.05, 0.1, 0.2)),
        random.choice((10, 20, 50, 100)),
        random.randint(8, 25),
    )
    last = first / ratio
    return Question(
        f"Epoch 0 trains at {first:g}, and the last of {epochs} epochs shall train at {last:g}. Which gamma does that?",
        gamma_for(first, last, epochs),
        {
            "fence-post": (1 / ratio) ** (1 / epochs),
            "additive-decay": 1 - (1 - 1 / ratio) / (epochs - 1),
            "one-multiplication": 1 / ratio,
            "ratio-upside-down": ratio ** (1 / (epochs - 1)),
        },
    )


# idea -> its questions, each with the lesson after which it can be asked
IDEAS: dict[str, list[tuple[str, Callable[[Random], Question]]]] = {
    "definition": [("00", definition)],
    "formula": [("00", formula), ("06", gamma_from_the_end)],
    "first epoch": [("00", first_epoch)],
    "half-life": [("00", two_half_lives), ("02", half_life_of)],
    "reach": [("00", reach_has_a_limit), ("02", reach)],
    "three reasons": [("01", three_reasons)],
    "last bits": [("03", last_bits)],
    "regimes": [("04", regime)],
    "four calls": [("05", four_calls)],
    "when not": [("06", when_not)],
}
