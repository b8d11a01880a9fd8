// Medians with their spread, and bit rates made comparable.

/** Of at least one number: `{ median, min, max, values }`. */
export function spread (values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const median = sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2
  return { median, min: sorted[0], max: sorted.at(-1), values }
}

/** Rates nearer to each other than this tell nothing about a third: 5 percent. */
const APART = Math.log(1.05)

/**
 * What a series with these two points, `{ rate, vmaf }`, would have at `rate`, on a line over the logarithm
 * of the rate; null where the two are too near to each other.
 */
export function atRate (one, two, rate) {
  const [x1, x2, x] = [one.rate, two.rate, rate].map(Math.log)
  if (Math.abs(x2 - x1) < APART) return null
  return one.vmaf + (two.vmaf - one.vmaf) * (x - x1) / (x2 - x1)
}
