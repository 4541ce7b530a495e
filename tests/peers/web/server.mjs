// Peers for the web globals: the WebSocket server of `ws`, and Node's HTTP server streaming events. Prints its ports as one
// line of JSON and ends when its input does.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const ws = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: true, handleProtocols: (wanted) => (wanted.has("kata") ? "kata" : false) });
let sockets = 0;
let flaky = 0;
ws.on("connection", (socket, request) => {
  const number = ++sockets;
  if (request.url === "/flaky" && ++flaky === 1) return socket.terminate();
  socket.send(`hello ${number}`);
  socket.on("ping", () => {});
  socket.ping("are you there");
  socket.on("pong", (data) => socket.send(`pong ${data}`));
  socket.on("message", (data, binary) => {
    if (!binary && `${data}` === "bye") return socket.close(4000, "as you wish");
    // In three fragments.
    const third = Math.ceil(data.length / 3);
    socket.send(data.subarray(0, third), { binary, fin: false });
    socket.send(data.subarray(third, 2 * third), { binary, fin: false });
    socket.send(data.subarray(2 * third), { binary, fin: true });
  });
});

const http = createServer((request, response) => {
  if (request.url === "/events") {
    const last = Number(request.headers["last-event-id"] ?? 0);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`retry: 10\n: comment\n\nid: ${last + 1}\ndata: first ü\n\n`);
    // A character cut in two writes, then the connection ends: the client comes back with the last id.
    const rest = Buffer.from(`id: ${last + 2}\nevent: named\ndata: a\ndata: 😀\n\n`);
    const cut = rest.length - 4;
    setTimeout(() => response.write(rest.subarray(0, cut)), 5);
    setTimeout(() => response.end(rest.subarray(cut)), 10);
    return;
  }
  // Sends back what comes, as it comes.
  response.writeHead(200, { "content-type": request.headers["content-type"] ?? "application/octet-stream" });
  request.pipe(response);
});
http.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ ws: ws.address().port, http: http.address().port })));
process.stdin.resume().on("end", () => process.exit(0));
