// Waits for a condition with a deadline, which is not the same as sleeping.

/** Asks `look` every `every` ms until it gives something true; throws with `what` after `within` ms. */
export async function until (what, look, { within = 30_000, every = 100 } = {}) {
  const deadline = Date.now() + within
  for (;;) {
    const found = await look()
    if (found) return found
    if (Date.now() > deadline) throw new Error(`${what}: not within ${within / 1000} s`)
    await new Promise(resolve => setTimeout(resolve, every))
  }
}
