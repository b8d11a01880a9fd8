/** lib/preparing.js, lib/scale.js: what the player says and draws while a film is being made. */

import assert from "node:assert/strict";
import test from "node:test";
import { cutShort, inAbout, preparing, share, waitWords } from "../lib/preparing.js";
import { place, spoken, stamp, total, within } from "../lib/scale.js";

test("the share that is ready is whole, and 100 only at the end", () => {
  assert.equal(preparing(25.2, 60), "Still being prepared: 42 % ready");
  assert.deepEqual([share(0, 60), share(59.99, 60), share(60, 60), share(5, 0)], [0, 99, 100, 0]);
});

test("waits are said in round numbers, never too short", () => {
  const cases = [[0.4, "in a moment"], [5, "in a few seconds"], [8, "in about 10 s"], [36.2, "in about 40 s"], [60, "in about 60 s"], [61, "in about 2 min"], [1500, "in about 25 min"], [9000, "in about 3 h"]];
  for (const [seconds, words] of cases) assert.equal(inAbout(seconds), words);
});

test("why it waits, and what a slow encoder means", () => {
  const state = { ready: 18, duration: 60, speed: 0.7 };
  assert.deepEqual(waitWords({ go: false, seconds: 38 }, state), {
    title: "Ready to watch without a pause in about 40 s",
    detail: "30 % is ready. Preparing it takes 1.4 times as long as watching it.",
  });
  assert.equal(waitWords({ go: false, seconds: 5 }, { ...state, speed: 1.2 }).detail, "30 % is ready.");
  assert.equal(waitWords({ go: false, seconds: null }, { ...state, speed: null }).title, "The next part is being prepared");
  assert.equal(waitWords({ go: true }, state).title, "The next part is nearly ready");
});

test("a film that was cut short says why", () => {
  assert.equal(cutShort({ upload_status: "playable" }), null);
  assert.equal(cutShort({ upload_status: "completed" }), null);
  assert.match(cutShort({ upload_status: "cancelled" }).detail, /cancelled/);
  assert.equal(cutShort({ upload_status: "failed", error: { detail: "frame 700 cannot be read", suggestion: "Export it again." } }).detail,
    "The rest could not be prepared. Frame 700 cannot be read. Export it again.");
  assert.equal(cutShort({ upload_status: "failed", error: null }).detail, "The rest could not be prepared.");
});

test("the length is the planned one, while the player's own grows", () => {
  assert.deepEqual([total(60, 4), total(60, Infinity), total(undefined, 30.02), total(null, Infinity), total(null, NaN)], [60, 60, 30.02, 0, 0]);
});

test("seeks lead only to what exists", () => {
  const cases = [[5, 24, false, 5], [40, 24, false, 23], [23.5, 24, false, 23], [40, 24, true, 24], [-3, 24, false, 0], [9, 0, false, 0], [0.5, 1.5, false, 0.5]];
  for (const [to, end, ended, at] of cases) assert.equal(within(to, end, ended), at, `${to} of ${end}`);
});

test("the scale in shares and words", () => {
  assert.deepEqual([place(15, 60), place(90, 60), place(1, 0)], [0.25, 1, 0]);
  assert.deepEqual([stamp(0.9, 60), stamp(12.99, 60), stamp(60.02, 60), stamp(59.995, 60)], ["0:00", "0:13", "1:00", "1:00"]);
  assert.equal(spoken(12.4, 24, 60), "0:12 of 1:00, ready up to 0:24");
  assert.equal(spoken(12.4, 60.02, 60), "0:12 of 1:00");
});
