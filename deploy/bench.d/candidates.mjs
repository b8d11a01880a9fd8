// Ways to encode the three rungs, of which one is Reelpin's: preset, look-ahead, scaler.

import { RUNGS } from './references.mjs'

/** The first one is what the others are compared with: as Reelpin encodes. */
export const CANDIDATES = [
  { name: 'veryfast', preset: 'veryfast', flags: 'bicubic', chain: true },
  { name: 'superfast', preset: 'superfast', flags: 'bicubic', chain: true },
  { name: 'faster', preset: 'faster', flags: 'bicubic', chain: true },
  { name: 'lookahead-10', preset: 'veryfast', flags: 'bicubic', chain: true, lookahead: 10 },
  { name: 'lookahead-20', preset: 'veryfast', flags: 'bicubic', chain: true, lookahead: 20 },
  { name: 'split-bicubic', preset: 'veryfast', flags: 'bicubic', chain: false },
  { name: 'chain-bilinear', preset: 'veryfast', flags: 'bilinear', chain: true },
  { name: 'split-bilinear', preset: 'veryfast', flags: 'bilinear', chain: false }
]

/** One command that encodes a part of a film into an MP4 of each rung, without sound. */
export function encode ({ preset, flags, chain, lookahead }, film, part, crf) {
  const scale = rung => `scale=${rung.width}:${rung.height}:flags=${flags}`
  const graph = chain
    ? `[0:v]split=2[v0][s];[s]${scale(RUNGS[1])},split=2[v1][t];[t]${scale(RUNGS[2])}[v2]`
    : `[0:v]split=3[v0][s][t];[s]${scale(RUNGS[1])}[v1];[t]${scale(RUNGS[2])}[v2]`
  const outputs = RUNGS.flatMap(({ name, cap }, number) => ['-map', `[v${number}]`, '-c:v', 'libx264', '-preset', preset, '-crf', `${crf}`,
    ...lookahead ? ['-rc-lookahead', `${lookahead}`] : [], '-maxrate', `${cap}k`, '-bufsize', `${cap * 2}k`, '-g', '100000', '-sc_threshold', '0',
    '-force_key_frames', 'expr:gte(t,n_forced*2)', '-fps_mode', 'passthrough', '-enc_time_base', '1:90000', `${name}.mp4`])
  return [['ffmpeg', '-nostdin', '-v', 'error', '-y', '-ss', `${part.from}`, '-t', `${part.to - part.from}`, '-i', film.path, '-filter_complex', graph, ...outputs]]
}
