/** lib/gate.js: the waits of a film that grows, against the tables that were measured with real players. */

import assert from "node:assert/strict";
import test from "node:test";
import { cutsAfter, gate, shortage } from "../lib/gate.js";

/**
 * From playable on, the main run begins anew after 1.2 s: segment [a, b) is there at 1.2 + b / speed. Its first segment
 * was there before, so the encoder is behind by it.
 */
const behind = (speed) => ({ ready: 2, speed, since: -(1.2 + 2 / speed) });

test("the wait before a film that nothing interrupts, by grid and speed", () => {
  const speeds = [0.6, 0.8, 1, 1.2, 1.4, 2];
  const table = [
    { grid: [2, 2, 2], rest: 6, duration: 60, waits: [47, 22, 7.2, 5.2, 3.8, 1.2] },
    { grid: [2, 2, 2], rest: 6, duration: 600, waits: [407, 157, 7.2, 5.2, 3.8, 1.2] },
    { grid: [2, 2, 2, 2, 4, 4], rest: 6, duration: 600, waits: [407, 157, 7.2, 3.5, 2.1, 1.2] },
    { grid: [2, 2, 2], rest: 4, duration: 600, waits: [404, 155, 5.2, 3.5, 2.3, 1.2] },
    { grid: [], rest: 2, duration: 600, waits: [403, 153, 3.2, 2.5, 2.1, 1.2] },
  ];
  for (const { grid, rest, duration, waits } of table) {
    speeds.forEach((speed, n) => {
      const wait = shortage({ ...behind(speed), duration, cuts: cutsAfter(2, duration, grid, rest) });
      // The tables are rounded, the long ones to seconds.
      const near = waits[n] > 20 ? 1.5 : 0.1;
      assert.ok(Math.abs(wait - waits[n]) <= near, `${grid}.. ${rest}, ${duration} s at ${speed}: ${wait} for ${waits[n]}`);
    });
  }
});

test("the plan's grid has short segments first, and ends with the film", () => {
  assert.deepEqual(cutsAfter(0, 25), [2, 4, 6, 8, 12, 16, 22, 25]);
  assert.deepEqual(cutsAfter(8, 16), [12, 16]);
  assert.deepEqual(cutsAfter(25, 25), []);
});

const film = { ready: 12, duration: 600 };

test("who may begin, and who waits for how long", () => {
  const cases = [
    ["nothing is known yet", { ...film, ready: 2, watched: 1 }, { go: true }],
    ["nothing came for long, and little is ahead", { ...film, ready: 2, watched: 3 }, { go: false, seconds: null }],
    ["nothing is known, but much is ahead", { ...film, ready: 40, watched: 9 }, { go: true }],
    ["much is ready, but the playhead is near its end", { ...film, ready: 40, position: 36, watched: 9 }, { go: false, seconds: null }],
    ["twice as fast as it plays", { ...film, ready: 2, speed: 2 }, { go: true }],
    ["as fast as it plays, with little to spare", { ...film, ready: 6, speed: 1 }, { go: false, seconds: 3 }],
    ["as fast as it plays, with enough to spare", { ...film, speed: 1, ready: 18 }, { go: true }],
    ["the same while the next segment is nearly there", { ...film, speed: 1, ready: 8, since: 3 }, { go: true }],
    ["as fast as it plays, in segments of 10 s", { ...film, speed: 1, target: 10 }, { go: false, seconds: 3 }],
    ["the same with enough to spare for them", { ...film, speed: 1, ready: 18, target: 10 }, { go: true }],
    ["half as fast: half of it has to be there", { ...film, speed: 0.5, ready: 16 }, { go: false, seconds: 575 }],
    ["half as fast, later in the film", { ...film, speed: 0.5, ready: 592, position: 400 }, { go: true }],
    ["all of it is there", { ...film, ready: 600, speed: 0.1 }, { go: true }],
    ["nothing more will come", { ...film, ended: true, speed: 0.1 }, { go: true }],
  ];
  for (const [words, state, want] of cases) {
    const got = gate(state);
    assert.equal(got.go, want.go, `${words}: ${JSON.stringify(got)}`);
    if (want.seconds) assert.ok(Math.abs(got.seconds - want.seconds) < 2, `${words}: ${got.seconds}`);
    else assert.equal(got.seconds, want.seconds, words);
  }
});

test("who waits as long as the gate says meets every segment", () => {
  for (const duration of [40, 60, 600, 3599]) {
    for (const speed of [0.3, 0.7, 0.95, 1, 1.1, 1.5, 1.99]) {
      for (const ready of [2, 8, 16, 34]) {
        for (const since of [0, 1, 3]) {
          const wait = Math.max(0, gate({ ready, duration, speed, since }).seconds ?? 0);
          let from = ready;
          for (const cut of cutsAfter(ready, duration)) {
            assert.ok((cut - ready) / speed - since <= wait + from, `${JSON.stringify({ duration, speed, ready, since })}: [${from}, ${cut})`);
            from = cut;
          }
        }
      }
    }
  }
});
