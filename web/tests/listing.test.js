/** lib/listing.js: what others do shows in the list. The feed, the server and the timer are ours. */

import assert from "node:assert/strict";
import test from "node:test";
import { gone, Listing } from "../lib/listing.js";

function setUp({ follows = [], problems = {} } = {}) {
  const world = { acts: [], timers: [], fetched: [], stop: new AbortController() };
  new Listing({
    api: {
      video: async (id) => {
        world.fetched.push(id);
        if (problems[id]) throw { status: problems[id] };
        return { id };
      },
    },
    feed: { followAll: (listener, { signal }) => ((world.say = listener), assert.equal(signal, world.stop.signal)) },
    list: {
      follows: (id) => follows.includes(id),
      put: ({ id }) => world.acts.push(`put ${id}`),
      drop: (id) => world.acts.push(`drop ${id}`),
      renew: () => world.acts.push("renew"),
    },
    signal: world.stop.signal,
    setTimer: (act) => world.timers.push(act),
  });
  world.event = (video_id, name) => world.say({ type: "event", video_id, seq: 1, name, data: {}, cursor: "c" });
  world.fire = () => world.timers.shift()();
  return world;
}

test("a video of somebody else appears once, however many events it has", async () => {
  const world = setUp();
  for (const name of ["uploaded", "probed", "planned"]) world.event("new", name);
  assert.equal(world.timers.length, 1);
  await world.fire();
  assert.deepEqual(world.fetched, ["new"]);
  assert.deepEqual(world.acts, ["put new"]);
  world.event("new", "completed");
  await world.fire();
  assert.deepEqual(world.acts, ["put new", "put new"]);
});

test("a deleted one goes at once, and is not fetched any more", async () => {
  const world = setUp();
  world.event("a", "published");
  world.event("a", "deleted");
  await world.fire();
  assert.deepEqual(world.acts, ["drop a"]);
  assert.deepEqual(world.fetched, []);
});

test("what the server says is gone goes; what it cannot say now stays", async () => {
  const world = setUp({ problems: { a: 410, b: 404, c: 503 } });
  for (const id of ["a", "b", "c"]) world.event(id, "pinned");
  await world.fire();
  assert.deepEqual(world.acts, ["drop a", "drop b"]);
});

test("videos that the list follows by itself, progress and beginnings are not fetched for", () => {
  const world = setUp({ follows: ["mine"] });
  world.event("mine", "probed");
  world.say({ type: "progress", video_id: "other", percent: 1, rungs: {} });
  world.say({ type: "snapshot", cursor: "c" });
  assert.equal(world.timers.length, 0);
});

test("very many at once, and a cursor that is not known, are answered by one page", async () => {
  const world = setUp();
  for (let n = 0; n < 11; n += 1) world.event(`v${n}`, "uploaded");
  await world.fire();
  world.say({ type: "reset" });
  assert.deepEqual(world.acts, ["renew", "renew"]);
  assert.deepEqual(world.fetched, []);
});

test("nothing happens after the end", async () => {
  const world = setUp();
  world.event("a", "uploaded");
  world.stop.abort();
  await world.fire();
  assert.deepEqual(world.fetched, []);
});

test("a page tells which of those shown are no more", () => {
  const page = (ids, next_cursor = "more") => ({ videos: ids.map((id) => ({ id })), next_cursor });
  assert.deepEqual(gone(["5", "4", "3", "2", "1"], page(["5", "3"])), ["4"]);
  assert.deepEqual(gone(["5", "4", "1"], page(["5"], null)), ["4", "1"]);
  assert.deepEqual(gone(["5"], page([], null)), ["5"]);
  assert.deepEqual(gone(["6", "5"], page(["6", "5"])), []);
});
