/** lib/upload.js and lib/queue.js: tickets, retries, ends. Time is a counter, the network a script. */

import assert from "node:assert/strict";
import test from "node:test";
import { Problem } from "../lib/problem.js";
import { UploadQueue } from "../lib/queue.js";
import { Upload } from "../lib/upload.js";

const FILE = { name: "film.mp4", size: 1000, type: "video/mp4" };

/** An API, a bucket and a clock that follow a script; `answers` are the PUTs' statuses, one after the other, the last for ever. */
function world(answers, { lifetime = 3_600_000, complete = async () => ({}), ticket } = {}) {
  const log = [];
  let tickets = 0;
  let time = 0;
  return {
    log,
    pass: (ms) => (time += ms),
    tools: {
      now: () => time,
      random: () => 1,
      pause: async (ms, signal) => {
        log.push(`pause ${ms}`);
        time += ms;
        signal.throwIfAborted();
      },
      api: {
        ticket: async (wanted) => {
          await ticket?.();
          tickets += 1;
          log.push(`ticket ${wanted.fileSize}`);
          return { video_id: `v${tickets}`, presigned_url: `/put/${tickets}`, headers: { "if-none-match": "*" }, lifetime };
        },
        complete: async (id) => {
          log.push(`complete ${id}`);
          return complete();
        },
        remove: async (id) => void log.push(`remove ${id}`),
      },
      put: async (url, headers, file, { signal, onprogress }) => {
        signal.throwIfAborted();
        log.push(`put ${url} ${headers["if-none-match"]}`);
        const answer = answers.length > 1 ? answers.shift() : answers[0];
        onprogress(file.size / 2);
        return typeof answer === "function" ? answer({ signal, pass: (ms) => (time += ms) }) : answer;
      },
    },
  };
}

async function ran(answers, options) {
  const { tools, log } = world(answers, options);
  const upload = new Upload(FILE, tools);
  await upload.run();
  return { upload, log };
}

test("an upload is a ticket, one PUT with exactly its headers, and complete", async () => {
  const { upload, log } = await ran([200]);
  assert.deepEqual(log, ["ticket 1000", "put /put/1 *", "complete v1"]);
  assert.equal(upload.state, "done");
  assert.equal(upload.sent, 1000);
  assert.equal(upload.videoId, "v1");
});

test("a PUT without an answer is sent again to the same URL, with growing pauses", async () => {
  const { upload, log } = await ran([0, 503, 200]);
  assert.deepEqual(log, ["ticket 1000", "put /put/1 *", "pause 1000", "put /put/1 *", "pause 2000", "put /put/1 *", "complete v1"]);
  assert.equal(upload.state, "done");
});

test("412 on a PUT means that it is stored", async () => {
  const { upload, log } = await ran([0, 412]);
  assert.equal(log.at(-1), "complete v1");
  assert.equal(upload.state, "done");
});

test("403 brings a new ticket, and the video of the old one is forgotten", async () => {
  const { upload, log } = await ran([403, 200]);
  assert.deepEqual(log, ["ticket 1000", "put /put/1 *", "remove v1", "ticket 1000", "put /put/2 *", "complete v2"]);
  assert.equal(upload.videoId, "v2");
});

test("403 for ever ends in words", async () => {
  const { upload, log } = await ran([403]);
  assert.equal(log.filter((line) => line.startsWith("put")).length, 3);
  assert.equal(upload.state, "failed");
  assert.match(upload.problem.words, /refused the file \(403\)/);
});

test("a ticket that ran out during a pause is not tried", async () => {
  const late = ({ pass }) => {
    pass(3_600_000);
    return 0;
  };
  const { log } = await ran([late, 200]);
  assert.deepEqual(log, ["ticket 1000", "put /put/1 *", "pause 1000", "remove v1", "ticket 1000", "put /put/2 *", "complete v2"]);
});

test("tries are bounded, and trying again keeps the ticket", async () => {
  const answers = [0];
  const { tools, log } = world(answers);
  const upload = new Upload(FILE, tools);
  await upload.run();
  assert.equal(upload.state, "failed");
  assert.equal(log.filter((line) => line.startsWith("put")).length, 7);
  answers[0] = 200;
  await upload.run();
  assert.equal(upload.state, "done");
  assert.deepEqual(log.slice(-2), ["put /put/1 *", "complete v1"]);
});

test("a refused ticket ends the upload with the server's words", async () => {
  const ticket = async () => {
    throw new Problem({ status: 413, code: "too_large", detail: "the file is larger than 5 GiB", suggestion: "Make it smaller." });
  };
  const { upload, log } = await ran([200], { ticket });
  assert.deepEqual(log, []);
  assert.equal(upload.problem.words, "The file is larger than 5 GiB. Make it smaller.");
});

test("complete is asked again while the store is late, and a lost answer is no failure", async () => {
  let calls = 0;
  const late = async () => {
    calls += 1;
    if (calls < 3) throw new Problem({ status: 409, code: "upload_missing", detail: "nothing is stored yet" });
    return {};
  };
  assert.equal((await ran([200], { complete: late })).upload.state, "done");
  assert.equal(calls, 3);
  const gone = async () => {
    throw new Problem({ code: "unreachable", detail: "The server cannot be reached." });
  };
  assert.equal((await ran([200], { complete: gone })).upload.state, "done");
  const mismatch = async () => {
    throw new Problem({ status: 409, code: "size_mismatch", detail: "declared 1000 bytes, stored 900" });
  };
  assert.equal((await ran([200], { complete: mismatch })).upload.state, "failed");
});

test("cancel stops a PUT in flight and forgets the video", async () => {
  const hanging = ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const { tools, log } = world([hanging]);
  const { promise: flying, resolve } = deferred();
  const upload = new Upload(FILE, { ...tools, onchange: (changed) => changed.sent > 0 && resolve() });
  const running = upload.run();
  await flying;
  upload.cancel();
  await running;
  assert.equal(upload.state, "cancelled");
  assert.equal(log.at(-1), "remove v1");
});

test("the queue sends two at a time, in order, and goes on after a failure", async () => {
  const { tools } = world([200]);
  const open = [];
  const put = (url, headers, file) => new Promise((resolve) => open.push({ name: file.name, end: resolve }));
  const queue = new UploadQueue({ ...tools, put });
  const uploads = ["a", "b", "c", "d"].map((name) => queue.add({ ...FILE, name: `${name}.mp4` }));
  await settled();
  assert.deepEqual(open.map(({ name }) => name), ["a.mp4", "b.mp4"]);
  assert.equal(queue.busy, true);
  open[1].end(404);
  await settled();
  assert.deepEqual(open.map(({ name }) => name), ["a.mp4", "b.mp4", "c.mp4"]);
  queue.remove(uploads[3]);
  open[0].end(200);
  open[2].end(200);
  await settled();
  assert.deepEqual(uploads.map(({ state }) => state), ["done", "failed", "done", "cancelled"]);
  assert.equal(open.length, 3);
  assert.equal(queue.busy, false);
  queue.retry(uploads[1]);
  await settled();
  assert.equal(open.at(-1).name, "b.mp4");
});

function deferred() {
  let resolve;
  const promise = new Promise((given) => (resolve = given));
  return { promise, resolve };
}

/** Everything that can run without the outside has run. */
const settled = () => new Promise((resolve) => setImmediate(resolve));
