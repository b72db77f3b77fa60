// A strip of pictures drawn once, dragged in the browser. No message to the kernel is needed
// to show another picture, so the slider stays smooth when the kernel is far away or gone.

const AHEAD = 3; // pictures decoded on each side of the current one
const REST_MS = 1500; // when nothing moves for this long, decoded neighbours are released
const SPEAK_MS = 600; // a screen reader hears the description once everything rests

const NOT_CURRENT = "Picture not current: it was drawn for other settings, and a new one needs the kernel.";
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

// The first picture of a page comes while the page still loads what its widgets need. Reading a blob then waits
// behind all that; an address that holds the picture itself does not.
function readAtOnce({ buffer, byteOffset, byteLength }) {
  const image = new Image(), bytes = new Uint8Array(buffer, byteOffset, byteLength);
  image.src = `data:image/png;base64,${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))}`;
  const promise = image.decode().then(() => image);
  promise.catch(() => {}); // as below: whoever waits is told, and nobody else
  return { promise, ready: () => image.complete && image.naturalWidth && image };
}

function readInTurn(bytes) {
  let bitmap = null;
  const promise = createImageBitmap(new Blob([bytes], { type: "image/png" }));
  promise.then((made) => (bitmap = made), () => {});
  return { promise, ready: () => bitmap };
}

// Compressed pictures stay compressed; only a few are decoded at a time, for all views of one film.
function decoder() {
  const decoded = new Map();
  let pictures = [];
  const release = (keep = () => false) => {
    for (const [index, picture] of decoded) {
      if (keep(index)) continue;
      decoded.delete(index);
      picture.promise.then((bitmap) => bitmap.close?.(), () => {});
    }
  };
  const get = (index) => {
    if (!decoded.has(index)) decoded.set(index, readInTurn(pictures[index]));
    return decoded.get(index);
  };
  const load = (bytes = []) => {
    release();
    pictures = bytes;
    const there = [...bytes.keys()].filter((index) => bytes[index]);
    if (there.length === 1) decoded.set(there[0], readAtOnce(bytes[there[0]]));
  };
  return { get, release, load };
}

// What ipywidgets' controls do not tell: the name of a slider and of the number beside it, what a selection
// slider has selected (it speaks an index), and which toggle button is on.
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
  let strip, shown, newest, said, asked = 0, painted = 0, resting, speaking, closed = false;

  // One sentence once everything rests: a drag passes many pictures, and a strip may be on its way only for a moment.
  function speak() {
    clearTimeout(speaking);
    speaking = setTimeout(() => {
      const words = notice.textContent || strip.descriptions[newest];
      if (words && words !== said) said = spoken.textContent = words; // the whole strip may tell the same again
    }, SPEAK_MS);
  }

  function paint(index, order, bitmap) {
    if (closed || order < painted) return; // a newer picture is already there
    painted = order;
    shown = index;
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
    }
    context.drawImage(bitmap, 0, 0);
    canvas.setAttribute("aria-label", strip.descriptions[index]);
    caption.textContent = strip.descriptions[index];
    canvas.dataset.choice = Math.floor(index / strip.values.length);
    canvas.dataset.index = index % strip.values.length;
  }

  function show() {
    if (!strip) return; // not drawn yet
    const index = (picker ? picker.get("index") : 0) * strip.values.length + positionOf(slider, strip.values);
    if (index === newest) return;
    newest = index;
    mark();
    if (!strip.pictures[index]) return; // it comes with the whole strip
    const order = ++asked, from = strip;
    const picture = film.get(index);
    if (picture.ready()) paint(index, order, picture.ready());
    else picture.promise.then((bitmap) => from === strip && paint(index, order, bitmap), () => {});
    film.release((other) => Math.abs(other - index) <= AHEAD);
    clearTimeout(resting);
    resting = setTimeout(() => film.release((other) => other === newest && shown !== newest), REST_MS);
    if (!painted) return; // nobody has moved anything yet: no neighbours, and nothing to say
    speak();
    for (let step = 1; step <= AHEAD; step++) {
      for (const other of [index - step, index + step]) if (strip.pictures[other]) film.get(other);
    }
  }

  function mark() {
    if (!strip) return;
    const now = controls.map((control) => tidy(control.get("index") ?? control.get("value")));
    const stale = JSON.stringify(now) !== JSON.stringify(strip.controls), missing = !strip.pictures[newest];
    canvas.classList.toggle("lrlearn-stale", stale || missing);
    notice.textContent = stale ? NOT_CURRENT : missing ? DRAWING : "";
    if (painted) speak();
  }

  function load() {
    if (!model.get("strip").pictures) return; // not drawn yet, or closed
    strip = model.get("strip");
    newest = undefined;
    canvas.style.width = `${strip.width}px`;
    canvas.dataset.whole = strip.whole;
    show();
    said ??= strip.descriptions[newest]; // nobody has moved anything yet
  }

  // The sliders are siblings that may be drawn, and are relabelled by ipywidgets, after this view.
  let observer;
  const attach = setTimeout(() => {
    const explorer = el.closest(".lrlearn-explorer");
    if (!explorer) return;
    const selections = [slider, ...controls].filter((control) => control.has("index")).map((control) => control.get("description"));
    observer = new MutationObserver(() => nameControls(explorer, selections));
    nameControls(explorer, selections);
    const watch = { subtree: true, childList: true, characterData: true, attributeFilter: ["aria-valuetext", "class"] };
    for (const child of explorer.children) if (!child.contains(el)) observer.observe(child, watch);
  }, 0);

  // JupyterLab takes plain keys for its cells, even the arrows of a dropdown: in here they belong to the control.
  const keep = ({ target, key, ctrlKey, metaKey, altKey, shiftKey }) => {
    if (!el.closest(".lrlearn-explorer")?.contains(target)) return;
    const theirs = ctrlKey || metaKey || altKey || (shiftKey && key === "Enter");
    target.toggleAttribute("data-lm-suppress-shortcuts", !theirs);
  };
  window.addEventListener("keydown", keep, true); // the document would be too late

  // Only a picture that scrolls is a stop for the Tab key: arrow keys have nothing to do in any other.
  const scrolling = new ResizeObserver(() => {
    const facts = { tabindex: "0", role: "group", "aria-label": "picture, scrolls sideways" };
    for (const [name, value] of Object.entries(facts)) {
      if (frame.scrollWidth > frame.clientWidth) frame.setAttribute(name, value);
      else frame.removeAttribute(name);
    }
  });
  for (const box of [frame, canvas]) scrolling.observe(box);

  const listeners = [[model, "change:strip", load], [slider, "change:value change:index", show]];
  if (picker) listeners.push([picker, "change:index", show]);
  for (const control of controls) listeners.push([control, "change:value change:index", mark]);
  for (const [source, event, listener] of listeners) source.on(event, listener);
  load();

  return () => {
    closed = true;
    for (const [source, event, listener] of listeners) source.off(event, listener);
    for (const timer of [attach, resting, speaking]) clearTimeout(timer);
    observer?.disconnect();
    scrolling.disconnect();
    window.removeEventListener("keydown", keep, true);
    film.release();
    canvas.width = canvas.height = 0;
  };
}

// Once for each film: its pictures belong to the model, whatever shows them.
export default () => {
  const film = decoder();
  return {
    initialize({ model }) {
      const load = () => film.load(model.get("strip").pictures);
      model.on("change:strip", load);
      load();
      return film.release;
    },
    render: ({ model, el }) => render({ model, el, film }),
  };
};
