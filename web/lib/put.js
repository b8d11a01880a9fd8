/** One PUT with progress. XMLHttpRequest, because fetch tells nothing of an upload's progress. */

/** Nothing moved for this long: the connection is dead, whatever the browser believes. */
const STALL_MS = 60_000;
/** All is sent and the bucket has yet to answer: it may still be hashing or copying gigabytes. */
const ANSWER_MS = 600_000;

/**
 * Sends `file` with exactly `headers`. Resolves to the answer's status, 0 when there was none (network, CORS, stall);
 * rejects only when `signal` is aborted. `onprogress(sent)` in bytes.
 */
export function put(url, headers, file, { signal, onprogress }) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const xhr = new XMLHttpRequest();
    let watchdog;
    const watch = (ms) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => xhr.abort(), ms);
    };
    const stop = () => xhr.abort();
    signal.addEventListener("abort", stop, { once: true });
    xhr.open("PUT", url);
    for (const [name, value] of Object.entries(headers ?? {})) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = (event) => {
      watch(STALL_MS);
      onprogress(event.loaded);
    };
    xhr.upload.onload = () => watch(ANSWER_MS);
    xhr.onloadend = () => {
      clearTimeout(watchdog);
      signal.removeEventListener("abort", stop);
      if (signal.aborted) reject(signal.reason);
      else resolve(xhr.status);
    };
    watch(STALL_MS);
    xhr.send(file);
  });
}
