/** lib/feed.js: one connection, and nothing lost or doubled when it breaks. The socket and the timers are ours. */

import assert from "node:assert/strict";
import test from "node:test";
import { Feed } from "../lib/feed.js";

function setUp({ key = null } = {}) {
  const world = { sockets: [], timers: [], states: [], key };
  world.feed = new Feed({
    open: () => {
      const socket = { sent: [], send: (text) => socket.sent.push(JSON.parse(text)) };
      world.sockets.push(socket);
      return socket;
    },
    key: () => world.key,
    onstate: (state) => world.states.push(state),
    random: () => 1,
    setTimer: (act, ms) => world.timers.push({ act, ms }),
    clearTimer: (n) => n !== null && (world.timers[n - 1].act = () => {}),
  });
  world.heard = [];
  world.follow = (id, options) => world.feed.follow(id, (message) => world.heard.push(short(message)), options);
  world.socket = () => world.sockets.at(-1);
  world.say = (message) => world.socket().onmessage({ data: JSON.stringify(message) });
  world.event = (video_id, seq, name = "probed") => world.say({ type: "event", video_id, seq, name, data: {} });
  world.fire = () => world.timers.at(-1).act();
  return world;
}

const short = ({ type, video_id, seq }) => [type, video_id, seq].filter((part) => part !== undefined).join(" ");
const turn = () => new Promise((resolve) => queueMicrotask(resolve));

test("one connection serves all videos, and what is followed at once is one message", async () => {
  const world = setUp();
  world.follow("a");
  world.follow("b");
  world.socket().onopen();
  await turn();
  world.follow("c");
  world.follow("d", { since: 4 });
  await turn();
  assert.equal(world.sockets.length, 1);
  assert.deepEqual(world.socket().sent, [
    { op: "subscribe", videos: ["a", "b"], since: {} },
    { op: "subscribe", videos: ["c", "d"], since: { d: 4 } },
  ]);
});

test("with a key the first message is auth", () => {
  const world = setUp({ key: "secret" });
  world.follow("a");
  world.socket().onopen();
  assert.deepEqual(world.socket().sent[0], { op: "auth", key: "secret" });
});

test("a new connection asks for what came since, and hears each event once", () => {
  const world = setUp();
  world.follow("a");
  world.socket().onopen();
  world.say({ type: "snapshot", video_id: "a", seq: 2, upload_status: "processing" });
  world.event("a", 3);
  world.socket().onclose({ code: 1006 });
  world.fire();
  world.socket().onopen();
  assert.deepEqual(world.socket().sent, [{ op: "subscribe", videos: ["a"], since: { a: 3 } }]);
  world.say({ type: "snapshot", video_id: "a", seq: 5, upload_status: "processing" });
  for (const seq of [3, 4, 5]) world.event("a", seq);
  assert.deepEqual(world.heard, ["snapshot a 2", "event a 3", "snapshot a 5", "event a 4", "event a 5"]);
});

test("a gap is asked for once and never blocks", () => {
  const world = setUp();
  world.follow("a", { since: 0 });
  world.socket().onopen();
  world.event("a", 1);
  world.event("a", 3);
  assert.deepEqual(world.socket().sent.at(-1), { op: "subscribe", videos: ["a"], since: { a: 1 } });
  world.event("a", 3);
  assert.deepEqual(world.heard, ["event a 1", "event a 3"]);
});

test("pauses between tries grow to a bound, and an answer makes them short again", () => {
  const world = setUp();
  world.follow("a");
  for (let n = 0; n < 9; n += 1) {
    world.socket().onclose({ code: 1006 });
    world.fire();
  }
  assert.deepEqual(world.timers.map(({ ms }) => ms), [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  world.socket().onopen();
  world.say({ type: "snapshot", video_id: "a", seq: 0, upload_status: "pending" });
  world.socket().onclose({ code: 1006 });
  assert.equal(world.timers.at(-1).ms, 500);
});

test("4408 comes back soon, with since", () => {
  const world = setUp();
  world.follow("a", { since: 7 });
  world.socket().onopen();
  world.socket().onclose({ code: 4408 });
  assert.equal(world.timers.at(-1).ms, 250);
  world.fire();
  world.socket().onopen();
  assert.deepEqual(world.socket().sent.at(-1).since, { a: 7 });
});

test("4401 waits for a key and then connects with it", () => {
  const world = setUp();
  world.follow("a");
  world.socket().onopen();
  world.socket().onclose({ code: 4401 });
  assert.equal(world.feed.state, "locked");
  assert.equal(world.timers.length, 0);
  world.key = "given";
  world.feed.wake();
  world.socket().onopen();
  assert.deepEqual(world.socket().sent[0], { op: "auth", key: "given" });
  assert.equal(world.feed.state, "open");
});

test("wake does not wait for the timer, whose later end does nothing", () => {
  const world = setUp();
  world.follow("a");
  world.socket().onclose({ code: 1006 });
  world.feed.wake();
  world.fire();
  assert.equal(world.sockets.length, 2);
  world.feed.wake();
  assert.equal(world.sockets.length, 2);
});

test("reset forgets the numbers, tells everybody, and subscribes anew", () => {
  const world = setUp();
  world.follow("a", { since: 9 });
  world.socket().onopen();
  world.say({ type: "reset" });
  assert.deepEqual(world.socket().sent.at(-1), { op: "subscribe", videos: ["a"], since: {} });
  world.say({ type: "snapshot", video_id: "a", seq: 1, upload_status: "processing" });
  world.event("a", 2);
  assert.deepEqual(world.heard, ["reset a", "snapshot a 1", "event a 2"]);
});

test("the last who leaves unsubscribes; then nothing is heard and nothing reconnects", () => {
  const world = setUp();
  const [one, two] = [new AbortController(), new AbortController()];
  world.follow("a", { signal: one.signal });
  world.follow("a", { signal: two.signal });
  world.socket().onopen();
  one.abort();
  assert.equal(world.socket().sent.length, 1);
  two.abort();
  assert.deepEqual(world.socket().sent.at(-1), { op: "unsubscribe", videos: ["a"] });
  world.event("a", 1);
  world.socket().onclose({ code: 1006 });
  assert.deepEqual(world.heard, []);
  assert.equal(world.feed.state, "idle");
  world.follow("b");
  assert.equal(world.sockets.length, 2);
});

test("progress has no number and passes; nonsense does not", () => {
  const world = setUp();
  world.follow("a", { since: 3 });
  world.socket().onopen();
  world.say({ type: "progress", video_id: "a", percent: 5, rungs: {} });
  world.say({ type: "progress", video_id: "other", percent: 5 });
  for (const data of ["", "null", "{", "7"]) world.socket().onmessage({ data });
  assert.deepEqual(world.heard, ["progress a"]);
});

test("what a closed socket still says is not heard", () => {
  const world = setUp();
  world.follow("a", { since: 0 });
  world.socket().onopen();
  const old = world.socket();
  old.onclose({ code: 1006 });
  world.fire();
  world.socket().onopen();
  old.onmessage({ data: JSON.stringify({ type: "event", video_id: "a", seq: 1, name: "probed" }) });
  old.onclose({ code: 1006 });
  assert.deepEqual(world.heard, []);
  assert.equal(world.feed.state, "open");
});

test("who follows all comes back with the cursor, also when no event came yet", () => {
  const world = setUp();
  const all = [];
  world.feed.followAll((message) => all.push([message.type, message.cursor].join(" ")));
  world.socket().onopen();
  assert.deepEqual(world.socket().sent, [{ op: "subscribe", all: true }]);
  world.say({ type: "snapshot", cursor: "c0" });
  world.socket().onclose({ code: 1006 });
  world.fire();
  world.socket().onopen();
  assert.deepEqual(world.socket().sent, [{ op: "subscribe", all: true, cursor: "c0" }]);
  world.say({ type: "snapshot", cursor: "c0" });
  world.say({ type: "event", video_id: "new", seq: 1, name: "uploaded", data: {}, cursor: "c1" });
  world.socket().onclose({ code: 4408 });
  world.fire();
  world.socket().onopen();
  assert.deepEqual(world.socket().sent, [{ op: "subscribe", all: true, cursor: "c1" }]);
  assert.deepEqual(all, ["snapshot c0", "snapshot c0", "event c1"]);
});

test("all and one by id on one connection: each listener hears an event once", () => {
  const world = setUp();
  const [all, leave] = [[], new AbortController()];
  world.follow("a", { since: 2 });
  world.socket().onopen();
  world.feed.followAll((message) => all.push(short(message)), { signal: leave.signal });
  assert.deepEqual(world.socket().sent.at(-1), { op: "subscribe", all: true });
  world.say({ type: "event", video_id: "a", seq: 3, name: "probed", data: {}, cursor: "c1" });
  world.say({ type: "event", video_id: "b", seq: 9, name: "probed", data: {}, cursor: "c2" });
  world.event("a", 3);
  world.say({ type: "progress", video_id: "b", percent: 5, rungs: {} });
  assert.deepEqual(world.heard, ["event a 3"]);
  assert.deepEqual(all, ["event a 3", "event b 9", "progress b"]);
  leave.abort();
  assert.deepEqual(world.socket().sent.at(-1), { op: "unsubscribe", all: true });
  world.event("a", 4);
  assert.deepEqual(world.heard, ["event a 3", "event a 4"]);
  assert.equal(all.length, 3);
});

test("a cursor that the server does not know resets only those who follow all", () => {
  const world = setUp();
  const all = [];
  world.follow("a", { since: 2 });
  world.feed.followAll((message) => all.push(message.type));
  world.socket().onopen();
  const { length } = world.socket().sent;
  world.say({ type: "reset" });
  world.say({ type: "snapshot", cursor: "c7" });
  assert.deepEqual(all, ["reset", "snapshot"]);
  assert.deepEqual(world.heard, []);
  assert.equal(world.socket().sent.length, length);
});
