"""The exercises that are tried on a real optimizer: training loops, resuming, fine-tuning, new parameters."""

import dataclasses
from collections.abc import Callable
from typing import Any

from lrlearn import probes
from lrlearn.comparison import Comparison, Feedback
from lrlearn.probes import accumulating, loops_in_a_row, restore, training_loop

LOOP = Comparison(
    truth=training_loop(end="s"),
    mistakes={
        "never-stepped": [training_loop()],
        "per-batch-step": [training_loop(batch="os"), training_loop(batch="so"), training_loop(batch="os", end="s")],
        "scheduler-before-optimizer": [training_loop(start="s")],
        "double-step": [training_loop(end="ss"), training_loop(start="s", end="s"), training_loop(end="st")],
        "stepped-by-every-process": [training_loop(end="s" * times) for times in range(3, 9)],
        "per-micro-batch-step": [
            form
            for size in (2, 3, 4, 8)
            for form in (
                training_loop(batch="s" * size + "o"),
                training_loop(batch="s" * (size - 1) + "os"),
                training_loop(batch="o" + "s" * size),
                accumulating(size, "os"),
                accumulating(size, "so"),
            )
        ],
        "step-with-the-epoch": [training_loop(end="e"), training_loop(batch="oe")],
        "scheduler-after-the-epochs": [training_loop(last="s")],
        "optimizer-outside-the-batches": [
            training_loop(batch=batch, end=end, last=last)
            for batch, end, last in (
                ("s", "o", ""),
                ("", "os", ""),
                ("", "so", ""),
                ("", "o", ""),
                ("", "o", "s"),
                ("", "s", "o"),
                ("", "", "o"),
                ("", "", "os"),
                ("", "", "so"),
            )
        ],
        "loops-not-nested": [
            loops_in_a_row(epoch="s", batch="o"),
            loops_in_a_row(epoch="", batch="o", last="s"),
            loops_in_a_row(epoch="", batch="os"),
            loops_in_a_row(epoch="", batch="o"),
        ],
        "recreated-optimizer": [training_loop(start="n", end="s")],
        "plotting-consumes-it": [training_loop(first="s", end="s")],
        "off-by-one-epoch": [training_loop(end="s", more=-1), training_loop(end="s", more=1)],
    },
    inputs=[(0.1, 0.9, 3, 4), (0.1, 0.5, 4, 2), (0.1, 0.75, 2, 3), (0.1, 0.8, 3, 16)],
    draw=lambda numbers: (0.1, round(numbers.uniform(0.3, 0.95), 2), numbers.randint(2, 5), numbers.randint(1, 6)),
    says={"per-micro-batch-step": "scheduler.step() comes several times an epoch there; once, at its end, is wanted."},
    also={"never-stepped": "scheduler.step(), once an epoch, is what multiplies it."},
    observe=probes.rates_used,
)
FIRST = {"stepped-by-every-process": "That multiplies several times an epoch: scheduler.step() is wanted once."}
# id -> what judges an answer, as in `lrlearn.exercises.EXERCISES`, of which they are a part
PRACTICE: dict[str, Callable[[Any], Feedback]] = {
    "first-loop": dataclasses.replace(LOOP, says={**LOOP.says, **FIRST}),
    "training-loop": dataclasses.replace(
        LOOP, also={**LOOP.also, "double-step": "Two schedulers on one optimizer compound."}
    ),
    "resume": Comparison(
        truth=restore("os"),
        mistakes={
            "scheduler-state-not-saved": [restore("o")],
            "optimizer-state-not-restored": [restore("s")],
            "last-epoch-is-the-end": [probes.resume_from_last_epoch],
            "new-scheduler-on-resume": [restore("on"), restore("no"), restore("oN"), restore("p")],
            "rate-reset-on-resume": [restore("osr"), restore("sor"), restore("orsr")],
            "stepped-to-catch-up": [restore("osc"), restore("osa"), restore("oc"), restore("sc"), restore("oac")],
            "last-epoch-set-by-hand": [restore("os+"), restore("os-")],
        },
        inputs=[(0.1, 0.9, 5), (0.5, 0.75, 2)],
        draw=lambda numbers: (0.1, round(numbers.uniform(0.3, 0.95), 2), numbers.randint(2, 8)),
        also={"optimizer-state-not-restored": "(Setting last_epoch alone does the same: last-epoch-is-the-end.)"},
        observe=probes.rates_after_resume,
    ),
    "fine-tune": Comparison(
        truth=probes.start_fine_tuning(),
        mistakes={
            "decayed-rate-kept": [
                probes.start_fine_tuning("optimizer"),
                probes.start_fine_tuning("optimizer", "scheduler"),
            ],
            "base-lrs-kept": [probes.start_fine_tuning("optimizer", base=False)],
            "new-gamma-on-resume": [probes.start_fine_tuning("scheduler")],
        },
        inputs=[(0.05, 0.8), (0.02, 0.95)],
        observe=probes.rates_of_fine_tuning,
    ),
    "unfreeze": Comparison(
        truth=probes.unfreeze(lambda optimizer, scheduler: optimizer.param_groups[0]["lr"]),
        mistakes={
            "new-group-at-the-first-rate": [probes.unfreeze(None)],
            "off-by-one-epoch": [probes.unfreeze(lambda opt, sched: opt.param_groups[0]["lr"] * sched.gamma)],
        },
        inputs=[(0.1, 0.9, 5), (0.5, 0.75, 2)],
        observe=probes.rates_of_a_new_group,
    ),
}
