// VS Code's extension host, as far as messages of a local kernel pass through it (microsoft/vscode-jupyter 3d24702):
// what is binary becomes an array of numbers (src/platform/common/utils/serializers.ts, called for each message in
// src/notebooks/controllers/ipywidgets/message/ipyWidgetMessageDispatcher.ts), any other message stays text (a raw
// socket has no protocol: src/kernels/raw/session/rawSocket.node.ts); and what leaves the extension host for the window
// is JSON (microsoft/vscode 02c53ec, src/vs/workbench/services/extensions/common/rpcProtocol.ts).
let socket;

const tell = (type, payload) => self.postMessage(JSON.stringify({ type, payload }));

function connect(address) {
  socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => tell("open");
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") tell("IPyWidgets_msg", { data });
    else tell("IPyWidgets_binary_msg", { data: [[...new Uint8Array(data)]] });
  };
}

self.onmessage = ({ data }) => (data.connect ? connect(data.connect) : socket.send(data));
