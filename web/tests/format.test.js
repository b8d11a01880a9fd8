/** lib/format.js, lib/rate.js, lib/problem.js, lib/accept.js, lib/router.js: what people read. */

import assert from "node:assert/strict";
import test from "node:test";
import { refusal } from "../lib/accept.js";
import { ago, bitrate, bytes, clock, percent, shortCid, speed, timeLeft, titleOf } from "../lib/format.js";
import { Problem, problemOf, words } from "../lib/problem.js";
import { Rate } from "../lib/rate.js";
import { routeOf, videoHash } from "../lib/router.js";

test("sizes are decimal and never show more digits than matter", () => {
  const want = [[0, "0 B"], [999, "999 B"], [1000, "1.0 kB"], [999_499, "999 kB"], [999_500, "1.0 MB"], [4_139_823, "4.1 MB"], [99_940_000, "99.9 MB"], [5_368_709_120, "5.4 GB"], [NaN, ""], [-1, ""]];
  for (const [n, text] of want) assert.equal(bytes(n), text);
  assert.equal(speed(1_250_000), "1.3 MB/s");
  assert.equal(speed(0), "");
});

test("bit rates change their unit without an odd step", () => {
  for (const [n, text] of [[812_000, "812 kbit/s"], [999_499, "999 kbit/s"], [999_500, "1.0 Mbit/s"], [1_440_000, "1.4 Mbit/s"], [undefined, ""], [0, ""]]) {
    assert.equal(bitrate(n), text);
  }
});

test("clocks carry over", () => {
  for (const [n, text] of [[0, "0:00"], [0.3, "0:01"], [30.02, "0:30"], [59.6, "1:00"], [3599.5, "1:00:00"], [3723, "1:02:03"], [undefined, ""]]) assert.equal(clock(n), text);
});

test("time left is coarse", () => {
  for (const [n, text] of [[1, "a few seconds left"], [7, "10 s left"], [60, "1 min left"], [3540, "59 min left"], [7260, "2 h 1 min left"], [NaN, ""], [Infinity, ""]]) {
    assert.equal(timeLeft(n), text);
  }
});

test("a percentage is 100 only at the end", () => {
  for (const [n, want] of [[99.9, 99], [100, 100], [101, 100], [-3, 0], [NaN, 0]]) assert.equal(percent(n), want);
});

test("instants are told from now", () => {
  const now = Date.parse("2026-03-10T12:00:00Z");
  for (const [at, text] of [["2026-03-10T11:59:50Z", "just now"], ["2026-03-10T11:57:00Z", "3 minutes ago"], ["2026-03-10T10:00:00Z", "2 hours ago"], ["2026-03-08T12:00:00Z", "2 days ago"], ["2026-01-02T12:00:00Z", "Jan 2, 2026"], ["nonsense", ""]]) {
    assert.equal(ago(at, now), text);
  }
});

test("names are shortened without losing what tells them apart", () => {
  assert.equal(shortCid("bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"), "bafybeigdy…5fbzdi");
  assert.equal(titleOf("my_first_film.mp4"), "my first film");
  assert.equal(titleOf(".mp4"), ".mp4");
  assert.equal([...titleOf(`${"🎬".repeat(300)}.mp4`)].length, 200);
});

test("speed forgets what was long ago", () => {
  const rate = new Rate();
  rate.push(0, 0);
  assert.equal(rate.perSecond, 0);
  for (let second = 1; second <= 10; second += 1) rate.push(second * 1000, second * 100);
  for (let second = 11; second <= 20; second += 1) rate.push(second * 1000, 1000 + (second - 10) * 500);
  assert.equal(Math.round(rate.perSecond), 500);
});

test("files that cannot be videos are refused in words", () => {
  const limit = 5_000_000_000;
  assert.match(refusal({ name: "notes.txt", type: "text/plain", size: 3 }, limit), /“notes.txt” is not a video/);
  assert.match(refusal({ name: "a.mp4", type: "video/mp4", size: 0 }, limit), /is empty/);
  assert.match(refusal({ name: "a.mp4", type: "video/mp4", size: limit + 1 }, limit), /too big: 5.0 GB/);
  assert.equal(refusal({ name: "a.MKV", type: "", size: 1 }, limit), null);
  assert.equal(refusal({ name: "a.ts", type: "text/vnd.trolltech.linguist", size: 1 }, limit), null);
  assert.equal(refusal({ name: "no-extension", type: "video/webm", size: 1 }, limit), null);
  // Sound alone is taken, too.
  assert.equal(refusal({ name: "talk.mp3", type: "audio/mpeg", size: 1 }, limit), null);
  assert.equal(refusal({ name: "talk.OPUS", type: "", size: 1 }, limit), null);
});

test("problem documents become sentences, whatever the server sends", async () => {
  const full = new Response(JSON.stringify({ code: "size_mismatch", detail: "declared 3 bytes, stored 2", suggestion: "Upload it again." }), { status: 409 });
  const problem = await problemOf(full);
  assert.equal(problem.code, "size_mismatch");
  assert.equal(problem.words, "Declared 3 bytes, stored 2. Upload it again.");
  assert.equal(problem.passing, false);
  const html = await problemOf(new Response("<h1>Bad gateway</h1>", { status: 502 }));
  assert.equal(html.words, "The server answered 502.");
  assert.equal(html.passing, true);
  assert.equal((await problemOf(new Response("null", { status: 400 }))).code, "http_400");
  assert.match(new Problem({ detail: "oh", status: 500, requestId: "r-7" }).words, /^Oh\. \(Request r-7\)$/);
  assert.match(words(new TypeError("x is undefined")), /Reload/);
});

test("only addresses of the page are routes", () => {
  assert.deepEqual(routeOf(videoHash("0198c0de-0000-7000-8000-000000000000")), { name: "video", id: "0198c0de-0000-7000-8000-000000000000" });
  for (const hash of ["", "#/", "#/video/", "#/video/a/b", "#/video/..%2f"]) assert.deepEqual(routeOf(hash), { name: "list" });
});
