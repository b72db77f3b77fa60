// The widgets' scripts are AMD modules, all of them in this page. Unlike RequireJS, this loader never
// looks for a missing one on the network.
(() => {
  const modules = new Map([["module", { exports: { uri: "" } }]]);

  function load(name) {
    const module = modules.get(name);
    if (!module) throw new Error(`this page holds no module ${name}`);
    module.exports ??= module.make(...module.needs.map(load));
    return module.exports;
  }

  window.define = (name, needs, make) => modules.set(name, { needs, make });
  window.require = window.requirejs = (names, done, failed = console.error) => {
    try {
      done(...names.map(load));
    } catch (error) {
      failed(error);
    }
  };

  // Slides: a slider's arrow keys and drags are its own.
  const ofWidget = () => document.activeElement?.closest(".jupyter-widgets");
  window.Reveal?.initialize({
    width: 1280,
    height: 800,
    margin: 0.02,
    center: false,
    hash: true,
    transition: "none",
    keyboardCondition: () => !ofWidget(),
  });
})();
