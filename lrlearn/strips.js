// A strip of pictures from its file, whose form lrlearn.strips tells.

// What of a strip has come: its head once that is whole, and the pictures that are.
function read(data, length) {
  const view = new DataView(data.buffer), start = length < 4 ? Infinity : 4 + view.getUint32(0, true);
  if (length < start) return null;
  const { sizes, ...told } = JSON.parse(new TextDecoder().decode(data.subarray(4, start)));
  const away = (place) => Math.abs(place - (told.start ?? 0)); // the nearest to the start come first
  let at = start;
  const [base, ...found] = sizes.map((size) => ((at += size) <= length ? data.subarray(at - size, at) : null));
  const pictures = [];
  [...found.keys()].sort((one, other) => away(one) - away(other)).forEach((place, turn) => (pictures[place] = found[turn]));
  return { ...told, base: base?.length ? base : null, pictures };
}

// The whole of a strip. Before it, as soon as that is there, `first` gets a strip of one picture: `seen` says which,
// if any, when it is told the values.
export async function strip(address, { seen, first, signal } = {}) {
  const answer = await fetch(address, { signal });
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  const reader = answer.body.getReader();
  let data = new Uint8Array(1 << 20), length = 0, waits = Boolean(first);
  for (let part; !(part = await reader.read()).done; length += part.value.length) {
    if (length + part.value.length > data.length) {
      const longer = new Uint8Array(2 * (length + part.value.length));
      longer.set(data);
      data = longer;
    }
    data.set(part.value, length);
    const told = waits && read(data, length + part.value.length), at = told && seen(told.values);
    if (!told || !(told.pictures[at] || at === undefined)) continue;
    waits = false;
    if (at !== undefined) first({ ...told, whole: false, pictures: told.pictures.map((one, other) => (other === at ? one : null)) });
  }
  const found = read(data.slice(0, length), length);
  if (!found || found.pictures.includes(null)) throw new Error(`${address} ends too soon`);
  return found;
}
