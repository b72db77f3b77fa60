"""What a notebook says, as HTML for its page: formulas as MathML, pictures inside, links that hold, nothing that runs.

Everything passes nh3, which reads HTML as browsers do and keeps the elements and attributes that are named here.
"""

import base64
import mimetypes
import os
import re
from collections.abc import Mapping
from functools import partial
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from xml.etree.ElementTree import tostring

import nh3
from latex2mathml.converter import convert_to_element
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath


def _words(text: str) -> set[str]:
    return set(text.split())


MATH = _words(
    "math mrow mi mn mo mtext mspace ms mfrac msqrt mroot mstyle msub msup msubsup munder mover munderover "
    "mmultiscripts mprescripts none mtable mtr mtd mpadded mphantom menclose merror"
)
MATH_ATTRIBUTES = _words(
    "xmlns display mathvariant mathcolor mathbackground mathsize stretchy fence form separator symmetric minsize "
    "maxsize lspace rspace width height depth voffset linethickness accent accentunder movablelimits scriptlevel "
    "displaystyle columnalign columnlines columnspacing rowlines rowspacing rowalign frame notation"
)
MEDIA = {"audio", "video", "source"}
STYLE = _words(
    "color background background-color border border-left border-left-width border-color border-radius padding margin "
    "margin-left margin-right margin-top margin-bottom width max-width height max-height text-align vertical-align "
    "font-weight font-style font-size font-family line-height white-space display float list-style-type"
)
ATTRIBUTES = (
    {tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()}
    | dict.fromkeys(MATH, MATH_ATTRIBUTES)
    | {"*": {"class", "id", "title", "lang", "dir", "style", "role"}, "details": {"open"}}
    | {"input": {"disabled", "checked"}, "source": {"src", "type"}, "audio": {"src", "controls"}}
    | {"video": {"src", "controls", "poster", "width", "height"}}
)
# among them schemes that a page cannot have: what it would lose is named, or stays as text
SCHEMES = {"http", "https", "mailto", "data", "attachment", "file", "ftp"}
ELSEWHERE = re.compile(r"<(iframe|frame|object|embed|link)\b[^>]*", re.IGNORECASE)  # what shows another file
TAG = re.compile(r"""(<(?:"[^"]*"|'[^']*'|[^'">])*>)""")
IMAGE = re.compile(r'<img((?: [\w-]+="[^"]*")*)>')  # as nh3 writes it


def mathml(latex: str, display: str = "inline") -> str:
    """A formula as MathML, which browsers draw themselves; display is "inline" or "block".

    >>> "<mtext>lr &lt; b</mtext>" in mathml(r"\\text{lr < b}").replace("\\N{NO-BREAK SPACE}", " ")
    True
    """
    latex = latex.replace(r"\mathrm{", r"\text{")  # a word, not a product of letters
    latex = re.sub(r"\\(ln|log)(?=\s+[^\s(=])", r"\\\1\\,", latex)  # TeX's gap, which the converter forgets
    formula = convert_to_element(latex.strip(), display=display)
    for part in formula.iter():  # the converter names its symbols by their numbers
        part.text = unescape(part.text) if part.text else None
    return tostring(formula, encoding="unicode")


class Markup:
    """One notebook's texts as HTML for its page. ``lost`` names what the page cannot hold.

    Args:
        source: the notebook.
        pages: notebook -> page, of all that are written together.
    """

    def __init__(self, source: Path, pages: Mapping[Path, Path]) -> None:
        self.source, self.pages = source, pages
        self.lost: list[str] = []

    def from_markdown(self, text: str, attachments: Mapping[str, Any] | None = None) -> str:
        """Markdown as it is written in notebooks; ``attachments`` are the cell's."""
        return self.from_html(MarkdownWithMath(renderer=_Renderer(self)).render(text), attachments)

    def from_html(self, html: str, attachments: Mapping[str, Any] | None = None) -> str:
        """HTML without scripts, event handlers and what is not known here; its pictures inside."""
        before = len(self.lost)
        self.lost += [f"{found[0]}> (a page shows no other)" for found in ELSEWHERE.finditer(html)]
        clean = nh3.clean(
            html,
            tags=nh3.ALLOWED_TAGS | MATH | MEDIA | {"input", "tfoot", "picture"},
            attributes=ATTRIBUTES,
            attribute_filter=partial(self._attribute, attachments or {}),
            generic_attribute_prefixes={"aria-"},
            tag_attribute_values={"input": {"type": {"checkbox"}}},
            filter_style_properties=STYLE,
            url_schemes=SCHEMES,
            link_rel=None,
        )
        if len(self.lost) == before and any(' src="' not in names for names in IMAGE.findall(clean)):
            self.lost.append("<img> (without an address that a picture can have)")
        return clean

    def formula(self, latex: str, display: str = "inline") -> str:
        """A formula as MathML; one that nobody can read stays as it is, and is lost."""
        try:
            return mathml(latex, display)
        except Exception as error:  # the converter has a dozen kinds of its own
            self.lost.append(f"${latex}$ (no formula: {type(error).__name__})")
            return f"<code>{escape(latex)}</code>"

    def _attribute(self, attachments: Mapping[str, Any], tag: str, name: str, value: str) -> str | None:
        """What becomes of an attribute. It may raise nothing: nh3 would only print it."""
        if name in ("src", "poster"):
            return self._embedded(value, attachments) if tag in MEDIA | {"img"} else None
        elif name in ("href", "cite"):
            return self._link(value)
        elif name == "style" and "url(" in value.lower():
            self.lost.append(f"a style with url(...) in <{tag}>")
        elif not (name in ("width", "height") and tag not in MATH and not re.fullmatch(r"\d+%?", value)):
            return value
        return None

    def _embedded(self, url: str, attachments: Mapping[str, Any]) -> str | None:
        """An address that holds the picture, sound or film itself."""
        try:
            given = urlsplit(url)
            if re.match(r"data:(image|audio|video)/[\w.+-]+[;,]", url):
                return url
            if given.scheme == "attachment":
                held = attachments[unquote(given.path)]
                kind = next(kind for kind in held if re.fullmatch(r"(image|audio|video)/[\w.+-]+", kind))
                return f"data:{kind};base64,{''.join(held[kind].split())}"
            if given.scheme or given.netloc:
                raise ValueError("not on this machine: save it beside the notebook")
            path = self.source.parent / unquote(given.path)
            kind = mimetypes.guess_type(path.name)[0] or ""
            if not kind.startswith(("image/", "audio/", "video/")):
                raise ValueError("not the name of a picture")
            return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
        except (KeyError, StopIteration):
            self.lost.append(f"{url} (no such picture is attached to the cell)")
        except OSError as error:
            self.lost.append(f"{url} ({error.strerror})")
        except ValueError as error:
            self.lost.append(f"{url[:80]} ({error})")
        return None

    def _link(self, url: str) -> str | None:
        """Where a link leads to: to a page, a section, the network; of any other only the text stays."""
        try:
            given = urlsplit(url)
            if given.scheme:
                return url if given.scheme in ("http", "https", "mailto") else None
            if given.netloc:
                return f"https:{url}"  # a page is opened from a file, where // is another machine's folder
            if not given.path:
                return url
            page = self.pages.get((self.source.parent / unquote(given.path)).resolve())
        except (ValueError, OSError, RuntimeError):
            return None
        if not page:
            return None
        way = quote(Path(os.path.relpath(page, self.pages[self.source].parent)).as_posix())
        return given._replace(path=way).geturl()


class _Renderer(IPythonRenderer):
    """Markdown to HTML, with formulas as MathML; addresses stay as they are written."""

    def __init__(self, markup: Markup) -> None:
        super().__init__(escape=False)
        self.formula = markup.formula

    def inline_math(self, body: str) -> str:
        return self.formula(body)

    def block_math(self, body: str) -> str:
        return self.formula(body, "block")

    def latex_environment(self, name: str, body: str) -> str:
        return self.formula(rf"\begin{{{name}}}{body}\end{{{name}}}", "block")

    def block_html(self, html: str) -> str:
        """HTML with the formulas that stand in its text, not in its tags or its code."""
        parts, code = TAG.split(html), 0
        for at, part in enumerate(parts):
            if at % 2:
                code += bool(re.match("<(code|pre)[ >]", part, re.I)) - bool(re.match("</(code|pre)>", part, re.I))
            elif not code:
                parts[at] = re.sub(r"\$([^$]+)\$", lambda found: self.formula(unescape(found[1])), part)
        return "".join(parts)

    def inline_html(self, html: str) -> str:
        return html

    def block_mermaidjs(self, code: str) -> str:
        return self.block_code(code)  # what would draw it comes from the network

    def _embed_image_or_attachment(self, src: str) -> str:
        return src  # Markup does, for HTML's pictures too
