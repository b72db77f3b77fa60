"""The explorers without a mouse, without sight or in a dark theme: axe-core, the Tab key, and what is spoken."""

import lab
import numpy as np
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

NAMES = ["ScheduleExplorer", "DescentExplorer", "WorkedExample", "TrainingExplorer", "SweepExplorer", "bench", "own"]
PATIENCE = 120_000  # ms; every key that changes a control has a strip drawn, and others may need the machine
FOCUS_COLOUR = "rgb(0, 114, 178)"
OURS = [[".lrlearn-explorer"], [".jp-OutputArea-output div[role=status]"]]

# a picker of each kind that lessons use, and the kinds of control that a lesson of one's own may bring
CELLS = """
import ipywidgets
from lrlearn import *
from lrlearn.exercises import check
from lrlearn.faults import Run, fault_scene
from lrlearn.plots import Picture
---
ScheduleExplorer()
---
DescentExplorer()
---
WorkedExample()
---
TrainingExplorer()
---
SweepExplorer()
---
def run(gamma):
    rates = [0.1 * gamma**epoch for epoch in range(10)]
    return Run(used=rates, at=list(range(10)), logged=rates, excess=rates, last_epochs=list(range(10)))

cases = {name: {"right": run(0.9), "broken": run(gamma), "lines": ["-right", "+broken"], "says": "nothing"}
         for name, gamma in {"never stepped": 1.0, "stepped twice": 0.81}.items()}
picker = ipywidgets.Dropdown(options=list(cases), description="fault")
filmstrip(fault_scene(cases), range(10), "epoch {}, {choice}".format, name="epoch", picker=picker)
---
def draw(length, choice, title, factor):
    picture = Picture(9, 3)
    picture.subplots().plot([0, length * factor])
    picture.axes[0].set_title(f"{title}, {choice}")
    return picture

picker = ipywidgets.ToggleButtons(options=["short", "long"], description="budget")
controls = {"title": ipywidgets.Text("a title", description="title"),
            "factor": ipywidgets.IntText(2, description="factor")}
filmstrip(draw, [1, 2, 5, 7], "length {}, {choice}".format, name="length", picker=picker, controls=controls)
---
check("lr-at-epoch", 0.2 * 0.8**4)
---
check("exponential-lr", lambda initial_lr, gamma, epoch: initial_lr * gamma ** (epoch + 1))
---
check("lr-at-epoch", 0.07)
---
check("lr-at-epoch", ...)
"""

# whatever the Tab key can reach, and the frame, which it must reach only if it scrolls
CONTROLS = ".noUi-handle, [contenteditable=true], input, select, textarea, button, [tabindex]"
ENTER = """explorer => {
    const before = document.createElement("span");
    before.tabIndex = 0;
    explorer.before(before);
    before.focus();
    before.addEventListener("blur", () => before.remove());
}"""
STATE = """element => [element.value, element.checked, element.ariaPressed, element.textContent,
                    element.getAttribute("aria-valuetext"), element.scrollLeft].join()"""
LISTEN = """explorer => {
    const heard = (window.heard = {changes: [], spoken: []});
    const watch = (selector, note, options) =>
        new MutationObserver(note).observe(explorer.querySelector(selector), options);
    watch("canvas", () => heard.changes.push(performance.now()), {attributeFilter: ["data-index"]});
    watch(".lrlearn-spoken", (changes) => heard.spoken.push(performance.now()), {childList: true});
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    lab.write_notebook(folder / "accessible.ipynb", *[cell.strip() for cell in CELLS.split("---")])
    with lab.server(folder, log := folder / "log") as address:
        yield address
    assert not lab.exceptions(log.read_text())


@pytest.fixture(scope="module")
def page(browser, server):
    page = lab.opened(browser, server, "accessible.ipynb")
    for explorer in lab.explorers(page).all():
        lab.canvas(explorer).and_(page.locator("[data-index]")).wait_for()
    page.evaluate(AXE_SCRIPT)
    # JupyterLab's body has no height and hides what overflows: axe would take all of it for hidden
    page.add_style_tag(content="body { height: 100vh }")
    yield page
    page.close()


@pytest.fixture(params=NAMES)
def explorer(request, page):
    return lab.explorers(page).nth(NAMES.index(request.param))


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong, or cannot judge, in what the course renders."""
    size = page.viewport_size
    page.set_viewport_size(size | {"height": 9000})  # axe takes for hidden what is not on the screen
    page.wait_for_timeout(500)
    found = page.evaluate("(include) => axe.run({include})", OURS)
    page.set_viewport_size(size)
    judged = [rule for kind in ("passes", "violations") for rule in found[kind] if rule["id"] == "color-contrast"]
    seen = " ".join(node["html"] for rule in judged for node in rule["nodes"])
    hidden = [word for word in ("lrlearn-caption", "widget-label", "<strong", "<code") if word not in seen]
    assert not hidden, f"axe takes it for hidden: {hidden}"
    wrong = [*found["violations"], *found["incomplete"]]
    nodes = [(rule["id"], node) for rule in wrong for node in rule["nodes"] if not is_beyond_axe(node)]
    return [f"{rule}: {node['html'][:200]}, {node['any']}" for rule, node in nodes]


def is_beyond_axe(node: dict) -> bool:
    """A single digit or symbol, a dropdown with its arrow, a name that a slider's handle touches: no colours of
    their own, for they are those of text that is judged."""
    reasons = {(check["data"] or {}).get("messageKey") for check in node["any"]}
    return bool(reasons) and reasons <= {"shortTextContent", "nonBmp", "bgImage", "elmPartiallyObscured"}


def accessible_node(page: Page) -> tuple[str, str]:
    """Role and name of the focused element, as the browser tells them to a screen reader."""
    session = page.context.new_cdp_session(page)
    focused = session.send("Runtime.evaluate", {"expression": "document.activeElement"})["result"]["objectId"]
    tree = session.send("Accessibility.getPartialAXTree", {"objectId": focused, "fetchRelatives": False})
    session.detach()
    node = tree["nodes"][0]
    return node["role"]["value"], node.get("name", {}).get("value", "")


def stops(page: Page, explorer: Locator) -> list[Locator]:
    """The controls in the order in which they are seen: line by line."""
    controls = [control for control in explorer.locator(CONTROLS).all() if control.is_visible()]
    middle = lambda box: (round((box["y"] + box["height"] / 2) / 15), box["x"])  # noqa: E731
    return sorted(controls, key=lambda control: middle(control.bounding_box()))


def press_tab(page: Page) -> dict:
    page.keyboard.press("Tab")
    return page.evaluate("""() => {
        const {outlineStyle, outlineColor, outlineWidth} = getComputedStyle(document.activeElement);
        return {outlineStyle, outlineColor, outlineWidth};
    }""")


def in_theme(page: Page, theme: str) -> None:
    lab.command(page, "apputils:change-theme", theme=f"JupyterLab {theme.title()}")
    page.locator(f"body[data-jp-theme-light={'true' if theme == 'light' else 'false'}]").wait_for(state="attached")
    page.wait_for_function(
        """light => {
        const [red] = getComputedStyle(document.querySelector(".jp-Notebook")).backgroundColor.match(/\\d+/g);
        return light === red > 127 && !document.querySelector("#jupyterlab-splash");
    }""",
        arg=theme == "light",
    )


def is_focused(control: Locator) -> bool:
    return control.evaluate("element => element === document.activeElement")


def test_the_tab_key_reaches_each_control_in_the_order_in_which_it_is_seen(page, explorer):
    names = set()
    expected = stops(page, explorer)
    explorer.evaluate(ENTER)
    for control in expected:
        look = press_tab(page)
        assert is_focused(control), control.evaluate("element => element.outerHTML")
        assert look == {"outlineStyle": "solid", "outlineColor": FOCUS_COLOUR, "outlineWidth": "3px"}
        role, name = accessible_node(page)
        assert name and role not in ("generic", "none"), (role, name)
        names.add((role, name))
    assert len(names) == len(expected), "two controls of one explorer have the same name"
    press_tab(page)
    assert not explorer.evaluate("explorer => explorer.contains(document.activeElement)"), "one more stop than controls"


KEYS = {"slider": ["ArrowDown", "ArrowUp", "ArrowUp"], "checkbox": [" "], "combobox": ["ArrowDown"], "button": [" "]}
RETYPE = ["Control+a", "3", "Enter"]
HIGHEST = "readout => readout.parentElement.querySelector('.noUi-handle').ariaValueMax"  # of the least, digits are cut


def test_each_control_is_used_with_the_keyboard(page, explorer):
    for control in stops(page, explorer):
        if control.get_attribute("aria-pressed") == "true":
            continue
        explorer.evaluate(ENTER)
        while not is_focused(control):
            press_tab(page)
        before = control.evaluate(STATE)
        role = accessible_node(page)[0]
        is_readout = control.evaluate("control => control.matches('.widget-readout')")
        keys = ["Control+a", *control.evaluate(HIGHEST), "Enter"] if is_readout else KEYS.get(role, RETYPE)
        for key in keys:
            page.keyboard.press(key)
        has_changed = f"([control, before]) => ({STATE})(control) !== before"
        page.wait_for_function(has_changed, arg=[control.element_handle(), before])
    expect(explorer.locator(".lrlearn-notice")).to_be_empty(timeout=PATIENCE)


def test_a_picture_is_a_stop_only_if_it_scrolls(page):
    explorer = lab.explorers(page).nth(NAMES.index("own"))  # of one pair of axes, which cannot be cut
    frame = explorer.locator(".lrlearn-frame")
    expect(frame).not_to_have_attribute("tabindex", "0")
    page.set_viewport_size({"width": 600, "height": 1000})
    expect(frame).to_have_attribute("tabindex", "0")
    explorer.evaluate(ENTER)
    for _ in stops(page, explorer):
        press_tab(page)
    assert is_focused(frame) and accessible_node(page) == ("group", "picture, scrolls sideways")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("frame => frame.scrollLeft > 0", arg=frame.element_handle())
    lab.shot("frame-focused", page)
    assert not violations(page)
    page.set_viewport_size({"width": 1300, "height": 1000})
    expect(frame).not_to_have_attribute("tabindex", "0")


def test_the_description_is_spoken_once_when_the_slider_rests(page):
    """Not on every picture; a pause in the drag, such as a busy machine makes, may be spoken as well."""
    explorer = lab.explorers(page).first
    spoken = explorer.locator(".lrlearn-spoken")
    expect(spoken).to_have_attribute("aria-live", "polite")
    lab.drag(page, explorer, 0.1)
    page.wait_for_timeout(1500)
    explorer.evaluate(LISTEN)
    lab.drag(page, explorer, 0.9, steps=150)
    expect(spoken).to_have_text(lab.canvas(explorer).get_attribute("aria-label"))
    page.wait_for_timeout(1500)
    heard = page.evaluate("window.heard")
    changes = np.array(heard["changes"])
    assert len(changes) >= 20
    pauses = np.count_nonzero(np.diff(changes) > 500)
    assert 1 <= len(heard["spoken"]) <= 1 + pauses
    # half of its time, for a busy machine notes a change late
    assert all(moment - changes[changes < moment].max() > 300 for moment in heard["spoken"])
    assert lab.canvas(explorer).get_attribute("aria-label") == spoken.text_content()


def test_nothing_is_spoken_before_anything_is_touched(browser, server, page):
    lab.command(page, "docmanager:save")
    other = lab.opened(browser, server, "accessible.ipynb", run=False)
    lab.canvas(lab.explorers(other).nth(4)).and_(other.locator("[data-index]")).wait_for()
    other.wait_for_timeout(1500)
    assert [spoken.text_content() for spoken in other.locator(".lrlearn-spoken").all()] == [""] * len(NAMES)
    other.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(page, theme):
    in_theme(page, theme)
    assert not violations(page)


def test_axe_finds_nothing_while_pictures_are_not_current(page):
    lab.command(page, "kernelmenu:shutdown")
    page.get_by_text("No Kernel").first.wait_for()
    changed = [explorer for explorer in lab.explorers(page).all() if explorer.locator(".noUi-handle").count() > 1]
    assert len(changed) == 3
    for explorer in changed:
        lab.handle(explorer, 1).focus()
        page.keyboard.press("ArrowLeft")  # another test has left it at its right end
        page.keyboard.press("ArrowLeft")
        expect(explorer.locator(".lrlearn-notice")).to_contain_text("not current")
        expect(explorer.locator(".lrlearn-spoken")).to_contain_text("not current")
    for theme in ("dark", "light"):
        in_theme(page, theme)
        assert not violations(page)


def test_axe_can_find_something(page):
    lab.handle(lab.explorers(page).first).evaluate("handle => handle.removeAttribute('aria-label')")
    pale = "element => (element.style.cssText = 'color: #999; background: #fff')"
    page.locator(".jp-OutputArea-output div[role=status]").first.evaluate(pale)
    assert {found.split(":")[0] for found in violations(page)} == {"aria-input-field-name", "color-contrast"}
