/** Waiting and trying again: capped, with jitter, bounded, and ended by an AbortSignal. */

/** Milliseconds before try `n + 1` (n from 0): doubles from `base` to `cap`, the upper half of it by chance. */
export function backoff(n, { base = 1000, cap = 30_000, random = Math.random } = {}) {
  const full = Math.min(cap, base * 2 ** Math.min(n, 20));
  return full / 2 + (full / 2) * random();
}

/** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
export function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** Resolves when `signal` is aborted. */
export function aborted(signal) {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/**
 * Calls `work` until it succeeds, at most `tries` times; only problems that pass by themselves are tried again.
 * `onwait(error, ms)` hears of each pause.
 */
export async function retrying(work, { tries = Infinity, signal, pause = sleep, onwait = () => {}, ...curve } = {}) {
  for (let n = 0; ; n += 1) {
    try {
      return await work();
    } catch (error) {
      if (signal?.aborted || error.passing !== true || n + 1 >= tries) throw error;
      const ms = backoff(n, curve);
      onwait(error, ms);
      await pause(ms, signal);
    }
  }
}
