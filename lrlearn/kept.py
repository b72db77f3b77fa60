"""What a saved notebook shows of an explorer when it is opened again: its last picture, and how to move it again.

JupyterLab and Notebook 7 show nothing but an error for sliders whose kernel is gone. So two outputs follow an
explorer, or the box that holds it: its picture, which filmstrip.css hides while there are sliders, and a style that
hides the error. The picture is an output of its own, of image/png alone: a front end that
chooses among the parts of an output has nothing else to choose for it, whatever it makes of the sliders' output.
"""

import base64
from collections.abc import Iterator
from typing import Any

import ipywidgets
from IPython.display import DisplayHandle, display

from lrlearn.rendering import LINE, with_a_line

HOW = "This is the last picture. To move it again: Run > Run All Cells."
STYLE = (
    '<style class="lrlearn-kept">.jp-OutputArea-child:has(> .jupyter-widgets):has(~ .jp-OutputArea-child .lrlearn-kept)'
    " { display: none }</style>"
)
ABOUT = {"lrlearn": {"style": True}}


class Kept:
    """The outputs that keep the picture of one explorer, in the cell that shows it.

    Args:
        name: of the explorer; no other has it.
        picture: the data and metadata of `bundle`.
        at_once: add the style now, not with the first `update`. A notebook that is only run, and compared with what
            is stored, is as it was without it.
    """

    def __init__(self, name: str, picture: tuple[dict, dict], *, at_once: bool) -> None:
        data, metadata = picture
        self._picture: DisplayHandle = display(data, metadata=metadata, raw=True, display_id=f"lrlearn-{name}")
        self._style: DisplayHandle = display({}, metadata=ABOUT, raw=True, display_id=f"lrlearn-{name}-style")
        if at_once:
            self._add_style()

    def update(self, picture: tuple[dict, dict]) -> None:
        """Keep another picture."""
        data, metadata = picture
        self._picture.update(data, metadata=metadata, raw=True)
        self._add_style()

    def _add_style(self) -> None:
        self._style.update({"text/html": STYLE}, metadata=ABOUT, raw=True)


def bundle(picture: bytes, width: int, words: str) -> tuple[dict, dict]:
    """A picture with the line that says how to bring it to life, as the data and metadata of an output."""
    png = base64.b64encode(with_a_line(picture, HOW)).decode()
    return {"image/png": png}, {"image/png": {"width": width, "alt": words}, "lrlearn": {"line": LINE}}


def inside(box: ipywidgets.Box, kind: type) -> Iterator[Any]:
    """The widgets of a kind that a box holds, however deep."""
    for child in box.children:
        if isinstance(child, kind):
            yield child
        elif isinstance(child, ipywidgets.Box):
            yield from inside(child, kind)
