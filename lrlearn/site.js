// What brings a page of the site to life. Strips are files: each is fetched when its explorer comes near the screen, or
// when a further control asks for it.

const assets = new URL(".", import.meta.url);
const place = document.getElementById("lrlearn-cells");
export const root = new URL(place.dataset.root, document.baseURI);
export const page = place.dataset;

const AHEAD = "800px"; // how near an explorer must come before it is made
const ROUND = 120; // a control that is dragged passes strips: only one where it rests is fetched

export function whenNear(element, then) {
  const watcher = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watcher.disconnect();
    then();
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

const strips = new Map();

async function strip(address) {
  const answer = await fetch(new URL(address, root));
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  const data = await answer.arrayBuffer();
  const start = 4 + new DataView(data).getUint32(0, true);
  const { sizes, ...told } = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, start - 4)));
  let at = start;
  return { ...told, pictures: sizes.map((size) => new Uint8Array(data, (at += size) - size, size)) };
}

function fetched(address) {
  if (!strips.has(address)) strips.set(address, strip(address));
  strips.get(address).catch(() => strips.delete(address)); // the next change tries again
  return strips.get(address);
}

// The widgets' scripts and models, once for the page.
let starting;
const start = () => (starting ??= (async () => {
  const script = document.createElement("script");
  script.src = new URL("widgets.js", assets);
  await new Promise((done, failed) => Object.assign(script, { onload: done, onerror: failed }) && document.head.append(script));
  const load = (name) => new Promise((done, failed) => window.require([name], done, failed));
  const { HTMLManager } = await load("@jupyter-widgets/html-manager");
  const manager = new HTMLManager({ loader: load });
  await manager.set_state(JSON.parse(document.querySelector('script[type$="widget-state+json"]').textContent));
  return manager;
})());

// The file of an explorer's first strip, read from the state as it stands in the page: no script is needed for that.
const state = JSON.parse(document.querySelector('script[type$="widget-state+json"]')?.textContent ?? "{}").state;
const held = (reference) => state[reference.replace("IPY_MODEL_", "")].state;
function firstStrip(model) {
  const film = held(model).children?.map(held).find((child) => child.strips);
  return film?.strips[JSON.stringify(film.controls.map(held).map((each) => each.index ?? each.value))];
}

// The strip for what the further controls show: a file takes the place of a kernel.
async function feed(manager, film) {
  const controls = await Promise.all(
    film.get("controls").map((reference) => manager.get_model(reference.replace("IPY_MODEL_", ""))),
  );
  let waiting;
  const wanted = () => film.get("strips")[JSON.stringify(controls.map((each) => each.get("index") ?? each.get("value")))];
  const show = async () => {
    const address = wanted();
    try {
      const found = address && (await fetched(address));
      if (address !== wanted()) return; // the controls have moved on: another call follows
      if (found) film.set("strip", found);
      film.set("coming", false);
    } catch {
      film.set("coming", false); // the picture says that it is not current
    }
  };
  for (const control of controls) {
    control.on("change:value change:index", () => {
      film.set("coming", Boolean(wanted()));
      clearTimeout(waiting);
      waiting = setTimeout(show, ROUND);
    });
  }
  await show();
}

async function explorer(place) {
  const [manager, view] = [start(), place.querySelector('script[type$="widget-view+json"]')];
  const model = await (await manager).get_model(JSON.parse(view.textContent).model_id);
  const film = model.get("children")?.find((child) => child.has("strips"));
  if (film) await feed(await manager, film);
  const drawn = document.createElement("div");
  drawn.className = "widget-subarea";
  view.before(drawn);
  (await manager).display_view(await (await manager).create_view(model), drawn);
}

for (const each of document.querySelectorAll(".jupyter-widgets")) {
  const view = each.querySelector('script[type$="widget-view+json"]');
  whenNear(each, () => {
    const first = firstStrip(JSON.parse(view.textContent).model_id);
    if (first) fetched(first).catch(() => {}); // it comes side by side with the scripts
    explorer(each).catch((error) => {
      console.error(error);
      const words = document.createElement("p");
      words.className = "lrlearn-notice";
      words.textContent = "This explorer could not be loaded. Reload the page to try again.";
      each.append(words);
    });
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
