// Python in a worker: it is told where the site lies, then runs one cell after another, each in names of its own.

let python;

async function load(root) {
  const { loadPyodide } = await import(new URL("python/pyodide.mjs", root));
  const file = (name, kind) => fetch(new URL(`python/${name}`, root)).then((answer) => answer[kind]());
  const [pyodide, files, trained] = await Promise.all([
    loadPyodide({ indexURL: new URL("python/", root).href }),
    file("lrlearn.zip", "arrayBuffer"),
    file("trained.json", "text"),
  ]);
  pyodide.unpackArchive(files, "zip", { extractDir: "/lib/lrlearn-site" });
  pyodide.runPython("import sys; sys.path.insert(0, '/lib/lrlearn-site')");
  pyodide.pyimport("lrlearn.inpage").prepare(trained);
  return pyodide;
}

async function run(source) {
  const pyodide = await python, lines = [];
  pyodide.setStdout({ batched: (line) => lines.push(line) });
  pyodide.setStderr({ batched: (line) => lines.push(line) });
  const names = pyodide.globals.get("dict")();
  try {
    const shown = pyodide.pyimport("lrlearn.inpage").shown;
    const { html, text, right, jupyter } = JSON.parse(shown(pyodide.runPython(source, { globals: names, filename: "your code" })));
    return { html, right, jupyter, text: [...lines, text].filter(Boolean).join("\n") };
  } catch (error) {
    return { text: [...lines, pyodide.pyimport("lrlearn.inpage").said(`${error.message}`)].join("\n") };
  }
}

self.onmessage = async ({ data: { root, asked, source } }) => {
  if (root) {
    python = load(root);
    return python.then(() => postMessage({ ready: true }), (error) => {
      console.error(error);
      postMessage({ failed: true });
    });
  }
  postMessage({ asked, ...(await run(source)) });
};
