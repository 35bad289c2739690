// A server as the documentation of ws shows one: what one sends goes to all others, and everyone is pinged.
//
//     node server.js PORT
import { WebSocket, WebSocketServer } from 'ws';

// As often as Samtale pings.
const PING_EVERY_MS = 25_000;

const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]) });

server.on('connection', (socket) => {
  socket.on('error', () => socket.terminate());
  socket.on('message', (data) => {
    for (const other of server.clients) {
      if (other !== socket && other.readyState === WebSocket.OPEN) other.send(data, { binary: true });
    }
  });
});

setInterval(() => {
  for (const socket of server.clients) socket.ping();
}, PING_EVERY_MS);
