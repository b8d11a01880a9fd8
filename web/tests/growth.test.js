/** lib/growth.js and lib/playlist.js: what of a growing film is there, read from playlists. */

import assert from "node:assert/strict";
import test from "node:test";
import { Growth } from "../lib/growth.js";
import { listed, variants } from "../lib/playlist.js";
import { master, media } from "./support/playlists.mjs";

const BASE = "http://127.0.0.1/video/v/hls/live.m3u8";
const low = { name: "480p", rate: 800_000, codec: "avc1.64001e", width: 854, height: 480 };
const high = { name: "720p", rate: 2_000_000, codec: "avc1.64001f", width: 1280, height: 720 };
const audio = { name: "audio", rate: 96_000, codec: "mp4a.40.2" };

test("a master's variants, the lowest first", () => {
  assert.deepEqual(variants(master([high, low], audio), BASE), [
    { url: "http://127.0.0.1/video/v/hls/480p/live.m3u8", height: 480, rate: 1_075_200 },
    { url: "http://127.0.0.1/video/v/hls/720p/live.m3u8", height: 720, rate: 2_515_200 },
  ]);
  assert.deepEqual(variants("#EXTM3U\n", BASE), []);
});

test("how much a media playlist has, and whether that is all", () => {
  assert.deepEqual(listed(media([{ seconds: 2 }, { seconds: 2.5 }], { ended: false })), { ready: 4.5, ended: false, target: 6 });
  assert.equal(listed(media([{ seconds: 2 }], { ended: true })).ended, true);
  assert.deepEqual(listed("#EXTM3U\n"), { ready: 0, ended: false, target: 0 });
});

/** A server whose answers are taken one after the other; a number is an error's status. */
function looks(answers) {
  const asked = [];
  const signal = new AbortController();
  const seen = [];
  const done = new Promise((resolve) => {
    const fetch = async (url) => {
      asked.push(url.replace("http://127.0.0.1/video/v/hls/", ""));
      const answer = answers.shift();
      if (answer === undefined) {
        signal.abort();
        throw new Error("no more");
      }
      return { ok: typeof answer === "string", status: answer, text: async () => answer };
    };
    const pause = async () => signal.signal.aborted && resolve();
    signal.signal.addEventListener("abort", () => resolve());
    new Growth({ master: BASE, signal: signal.signal, period: () => 1, fetch, pause, onlook: (growth) => {
      seen.push([growth.ready, growth.ended, growth.rungs.join()]);
      if (growth.ended) resolve();
    } });
  });
  return done.then(() => ({ asked, seen }));
}

const grown = (n, ended = false) => media(Array.from({ length: n }, () => ({ seconds: 2 })), { ended });

test("it looks at the lowest rung until that has ended, and then once more at the master", async () => {
  const { asked, seen } = await looks([master([low], audio), grown(1), grown(2), grown(3, true), master([low, high], audio)]);
  assert.deepEqual(asked, ["live.m3u8", "480p/live.m3u8", "480p/live.m3u8", "480p/live.m3u8", "live.m3u8"]);
  assert.deepEqual(seen, [[2, false, "480"], [4, false, "480"], [6, true, "480,720"]]);
});

test("a rung that joins after the lowest has ended is found when somebody says so", async () => {
  const answers = [master([low], audio), grown(1, true), master([low], audio), master([low, high], audio), grown(1, true), master([low, high], audio)];
  const stop = new AbortController();
  const seen = [];
  const fetch = async () => ({ ok: true, text: async () => answers.shift() });
  await new Promise((resolve) => {
    const growth = new Growth({ master: BASE, signal: stop.signal, period: () => assert.fail("it looks without a reason"), fetch, onlook: ({ rungs }) => {
      seen.push(rungs.join());
      if (seen.length === 1) setTimeout(() => growth.poke());
      else resolve();
    } });
  });
  stop.abort();
  assert.deepEqual(seen, ["480", "480,720"]);
  assert.deepEqual(answers, []);
});

test("a look that fails changes nothing and is made again", async () => {
  const { seen } = await looks([404, master([low], audio), grown(1), 503, master([low, high], audio), grown(2)]);
  assert.deepEqual(seen, [[0, false, ""], [2, false, "480"], [2, false, "480"], [4, false, "480,720"]]);
});
