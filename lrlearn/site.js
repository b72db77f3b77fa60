// What brings a page of the site to life. Strips are files: each is fetched when its explorer comes near the screen, or
// when a further control asks for it.

import { Models } from "./models.js";
import { strip } from "./strips.js";

const assets = new URL(".", import.meta.url);
const place = document.getElementById("lrlearn-cells");
export const root = new URL(place.dataset.root, document.baseURI);
export const page = place.dataset;

const AHEAD = "800px"; // how near an explorer must come before it is made
const ROUND = 120; // a control that is dragged passes strips: after the first only one where it rests is fetched
const ABSENT = "Picture not current: this page holds none for these settings. In Jupyter it would be drawn.";
const LOST = "Picture not current: the new one could not be loaded. Change a setting to try again.";

// Once an element is near the screen, and has been for so many milliseconds.
export function whenNear(element, then, stays = 0) {
  let waiting;
  const watcher = new IntersectionObserver((entries) => {
    clearTimeout(waiting);
    if (!entries.at(-1).isIntersecting) return;
    const go = () => (watcher.disconnect(), then());
    if (stays) waiting = setTimeout(go, stays);
    else go();
  }, { rootMargin: AHEAD });
  watcher.observe(element);
}

// What this reader has answered right, by page: it stays in the browser.
export const marks = {
  all: () => {
    try {
      return JSON.parse(localStorage.getItem("lrlearn-right")) ?? {};
    } catch {
      return {}; // a browser that keeps nothing, or what another page of this host has left there
    }
  },
  of: (name) => new Set([marks.all()[name]].flat().filter(Boolean)),
  add: (name, cell) => {
    try {
      localStorage.setItem("lrlearn-right", JSON.stringify({ ...marks.all(), [name]: [...marks.of(name).add(cell)] }));
    } catch {} // as above
  },
  clear: () => {
    try {
      localStorage.removeItem("lrlearn-right");
    } catch {} // as above
  },
};

// The strips that are there, and those that were asked for before their explorer was made.
const strips = new Map(), begun = new Map();

async function fetched(address, options) {
  if (!strips.has(address)) strips.set(address, await (begun.get(address) ?? strip(new URL(address, root), options)));
  return strips.get(address);
}

// It comes side by side with the scripts.
function begin(address) {
  if (!address || strips.has(address) || begun.has(address)) return;
  const coming = strip(new URL(address, root));
  begun.set(address, coming);
  coming.then((found) => strips.set(address, found), () => {}).then(() => begun.delete(address));
}

// The widgets' scripts, once for the page, and the models of the state that stands in it.
const state = JSON.parse(document.querySelector('script[type$="widget-state+json"]')?.textContent ?? "{}").state;
let starting;
const start = () => (starting ??= (async () => {
  const script = document.createElement("script");
  script.src = new URL("widgets.js", assets);
  const coming = new Promise((done, failed) => Object.assign(script, { onload: done, onerror: failed }));
  document.head.append(script);
  await Promise.all([coming, import("./filmstrip.js")]); // anywidget has no patience for a script that is still to come
  return new Models(state, (name) => new Promise((done, failed) => window.require([name], done, failed)));
})());

// The file of an explorer's first strip, read from the state as it stands in the page: no script is needed for that.
const held = (reference) => state[reference.replace("IPY_MODEL_", "")].state;
function firstStrip(model) {
  const film = held(model).children?.map(held).find((child) => child.strips);
  return film?.strips[JSON.stringify(film.controls.map(held).map((each) => each.index ?? each.value))];
}

// The strip for what the further controls show: a file takes the place of a kernel.
async function feed(models, film, place) {
  const controls = await Promise.all(film.get("controls").map((one) => models.get_model(one.replace("IPY_MODEL_", ""))));
  let waiting, changed = -ROUND, ending = new AbortController();
  const wanted = () => film.get("strips")[JSON.stringify(controls.map((each) => each.get("index") ?? each.get("value")))];
  const seen = (values) => {
    const { choice, index } = place.querySelector("canvas")?.dataset ?? {};
    return choice && choice * values.length + Number(index);
  };
  const show = async () => {
    const address = wanted();
    ending.abort(); // what was passed on the way
    ending = new AbortController();
    let lacks = address ? undefined : ABSENT;
    try {
      const first = (one) => address === wanted() && film.set("strip", one);
      const found = address && (await fetched(address, { seen, first, signal: ending.signal }));
      if (address !== wanted()) return; // the controls have moved on: another call follows
      if (found) film.set("strip", found);
    } catch {
      if (address !== wanted()) return;
      lacks = LOST;
    }
    film.set({ lacks, coming: !lacks }); // what has come is on its way until it is painted
  };
  for (const control of controls) {
    control.on("change:value change:index", () => {
      film.set("coming", Boolean(wanted()));
      clearTimeout(waiting);
      waiting = setTimeout(show, changed + ROUND < performance.now() ? 0 : ROUND);
      changed = performance.now();
    });
  }
  await show();
}

async function explorer(place) {
  const models = await start(), view = place.querySelector('script[type$="widget-view+json"]');
  const model = await models.get_model(JSON.parse(view.textContent).model_id);
  const film = model.get("children")?.find((child) => child.has("strips"));
  if (film) await feed(models, film, place);
  const drawn = document.createElement("div");
  drawn.className = "widget-subarea";
  view.before(drawn);
  await models.show(model, drawn);
}

// What comes near meanwhile; the exercises wait for it.
let making = Promise.resolve();
export const made = () => making;

for (const each of document.querySelectorAll(".jupyter-widgets")) {
  const view = each.querySelector('script[type$="widget-view+json"]');
  whenNear(each, () => {
    begin(firstStrip(JSON.parse(view.textContent).model_id));
    const one = explorer(each).catch((error) => {
      console.error(error);
      const words = document.createElement("p");
      words.className = "lrlearn-notice";
      words.textContent = "This explorer could not be loaded. Reload the page to try again.";
      each.append(words);
    });
    making = Promise.all([making, one]);
  });
}

// How many exercises are answered right: in a lesson its own, on the front page those of every lesson.
export function tell() {
  const right = document.getElementById("lrlearn-right");
  if (right) right.textContent = `Right so far: ${marks.of(page.page).size} of ${page.tries}.`;
  for (const count of document.querySelectorAll(".lrlearn-count")) {
    const [, name, tries] = count.id.match(/^count-(.*)-(\d+)$/);
    count.textContent = `${marks.of(name).size} of ${tries} right`;
  }
  const clear = document.querySelector(".lrlearn-clear");
  if (!clear) return;
  const button = document.createElement("button");
  button.textContent = "Forget my right answers";
  button.onclick = () => {
    marks.clear();
    tell();
  };
  clear.replaceChildren(button);
}
tell();

const tries = document.querySelectorAll(".celltag_lrlearn-try");
if (tries.length) import("./exercises.js").then(({ prepare }) => prepare(tries));
