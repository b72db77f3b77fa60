// A strip of pictures drawn once, dragged in the browser. No message to the kernel is needed
// to show another picture, so the slider stays smooth when the kernel is far away or gone.

const AHEAD = 3; // pictures decoded on each side of the current one
const REST_MS = 1500; // when nothing moves for this long, decoded neighbours are released
const SPEAK_MS = 600; // a screen reader hears the description once everything rests

const ANSWER_MS = 3000; // a kernel that is there has answered a change by then
const DRAW_MS = 60000; // and has drawn the pictures for it by then
const NARROW = 560; // CSS pixels; where there are fewer, panels stand below one another
const SWIPE = 8; // CSS pixels that a finger moves before it is clear in which direction

const MOVING = /^(Arrow|Page|Home|End)/;

const NOT_CURRENT = "Picture not current: it was drawn for other settings, and a new one needs the kernel.";
const NEW_SETTINGS = "Drawing for the new settings ...";
const DRAWING = "The other pictures are being drawn.";

const modelOf = (model, reference) => model.widget_manager.get_model(reference.replace("IPY_MODEL_", ""));

function nearest(values, wanted) {
  let best = 0;
  values.forEach((value, index) => {
    if (Math.abs(value - wanted) < Math.abs(values[best] - wanted)) best = index;
  });
  return best;
}

// A selection knows its index; a number slider knows a value, whose nearest picture is meant.
const positionOf = (control, values) => control.get("index") ?? nearest(values, control.get("value"));

// A slider turns 0.1 into 0.09999999999999999 when it is touched; the kernel rounds alike.
const tidy = (value) => (typeof value === "number" ? Number(value.toPrecision(12)) : value);

function element(tag, className, parent, attributes = {}) {
  const made = document.createElement(tag);
  made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent.append(made);
  return made;
}

// A picture arrives as bytes, or as text from a kernel that VS Code has started (lrlearn/transport.py).
const asBytes = (picture) => (typeof picture === "string" ? Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0)) : picture);

function asText(picture) {
  if (typeof picture === "string") return picture;
  const bytes = new Uint8Array(picture.buffer, picture.byteOffset, picture.byteLength);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

// The first picture of a page comes while the page still loads what its widgets need. Reading a blob then waits
// behind all that; an address that holds the picture itself does not.
function readAtOnce(picture) {
  const image = new Image();
  image.src = `data:image/png;base64,${asText(picture)}`;
  const promise = image.decode().then(() => image);
  promise.catch(() => {}); // whoever awaits handles the error; this avoids an unhandled-rejection warning
  return { promise, ready: () => image.complete && image.naturalWidth && image };
}

function readInTurn(picture) {
  let bitmap = null;
  const promise = createImageBitmap(new Blob([asBytes(picture)], { type: "image/png" }));
  promise.then((made) => (bitmap = made), () => {});
  return { promise, ready: () => bitmap };
}

// A picture as the layers that are drawn over one another.
function layered(own, base) {
  const layers = base ? [base, own] : [own];
  const promise = Promise.all(layers.map((layer) => layer.promise));
  promise.catch(() => {}); // as above
  return { promise, ready: () => layers.every((layer) => layer.ready()) && layers.map((layer) => layer.ready()) };
}

// Compressed pictures stay compressed; only a few are decoded at a time, for all views of one film. What all pictures
// of a strip share may come once, as its base: then each of them holds only what it changes there.
function decoder() {
  const decoded = new Map();
  let pictures = [], base = null;
  const release = (keep = () => false) => {
    for (const [index, picture] of decoded) {
      if (keep(index)) continue;
      decoded.delete(index);
      picture.promise.then((layers) => layers.at(-1).close?.(), () => {}); // after those who wait to draw it
    }
  };
  const get = (index) => {
    if (!decoded.has(index)) decoded.set(index, layered(readInTurn(pictures[index]), base));
    return decoded.get(index);
  };
  const load = ({ pictures: bytes = [], base: shared }) => {
    release();
    base?.promise.then((bitmap) => bitmap.close?.(), () => {});
    pictures = bytes;
    const there = [...bytes.keys()].filter((index) => bytes[index]), read = there.length === 1 ? readAtOnce : readInTurn;
    base = shared ? read(shared) : null;
    if (there.length === 1) decoded.set(there[0], layered(read(bytes[there[0]]), base));
  };
  return { get, release, load };
}

// Accessible names and states that ipywidgets omits: the name of a slider and of the number beside it, what a
// selection slider has selected (it speaks an index), and which toggle button is on.
function nameControls(root, selections) {
  const tell = (node, facts) => {
    for (const [name, value] of Object.entries(facts)) {
      if (node.getAttribute(name) !== `${value}`) node.setAttribute(name, value);
    }
  };
  for (const row of root.querySelectorAll(".widget-inline-hbox, .widget-toggle-buttons, .widget-radio")) {
    const label = row.querySelector(".widget-label"), name = label?.textContent.trim() ?? "";
    if (label?.title === "null") label.removeAttribute("title"); // it would pop up under the mouse
    const handle = row.querySelector(".noUi-handle"), readout = row.querySelector(".widget-readout");
    if (handle) tell(handle, { "aria-label": name, "aria-valuetext": `${name} ${readout?.textContent.trim() ?? ""}`.trim() });
    if (handle && readout && selections.includes(name)) tell(readout, { contenteditable: false }); // it ignores what is typed
    else if (handle && readout) tell(readout, { role: "textbox", "aria-label": `${name}, typed` });
    if (row.matches(".widget-toggle-buttons, .widget-radio")) tell(row, { role: "group", "aria-label": name });
    for (const button of row.querySelectorAll(".widget-toggle-button")) {
      tell(button, { "aria-pressed": button.classList.contains("mod-active") });
    }
  }
}

// What a control's row is called, and the control that it belongs to.
const rowOf = (node, selector, controls) => {
  const row = node.closest?.(selector)?.closest(".widget-slider");
  const name = row?.querySelector(".widget-label")?.textContent.trim();
  const control = row && controls.find((each) => each.get("description") === name);
  return control && { row, control, name };
};

// A number as people write it: 0,85 and 85 % are 0.85. NaN where it is none.
function readNumber(text) {
  const [, number, percent] = text.trim().match(/^([-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:e[-+]?\d+)?)\s*(%?)$/i) ?? [];
  return number === undefined ? NaN : Number(number.replace(",", ".")) / (percent ? 100 : 1);
}

// ipywidgets takes the 0 of 0,85, and the nearest end of a slider for what lies beyond it, without a word.
// Returns the words that are due, or nothing.
function understand(readout, { control, name }, before) {
  const [least, most, step, value] = ["min", "max", "step", "value"].map((each) => control.get(each));
  const typed = readout.textContent.trim(), wanted = readNumber(typed), show = (number) => `${Number(number.toPrecision(6))}`;
  const refused = (why) => {
    readout.textContent = before;
    return `${name} stays ${show(value)}: ${why}`;
  };
  if (Number.isNaN(wanted)) return refused(`“${typed}” is not a number.`);
  if (wanted < least || wanted > most) return refused(`${typed} is not between ${show(least)} and ${show(most)}.`);
  const at = Math.min(most, tidy(least + Math.round((wanted - least) / step) * step));
  readout.textContent = at === tidy(value) ? before : at; // ipywidgets leaves what it takes for no change as it was typed
  return Math.abs(at - wanted) > step * 1e-6 && `${name} is ${show(at)}: it moves in steps of ${show(step)}, and there is no ${typed}.`;
}

// A finger that moves up or down scrolls the page, wherever it began; one that moves sideways drags the slider.
// A tap comes again as a click of the mouse, which ipywidgets' slider understands.
function followFingers(explorer, controls, signal) {
  let found, start, drags;
  const set = ({ control }, track, x) => {
    const { left, width } = track.getBoundingClientRect(), part = Math.min(1, Math.max(0, (x - left) / width));
    const labels = control.get("_options_labels");
    const [least, most, step] = labels ? [0, labels.length - 1, 1] : ["min", "max", "step"].map((each) => control.get(each));
    const to = Math.min(most, tidy(least + Math.round((part * (most - least)) / step) * step));
    control.set(labels ? "index" : "value", to);
    control.save_changes();
  };
  const begin = (event) => {
    found = rowOf(event.target, ".noUi-target", controls);
    if (!found || event.touches.length > 1) return;
    event.stopPropagation(); // before the slider moves to where the finger is
    start = { x: event.touches[0].clientX, y: event.touches[0].clientY };
    drags = undefined;
  };
  const move = (event) => {
    if (!found) return;
    const [{ clientX, clientY }] = event.touches, across = Math.abs(clientX - start.x), along = Math.abs(clientY - start.y);
    if (drags === undefined && Math.max(across, along) > SWIPE) drags = across > along;
    if (!drags) return;
    event.preventDefault(); // no click follows
    set(found, found.row.querySelector(".noUi-base"), clientX);
  };
  explorer.addEventListener("touchstart", begin, { capture: true, passive: true, signal });
  explorer.addEventListener("touchmove", move, { capture: true, passive: false, signal });
  for (const end of ["touchend", "touchcancel"]) explorer.addEventListener(end, () => (found = undefined), { capture: true, signal });
}

async function render({ model, el, film }) {
  const slider = await modelOf(model, model.get("slider"));
  const picker = model.get("picker") && (await modelOf(model, model.get("picker")));
  const controls = await Promise.all(model.get("controls").map((reference) => modelOf(model, reference)));

  el.classList.add("lrlearn-view");
  const frame = element("div", "lrlearn-frame", el);
  const canvas = element("canvas", "lrlearn-filmstrip", frame, { role: "img" });
  const notice = element("p", "lrlearn-notice", el);
  const caption = element("p", "lrlearn-caption", el, { "aria-hidden": "true" });
  const spoken = element("p", "lrlearn-spoken", el, { "aria-live": "polite" });
  const context = canvas.getContext("2d");
  let strip, shown, newest, said, asked = 0, painted = 0, resting, speaking, asking, closed = false;
  let drawn, waitsSince, typed = "", typedAt = 0, wide; // the seen picture's strip; since a change; what was typed

  // One sentence once everything rests: a drag passes many pictures, and a strip may be on its way only for a moment.
  function speak() {
    clearTimeout(speaking);
    speaking = setTimeout(() => {
      const words = notice.textContent || strip.descriptions[newest];
      if (words && words !== said) said = spoken.textContent = words; // the whole strip may tell the same again
    }, SPEAK_MS);
  }

  // Where there is room, the picture as it is; else its panels below one another, each as wide as the widest.
  function draw(layers) {
    const [bitmap] = layers;
    wide = frame.clientWidth || wide; // 0 while it is hidden
    const edges = [0, ...((wide < NARROW && strip.panels) || []), 1];
    const parts = edges.slice(1).map((right, at) => [edges[at], right].map((edge) => Math.round(edge * bitmap.width)));
    const width = Math.max(...parts.map(([left, right]) => right - left)), height = bitmap.height * parts.length;
    canvas.classList.toggle("lrlearn-stacked", parts.length > 1);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    if (parts.length > 1) context.fillStyle = "#fff", context.fillRect(0, 0, width, height);
    parts.forEach(([left, right], at) => {
      const [across, high] = [right - left, bitmap.height];
      for (const layer of layers) context.drawImage(layer, left, 0, across, high, 0, at * high, across, high);
    });
  }

  function paint(index, order, layers) {
    if (closed || order < painted) return; // a newer picture is already there
    painted = order;
    shown = index;
    drawn = strip;
    draw(layers);
    canvas.setAttribute("aria-label", strip.descriptions[index]);
    caption.textContent = strip.descriptions[index];
    canvas.dataset.choice = Math.floor(index / strip.values.length);
    canvas.dataset.index = index % strip.values.length;
    mark();
  }

  // The same picture once more: its place has changed, or a browser has dropped what a hidden canvas held.
  function repaint() {
    if (drawn !== strip) return; // a new strip paints itself
    const index = shown;
    film.get(index).promise.then((layers) => !closed && drawn === strip && shown === index && draw(layers), () => {});
  }

  function show() {
    if (!strip) return; // not drawn yet
    const index = (picker?.get("index") ?? 0) * strip.values.length + positionOf(slider, strip.values);
    if (index === newest) return;
    newest = index;
    if (performance.now() - typedAt > SPEAK_MS) typed = ""; // it has moved on since
    if (!strip.pictures[index]) return mark(); // it comes with the whole strip
    const order = ++asked, from = strip;
    const picture = film.get(index);
    if (picture.ready()) paint(index, order, picture.ready());
    else picture.promise.then((layers) => from === strip && paint(index, order, layers), () => {});
    film.release((other) => Math.abs(other - index) <= AHEAD);
    clearTimeout(resting);
    resting = setTimeout(() => film.release((other) => other === newest && shown !== newest), REST_MS);
    if (!painted) return; // nobody has moved anything yet: no neighbours, and nothing to say
    speak();
    for (let step = 1; step <= AHEAD; step++) {
      for (const other of [index - step, index + step]) if (strip.pictures[other]) film.get(other);
    }
  }

  // Whether the picture that is seen is the one of what the controls say, and what there is to say about that.
  function mark() {
    if (!strip) return;
    const now = JSON.stringify(controls.map((control) => tidy(control.get("index") ?? control.get("value"))));
    const stale = [strip, drawn ?? strip].some((each) => now !== JSON.stringify(each.controls));
    const missing = !strip.pictures[newest];
    canvas.classList.toggle("lrlearn-stale", stale || missing);
    clearTimeout(asking);
    waitsSince = stale ? waitsSince ?? performance.now() : undefined;
    const lives = slider.comm_live !== false;
    const drawing = model.get("coming") || (lives && model.get("drawing"));
    const patience = drawing ? DRAW_MS : lives ? ANSWER_MS : 0;
    const left = stale ? waitsSince + patience - performance.now() : 0;
    if (stale && left > 0) asking = setTimeout(mark, left + 1);
    const problem = strip.problems?.[newest];
    notice.textContent = stale ? (left > 0 ? NEW_SETTINGS : model.get("lacks") ?? NOT_CURRENT) : problem || (missing ? DRAWING : typed);
    if (painted) speak();
  }

  function load() {
    if (!model.get("strip").pictures) return; // not drawn yet, or closed
    strip = model.get("strip");
    newest = waitsSince = undefined;
    canvas.style.width = `${strip.width}px`;
    canvas.dataset.whole = strip.whole;
    show();
    said ??= strip.descriptions[newest]; // nobody has moved anything yet
  }

  // The sliders are siblings that may be drawn, and are relabelled by ipywidgets, after this view.
  const ending = new AbortController(), { signal } = ending, all = [slider, ...controls];
  let observer;
  const attach = setTimeout(() => {
    const explorer = el.closest(".lrlearn-explorer");
    if (!explorer) return;
    const selections = all.filter((control) => control.has("index")).map((control) => control.get("description"));
    observer = new MutationObserver(() => nameControls(explorer, selections));
    nameControls(explorer, selections);
    const watch = { subtree: true, childList: true, characterData: true, attributeFilter: ["aria-valuetext", "class"] };
    for (const child of explorer.children) if (!child.contains(el)) observer.observe(child, watch);
    followFingers(explorer, all, signal);
    // a notebook in VS Code would take these for moving from cell to cell
    explorer.addEventListener("keydown", (event) => MOVING.test(event.key) && event.stopPropagation(), { signal });
  }, 0);

  // JupyterLab takes plain keys for its cells, even the arrows of a dropdown: in here they belong to the control.
  const isOurs = (node) => node instanceof Node && el.closest(".lrlearn-explorer")?.contains(node);
  const keep = ({ target, key, ctrlKey, metaKey, altKey, shiftKey }) => {
    if (!isOurs(target)) return;
    const theirs = ctrlKey || metaKey || altKey || (shiftKey && key === "Enter");
    target.toggleAttribute("data-lm-suppress-shortcuts", !theirs);
    if (key === "Enter") take({ target });
  };
  // What is typed beside a slider is taken with Enter, or when one leaves it: here first, then by ipywidgets.
  let edited, before; // the number that somebody types in, and how it stood there
  function take({ target }) {
    const found = target === edited && rowOf(target, ".widget-readout", all);
    if (!found || found.control.has("index")) return;
    edited = undefined;
    [typed, typedAt] = [understand(target, found, before) || "", performance.now()];
    mark();
  }
  window.addEventListener("beforeinput", ({ target }) => {
    if (isOurs(target) && target !== edited) [edited, before] = [target, target.textContent];
  }, { capture: true, signal });
  window.addEventListener("keydown", keep, { capture: true, signal }); // the document would be too late
  window.addEventListener("blur", take, { capture: true, signal });

  // Only a picture that scrolls is a stop for the Tab key: arrow keys have nothing to do in any other.
  const scrolling = new ResizeObserver(() => {
    const facts = { tabindex: "0", role: "group", "aria-label": "picture, scrolls sideways" };
    for (const [name, value] of Object.entries(facts)) {
      if (frame.scrollWidth > frame.clientWidth) frame.setAttribute(name, value);
      else frame.removeAttribute(name);
    }
    if (frame.clientWidth && frame.clientWidth !== wide) repaint();
  });
  for (const box of [frame, canvas]) scrolling.observe(box);
  const seen = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && repaint());
  seen.observe(canvas);
  // In another theme WebKit shows nothing of a canvas, whatever it holds, until it is drawn again.
  const theme = new MutationObserver(repaint);
  theme.observe(document.body, { attributeFilter: ["class", "data-jp-theme-name"] });

  const listeners = [[model, "change:strip", load], [model, "change:drawing change:coming", mark], [slider, "change:value change:index", show]];
  if (picker) listeners.push([picker, "change:index", show]);
  for (const control of controls) listeners.push([control, "change:value change:index", mark]);
  for (const [source, event, listener] of listeners) source.on(event, listener);
  load();

  return () => {
    closed = true;
    for (const [source, event, listener] of listeners) source.off(event, listener);
    for (const timer of [attach, resting, speaking, asking]) clearTimeout(timer);
    for (const watcher of [observer, scrolling, seen, theme]) watcher?.disconnect();
    ending.abort();
    film.release();
    canvas.width = canvas.height = 0;
  };
}

// Once for each film: its pictures belong to the model, whatever shows them.
export default () => {
  const film = decoder();
  return {
    initialize({ model }) {
      const load = () => film.load(model.get("strip"));
      model.on("change:strip", load);
      load();
      return () => film.load({});
    },
    render: ({ model, el }) => render({ model, el, film }),
  };
};
