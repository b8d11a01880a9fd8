// What the benchmark computes: run by `node --test deploy/bench.d/`.

import assert from 'node:assert/strict'
import test from 'node:test'
import { Readable } from 'node:stream'
import { firstFragment } from './fragment.mjs'
import { atRate, spread } from './statistics.mjs'

test('a median lies in the middle of what was measured', () => {
  for (const [values, median, min, max] of [
    [[3], 3, 3, 3],
    [[3, 1], 2, 1, 3],
    [[5, 1, 2], 2, 1, 5],
    [[10, 9, 1, 2], 5.5, 1, 10]
  ]) assert.deepEqual(spread(values), { median, min, max, values })
})

test('VMAF at another rate lies on a line over its logarithm', () => {
  const one = { rate: 1000, vmaf: 90 }
  const two = { rate: 500, vmaf: 86 }
  assert.equal(atRate(one, two, 1000), 90)
  assert.equal(atRate(one, two, 500), 86)
  assert.ok(Math.abs(atRate(one, two, Math.sqrt(500_000)) - 88) < 1e-9)
  assert.ok(Math.abs(atRate(one, two, 2000) - 94) < 1e-9, 'beyond both')
  assert.equal(atRate(one, { rate: 1020, vmaf: 91 }, 800), null, 'two rates that are nearly the same')
})

const box = (type, size) => Buffer.concat([Buffer.from([0, 0, 0, 8 + size]), Buffer.from(type), Buffer.alloc(size)])

test('the first fragment is there with the last byte of its mdat, however it is cut', async () => {
  const whole = Buffer.concat([box('ftyp', 20), box('moov', 100), box('moof', 30), box('mdat', 50)])
  for (const step of [1, 7, 1000]) {
    const chunks = []
    for (let at = 0; at < whole.length; at += step) chunks.push(whole.subarray(at, at + step))
    assert.equal(typeof await firstFragment(Readable.from(chunks)), 'number')
    const torn = Readable.from([whole.subarray(0, whole.length - 1)])
    assert.equal(await firstFragment(torn), null)
  }
})
