// Exercises that are answered in the page: an editor for each, and Python in a worker, so that an endless loop neither
// freezes the page nor has to be waited for.

import { made, page, marks, root, tell, whenNear } from "./site.js";

const LOADING = "Python is being loaded into this page (6 MB, once) ...";
const READY = "Python is ready.";
const RUNNING = "Running ... Stop ends it, should it never end by itself.";
const STOPPED = "Stopped. Nothing was judged.";
const FAILED = "Python could not be loaded. Check the connection and press Check again, or open the lesson on Binder.";

// One Python for the page. Whoever asks while it answers somebody else waits; who stops it gets a new one.
const python = {
  worker: null,
  answers: new Map(),
  asked: 0,
  state: "",
  listeners: new Set(),
  become(state) {
    python.state = state;
    for (const listener of python.listeners) listener(state);
  },
  start() {
    if (python.worker) return;
    python.become(LOADING);
    const worker = (python.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" }));
    worker.onmessage = ({ data }) => {
      if (data.ready) return python.become(READY);
      if (data.failed) return python.end(FAILED);
      python.answers.get(data.asked)?.(data);
      python.answers.delete(data.asked);
    };
    worker.onerror = () => python.end(FAILED);
    worker.postMessage({ root: root.href });
  },
  end(why) {
    python.worker?.terminate();
    python.worker = null;
    python.become(why === STOPPED ? "" : why);
    for (const answer of python.answers.values()) answer({ text: why });
    python.answers.clear();
  },
  run(source) {
    python.start();
    return new Promise((answer) => {
      python.answers.set(++python.asked, answer);
      python.worker.postMessage({ asked: python.asked, source });
    });
  },
};

async function editor(place, source) {
  const { EditorView, keymap, lineNumbers, defaultKeymap, history, historyKeymap, python: syntax, ...language } =
    await import("./editor.js");
  return new EditorView({
    doc: source,
    parent: place,
    extensions: [
      history(), lineNumbers(), syntax(), language.indentUnit.of("    "), language.indentOnInput(),
      language.syntaxHighlighting(language.defaultHighlightStyle),
      keymap.of([...defaultKeymap, ...historyKeymap]), // Tab is not among them: it leaves the editor
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": "your code" }),
    ],
  });
}

function element(tag, parent, properties = {}) {
  const made = Object.assign(document.createElement(tag), properties);
  parent.append(made);
  return made;
}

async function bringToLife(cell) {
  const source = cell.querySelector(".highlight pre").textContent.replace(/\n$/, "");
  const name = cell.id.replace("cell-id=", "");
  const place = document.createElement("div");
  place.className = "lrlearn-try-it";
  const view = await editor(place, source);
  const check = element("button", place, { type: "button", textContent: "Check" });
  const stop = element("button", place, { type: "button", textContent: "Stop", disabled: true });
  const anew = element("button", place, { type: "button", textContent: "Start anew" });
  const state = element("span", place), done = element("span", place);
  const told = element("div", place, { className: "lrlearn-told" });
  told.setAttribute("role", "status");
  cell.querySelector(".jp-Cell-inputWrapper").replaceWith(place);
  const hear = (words) => (state.textContent = words === READY && check.disabled ? RUNNING : words);
  python.listeners.add(hear);
  hear(python.state);
  const before = cell.querySelector(".jp-Cell-outputWrapper");
  const remember = () => {
    done.textContent = marks.of(page.page).has(name) ? " You have answered this one right." : "";
    tell();
  };
  const show = ({ html, text, right, jupyter }) => {
    before?.remove(); // what the cell said before anybody had answered
    told.innerHTML = html ?? ""; // of lrlearn's own making, which quotes what it escapes
    if (text) element("pre", told, { textContent: text });
    if (jupyter) element("a", told, { href: page.binder, textContent: "Open this lesson in Jupyter, on Binder" });
    if (right) marks.add(page.page, name);
    remember();
  };
  check.onclick = async () => {
    [check.disabled, stop.disabled] = [true, false];
    if (python.state !== LOADING) state.textContent = RUNNING;
    show(await python.run(view.state.doc.toString()));
    [check.disabled, stop.disabled] = [false, true];
    state.textContent = "";
  };
  stop.onclick = () => python.end(STOPPED);
  anew.onclick = () => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: source } });
  remember();
}

const STAYS = 400; // milliseconds: who only scrolls past an exercise needs neither its editor nor Python

export function prepare(cells) {
  for (const cell of cells) {
    const come = async () => {
      await made(); // the explorers first
      await bringToLife(cell).catch(console.error); // else the code stands there as it was
      python.start();
    };
    whenNear(cell, come, STAYS);
  }
}
