"""A page that holds everything, taken apart: what pages share, and what comes later, become files beside them."""

import base64
import contextlib
import hashlib
import io
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lrlearn import strips
from lrlearn.pages import STATE, VIEW, lossless, packed

SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg", "image/gif": "gif", "image/webp": "webp"}
STATE_SCRIPT = re.compile(rf'<script type="{re.escape(STATE)}">(.*?)</script>', re.DOTALL)
VIEWED = re.compile(
    rf'(<figure class="lrlearn-still">(?:(?!</figure>).)*</figure>)\s*<script type="{re.escape(VIEW)}">(.*?)</script>',
    re.DOTALL,
)
HELD = re.compile(r'(<img (?:[^>]* )?)?src="data:((?:image|audio|video)/[\w.+-]+);base64,([^"]*)"([^>]*)')
NARROW = "(max-width: 589px)"  # where filmstrip.js has less than its NARROW for a picture: the page's margins are 30 px
SAMPLES = 5  # of a strip, from which its base is made
# of a slider's state, what a selection slider has as well
SAME = ("continuous_update", "description", "description_allow_html", "disabled", "layout", "orientation", "readout")


class Folder:
    """Where the site is written. What is put there is named after its content, so that pages share it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.kept: dict[str, str] = {}  # of what a kernel has drawn: its hash -> the file that it has become

    def write(self, name: str, data: bytes) -> str:
        """A file with this name, and its name again."""
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")  # an interruption leaves no half of a file
        part.write_bytes(data)
        part.replace(path)
        return name

    def put(self, kind: str, data: bytes, suffix: str) -> str:
        """A file in the folder of its kind, named after what it holds."""
        return self.write(f"{kind}/{hashlib.sha256(data).hexdigest()[:16]}.{suffix}", data)


def taken_apart(page: str, folder: Folder, root: str, drawn: Path) -> str:
    """The page with its styles, pictures and strips as files of the folder.

    Args:
        page: of `lrlearn.pages.page`.
        folder: where the files go.
        root: the way from the page to the folder, "" or "../".
        drawn: where the kernel has left further strips; see `lrlearn.strips.store`.
    """
    head, body, foot = page.partition("</head>")
    styles = re.findall(r"<style[^>]*>(.*?)</style>", head, flags=re.DOTALL)
    head = re.sub(r"<style[^>]*>.*?</style>\n?", "", head, flags=re.DOTALL)
    sheet = folder.put("assets", "\n".join(styles).encode(), "css")
    state = STATE_SCRIPT.search(foot)
    foot, told = (foot[: state.start()] + foot[state.end() :], state[1]) if state else (foot, "")
    held = json.loads(told) if told else {}
    if held:
        foot = VIEWED.sub(lambda found: _with_place(found, held["state"], folder, root), foot)
    foot = HELD.sub(lambda found: _picture(found, folder, root), foot)
    if held:
        light = json.dumps(_lightened(held, folder, drawn)).replace("<", "\\u003c")
        foot = foot.replace("</body>", f'<script type="{STATE}">{light}</script>\n</body>')
    return f'{head}<link rel="stylesheet" href="{root}{sheet}">\n{body}{foot}'


def _picture(found: re.Match, folder: Folder, root: str) -> str:
    """What a page holds, as a file that comes late; a picture keeps its place, and is WebP where that is smaller."""
    before, kind, data, after = (part or "" for part in found.groups())
    content, size = base64.b64decode(data), ""
    if before and kind in ("image/png", "image/jpeg"):
        # a browser may show even what Pillow cannot read
        with contextlib.suppress(OSError), Image.open(io.BytesIO(content)) as opened:
            size = _size(opened.size, before + after)
            before, after = (re.sub(r'\bwidth="\d+"', "", part) for part in (before, after))
            if kind == "image/png" and len(smaller := packed(content)) < len(content):
                kind, content = "image/webp", smaller
    name = folder.put("pictures", content, SUFFIXES.get(kind, re.sub(r"\W", "", kind.split("/")[1])))
    late = 'loading="lazy" decoding="async" ' if before else ""
    return f'{before}{late}src="{root}{name}"{size}{after}'


def _with_place(found: re.Match, models: dict[str, Any], folder: Folder, root: str) -> str:
    """An explorer with room for its controls, and with its still picture for a phone as well."""
    name = json.loads(found[2])["model_id"]
    children = [models[one.removeprefix("IPY_MODEL_")]["state"] for one in models[name]["state"].get("children", [])]
    panels = next((one["strip"].get("panels") for one in children if "strip" in one), None)
    still = _stacked(found[1], panels, folder, root) if panels else found[1]
    return _place(models, name) + still + found[0][len(found[1]) :]


def _stacked(still: str, panels: list[float], folder: Folder, root: str) -> str:
    """The still picture, for a phone with its panels below one another, as filmstrip.js draws them."""
    held = HELD.search(still)
    if not held:
        return still
    with Image.open(io.BytesIO(base64.b64decode(held[3]))) as opened:
        tall = _below_one_another(opened, panels)
    name = folder.put("pictures", lossless(tall), "webp")
    source = f'<source media="{NARROW}" srcset="{root}{name}" width="{tall.width}" height="{tall.height}">'
    return re.sub("<img [^>]*>", rf"<picture>{source}\g<0></picture>", still)


def _place(models: dict[str, Any], name: str) -> str:
    """What takes as much room as the controls of an explorer, until they are there."""
    return f'<div class="lrlearn-place" aria-hidden="true">{"".join(_row(models, name))}</div>'


def _row(models: dict[str, Any], name: str) -> Iterator[str]:
    """The place of a control, or of each one in a box."""
    state = models[name]["state"]
    label = f'<label class="widget-label">{escape(state.get("description") or "")}</label>'
    kind = state["_model_name"]
    for child in (one.removeprefix("IPY_MODEL_") for one in state.get("children", [])):
        inner = "".join(_row(models, child))
        row = models[child]["state"]["_model_name"] == "HBoxModel"
        yield f'<div class="widget-box widget-hbox" style="flex-flow: wrap">{inner}</div>' if row else inner
    if "Slider" in kind:
        parts = '<div class="slider-container"></div><div class="widget-readout">0</div>'
        yield f'<div class="widget-inline-hbox widget-slider widget-hslider">{label}{parts}</div>'
    elif kind == "ToggleButtonsModel":
        options = "".join(
            f'<span class="widget-toggle-button jupyter-button">{escape(one)}</span>'
            for one in state["_options_labels"]
        )
        yield f'<div class="widget-toggle-buttons">{label}<div>{options}</div></div>'
    elif "description" in state:
        yield f'<div class="widget-inline-hbox widget-dropdown">{label}</div>'


def _below_one_another(picture: Image.Image, panels: list[float]) -> Image.Image:
    """The panels of a picture, which end at these fractions of its width, as one tall picture."""
    edges = [round(edge * picture.width) for edge in (0, *panels, 1)]
    parts = [picture.crop((left, 0, right, picture.height)) for left, right in itertools.pairwise(edges)]
    tall = Image.new("RGB", (max(part.width for part in parts), picture.height * len(parts)), "white")
    for at, part in enumerate(parts):
        tall.paste(part.convert("RGB"), (0, at * picture.height))
    return tall


def _size(pixels: tuple[int, int], rest: str) -> str:
    """Width and height of a picture as attributes: its place is kept while it is on its way."""
    width = re.search(r' width="(\d+)"', rest)
    across = int(width[1]) if width else pixels[0]
    return f' width="{across}" height="{round(pixels[1] * across / pixels[0])}"'


def _lightened(state: dict[str, Any], folder: Folder, drawn: Path) -> dict[str, Any]:
    """The widgets' state without any picture: each film knows the files of its strips instead."""
    models = state["state"]
    for name, model in models.items():
        if "strip" not in model["state"]:
            continue
        buffers = {tuple(buffer["path"]): base64.b64decode(buffer["data"]) for buffer in model.pop("buffers", [])}
        strip = model["state"]["strip"]
        pictures = [buffers[("strip", "pictures", at)] for at in range(len(strip["pictures"]))]
        controls = [models[one.removeprefix("IPY_MODEL_")] for one in model["state"]["controls"]]
        files = {}
        for shared in ("_esm", "_css"):  # the site's own files hold them
            model["state"].pop(shared, None)
        if (index := drawn / f"{name}.json").exists():
            told = json.loads(index.read_text(encoding="utf-8"))
            files = {key: _kept(drawn / file, folder) for key, file in told["files"].items()}
            for control, stops in zip(controls, told["stops"], strict=True):
                if stops:
                    _give_stops(control, stops)
        strip["controls"] = [_position(control["state"]) for control in controls]
        key = json.dumps(strip["controls"], separators=(",", ":"))
        if key not in files:
            files[key] = folder.put("strips", strips.to_bytes(strip | _layers(pictures)), "strip")
        model["state"] |= {"strip": {}, "strips": files}
    return state


def _position(state: Mapping[str, Any]) -> Any:
    """What a filmstrip knows of a control."""
    return state.get("index", state.get("value"))


def _kept(path: Path, folder: Folder) -> str:
    """A strip that the kernel has drawn, as a file of the site with smaller pictures."""
    drawn = path.read_bytes()
    name = hashlib.sha256(drawn).hexdigest()
    if name not in folder.kept:  # lessons share explorers
        strip = strips.from_bytes(drawn)
        folder.kept[name] = folder.put("strips", strips.to_bytes(strip | _layers(strip["pictures"])), "strip")
    return folder.kept[name]


def _layers(pictures: list[bytes]) -> dict[str, Any]:
    """Pictures of one strip as lossless WebP: a base, and of each only the pixels that are not those of the base.

    The base has of every pixel the middle one of a few pictures: what most of them show, if they agree.
    """
    with ThreadPoolExecutor(2) as workers:
        pixels = [*workers.map(_pixels, pictures)]
        if len(pixels) < SAMPLES or len({one.shape for one in pixels}) > 1:
            return {"base": b"", "pictures": [*workers.map(_webp, pixels)]}
        samples = [pixels[round(at * (len(pixels) - 1) / (SAMPLES - 1))] for at in range(SAMPLES)]
        base = np.sort(np.stack(samples), axis=0)[SAMPLES // 2]
        changed = workers.map(lambda one: _webp(np.where(one == base, 0, one)), pixels)
        return {"base": _webp(base), "pictures": [*changed]}


def _pixels(picture: bytes) -> np.ndarray:
    """A picture as one number for each pixel."""
    with Image.open(io.BytesIO(picture)) as opened:
        return np.array(opened.convert("RGBA")).view(np.uint32)[..., 0]


def _webp(pixels: np.ndarray) -> bytes:
    return lossless(Image.fromarray(pixels[..., None].view(np.uint8), "RGBA"))


def _give_stops(control: dict[str, Any], stops: list[Any]) -> None:
    """Make a selection slider of a slider: it stops only where there is a strip."""
    before = control["state"]
    control["state"] = {name: before[name] for name in before if name in SAME or name.startswith("_")}
    control["state"] |= {"_model_name": "SelectionSliderModel", "_view_name": "SelectionSliderView"}
    control["state"] |= {"_options_labels": [f"{stop:g}" for stop in stops], "index": stops.index(before["value"])}
    control["model_name"] = "SelectionSliderModel"
