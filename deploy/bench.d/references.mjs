// What Reelpin is measured against: command lines, each list run one after the other in a folder of its own.

/** The rungs of a 1080p film, highest first, with the caps that Reelpin has for 24 to 30 frames a second. */
export const RUNGS = [
  { name: '1080p', width: 1920, height: 1080, cap: 5000 },
  { name: '720p', width: 1280, height: 720, cap: 2800 },
  { name: '480p', width: 854, height: 480, cap: 1400 }
]

const FFMPEG = ['ffmpeg', '-nostdin', '-v', 'error', '-y']
const AUDIO = ['-c:a', 'aac', '-b:a', '128k', '-ac', '2']
const HLS = ['-f', 'hls', '-hls_time', '6', '-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4', '-hls_flags', 'independent_segments']
const LADDER = ['-master_pl_name', 'master.m3u8', '-var_stream_map', 'v:0,agroup:a v:1,agroup:a v:2,agroup:a a:0,agroup:a',
  '-hls_segment_filename', 'rung%v-%d.m4s', '-hls_fmp4_init_filename', 'init%v.mp4', 'rung%v.m3u8']
const EVERY_2_S = ['-sc_threshold', '0', '-force_key_frames', 'expr:gte(t,n_forced*2)']
/** Into the descriptor that the box reader has. */
const CMAF = ['-map_metadata', '-1', '-f', 'mp4', '-movflags', '+cmaf+frag_keyframe+empty_moov+frag_discont+skip_trailer',
  '-use_editlist', '0', '-avoid_negative_ts', 'disabled', '-flush_packets', '1', 'pipe:3']

/** An MP4 of each rung from the HLS of BASE or COPY, by copying. */
const remux = () => RUNGS.map((rung, number) => [...FFMPEG, '-i', `rung${number}.m3u8`, '-i', 'rung3.m3u8', '-map', '0:v', '-map', '1:a',
  '-c', 'copy', '-movflags', '+faststart', `${rung.name}.mp4`])

/** One decode, three encodes, HLS; then the MP4s. `crf` is 23 where it is the reference. */
export function base (film, crf = 23) {
  const caps = RUNGS.flatMap(({ cap }, number) => [`-maxrate:v:${number}`, `${cap}k`, `-bufsize:v:${number}`, `${cap * 2}k`])
  return [[...FFMPEG, '-i', film.path, '-filter_complex', '[0:v]split=3[v0][b][c];[b]scale=1280:720[v1];[c]scale=854:480[v2]',
    '-map', '[v0]', '-map', '[v1]', '-map', '[v2]', '-map', '0:a', '-c:v', 'libx264', '-preset', 'veryfast', ...EVERY_2_S,
    '-crf:v', `${crf}`, ...caps, ...AUDIO, ...HLS, ...LADDER], ...remux()]
}

/** Six commands, each with its own decode and encode: an MP4 and an HLS rendition of each rung. */
export function naive (film) {
  return RUNGS.flatMap(({ name, width, height, cap }) => {
    const encode = [...FFMPEG, '-i', film.path, '-map', '0:v', '-map', '0:a', '-vf', `scale=${width}:${height}`, '-c:v', 'libx264', '-preset', 'veryfast',
      '-crf', '23', '-maxrate', `${cap}k`, '-bufsize', `${cap * 2}k`, ...AUDIO]
    return [
      [...encode, '-movflags', '+faststart', `${name}.mp4`],
      [...encode, ...EVERY_2_S, ...HLS, '-hls_segment_filename', `${name}-%d.m4s`, '-hls_fmp4_init_filename', `${name}-init.mp4`, `${name}.m3u8`]
    ]
  })
}

/** The best copying command: the top rung as it is, the others with its key frames; then the MP4s. */
export function copy (film) {
  const caps = RUNGS.slice(1).flatMap(({ cap }, number) => [`-maxrate:v:${number + 1}`, `${cap}k`, `-bufsize:v:${number + 1}`, `${cap * 2}k`])
  const encoded = [1, 2].flatMap(number => [`-c:v:${number}`, 'libx264', `-preset:v:${number}`, 'veryfast', `-sc_threshold:v:${number}`, '0',
    `-force_key_frames:v:${number}`, 'source', `-crf:v:${number}`, '23'])
  return [[...FFMPEG, '-i', film.path, '-filter_complex', '[0:v]split=2[b][c];[b]scale=1280:720[v1];[c]scale=854:480[v2]',
    '-map', '0:v', '-map', '[v1]', '-map', '[v2]', '-map', '0:a', '-c:v:0', 'copy', ...encoded, ...caps, ...AUDIO, ...HLS, ...LADDER], ...remux()]
}

/** The picture decoded, and nothing made of it. */
export function decode (film) {
  return [[...FFMPEG, '-i', film.path, '-map', '0:v', '-f', 'null', '-']]
}

/** The first 48 frames of the lowest rung and no more: what must be done before anything can be played. */
export function starter (film) {
  const rung = RUNGS[2]
  return [...FFMPEG, '-copyts', '-i', film.path, '-filter_complex', `[0:v]trim=end_frame=48,scale=${rung.width}:${rung.height}[v0]`, '-map', '[v0]',
    '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-maxrate', `${rung.cap}k`, '-bufsize', `${rung.cap * 2}k`, '-g', '100000',
    '-sc_threshold', '0', '-fps_mode', 'passthrough', '-enc_time_base', '1:90000', ...CMAF]
}

/** shaka-streamer with its own defaults: HLS alone. Its two files are the caller's to write. */
export function shaka (film) {
  const rungs = RUNGS.map(rung => `  - ${rung.name}`).join('\n')
  return {
    files: {
      'in.yaml': `inputs:\n  - name: ${JSON.stringify(film.path)}\n    media_type: video\n  - name: ${JSON.stringify(film.path)}\n    media_type: audio\n`,
      'pipe.yaml': `streaming_mode: vod\nresolutions:\n${rungs}\naudio_codecs:\n  - aac\nvideo_codecs:\n  - h264\nmanifest_format:\n  - hls\nsegment_size: 6\n`
    },
    commands: [['shaka-streamer', '-i', 'in.yaml', '-p', 'pipe.yaml', '-o', 'out']]
  }
}
