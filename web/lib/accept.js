/** Which files are refused before anything is sent, and in which words. The server looks at the bytes; we only spare the wait. */

import { bytes } from "./format.js";

/** Extensions of the containers that the server reads; some browsers know no media type for several of them. */
const VIDEO = "3g2 3gp avi f4v flv m2t m2ts m2v m4v mkv mov mp4 mpe mpeg mpg mts mxf ogm ogv qt ts vob webm wmv";
const SOUND = "aac ac3 aif aiff caf flac m4a m4b mka mp3 oga ogg opus wav wma";
const EXTENSIONS = `${VIDEO} ${SOUND}`.split(" ");

/** What the picker offers. */
export const PICKER = ["video/*", "audio/*", ...EXTENSIONS.map((extension) => `.${extension}`)].join(",");

/** A sentence why `file` ({name, size, type}) is not taken, or null. `limit` in bytes. */
export function refusal(file, limit) {
  const extension = /\.([^.]+)$/.exec(file.name)?.[1].toLowerCase() ?? "";
  if (!/^(video|audio)\//.test(file.type) && !EXTENSIONS.includes(extension)) {
    return `“${file.name}” is not a video. Choose a video, such as MP4, MOV, MKV or WebM, or sound alone.`;
  }
  if (file.size === 0) return `“${file.name}” is empty. Choose a file that holds a video.`;
  if (file.size > limit) {
    return `“${file.name}” is too big: ${bytes(file.size)}, and this server takes up to ${bytes(limit)} a file.`;
  }
  return null;
}
