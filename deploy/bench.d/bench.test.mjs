// What the benchmark computes: run by `node --test deploy/bench.d/bench.test.mjs`.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import test from 'node:test'
import { firstFragment } from './fragment.mjs'
import { measured } from './measure.mjs'
import { cpuSeconds } from './proc.mjs'
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

/** A command whose grandchild, in another process group, has used `seconds` of CPU when it ends. */
const burn = seconds => ['bash', '-c', `setsid -w bash -c 'node -e "while (process.cpuUsage().user < ${seconds * 1e6});"'; true`]

test('CPU of processes that have ended is counted', async () => {
  const { cpu, wall } = await measured([burn(0.3), burn(0.2)], '/')
  assert.ok(cpu > 0.5 && cpu < 10, `${cpu} s`)
  assert.ok(wall > 0.4, `${wall} s`)
})

test('CPU of a running tree is that of all its processes, ended ones too', async () => {
  const [program, ...args] = ['bash', '-c', `${burn(0.3)[2]}; echo done; read -r`]
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const cpu = cpuSeconds(child.pid)
  child.stdin.end()
  assert.ok(cpu >= 0.3 && cpu < 10, `${cpu} s`)
  await once(child, 'exit')
})
