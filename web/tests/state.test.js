/** lib/state.js: how a video's record follows the feed. */

import assert from "node:assert/strict";
import test from "node:test";
import { canRetry, NO_LIVE, eventWords, heard, isMoving, playableFor, stateName, stateSentence } from "../lib/state.js";

const at = (upload_status, more = {}) => ({ record: { id: "v", upload_status, pins: [], error: null, ...more }, live: NO_LIVE });
const event = (name, data = {}) => ({ type: "event", seq: 1, name, data });

test("the events of a whole video lead from uploaded to completed", () => {
  let view = at("pending");
  const states = [];
  for (const message of [
    event("uploaded", { file_size: 9 }),
    event("probed", { duration: 30.02, width: 854, height: 480 }),
    event("planned", { rungs: ["480p", "720p"], audio: true }),
    { type: "progress", percent: 40, rungs: { "480p": 80 } },
    event("rung_completed", { resolution: "480p" }),
    event("playable"),
    event("completed"),
    event("published", { root_cid: "bafyroot" }),
    event("pinned", { target: "node", cid: "bafyroot" }),
  ]) {
    view = heard(view, message);
    states.push(view.record.upload_status);
  }
  assert.deepEqual([...new Set(states)], ["uploaded", "processing", "playable", "completed"]);
  assert.deepEqual(view.live, { percent: 100, rungs: { "480p": 100, "720p": 0 } });
  assert.equal(view.record.duration, 30.02);
  assert.equal(view.record.root_cid, "bafyroot");
  assert.deepEqual(view.record.pins, [{ target: "node", cid: "bafyroot", state: "pinned" }]);
});

test("a late message does not lead back", () => {
  assert.equal(heard(at("completed"), event("playable")).record.upload_status, "completed");
  assert.equal(heard(at("playable"), event("probed", { duration: 1 })).record.upload_status, "playable");
});

test("a failure carries its words, and retry takes them away", () => {
  const failed = heard(at("processing"), event("failed", { code: "no_video", detail: "no video in it", suggestion: "Export it again." }));
  assert.equal(failed.record.upload_status, "failed");
  assert.equal(failed.record.error.code, "no_video");
  const retried = heard(failed, event("retried"));
  assert.equal(retried.record.upload_status, "processing");
  assert.equal(retried.record.error, null);
});

test("a completed video stays so while its poster or pins are tried again", () => {
  const retried = heard(at("completed", { root_cid: "r" }), event("retried"));
  assert.deepEqual([retried.record.upload_status, retried.record.root_cid, retried.fetch], ["completed", "r", true]);
});

test("for how long it has been playable, unless it was begun anew", () => {
  const step = (name, second) => ({ name, at: new Date(1_000_000 + second * 1000).toISOString() });
  const now = 1_000_000 + 30_000;
  assert.equal(playableFor([step("uploaded", 0), step("playable", 5), step("rung_added", 9)], now), 25);
  assert.equal(playableFor([step("uploaded", 0)], now), null);
  assert.equal(playableFor([step("playable", 5), step("failed", 9), step("retried", 12)], now), null);
  assert.equal(playableFor([step("playable", 5), step("retried", 12), step("playable", 20)], now), 10);
});

test("a pin that was on its way becomes pinned in its place", () => {
  const pins = [{ target: "node", cid: "a", state: "pinning" }, { target: "node", cid: "b", state: "queued" }];
  const { record } = heard(at("completed", { pins }), event("pinned", { target: "node", cid: "b" }));
  assert.deepEqual(record.pins.map(({ state }) => state), ["pinning", "pinned"]);
});

test("the record is fetched where the message cannot tell all", () => {
  for (const name of ["uploaded", "playable", "rung_added", "rung_completed", "completed", "published", "failed", "retried"]) assert.equal(heard(at("processing"), event(name)).fetch, true, name);
  assert.equal(heard(at("processing"), { type: "progress", percent: 1, rungs: {} }).fetch, false);
  assert.equal(heard(at("processing"), { type: "snapshot", upload_status: "completed" }).fetch, true);
  assert.equal(heard(at("processing"), { type: "snapshot", upload_status: "processing" }).fetch, false);
  assert.equal(heard(at("processing"), { type: "reset" }).fetch, true);
});

test("what a newer server says does no harm", () => {
  const view = at("processing");
  assert.deepEqual(heard(view, event("colourised")).record, view.record);
  assert.deepEqual(heard(view, { type: "weather" }).record, view.record);
  assert.equal(eventWords("colourised"), "colourised");
});

test("only what may end better is retried", () => {
  const failed = (code) => ({ upload_status: "failed", error: { code } });
  assert.equal(canRetry(failed("internal")), true);
  for (const code of ["not_a_video", "upload_expired", "too_long"]) assert.equal(canRetry(failed(code)), false);
  assert.equal(canRetry({ upload_status: "cancelled", error: null }), true);
  assert.equal(canRetry({ upload_status: "completed", error: null }), false);
});

test("a step says which pin it was", () => {
  assert.equal(eventWords("pinned", { target: "node", cid: "root" }, ["root"]), "Pinned the folder");
  assert.equal(eventWords("pinned", { target: "node", cid: "film" }, ["root"]), "Pinned the original");
  assert.equal(eventWords("pinned", { target: "pinata", cid: "film" }), "Pinned the original on pinata");
});

test("every state and event has words", () => {
  for (const state of ["pending", "uploaded", "processing", "playable", "completed", "failed", "cancelled", "deleted"]) {
    assert.notEqual(stateName({ upload_status: state }), state);
    if (state !== "failed") assert.notEqual(stateSentence({ upload_status: state }), "");
    assert.equal(isMoving({ upload_status: state }), ["pending", "uploaded", "processing", "playable"].includes(state));
  }
  for (const name of ["uploaded", "probed", "planned", "playable", "rung_added", "rung_completed", "completed", "published", "pinned", "failed", "cancelled", "retried", "deleted"]) assert.notEqual(eventWords(name), name);
});
