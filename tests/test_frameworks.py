"""Other frameworks are really run, where they are installed.

Keras and optax: their exponential decay is torch's, with the parameters that lesson 05 gives. They compute in
float32, so agreement is asked to 1e-5 relative. Accelerate and Lightning: they step torch's scheduler as often as
lesson 07 says. Keras's momentum is another one, as lesson 07 says too.
"""

import math
import os

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

os.environ.setdefault("KERAS_BACKEND", "torch")
INSTALL = "really runs {}: pip install 'lrlearn[frameworks]'"
TRAINERS = "really runs {}: pip install 'lrlearn[trainers]'"


def keras_schedule(initial_lr, decay_steps, decay_rate, staircase):
    keras = pytest.importorskip("keras", reason=INSTALL.format("Keras"))
    return keras.optimizers.schedules.ExponentialDecay(initial_lr, decay_steps, decay_rate, staircase=staircase)


def optax_schedule(initial_lr, transition_steps, decay_rate, staircase):
    optax = pytest.importorskip("optax", reason=INSTALL.format("optax"))
    return optax.exponential_decay(initial_lr, transition_steps, decay_rate, staircase=staircase)


def torch_rates(initial_lr, gamma, num_steps, steps_per_epoch=1):
    """The rate of every optimizer.step() under ExponentialLR, stepped after every ``steps_per_epoch`` of them."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=initial_lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)
    rates = []
    for step in range(num_steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if (step + 1) % steps_per_epoch == 0:
            scheduler.step()
    return rates


def first_difference(schedule, rates):
    """The first step whose rate differs by more than 1e-5 relative, with both rates; None if there is none."""
    pairs = ((step, float(schedule(step)), rate) for step, rate in enumerate(rates))
    return next((found for found in pairs if not math.isclose(found[1], found[2], rel_tol=1e-5)), None)


@pytest.fixture(params=[keras_schedule, optax_schedule], ids=["keras", "optax"])
def schedule_of(request):
    request.param(0.1, 8, 0.9, staircase=True)  # skips here, with its reason, if it is not installed
    return request.param


schedules = given(
    initial_lr=st.floats(1e-4, 1.0),
    gamma=st.floats(0.5, 1.0),
    steps_per_epoch=st.integers(1, 12),
    num_epochs=st.integers(1, 6),
)
few = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@few
@schedules
def test_staircase_is_one_step_of_the_scheduler_an_epoch(schedule_of, initial_lr, gamma, steps_per_epoch, num_epochs):
    rates = torch_rates(initial_lr, gamma, steps_per_epoch * num_epochs, steps_per_epoch)
    assert first_difference(schedule_of(initial_lr, steps_per_epoch, gamma, staircase=True), rates) is None


@few
@schedules
def test_continuous_is_the_per_batch_gamma_stepped_every_batch(
    schedule_of, initial_lr, gamma, steps_per_epoch, num_epochs
):
    rates = torch_rates(initial_lr, gamma ** (1 / steps_per_epoch), steps_per_epoch * num_epochs)
    assert first_difference(schedule_of(initial_lr, steps_per_epoch, gamma, staircase=False), rates) is None


@few
@given(initial_lr=st.floats(1e-4, 1.0), gamma=st.floats(0.5, 1.0), num_epochs=st.integers(1, 30))
def test_counting_epochs_needs_one_decay_step(schedule_of, initial_lr, gamma, num_epochs):
    rates = torch_rates(initial_lr, gamma, num_epochs)
    for staircase in (True, False):
        assert first_difference(schedule_of(initial_lr, 1, gamma, staircase=staircase), rates) is None


def test_the_comparison_can_fail(schedule_of):
    rates = torch_rates(0.1, 0.9, 24, steps_per_epoch=8)
    assert first_difference(schedule_of(0.1, 8, 0.9, staircase=False), rates)[0] == 1
    assert first_difference(schedule_of(0.1, 8, 0.9001, staircase=True), rates)[0] == 8


def test_optax_turns_a_rate_of_zero_into_a_constant():
    assert float(optax_schedule(0.1, 8, 0.0, staircase=True)(80)) == pytest.approx(0.1)


def test_keras_sums_steps_where_torch_sums_gradients():
    """So with momentum 0.9 and a gradient of 1 its reach is 10, and torch's is 5.26 (lesson 07)."""
    keras = pytest.importorskip("keras", reason=INSTALL.format("Keras"))
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.9)
    optimizer, weight = keras.optimizers.SGD(schedule, momentum=0.9), keras.Variable([0.0])
    optimizer.build([weight])
    for _ in range(400):
        optimizer.apply([torch.ones(1)], [weight])
    assert -float(weight.numpy()[0]) == pytest.approx(10, rel=1e-5)


# ---- who steps the scheduler, and how often: 8 batches of 8 samples an epoch, gamma 0.9


def batches():
    samples = torch.utils.data.TensorDataset(torch.linspace(-1, 1, 64)[:, None])
    return torch.utils.data.DataLoader(samples, batch_size=8)


def accelerated(rank, processes, port, accumulate, split, coupled, told):
    """One epoch of one process; the first one puts the rates of its updates, and the scheduler's count, into told."""
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "ACCELERATE_USE_CPU": "true"}
    os.environ.update(address, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(processes))
    from accelerate import Accelerator
    from accelerate.utils import DataLoaderConfiguration

    accelerator = Accelerator(
        cpu=True,
        gradient_accumulation_steps=accumulate,
        dataloader_config=DataLoaderConfiguration(split_batches=split),
        step_scheduler_with_optimizer=coupled,
    )
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, batches(), scheduler)
    rates = []
    for (x,) in loader:
        with accelerator.accumulate(model):
            accelerator.backward(model(x).square().mean())
            if accelerator.sync_gradients:
                rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
    if accelerator.is_main_process:
        told.put((rates, scheduler.scheduler.last_epoch))


@pytest.mark.parametrize(
    ("processes", "accumulate", "split", "coupled", "updates", "steps"),
    [
        (1, 1, False, True, 8, 8),
        (1, 4, False, True, 2, 2),
        (1, 3, False, True, 3, 3),
        (2, 1, False, True, 4, 8),
        (2, 1, True, True, 8, 8),
        (2, 1, False, False, 4, 4),
    ],
)
def test_accelerate_steps_a_prepared_scheduler_once_a_process_at_each_update_unless_told_not_to(
    processes, accumulate, split, coupled, updates, steps
):
    pytest.importorskip("accelerate", reason=TRAINERS.format("Accelerate"))
    from lab import free_port  # here: it needs Playwright, and the other tests do not

    told = torch.multiprocessing.get_context("spawn").SimpleQueue()
    arguments = (processes, free_port(), accumulate, split, coupled, told)
    torch.multiprocessing.spawn(accelerated, arguments, nprocs=processes)
    rates, count = told.get()
    assert (len(rates), count) == (updates, steps)
    assert rates == pytest.approx([0.1 * 0.9 ** (step * steps // updates) for step in range(updates)])


@pytest.mark.parametrize(("fused", "steps"), [(False, 2), (True, 4)])
def test_accelerate_waits_for_a_step_that_the_scaler_skips_unless_the_optimizer_is_fused(fused, steps):
    accelerate = pytest.importorskip("accelerate", reason=TRAINERS.format("Accelerate"))
    accelerate.Accelerator(cpu=True)  # its parts below want its settings
    weight = torch.ones(1, requires_grad=True)
    scaler = torch.amp.GradScaler("cpu")
    own = torch.optim.AdamW([weight], lr=0.1, fused=fused)
    optimizer = accelerate.optimizer.AcceleratedOptimizer(own, scaler=scaler)
    scheduler = accelerate.scheduler.AcceleratedScheduler(torch.optim.lr_scheduler.ExponentialLR(own, 0.9), optimizer)
    moved = 0
    for slope in (math.inf, math.inf, 1.0, 1.0):
        optimizer.zero_grad()
        before = weight.item()
        scaler.scale((slope * weight).sum()).backward()
        optimizer.step()
        scheduler.step()
        moved += weight.item() != before
    assert (moved, scheduler.scheduler.last_epoch) == (2, steps)


@pytest.mark.filterwarnings("ignore")  # of data loaders and loggers
@pytest.mark.parametrize("accumulate", [1, 4, 3])
@pytest.mark.parametrize("interval", ["epoch", "step"])
def test_lightning_steps_with_the_updates_or_once_an_epoch(interval, accumulate):
    lightning = pytest.importorskip("pytorch_lightning", reason=TRAINERS.format("Lightning"))

    class Line(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.line, self.rates = torch.nn.Linear(1, 1), []

        def training_step(self, batch, _):
            return self.line(batch[0]).square().mean()

        def configure_optimizers(self):
            optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
            scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": interval}}

        def on_before_optimizer_step(self, optimizer):
            self.rates.append(optimizer.param_groups[0]["lr"])

    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    line = Line()
    lightning.Trainer(max_epochs=2, accelerator="cpu", devices=1, accumulate_grad_batches=accumulate, **quiet).fit(
        line, batches()
    )
    updates = math.ceil(8 / accumulate)
    decays = [step if interval == "step" else step // updates for step in range(2 * updates)]
    assert line.rates == pytest.approx([0.1 * 0.9**decay for decay in decays])


def test_lightning_gives_an_unfrozen_layer_a_tenth_of_the_present_rate():
    lightning = pytest.importorskip("pytorch_lightning", reason=TRAINERS.format("Lightning"))
    unfreeze = lightning.callbacks.BaseFinetuning.unfreeze_and_add_param_group
    first, second, third = (torch.nn.Linear(size, 1) for size in (1, 2, 3))
    optimizer = torch.optim.SGD(first.parameters(), lr=0.1)
    optimizer.param_groups[0]["lr"] = 0.06
    unfreeze(second, optimizer)
    unfreeze(third, optimizer, lr=0.03)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.06, 0.006, 0.03])
