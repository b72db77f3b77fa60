"""Figures to compressed pictures: what stands still is drawn once, two threads compress, freed memory goes back."""

import ctypes
import gc
import io
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

DPI = 200  # drawn at double resolution: a figure of 9 x 3.5 inches shows as 900 x 350 CSS pixels
WAITING = 4  # pictures between drawing, which is the quicker, and compressing: each takes some 4 MB until then
COLOURS = 64  # enough for a plot with its anti-aliasing; fewer bytes to send
# JupyterLab handles every control in a thread of its own, and matplotlib may draw in only one at a time
DRAWING = threading.RLock()
# the same two threads for all strips: each thread has memory of its own, which it keeps when it ends
COMPRESSING = ThreadPoolExecutor(2)


def give_back_memory() -> None:
    """What drawing has left: figures full of cycles, 11 MB each, and freed memory that glibc would keep, some 40 MB."""
    gc.collect()
    if hasattr(ctypes.pythonapi, "malloc_trim"):  # this process, and all it has loaded
        ctypes.pythonapi.malloc_trim(0)


def drawn(figures: Iterable[Figure]) -> tuple[list[bytes], int]:
    """The figures as palette PNGs, drawn on this thread while two others compress, and their CSS width."""
    width, jobs = 0, []
    for figure in figures:
        if not isinstance(figure, Figure):
            raise TypeError(f"draw must return a matplotlib Figure, not {figure!r}")
        stage = figure.canvas if isinstance(figure.canvas, Stage) else Stage(figure)
        jobs.append(COMPRESSING.submit(_png, stage.picture()))
        if len(jobs) > WAITING:
            jobs[-1 - WAITING].result()
        width = round(figure.get_figwidth() * DPI / 2)
    return [job.result() for job in jobs], width


class Stage(FigureCanvasAgg):
    """Where a figure is drawn: what stands still once, and the animated artists in front of it for each picture."""

    def __init__(self, figure: Figure) -> None:
        super().__init__(figure)
        figure.set_dpi(DPI)
        figure.stale = True

    def picture(self) -> Image.Image:
        if self.figure.stale:  # something that is not animated has changed
            self.draw()
            self._background = self.copy_from_bbox(self.figure.bbox)
            moving = self.figure.findobj(lambda artist: artist.get_animated(), include_self=False)
            self._moving = sorted(moving, key=lambda artist: artist.get_zorder())  # from back to front
            self.figure.stale = False
        self.restore_region(self._background)
        for artist in self._moving:
            artist.axes.draw_artist(artist) if artist.axes else self.figure.draw_artist(artist)
        pixels = self.buffer_rgba()
        return Image.frombuffer("RGBA", (pixels.shape[1], pixels.shape[0]), pixels).convert("RGB")


def _png(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(data, "PNG")
    return data.getvalue()
