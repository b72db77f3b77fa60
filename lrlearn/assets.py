"""What all pages of the site share: the widgets' scripts, the editor, Python itself, lrlearn's own files, licences."""

import io
import json
import re
import zipfile
from pathlib import Path

from lrlearn import pages, tuning
from lrlearn.commands import CommandError
from lrlearn.unpacking import Folder

HERE = Path(__file__).parent
SCRIPTS = ("site.js", "models.js", "strips.js", "filmstrip.js", "exercises.js", "worker.js")
WIDGETS = ("base", "controls")  # of html-manager's modules those that an explorer needs
CONTROLS = "@jupyter-widgets/controls@5.0.13"
CONTROLS_SHA = "MwPGtaW9h0PLVq00qISc6YV3GAdDflSsBmZy+4qNcXZQ0S9hLWaGuk9c0W6raFBXKpqV0F26c6CizVQDu+/ocA=="
STYLES = ("css/lumino.css", "css/nouislider.css", "css/widgets-base.css")
USED = ("view", "commands", "lang-python", "language")  # of the editor's packages, by exercises.js
PYODIDE = "pyodide@314.0.7"
PYTHON = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
# of Python's library what a page has no use for: networks, other processes, tools for developers, rare encodings
SHED = re.compile(
    r"(_pyrepl|email|ensurepip|http|multiprocessing|sqlite3|unittest|wsgiref|xml|xmlrpc|__hello__|__phello__)[/.]"
    r"|(_pyio|compileall|configparser|doctest|ftplib|imaplib|mailbox|mimetypes|modulefinder|netrc|optparse|pdb|bdb"
    r"|pickletools|plistlib|poplib|profile|cProfile|pstats|pyclbr|pydoc|smtplib|socketserver|tabnanny|tarfile|trace"
    r"|turtle|wave|webbrowser|zipapp)\.py"
    r"|encodings/(?!(__init__|aliases|ascii|cp437|idna|latin_1|punycode|raw_unicode_escape|unicode_escape|utf_\w+)\.py)"
)
# package -> the file that it is used for, and its SHA-512 as npm writes it
EDITOR = {
    "@codemirror/autocomplete@6.20.4": (
        "dist/index.js",
        "yF8RhOf2SXlg00+qtupzLhrglcas61boqaONiNcbPIebHCpJocpqTBA6dyrtUrQO47hqyTdeob/3XnYilT7TaQ==",
    ),
    "@codemirror/commands@6.11.1": (
        "dist/index.js",
        "O/4hG3SC1YwcmQ0d2UVNDs+AsaNWd1iHVxbTeEBuqH+6bExAiPK3iS/BvpY6rZGURALv4ZD3sIgcCmRvw3ehBg==",
    ),
    "@codemirror/lang-python@6.2.1": (
        "dist/index.js",
        "IRjC8RUBhn9mGR9ywecNhB51yePWCGgvHfY1lWN/Mrp3cKuHr0isDKia+9HnvhiWNnMpbGhWrkhuWOc09exRyw==",
    ),
    "@codemirror/language@6.13.1": (
        "dist/index.js",
        "zfvU2r3TyylQLMj/te+5CnQ0rSqZi8B1oTCBbQkagcLW4Xc6imab6qN+pEJhsuNOLaJqiRyBXp9UhWA1DhVvDw==",
    ),
    "@codemirror/state@6.7.6": (
        "dist/index.js",
        "kAz+AncRtKuIknedxT1bq4XwXv4UowhbkHU1myPrtVb/jZtImWuV5BXzv5vK6i3kYACsdiZiQKFQQ5Mq7elW8w==",
    ),
    "@codemirror/view@6.43.15": (
        "dist/index.js",
        "HHsfpqFeHyXLs983pSRe38Xajs0vFWZQ2BuX0m7Ki8w3jZ5iD8cuR3lBz2/5/X53Dhf32SBHKh6rtSTB6tKeGw==",
    ),
    "@codemirror/streamparser@6.0.0": (
        "dist/index.js",
        "JTFPF6xrfjt0mnfGPgzcLiMwYmvIyNaoizp8BYzv8FE8KrT6GBGDZ190rtt+O7Wke3gG/MFHyiY9YGNeimof4w==",
    ),
    "@lezer/common@1.5.5": (
        "dist/index.js",
        "Pw7PVCndruF1pb3ebCxpSVpkMHSDjwRCLcTRw+RizUKco5QbWylwq2g4lnG/RYN7yTTQDXE9F77MwtkAyphrjg==",
    ),
    "@lezer/highlight@1.2.5": (
        "dist/index.js",
        "O1GMVKgtf5YspFaRzpmqkVgMtIk2HG9uMAbH6wdAIdNh3TVzCsch/+cRi+6l2//UGDKe6NB9BW3cvuR5ezMQ0w==",
    ),
    "@lezer/lr@1.4.12": (
        "dist/index.js",
        "On9HU4oMMiHPMkQDgoTnGahjgG5n/MkN38CgG77sMraKLL+3JBbeQNi1FcCXV9QRqwF9/BUXP3caHyJC1fBOTQ==",
    ),
    "@lezer/python@1.1.19": (
        "dist/index.js",
        "MhQIURHRytsNzP/YXnqpYKW6la6voAH3kyplTOOiCdjyFY6cWWGFVmYVdHIPrElqSDf4iCDktQCockB9FxuhzQ==",
    ),
    "@marijn/find-cluster-break@1.0.4": (
        "src/index.js",
        "Wy0V7+SGUjnF9/TkiM1hKVDPj7jKXduPNboMVtHTA8dySMURWqfg/JZ9E2Sq8JgSJmkl7k7Qe9FLeMSrSraWmQ==",
    ),
    "crelt@1.0.7": (
        "index.js",
        "aK6BbWfhf4U/wCcLHKPJl/xa6VkVstRaPywWtMKGwuOLc/wZTyQYuoxgvZnNsBvv7Kg3YTBQYYBCggcviQczuA==",
    ),
    "style-mod@4.1.5": (
        "src/style-mod.js",
        "WQ2llCZa9sZSkJA+aOwpg5DkfbAXFKGh//t3MRTBeruFiSBC+GXUmbBzrw3bXyboCWAbtCW9InDfBsXrRD/rAg==",
    ),
    "w3c-keyname@2.2.8": (
        "index.js",
        "dpojBhNsCNN7T82Tm7k26A6G9ML3NkhDsnw9n/eoxSRlVBB4CEtIQ/KTCLI2Fwf3ataSXRhYFkQi3SlnFwPvPQ==",
    ),
}
# its package holds no text of a licence, only the name of it
PYODIDE_LICENCE = f"""{PYODIDE}: Mozilla Public License 2.0, https://www.mozilla.org/en-US/MPL/2.0/
Its source: https://github.com/pyodide/pyodide
Of its files, python_stdlib.zip lacks the modules that lrlearn.assets.SHED names; the others are as they were.
It holds CPython and its standard library: PSF License Agreement, https://docs.python.org/3/license.html"""
PYODIDE_SHA = "0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyMcWkwq+HbE5uyuGD82LN7y2q+SNvi/6V5JEsOlD2R1A=="


def write(folder: Folder) -> None:
    """Put the shared files into the folder.

    Raises:
        CommandError: as `lrlearn.pages.npm_files`.
    """
    folder.write("assets/widgets.js", widgets().encode())
    for name in SCRIPTS:
        folder.write(f"assets/{name}", (HERE / name).read_bytes())
    licences = [*pages.licences()]
    for package, (file, integrity) in EDITOR.items():
        found = pages.npm_files(package, integrity, [file, "LICENSE"])
        folder.write(f"assets/{_module(package)}", _linked(found[file].decode()).encode())
        licences.append(f"{package}\n\n{found['LICENSE'].decode()}")
    folder.write("assets/editor.js", _editor().encode())
    found = pages.npm_files(PYODIDE, PYODIDE_SHA, PYTHON)
    for name in PYTHON:
        folder.write(f"python/{name}", shed(found[name]) if name.endswith(".zip") else found[name])
    licences.append(PYODIDE_LICENCE)
    folder.write("python/lrlearn.zip", own_files())
    folder.write("python/trained.json", json.dumps(tuning.all_trained()).encode())
    folder.write("licences.txt", "\n\n----\n\n".join(licences).encode())


def widgets() -> str:
    """The scripts that draw widgets, without those for older versions of ipywidgets.

    Raises:
        CommandError: as `lrlearn.pages.npm_files`, or html-manager is made of other modules than it was.
    """
    parts = re.split(r'(?=^define\("@jupyter-widgets/)', pages.manager_script(), flags=re.MULTILINE)
    found = {name: part for part in parts for name in WIDGETS if part.startswith(f'define("@jupyter-widgets/{name}",')}
    if len(found) != len(WIDGETS):
        raise CommandError(f"{pages.HTML_MANAGER} lacks one of the modules {', '.join(WIDGETS)}")
    return "\n".join([(HERE / "page.js").read_text(encoding="utf-8"), pages.anywidget_script(), *found.values()])


def styles() -> str:
    """The styles of ipywidgets' controls and of the explorers: with html-manager its script would bring them.

    Raises:
        CommandError: as `lrlearn.pages.npm_files`.
    """
    found = pages.npm_files(CONTROLS, CONTROLS_SHA, STYLES)
    ours = (HERE / "filmstrip.css").read_text(encoding="utf-8")
    # the place that is kept for the sliders of an explorer is as large as they are
    ours = ours.replace(".lrlearn-explorer .", ":is(.lrlearn-explorer, .lrlearn-place) .")
    parts = [*(found[name].decode() for name in STYLES), ours]
    return re.sub(r"^@import .*;$", "", "\n".join(parts), flags=re.MULTILINE)


def own_files() -> bytes:
    """lrlearn's Python files, the very ones that run here, as an archive."""
    return _zipped({f"lrlearn/{path.name}": path.read_bytes() for path in sorted(HERE.glob("*.py"))})


def shed(library: bytes) -> bytes:
    """Python's library, a zip archive, without what a page has no use for."""
    with zipfile.ZipFile(io.BytesIO(library)) as archive:
        return _zipped({name: archive.read(name) for name in archive.namelist() if not SHED.match(name)})


def _zipped(files: dict[str, bytes]) -> bytes:
    """Files as a zip archive that is the same every time."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, 9)
    return held.getvalue()


def _module(package: str) -> str:
    """The file of a package's module: "@codemirror/view@6.43.15" -> "codemirror-view.js"."""
    return re.sub(r"@[^@]*$", "", package).lstrip("@").replace("/", "-") + ".js"


def _editor() -> str:
    """A module that names every other one, so that a browser asks for all of them at once."""
    used = [f'export * from "./codemirror-{name}.js";' for name in USED]
    return "\n".join([*used, *(f'import "./{_module(package)}";' for package in EDITOR)])


def _linked(script: str) -> str:
    """The module with the files of the modules that it imports: browsers do not know packages."""
    files = {re.sub(r"@[^@]*$", "", package): _module(package) for package in EDITOR}

    def linked(found: re.Match) -> str:
        if found[3] not in files:
            raise CommandError(f"the editor imports {found[3]}, which is not among its packages: see EDITOR")
        return f'{found[1]}"./{files[found[3]]}"'

    return re.sub(r"""^((?:import|export)\s[^;"']*\bfrom\s*)(["'])([@\w/-]+)\2""", linked, script, flags=re.MULTILINE)
