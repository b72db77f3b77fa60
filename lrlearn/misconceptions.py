"""What people get wrong about ExponentialLR: a slug for each belief, and the sentence that answers it."""

HINTS = {
    "off-by-one-epoch": "That is one epoch off: the first epoch is epoch 0, and its rate is not multiplied yet.",
    "additive-decay": "That takes the same amount away each time; gamma multiplies, so each cut is smaller.",
    "never-stepped": "That rate never changes: after every epoch it is multiplied by gamma.",
    "gamma-is-the-reduction": "gamma is what is kept, not what is taken away: 0.9 keeps nine tenths of the rate.",
    "exp-minus-gamma": "No exp is needed: gamma itself is the base of the power, gamma ** epoch.",
    "one-multiplication": "gamma is multiplied in once for every epoch: that makes a power, gamma ** epoch.",
    "gamma-to-the-initial-lr": "Only gamma is raised to the power; initial_lr is multiplied in once, outside it.",
    "per-batch-step": "That multiplies by the epoch's gamma in every batch: the rate falls many times too fast.",
    "scheduler-before-optimizer": "scheduler.step() comes before optimizer.step() there: the first rate is never used.",
    "double-step": "That multiplies twice an epoch; gamma is multiplied in once.",
    "get-lr-as-current": "These are the next epoch's rates: from get_lr(), or a loop that multiplies before it stores.",
    "tensor-lr-alias": "All entries are the last rate: a tensor was stored that changes in place; store float(lr).",
    "fence-post": "Count the steps, not the posts: T things in a row have only T - 1 steps between them.",
    "scheduler-state-not-saved": "The rates go on, but scheduler.last_epoch is 0 again: restore the scheduler as well.",
    "optimizer-state-not-restored": "The scheduler is back; the optimizer still has its initial rate: restore both.",
    "last-epoch-is-the-end": "last_epoch is only a count: it brings no rate back. Load both state dicts.",
    "plotting-consumes-it": "The scheduler was stepped before training began, so training starts where that ended.",
    "recreated-optimizer": "The steps were made by a new optimizer; the scheduler went on changing the old one's rate.",
    "decay-always-converges": "Steps that shrink by a constant factor have a finite sum: they may never arrive.",
    "gamma-above-one": "gamma above 1 is allowed: the rate grows, as a learning-rate range test wants it.",
    "rounded-to-zero": "That is the right number, rounded. Keep the digits: a small rate would become 0.",
    "decayed-rate-kept": "The checkpoint's optimizer brings its decayed rate along. Load the weights alone.",
    "new-gamma-on-resume": "The scheduler's state brings its old gamma along: a new schedule needs a new scheduler.",
    "base-lrs-kept": "A loaded group keeps its old initial_lr, and with it base_lrs: set lr and initial_lr both.",
    "micro-batch-step": "Count updates, not micro-batches: several micro-batches share one optimizer.step().",
    "last-update-forgotten": "The last micro-batches of an epoch make an update too, even if they are fewer: round up.",
    "weight-decay-stays": "Weight decay is multiplied by the rate of that step, so it fades as the rate does.",
    "gamma-is-weight-decay": "gamma shrinks the rate; the weight shrinks by the rate times weight_decay in each step.",
    "new-group-at-the-first-rate": "A group added without its own lr starts at the first rate, not at today's.",
    "every-n-epochs": "That multiplies once in several epochs; here gamma is multiplied in after every epoch.",
    "ratio-upside-down": "The ratio is upside down.",
    "divided-not-rooted": "Dividing does not undo a power: what gives gamma when it is multiplied n times is a root.",
    "step-with-the-epoch": "step(epoch) sets that epoch's rate, here the one just used: leave out the argument.",
    "per-micro-batch-step": "That multiplies for every micro-batch that is accumulated; once an epoch is wanted.",
    "stepped-by-every-process": "That multiplies several times an epoch, as when every process calls scheduler.step().",
    "scheduler-after-the-epochs": "scheduler.step() stands outside the loop over epochs: it comes once, at the end.",
    "optimizer-outside-the-batches": "optimizer.step() stands outside the loop over batches; once a batch is wanted.",
    "loops-not-nested": "The loop over batches stands beside the loop over epochs, not inside it.",
    "new-scheduler-on-resume": "A new scheduler was made inside; the one handed in, which goes on, is as it was.",
    "rate-reset-on-resume": "Both were restored, and then the rate was set back: leave what load_state_dict brought.",
    "stepped-to-catch-up": "The restored rate has its cuts already: every further step() multiplies it once more.",
    "last-epoch-set-by-hand": "load_state_dict has set last_epoch already, and right: leave it.",
    "schedule-is-the-speed": "What is fast is the high rate at the start: a constant rate as high is as quick.",
    "small-steps-are-slow": "With noise, small late steps pay: the walk ends lower than at the best constant rate.",
    "any-rate-is-saved": "The rate must fall in time: from a rate far too high the loss grows before the rescue comes.",
    "last-steps-too-large": "It goes up and down and gets no lower: the last steps are too large, a noise floor.",
    "rate-too-large": "It ends above its first value: the rate is too large, and the run has diverged.",
    "still-on-its-way": "It falls to the end. A frozen curve lies flat, long before the last epoch.",
    "rounding-is-a-fault": "Both are right up to rounding, which is another after each product.",
    "equal-to-the-last-bit": "No bug: every product is rounded to 53 binary digits. Compare with math.isclose.",
    "gradient-cleared-too-late": "zero_grad() after backward() clears the gradient that step() is to use.",
    "decay-when-short": "Small steps help only against noise: who cannot arrive at full rate gets less far with them.",
}

# what a teacher does about each: a question of the classroom demo, a fault on a bench, or the board
IN_CLASS = {
    "off-by-one-epoch": (
        "Question 2, drag to 0: ask for the rate of the first epoch, before any multiplication. Then drag to 3 "
        "and count the multiplications aloud: three."
    ),
    "additive-decay": (
        "Question 2, drag to 3: ask how much each epoch took away. First 0.01, then 0.009, then 0.0081: never the "
        "same twice."
    ),
    "never-stepped": (
        'Lesson 05, fault bench, "never stepped", drag to 5: ask which line of the loop is missing. Without '
        "torch: question 2, drag to 3, and ask what has changed the 0.1."
    ),
    "gamma-is-the-reduction": (
        "Question 1, drag to 0.95: ask how much of the rate is left after one epoch, 95 % or 5 %. Then drag to "
        "0.7: is more left, or less?"
    ),
    "exp-minus-gamma": (
        "Question 2, drag to 0, then to 3: ask for the rate of epoch 1 by hand. It is 0.1 × 0.9 = 0.09; exp(−0.9) "
        "would leave 0.041."
    ),
    "one-multiplication": (
        "Question 2, drag to 3: ask how often 0.9 was multiplied in. Once an epoch, so epoch 10 has ten factors, "
        "and no factor 10."
    ),
    "gamma-to-the-initial-lr": (
        "Question 2, drag to 0: ask what (0.1 × 0.9) to the power 0 would be. 1, ten times the initial rate: the "
        "0.1 stands outside the power."
    ),
    "per-batch-step": (
        'Lesson 05, fault bench, "stepped per batch", drag to 1: ask how often gamma was multiplied in during one '
        "epoch. Eight times, once for each batch."
    ),
    "scheduler-before-optimizer": (
        'Lesson 05, fault bench, "scheduler before optimizer", drag to 0: ask which rate was never used: 0.1, the '
        "one they wrote."
    ),
    "double-step": (
        'Lesson 05, fault bench, "stepped twice", drag to 1: ask what 0.1 was multiplied by. 0.81, so twice by '
        "0.9: where is the second step()?"
    ),
    "get-lr-as-current": (
        'Lesson 05, fault bench, "logged get_lr()", drag to 0: ask which of the two is right, the log with 0.09 '
        "or the optimizer with 0.1."
    ),
    "tensor-lr-alias": (
        'Lesson 05, fault bench, "tensor in the log", drag to 0: ask why the whole log shows one number. Each '
        "entry is the same tensor: float(lr) makes a copy."
    ),
    "fence-post": (
        "Question 2, drag to 3: ask how many epochs there were (four: 0 to 3) and how many multiplications "
        "(three). Draw four posts and the three gaps."
    ),
    "scheduler-state-not-saved": (
        'Lesson 05, fault bench, "the same with LambdaLR", drag to 6: ask why the rate starts over. Then pick '
        '"scheduler not restored": the rates hide it, last_epoch does not.'
    ),
    "optimizer-state-not-restored": (
        'Lesson 05, fault bench, "optimizer not restored", drag to 5: ask which rate was used, 0.059, as the log '
        "says, or 0.1. The rate lives in the optimizer."
    ),
    "last-epoch-is-the-end": (
        'Lesson 05, fault bench, "last_epoch alone", drag to 5: ask what torch misses. last_epoch counts the '
        "steps; it holds no rate."
    ),
    "plotting-consumes-it": (
        'Lesson 05, fault bench, "plotted first", drag to 0: ask where the 0.035 at the start comes from. The '
        "plot made ten steps: plot with exponential_lr instead."
    ),
    "recreated-optimizer": (
        'Lesson 05, fault bench, "optimizer recreated", drag to 3: ask whose rate falls in the log. The scheduler '
        "holds an optimizer that nobody uses any more."
    ),
    "decay-always-converges": (
        "Question 3, drag to 0.73: ask why the walk stops on its way. Then question 1, drag to 0.95: the rates "
        "add up, and can never pass 2."
    ),
    "gamma-above-one": (
        "Question 2 by hand with gamma 1.1: ask for the rate of epoch 1. 0.11: nothing breaks. Ask who wants a "
        "rate that grows: a range test."
    ),
    "rounded-to-zero": (
        "Question 2, drag to 3: ask what is left of 0.0729 with one decimal place (0.1), and of a rate of 0.0001 "
        "with three: 0."
    ),
    "decayed-rate-kept": (
        'Lesson 07, fault bench, "optimizer loaded too", drag to 0: ask where the 0.0015 comes from. The new run '
        "wrote 0.05; the old run's optimizer brought its own rate."
    ),
    "new-gamma-on-resume": (
        'Lesson 05, fault bench, "new gamma lost", drag to 6: ask which gamma made this rate, the new 0.5 or the '
        "old 0.9. load_state_dict brought the old one back."
    ),
    "base-lrs-kept": (
        "Lesson 07, section 1: everybody writes the prediction down, then run the cell. Ask which rate LambdaLR "
        "multiplies: initial_lr, which nobody changed."
    ),
    "micro-batch-step": (
        'Lesson 07, fault bench, "stepped per micro-batch", drag to 1: ask how often optimizer.step() ran in that '
        "epoch, and how often scheduler.step() did."
    ),
    "last-update-forgotten": (
        "At the board: ten micro-batches, four to an update. Ask how many updates an epoch has. Three: the last "
        "two make one as well."
    ),
    "weight-decay-stays": (
        'Lesson 07, fault bench, "weight decay fades", drag to 5: ask what the weight is multiplied by in a step: '
        "1 − rate × weight_decay. The rate falls, so the decay fades."
    ),
    "gamma-is-weight-decay": (
        "At the board: two columns, the rate and a weight. Ask what each is multiplied by: the rate by gamma, the "
        "weight by 1 − rate × weight_decay."
    ),
    "new-group-at-the-first-rate": (
        'Lesson 07, fault bench, "unfrozen at the first rate", drag to 5: ask which two rates are in use now. 0.1 '
        "for the new group, 0.059 for the others: give it its lr."
    ),
    "every-n-epochs": (
        "Question 2, drag to 0, then to 3, one epoch at a time: ask in which of them the rate stayed. In none."
    ),
    "ratio-upside-down": (
        "At the board: from 0.01 to 0.0001. Ask whether gamma must be above or below 1, then which of the two "
        "rates stands on top."
    ),
    "divided-not-rooted": (
        "Question 2 backwards, drag to 3: from 0.1 to 0.0729 in three equal factors. Ask for the factor, and try "
        "a third of 0.729: 0.243 cubed is far too small."
    ),
    "step-with-the-epoch": (
        "At the board: write the epoch beside every step(epoch). Ask which rate step(0) sets: that of epoch 0, "
        "which was just used."
    ),
    "per-micro-batch-step": (
        'Lesson 07, fault bench, "stepped per micro-batch", drag to 1: ask how often gamma was multiplied in '
        "during one epoch, and how often it should be."
    ),
    "stepped-by-every-process": (
        'Lesson 07, fault bench, "once a process", drag to 1: ask what 0.4 was multiplied by. 0.656, so four '
        "times by 0.9: once for each process."
    ),
    "scheduler-after-the-epochs": (
        'Lesson 05, fault bench, "never stepped", drag to 5: it looks the same. Ask how many spaces stand before '
        "scheduler.step(), and which loop it belongs to."
    ),
    "optimizer-outside-the-batches": (
        "At the board: the loop with the spaces left out. Ask under which for each line belongs; then which lines "
        "run eight times an epoch."
    ),
    "loops-not-nested": (
        "At the board: the loop with the spaces left out. Ask which line runs how often in 3 epochs of 4 batches: "
        "optimizer.step() twelve times, scheduler.step() three times."
    ),
    "new-scheduler-on-resume": (
        "At the board: two boxes, the scheduler outside and the new one inside the function. Ask which of them "
        "the training loop steps next."
    ),
    "rate-reset-on-resume": (
        'Lesson 05, fault bench, "optimizer not restored", drag to 5: the line that sets the rate back does the '
        "same. Ask what the checkpoint has brought, and what the line makes of it."
    ),
    "stepped-to-catch-up": (
        'Lesson 07, fault bench, "stepped to catch up", drag to 5: ask how many cuts are in the rate: five from '
        "the checkpoint, and five more from catching up."
    ),
    "last-epoch-set-by-hand": (
        'Lesson 05, fault bench, "scheduler not restored", drag to 5: look at last_epoch. Ask who sets it when '
        "the scheduler's state is loaded, and what is left to do: nothing."
    ),
    "schedule-is-the-speed": (
        "Question 4, drag to 1: ask how fast the loss falls in the first epochs. As fast as at 0.94: speed comes "
        "from the high rate, the end from the decay."
    ),
    "small-steps-are-slow": (
        "Question 4, drag to 1, then to 0.94: ask which one ends lower. Small steps at the end stop the shaking."
    ),
    "any-rate-is-saved": (
        "Question 3, drag to 0.99: ask whether decay saves every walk. This one is lost before the rate is small; "
        "drag to 0.98, and it is just saved."
    ),
    "last-steps-too-large": (
        "Question 4, drag to 1: ask what the curve does at the end. It goes up and down and gets no lower. Then "
        "to 0.94: the last steps are small."
    ),
    "rate-too-large": (
        "Question 3, drag to 1: ask whether the walk ends above its start or below, and what that says of the rate."
    ),
    "still-on-its-way": (
        "Question 4, drag to 0.6, then to 0.94: ask which curve lies flat long before the last epoch. Only that "
        "one is frozen."
    ),
    "rounding-is-a-fault": (
        "At the board: 0.1 * 0.9 * 0.9 * 0.9 and 0.1 * 0.9 ** 3, typed into Python. Ask which one is wrong. "
        "Neither: their last digits differ."
    ),
    "equal-to-the-last-bit": (
        "At the board: 0.1 * 0.9 * 0.9 * 0.9 == 0.1 * 0.9 ** 3, typed into Python, then math.isclose of the two. "
        "Ask which of the two answers is useful."
    ),
    "gradient-cleared-too-late": (
        "At the board: zero_grad(), backward() and step() on three cards. Ask who fills the gradient, who uses "
        "it, who empties it; then sort the cards."
    ),
    "decay-when-short": (
        "Question 4, drag to 0.94, then set initial_lr to 0.02: ask which way the best gamma goes. It is 1 now: "
        "the steps are too short to be cut."
    ),
}
