/** lib/api.js and lib/retry.js: the key, problems, time. */

import assert from "node:assert/strict";
import test from "node:test";
import { Api } from "../lib/api.js";
import { Problem } from "../lib/problem.js";
import { backoff, retrying, sleep } from "../lib/retry.js";

const json = (value, status = 200, headers = {}) => new Response(JSON.stringify(value), { status, headers });

test("a 401 asks for the key once for all callers, and each tries again with it", async () => {
  let asked = 0;
  const seen = [];
  const api = new Api({
    fetch: async (url, { headers }) => {
      seen.push(headers.authorization);
      return headers.authorization === "Bearer right" ? json({ videos: [] }) : json({ code: "unauthorized", detail: "no key" }, 401);
    },
    ask: async () => {
      asked += 1;
      return "right";
    },
  });
  await Promise.all([api.videos(), api.videos()]);
  assert.equal(asked, 1);
  assert.deepEqual(seen, [undefined, undefined, "Bearer right", "Bearer right"]);
});

test("a wrong key is told from a missing one, and who gives none gets the problem", async () => {
  const told = [];
  const answers = ["wrong", null];
  const api = new Api({
    fetch: async () => json({ code: "unauthorized", detail: "the key is missing or wrong" }, 401),
    ask: async (wrong) => {
      told.push(wrong);
      return answers.shift();
    },
  });
  await assert.rejects(api.videos(), { code: "unauthorized", status: 401 });
  assert.deepEqual(told, [false, true]);
});

test("quiet calls never ask", async () => {
  const api = new Api({ fetch: async () => json({}, 401), ask: () => assert.fail("asked") });
  await assert.rejects(api.video("v", { quiet: true }), { status: 401 });
});

test("no answer is a problem that passes; an answer that is not JSON is one too", async () => {
  const dead = new Api({ fetch: async () => Promise.reject(new TypeError("failed to fetch")) });
  await assert.rejects(dead.config(), { code: "unreachable", passing: true });
  const odd = new Api({ fetch: async () => new Response("<html>") });
  await assert.rejects(odd.config(), { code: "bad_answer" });
});

test("a ticket's life is measured by the server's clock", async () => {
  const answer = () => json({ video_id: "v", expires_at: "2030-01-01T01:00:00Z" }, 201, { date: "Tue, 01 Jan 2030 00:00:00 GMT" });
  const ticket = await new Api({ fetch: async () => answer() }).ticket({ filename: "a", fileSize: 1 });
  assert.equal(ticket.lifetime, 3_600_000);
});

test("ids cannot leave their place in an address", async () => {
  const seen = [];
  const api = new Api({ fetch: async (url) => (seen.push(url), json({})) });
  await api.video("../config?x");
  assert.deepEqual(seen, ["/video/..%2Fconfig%3Fx?growing=true"]);
});

test("only what passes is tried again, within the bound", async () => {
  const pauses = [];
  const pause = async (ms) => void pauses.push(ms);
  let calls = 0;
  const busy = async () => {
    calls += 1;
    throw new Problem({ status: 503, code: "busy", detail: "busy" });
  };
  await assert.rejects(retrying(busy, { tries: 3, pause, random: () => 1 }), { code: "busy" });
  assert.equal(calls, 3);
  assert.deepEqual(pauses, [1000, 2000]);
  calls = 0;
  const wrong = async () => {
    calls += 1;
    throw new Problem({ status: 422, code: "bad", detail: "bad" });
  };
  await assert.rejects(retrying(wrong, { pause }), { code: "bad" });
  assert.equal(calls, 1);
});

test("pauses are capped and jittered by half", () => {
  assert.equal(backoff(100, { random: () => 1 }), 30_000);
  assert.equal(backoff(0, { random: () => 0 }), 500);
});

test("a sleep ends with its signal", async () => {
  const stop = new AbortController();
  const sleeping = sleep(1_000_000, stop.signal);
  stop.abort(new Error("enough"));
  await assert.rejects(sleeping, { message: "enough" });
});
