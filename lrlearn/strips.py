"""Strips of pictures as files, also those that the further controls of an explorer ask for: the site fetches them.

A file is four bytes, the length of what follows in little-endian order; JSON, with everything that a filmstrip knows of
its strip and the ``sizes`` of what follows; the strip's base, which may be empty: what all pictures share, and each of
them then holds only what it changes there; and the pictures, from the one that a page shows first (``start``) outwards,
so that it is there before the others.
"""

import contextlib
import hashlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# where the further sliders of the site stop: every stop is a strip that somebody may fetch
STOPS: dict[str, list[Any]] = {
    "initial_lr": [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0],
    "num_epochs": [10, 20, 40, 100],
}


def to_bytes(strip: dict[str, Any]) -> bytes:
    """A strip as the content of a file; every picture must be there.

    >>> from_bytes(to_bytes({"pictures": [b"one", b"three"], "start": 1}))
    {'start': 1, 'base': b'', 'pictures': [b'one', b'three']}
    """
    pictures = [strip.get("base", b""), *(strip["pictures"][at] for at in _outwards(strip, len(strip["pictures"])))]
    told = {name: value for name, value in strip.items() if name not in ("base", "pictures")}
    told["sizes"] = [*map(len, pictures)]
    head = json.dumps(told, sort_keys=True).encode()
    return b"".join([len(head).to_bytes(4, "little"), head, *pictures])


def from_bytes(data: bytes) -> dict[str, Any]:
    """The strip that a file holds."""
    start = 4 + int.from_bytes(data[:4], "little")
    strip = json.loads(data[4:start])
    ends = list(itertools.accumulate(strip.pop("sizes"), initial=start))
    base, *pictures = (data[one:other] for one, other in itertools.pairwise(ends))
    ordered = sorted(zip(_outwards(strip, len(pictures)), pictures, strict=True))
    return strip | {"base": base, "pictures": [picture for _, picture in ordered]}


def _outwards(strip: dict[str, Any], count: int) -> list[int]:
    """The places of a strip's pictures, in the order in which they stand in its file."""
    start = strip.get("start", 0)
    return sorted(range(count), key=lambda at: abs(at - start))


def store(folder: str) -> None:
    """Draw the strips of every open filmstrip for all stops of its further controls, into a folder.

    This runs in the kernel of a lesson, after its last cell. For each filmstrip there is a file
    ``MODEL.json`` with ``stops`` (of each further control, in their order: the values, or None where the
    control keeps the positions that it has) and ``files``: the places of the controls, as JSON, -> the
    strip's file in the folder. A filmstrip with a control that has no stops has no further strips. What a strip
    of the course's own explorers shows is told by what they are set to: it is drawn once for all lessons.
    """
    from lrlearn import explorers, filmstrips

    for film in filmstrips.still_open():
        found = {name: values for name, control in film.controls.items() if (values := _stops(name, control))}
        if not found or found.keys() != film.controls.keys():
            continue
        selections = {name for name, control in film.controls.items() if hasattr(control, "index")}
        model, files = film._film.model_id, {}
        for places in itertools.product(*(range(len(values)) for values in found.values())):
            settings = {name: values[place] for (name, values), place in zip(found.items(), places, strict=True)}
            # the browser knows a selection by its place, which a slider with stops becomes, and a checkbox by its value
            known = selections | set(STOPS)
            shown = [places[at] if name in known else settings[name] for at, name in enumerate(found)]
            kind = type(film).__name__ if type(film).__module__ == explorers.__name__ else model
            told = json.dumps([kind, [*map(str, film.values)], settings, shown], sort_keys=True)
            file = f"{hashlib.sha256(told.encode()).hexdigest()}.strip"
            if Path(folder, file).exists() or _draw(film, settings, shown, Path(folder, file)):
                files[json.dumps(shown, separators=(",", ":"))] = file
        stops = [None if name in selections or name not in STOPS else values for name, values in found.items()]
        Path(folder, f"{model}.json").write_text(json.dumps({"stops": stops, "files": files}), encoding="utf-8")


def _draw(film: Any, settings: dict[str, Any], shown: list[Any], path: Path) -> bool:
    """The strip of a filmstrip for these settings into a file, if all of its pictures can be drawn."""
    with _showing(film, settings):
        strip = film._strip() | {"controls": shown}
    if None in strip["pictures"]:
        return False
    path.write_bytes(to_bytes(strip))
    return True


def _stops(name: str, control: Any) -> list[Any] | None:
    """The values that a further control has in the site, its present one among them."""
    if hasattr(control, "options"):
        return [value for _, value in control._options_full]
    if isinstance(control.value, bool):
        return [False, True]
    if name not in STOPS:
        return None
    return sorted({stop for stop in STOPS[name] if control.min <= stop <= control.max} | {control.value})


@contextlib.contextmanager
def _showing(film: Any, settings: dict[str, Any]) -> Iterator[None]:
    """The further controls with other values for a while; nobody hears of it."""
    before = {name: control.value for name, control in film.controls.items()}
    film._observe(False)
    with contextlib.ExitStack() as stack:
        for control in film.controls.values():
            stack.enter_context(control.hold_sync())
        try:
            for name, value in settings.items():
                film.controls[name].value = value
            yield
        finally:
            for name, value in before.items():
                film.controls[name].value = value
            film._observe()
