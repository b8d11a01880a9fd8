/** lib/playback.js: what the viewer wants, and when the film may play, on a media element that is only its events. */

import assert from "node:assert/strict";
import test from "node:test";
import { Playback } from "../lib/playback.js";

class Media extends EventTarget {
  currentTime = 0;
  paused = true;
  ended = false;
  readyState = 4;
  played = { length: 0 };
  edge = 2;
  refuses = false;

  get seekable() {
    return { length: 1, end: () => this.edge };
  }

  async play() {
    if (this.refuses) throw Object.assign(new Error("not now"), { name: "NotAllowedError" });
    if (!this.paused) return;
    this.paused = false;
    this.tell("play");
  }

  pause() {
    if (this.paused) return;
    this.paused = true;
    this.tell("pause");
  }

  tell(name) {
    this.dispatchEvent(new Event(name));
  }

  /** Plays on to `to` seconds. */
  runs(to) {
    this.played = { length: 1 };
    this.currentTime = to;
    this.readyState = 4;
    this.tell("timeupdate");
  }

  starves() {
    this.readyState = 2;
    this.tell("waiting");
  }
}

/** A player whose clock and timers the test moves: `after(seconds)`. */
function player(t) {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const media = new Media();
  const stop = new AbortController();
  t.after(() => stop.abort());
  let now = 0;
  const playback = new Playback(media, { onchange: () => {}, signal: stop.signal, clock: () => now });
  const after = (seconds) => {
    for (let n = 0; n < seconds * 20; n += 1) {
      now += 50;
      t.mock.timers.tick(50);
    }
  };
  const ready = (seconds, more = {}) => {
    media.edge = seconds;
    playback.film({ ready: seconds, duration: 60, growing: true, ...more });
  };
  /** Grows by 2 s of film each `each` seconds, up to `to`. */
  const grows = (each, to) => {
    for (let length = media.edge + 2; length <= to; length += 2) {
      after(each);
      ready(length);
    }
  };
  return { media, playback, after, ready, grows };
}

test("nothing is known: it plays at once", (t) => {
  const { media, playback, ready } = player(t);
  ready(2);
  playback.play();
  assert.deepEqual([media.paused, playback.wanted, playback.waiting], [false, true, null]);
});

test("as fast as it plays: it is held, and begins by itself when it can play through", (t) => {
  const { media, playback, ready, grows } = player(t);
  ready(2);
  grows(2, 6);
  playback.play();
  assert.deepEqual([media.paused, playback.wanted, playback.waiting], [true, true, "held"]);
  grows(2, 14);
  assert.deepEqual([media.paused, playback.waiting], [false, null]);
});

test("who watches anyway is not held again", (t) => {
  const { media, playback, ready, grows, after } = player(t);
  ready(2);
  grows(4, 8);
  playback.play();
  assert.equal(playback.waiting, "held");
  playback.anyway();
  assert.equal(media.paused, false);
  media.runs(7.9);
  media.starves();
  after(1);
  assert.deepEqual([media.paused, playback.waiting, playback.decision.go], [false, "edge", false]);
});

test("a stop at the end of what exists holds the film until it can play through", (t) => {
  const { media, playback, ready, after, grows } = player(t);
  ready(2);
  playback.play();
  media.runs(1.95);
  media.starves();
  // The feed speaks all the time; that is no reason to forget the stop.
  for (let n = 0; n < 10; n += 1) {
    after(0.1);
    ready(2);
  }
  after(2);
  assert.deepEqual([media.paused, playback.wanted, playback.waiting], [true, true, "held"]);
  grows(2, 16);
  assert.deepEqual([media.paused, playback.waiting], [false, null]);
});

test("a short stop is none, and one that the line makes is not the encoder's", (t) => {
  const { media, playback, ready, after } = player(t);
  ready(40);
  playback.play();
  media.runs(10);
  media.starves();
  after(0.2);
  assert.equal(playback.waiting, null);
  media.runs(10.1);
  after(1);
  assert.equal(playback.waiting, null);
  media.starves();
  after(1);
  assert.deepEqual([media.paused, playback.waiting], [false, "line"]);
});

test("pause ends the wait, and play goes on with it", (t) => {
  const { media, playback, ready, grows } = player(t);
  ready(2);
  grows(4, 8);
  playback.toggle();
  assert.equal(playback.waiting, "held");
  playback.toggle();
  assert.deepEqual([media.paused, playback.wanted, playback.waiting], [true, false, null]);
  grows(4, 12);
  assert.equal(media.paused, true);
});

test("keys and buttons that are not ours are obeyed", (t) => {
  const { media, playback, ready, grows } = player(t);
  ready(2);
  grows(4, 8);
  media.play();
  assert.deepEqual([media.paused, playback.wanted, playback.waiting], [false, true, null]);
  media.pause();
  assert.deepEqual([media.paused, playback.wanted], [true, false]);
});

test("what is held plays when nothing more will come", (t) => {
  const { media, playback, ready, grows } = player(t);
  ready(2);
  grows(4, 8);
  playback.play();
  assert.equal(playback.waiting, "held");
  ready(8, { growing: false });
  assert.deepEqual([media.paused, playback.waiting], [false, null]);
});

test("a browser that forbids to play is not asked again", async (t) => {
  const { media, playback, ready } = player(t);
  ready(2);
  media.refuses = true;
  playback.play();
  await Promise.resolve();
  assert.equal(playback.wanted, false);
});

test("a source that is taken up anew plays on", (t) => {
  const { media, playback, ready } = player(t);
  ready(40);
  playback.play();
  media.paused = true;
  media.tell("canplay");
  assert.equal(media.paused, false);
  playback.pause();
  media.tell("canplay");
  assert.equal(media.paused, true);
});

test("a seek leads no further than the film exists", (t) => {
  const { media, playback, ready } = player(t);
  ready(20);
  playback.seek(50);
  assert.equal(media.currentTime, 19);
  ready(60, { growing: false });
  playback.seek(70);
  assert.equal(media.currentTime, 60);
});

test("standing a little after 0 is not a beginning", (t) => {
  const { media, playback } = player(t);
  media.currentTime = 0.05;
  assert.equal(playback.begun, false);
  media.runs(1);
  assert.equal(playback.begun, true);
});
