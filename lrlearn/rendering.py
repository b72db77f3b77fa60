"""Figures to compressed pictures: what stands still is drawn once, two threads compress, freed memory goes back."""

import ctypes
import gc
import io
import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from lrlearn.steady import steady

DPI = 200  # drawn at double resolution: a figure of 9 x 3.5 inches shows as 900 x 350 CSS pixels
WAITING = 4  # at most this many drawn pictures wait to be compressed; each takes about 4 MB
COLOURS = 64  # enough for a plot with its anti-aliasing; fewer bytes to send
LINE = 50  # pixels of height that a line of words under a picture takes
NARROW = 0.2  # of the width: axes that are narrower, such as a colour bar, stay with their neighbour
# the same two threads for all strips: each thread has memory of its own, which it keeps when it ends
COMPRESSING = ThreadPoolExecutor(2)


def give_back_memory() -> None:
    """Free discarded figures (11 MB each, in cycles) and return the heap to the system.

    ``pythonapi`` exposes libc's ``malloc_trim``; only glibc has it.
    """
    gc.collect()
    if hasattr(ctypes.pythonapi, "malloc_trim"):
        ctypes.pythonapi.malloc_trim(0)


def drawn(draws: Iterable[Callable[[], Figure]]) -> tuple[list[bytes | Exception], int, list[float]]:
    """What each function draws as a palette PNG, or the exception that it raised; the pictures' width and panels.

    They are drawn on this thread while two others compress. The width is in CSS pixels, the panels as in `panels`.
    """
    width, cuts = 0, []
    jobs: list[Future[bytes] | Exception] = []
    with steady():
        for draw in draws:
            try:
                stage = _stage(draw())
                jobs.append(COMPRESSING.submit(_png, stage.picture()))
            except Exception as error:
                jobs.append(error)
                continue
            if len(jobs) > WAITING and isinstance(waited := jobs[-1 - WAITING], Future):
                waited.result()
            if not width:
                width, cuts = round(stage.figure.get_figwidth() * DPI / 2), panels(stage.figure)
    return [job.result() if isinstance(job, Future) else job for job in jobs], width, cuts


def _stage(figure: Figure) -> "Stage":
    if not isinstance(figure, Figure):
        raise TypeError(f"draw must return a matplotlib Figure, not {figure!r}")
    return figure.canvas if isinstance(figure.canvas, Stage) else Stage(figure)


class Stage(FigureCanvasAgg):
    """Where a figure is drawn: what stands still once, and the animated artists in front of it for each picture."""

    def __init__(self, figure: Figure) -> None:
        super().__init__(figure)
        figure.set_dpi(DPI)
        for artist in figure.findobj(lambda artist: artist.get_animated()):
            artist.set_in_layout(False)  # or the layout would depend on which picture is drawn first
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


def panels(figure: Figure) -> list[float]:
    """Where a drawn figure can be cut from top to bottom, as fractions of its width: between axes side by side.

    On a phone the browser puts the panels below one another. A title over all of them cannot be cut.
    """
    stale = figure.stale
    boxes = [box for ax in figure.axes if ax.get_visible() and (box := ax.get_tightbbox())]
    figure.stale = stale  # measuring moves titles a little; drawn again, the layout of the next pictures would differ
    if figure.texts or figure.legends or figure.get_suptitle() or not boxes:
        return []
    columns: list[list[float]] = []
    for left, right in sorted((box.x0 / figure.bbox.width, box.x1 / figure.bbox.width) for box in boxes):
        if columns and (left < columns[-1][1] or right - left < NARROW):
            columns[-1][1] = max(right, columns[-1][1])
        else:
            columns.append([left, right])
    cuts = [(one[1] + other[0]) / 2 for one, other in itertools.pairwise(columns)]
    return [round(cut, 4) for cut in cuts]


def _png(image: Image.Image) -> bytes:
    # as lossless WebP a ScheduleExplorer's 51 pictures take 1.13 MB in place of 1.63, and 0.99 s in place of 0.34
    data = io.BytesIO()
    image.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(data, "PNG")
    return data.getvalue()


def with_a_line(png: bytes, words: str) -> bytes:
    """The picture with a line of words under it, in the same few colours."""
    picture = Image.open(io.BytesIO(png))
    palette = picture.getpalette() or []
    colours = [sum(palette[at : at + 3]) for at in range(0, len(palette), 3)]
    dark, light = colours.index(min(colours)), colours.index(max(colours))
    font = ImageFont.truetype(findfont("DejaVu Sans"), 26)
    both = Image.new("P", (picture.width, picture.height + LINE), light)
    both.putpalette(palette)
    both.paste(picture)
    ImageDraw.Draw(both).text((26, picture.height + 8), words, fill=dark, font=font)
    data = io.BytesIO()
    both.save(data, "PNG")
    return data.getvalue()
