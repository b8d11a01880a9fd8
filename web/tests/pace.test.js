/** lib/pace.js: how fast a film is made, from when what of it was seen. */

import assert from "node:assert/strict";
import test from "node:test";
import { cutsAfter } from "../lib/gate.js";
import { Pace } from "../lib/pace.js";

/** Looks each second at a film of which segment [a, b) is there at `lag + b / speed`. */
function look(pace, { speed, until, from = 0, lag = 1.2, duration = 600 }) {
  for (let now = from; now <= until; now += 1) pace.saw(now, Math.max(2, ...cutsAfter(0, duration).filter((cut) => lag + cut / speed <= now)));
  return pace.at(until);
}

test("nothing is known before it grew twice", () => {
  const pace = new Pace();
  assert.deepEqual(pace.at(5), { speed: null, likely: null, since: 0, watched: 0 });
  pace.saw(5, 2);
  assert.deepEqual(pace.at(8), { speed: null, likely: null, since: 0, watched: 3 });
  pace.saw(9, 4);
  assert.equal(pace.at(9).speed, null);
  pace.saw(11, 6);
  assert.notEqual(pace.at(11).speed, null);
});

test("the speed comes near the truth from below", () => {
  for (const speed of [0.5, 0.7, 1, 1.5]) {
    const at = look(new Pace(), { speed, until: 60 });
    assert.ok(at.speed <= speed * 1.01 && at.speed > speed * 0.8, `${at.speed} for ${speed}`);
  }
});

test("an encoder that is fast is known to be so soon", () => {
  assert.ok(look(new Pace(), { speed: 5, until: 4 }).speed >= 2);
});

test("an encoder that stands still gets slower with every second", () => {
  const pace = new Pace();
  look(pace, { speed: 1, until: 20 });
  const speeds = [21, 40, 80, 200].map((now) => pace.at(now).speed);
  assert.deepEqual(speeds, [...speeds].sort((a, b) => b - a));
  assert.ok(speeds.at(-1) < 0.2);
});

test("who comes later knows the mean of what was before", () => {
  const pace = new Pace();
  pace.saw(100, 36);
  pace.since(101, 61);
  const { speed, watched } = pace.at(102);
  assert.ok(Math.abs(speed - 0.6) < 0.01 && watched === 2, `${speed}`);
  const young = new Pace();
  young.saw(100, 4);
  young.since(100, 3);
  assert.equal(young.at(101).speed, null);
  const known = new Pace();
  look(known, { speed: 1, until: 20 });
  known.since(20, 200);
  assert.ok(known.at(20).speed > 0.8);
});

test("what was long ago does not count", () => {
  const pace = new Pace();
  look(pace, { speed: 0.5, until: 100, lag: 0 });
  look(pace, { speed: 2, from: 101, until: 200, lag: 75 });
  assert.ok(pace.at(200).speed > 1.7, `${pace.at(200).speed}`);
});
