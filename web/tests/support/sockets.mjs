/** The little of RFC 6455 that the feed's tests take: text frames of JSON, to all who are connected. */

import { createHash } from "node:crypto";

const MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT = 1;
const CLOSE = 8;

export class Sockets {
  #open = new Set();

  /** Takes the upgrades of `server`; `heard(message, say)` is called with what a page says, and answers by `say`. */
  constructor(server, heard) {
    server.on("upgrade", (request, socket) => {
      const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + MAGIC).digest("base64");
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
      this.#open.add(socket);
      let waiting = Buffer.alloc(0);
      socket.on("data", (bytes) => {
        waiting = Buffer.concat([waiting, bytes]);
        for (let frame; (frame = unframe(waiting)); waiting = waiting.subarray(frame.length)) {
          if (frame.opcode === CLOSE) socket.end();
          else if (frame.opcode === TEXT) heard(JSON.parse(frame.text), (message) => write(socket, message));
        }
      });
      socket.on("error", () => socket.destroy());
      socket.on("close", () => this.#open.delete(socket));
    });
  }

  tell(message) {
    for (const socket of this.#open) write(socket, message);
  }

  close() {
    for (const socket of this.#open) socket.destroy();
  }
}

function write(socket, message) {
  const body = Buffer.from(JSON.stringify(message));
  const head = body.length < 126 ? Buffer.from([0x80 | TEXT, body.length]) : Buffer.from([0x80 | TEXT, 126, body.length >> 8, body.length & 255]);
  socket.write(Buffer.concat([head, body]));
}

/** The first whole frame of a client, which is masked: `{opcode, text, length}`, or null. */
function unframe(bytes) {
  if (bytes.length < 6) return null;
  const short = bytes[1] & 127;
  const head = short === 126 ? 4 : 2;
  const size = short === 126 ? bytes.readUInt16BE(2) : short;
  const length = head + 4 + size;
  if (bytes.length < length) return null;
  const mask = bytes.subarray(head, head + 4);
  const text = Buffer.from(bytes.subarray(head + 4, length).map((byte, n) => byte ^ mask[n % 4])).toString();
  return { opcode: bytes[0] & 15, text, length };
}
