// How the benchmark speaks: what is done now on standard error, so that standard output is the table.

/** What is being done now. */
export function step (text) {
  process.stderr.write(`==> ${text}\n`)
}

/** A plain line that belongs to the step before. */
export function tell (text) {
  process.stderr.write(`    ${text}\n`)
}

/** A cause for which the benchmark cannot go on, told without a stack. */
export class Stop extends Error {}

/** Runs `main`, and tells why it ended where it did not end well. */
export async function run (main) {
  try {
    await main()
  } catch (error) {
    process.stderr.write(`\n${error instanceof Stop ? error.message : error.stack}\n`)
    process.exitCode = 1
  }
}
