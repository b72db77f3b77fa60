"""An hour of dragging: ten thousand changes of controls, and what the kernel's memory does meanwhile.

    python tests/benchmarks/footprint.py

One kernel shows a ScheduleExplorer and a TrainingExplorer. The changes arrive as JupyterLab sends them:
a drag of the main slider moves it through 24 positions, each waiting until the kernel is idle again; then a
further control changes five times without waiting, and the kernel draws a new strip for the last of the five
(and for some that came before, when it was quick enough). A strip takes half a second or more, so ten thousand
of them would be hours of drawing: of these ten thousand changes about 1,700 are of further controls.
Memory is looked at when the kernel rests, its strip drawn: while it draws, a dozen pictures wait in it.
The first tenth is warm-up. After it the memory (PSS) must stay within 5 % of what it was then, in every
sample. The medians of the twentieths of the run tell growth from noise and are printed beside it.
"""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from jupyter_client.manager import start_new_kernel

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "load"))

from processes import memory_mb

CHANGES, DRAG, BURST = 10_000, 24, 5
LIMIT = 0.05
SHOWN = "from lrlearn import ScheduleExplorer, TrainingExplorer\nScheduleExplorer()", "TrainingExplorer()"


def main() -> None:
    manager, client = start_new_kernel()
    try:
        films = list(explorers(client))
        began, sizes, strips, sent = time.monotonic(), [], 0, 0
        while sent < CHANGES:
            film = films[len(sizes) % len(films)]
            for changes in (drag(film, len(sizes)), burst(film, len(sizes))):
                strips += tell(client, changes)
                sent += len(changes)
            sizes.append((sent, memory_mb(manager.provisioner.pid)))
            if len(sizes) % 25 == 0:
                print(f"{time.monotonic() - began:5.0f} s, {sent:6} changes, {strips:4} strips: {sizes[-1][1]:.0f} MB")
        report(sizes, strips, time.monotonic() - began)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def explorers(client) -> Iterator[dict]:
    """Show the explorers; of each the state of its Film, and ``models``, the states of all widgets by id."""
    for source in SHOWN:
        opened: dict[str, dict] = {}

        def keep(message: dict, opened: dict = opened) -> None:
            if message["msg_type"] in ("comm_open", "comm_msg"):
                state = message["content"]["data"].get("state", {})
                opened.setdefault(message["content"]["comm_id"], {}).update(state)

        reply = client.execute_interactive(source, output_hook=keep, timeout=120)
        if reply["content"]["status"] != "ok":
            raise RuntimeError(reply["content"]["evalue"])
        (film,) = (state for state in opened.values() if state.get("strip"))
        yield film | {"models": opened}


def drag(film: dict, number: int) -> list[tuple[str, dict]]:
    """The main slider through its values, there and back: (model, new state) for each change."""
    values = film["strip"]["values"]
    there = [values[round(at * (len(values) - 1) / (DRAG - 1))] for at in range(DRAG)]
    slider = film["slider"].removeprefix("IPY_MODEL_")
    return [(slider, {"value": value}) for value in (there if number % 4 < 2 else there[::-1])]


def burst(film: dict, number: int) -> list[tuple[str, dict]]:
    """A further control, each in turn, changed five times in quick succession."""
    name = film["controls"][number // 2 % len(film["controls"])].removeprefix("IPY_MODEL_")
    control = film["models"][name]
    return [(name, changed(control, number + at)) for at in range(BURST)]


def changed(control: dict, number: int) -> dict:
    """One of the values of a checkbox, a selection or a slider."""
    if "index" in control:
        return {"index": number % len(control["_options_labels"])}
    if isinstance(control["value"], bool):
        return {"value": number % 2 == 0}
    steps = round((control["max"] - control["min"]) / control["step"])
    return {"value": control["min"] + (7 * number % (steps + 1)) * control["step"]}


def tell(client, changes: list[tuple[str, dict]]) -> int:
    """Send the changes; wait for each where they are a drag, for all together where not. How many strips came."""
    waits: Callable[[int], bool] = (lambda at: True) if len(changes) == DRAG else (lambda at: at == len(changes) - 1)
    strips = 0
    for at, (model, state) in enumerate(changes):
        data = {"method": "update", "state": state, "buffer_paths": []}
        message = client.session.msg("comm_msg", {"comm_id": model, "data": data})
        client.shell_channel.send(message)
        if waits(at):
            strips += until_idle(client, message["header"]["msg_id"])
    if len(changes) == BURST:
        for _ in range(2):  # a strip is drawn a little after a change; one more for those that came meanwhile
            time.sleep(0.05)
            strips += until_idle(client, client.kernel_info())
    return strips


def until_idle(client, asked: str) -> int:
    """Until the kernel has finished with this message; how many strips came meanwhile."""
    strips = 0
    while True:
        message = client.get_iopub_msg(timeout=120)
        content = message["content"]
        if message["msg_type"] == "comm_msg" and "strip" in content["data"].get("state", {}):
            strips += 1
        if message["parent_header"].get("msg_id") == asked and content.get("execution_state") == "idle":
            return strips


def report(sizes: list[tuple[int, float]], strips: int, seconds: float) -> None:
    part = CHANGES / 20
    parts = [[size for sent, size in sizes if part * at < sent <= part * (at + 1)] for at in range(20)]
    warm, *later = map(median, parts[1:])
    least, most = min(later) / warm - 1, max(later) / warm - 1
    single = max(size for sent, size in sizes if sent > CHANGES / 10)
    print(f"{sizes[-1][0]} changes, {strips} strips drawn, {seconds:.0f} s")
    print(f"after warm-up {warm:.0f} MB, at the end {later[-1]:.0f} MB; later twentieths {least:+.1%} to {most:+.1%}")
    print(f"the largest single sample: {single:.0f} MB, {single / warm - 1:+.1%}")
    if single / warm - 1 > LIMIT:
        sys.exit(f"grown by more than {LIMIT:.0%}")


if __name__ == "__main__":
    main()
