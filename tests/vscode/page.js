// The page in which VS Code draws what a notebook shows of widgets: its own bundle of ipywidgets, on a kernel whose
// messages take VS Code's way (microsoft/vscode-jupyter 3d24702, src/webviews/webview-side/ipywidgets/kernel).
import { activate, parts } from "./bundle.js";

const { KernelConnection, ServerConnection } = parts;
const VIEW = "application/vnd.jupyter.widget-view+json";

// From the extension host to the window, from there to the frame around this page, and then to this page: each step
// copies the message (microsoft/vscode 03ed752, src/vs/workbench/contrib/webview/browser/pre/index.html).
const host = new Worker("host.js");
const frame = new MessageChannel(), inner = new MessageChannel();
host.onmessage = ({ data }) => frame.port1.postMessage(JSON.parse(data));
frame.port2.onmessage = ({ data }) => inner.port1.postMessage(data);
inner.port2.onmessage = ({ data: { type, payload } }) => arrive[type](payload);

// kernel.ts: a kernel whose socket is the way to the extension host
let proxy;
class ProxyWebSocket {
  protocol = "";
  constructor(address) {
    proxy = this;
    host.postMessage({ connect: address });
  }
  send = (data) => host.postMessage(data);
  close() {}
}
const arrive = {
  open: () => proxy.onopen(),
  IPyWidgets_msg: ({ data }) => proxy.onmessage({ data }),
  IPyWidgets_binary_msg: ({ data }) => {
    window.numbers += data[0].length;
    proxy.onmessage({ data: new Uint8Array(data[0]).buffer });
  },
};
window.numbers = 0; // how many bytes have come as numbers

async function started() {
  await fetch("/lab");
  const [, token] = document.cookie.match(/_xsrf=([^;]+)/);
  const answer = await fetch("/api/kernels", { method: "POST", headers: { "X-XSRFToken": token }, body: "{}" });
  const serverSettings = ServerConnection.makeSettings({ WebSocket: ProxyWebSocket, baseUrl: location.origin, wsUrl: location.origin.replace("http", "ws") });
  return new KernelConnection({ model: await answer.json(), serverSettings, handleComms: true });
}

// scriptManager.ts: a widget's script is the one of the kernel's environment, by the name of its module
const loader = {
  widgetsRegisteredInRequireJs: new Set(),
  loadWidgetScript: async (name) => requirejs.config({ paths: { [name]: `./${name}` } }),
  successHandler() {},
  errorHandler: (...all) => console.error("a widget's script failed", ...all),
};

activate();
vscIPyWidgets8.load();
const kernel = await started();
const manager = new vscIPyWidgets.WidgetManager(kernel, document.body, loader, () => {});

// manager.ts: what a cell displays is drawn once its model is there
async function show(data) {
  const node = document.createElement("div");
  node.className = "cell-output-ipywidget-background";
  document.body.append(node);
  const view = await manager.create_view(await manager.get_model(data.model_id), { el: node });
  return manager.display_view(data, view, { node });
}

// Run a cell as VS Code does, one at a time; what it shows, apart from widgets, and its error are in the answer.
window.run = async (code) => {
  const future = kernel.requestExecute({ code }), shown = [], drawn = [];
  future.onIOPub = ({ header, content }) => {
    if (content.data?.[VIEW]) drawn.push(show(content.data[VIEW]));
    if (header.msg_type === "error") shown.push(content.traceback.join("\n"));
    if (header.msg_type === "stream") shown.push(content.text);
  };
  await future.done;
  await Promise.all(drawn);
  return shown.join("");
};
window.ready = true;
