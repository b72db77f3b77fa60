"""The stand-in for torch that the site's pages hold: every known answer meets torch first, then the stand-in."""

import re
import sys

import pytest
import torch  # noqa: F401  before any test puts the stand-in in its place
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlearn import exercises, probes, standin
from lrlearn.practice import PRACTICE

ANSWERS = [
    pytest.param(name, answer, id=f"{name}-{slug}-{at}")
    for name, exercise in PRACTICE.items()
    for slug, forms in ({"right": [exercise.truth]} | dict(exercise.mistakes)).items()
    for at, answer in enumerate(forms)
]


def judged(name, answer):
    """The feedback, without the words of torch's own warnings and errors, for which the stand-in has shorter ones."""
    feedback = exercises.check(name, answer)
    hint = re.sub(r"(raises \w+).*", r"\1", feedback.hint, flags=re.DOTALL)
    return feedback.correct, feedback.misconception, hint.partition(" But PyTorch warns")[0]


def with_and_without(run):
    """What a function gives with torch, and with the stand-in in its place."""
    torchs = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "torch"}
    first = run()
    try:
        for name in torchs:
            del sys.modules[name]
        sys.modules.update(standin.modules())
        return first, run()
    finally:
        for name in standin.modules():
            sys.modules.pop(name, None)
        sys.modules.update(torchs)


@pytest.mark.parametrize(("name", "answer"), ANSWERS)
def test_an_answer_is_judged_as_with_torch(name, answer):
    real, stand_in = with_and_without(lambda: judged(name, answer))
    assert real == stand_in


def outcome(run, *inputs):
    """The numbers that a probe gives, or the kind of error that it meets."""
    try:
        return run(*inputs)
    except Exception as error:
        return type(error).__name__


WORDS = st.text("ostefn", max_size=4)


@settings(max_examples=30)
@given(start=WORDS, batch=WORDS, end=WORDS, last=WORDS, gamma=st.sampled_from([0.5, 0.9, 1.1]))
def test_any_loop_has_the_same_rates(start, batch, end, last, gamma):
    loop = probes.training_loop(start=start, batch=batch, end=end, last=last)
    real, stand_in = with_and_without(lambda: outcome(probes.rates_used, loop, 0.1, gamma, 3, 2))
    assert real == stand_in


@settings(max_examples=30)
@given(st.text("osnNprac+-", max_size=5), st.integers(1, 6))
def test_any_resume_has_the_same_rates(actions, epochs_done):
    resume = probes.restore(actions)
    real, stand_in = with_and_without(lambda: outcome(probes.rates_after_resume, resume, 0.1, 0.9, epochs_done))
    assert real == stand_in


def test_what_it_lacks_it_names():
    with pytest.raises(AttributeError, match=r"a part of PyTorch.*\(torch\.optim\.Adam\)"):
        _ = standin.modules()["torch.optim"].Adam
