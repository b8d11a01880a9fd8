/** Numbers and times in words. Pure; sizes are decimal (1 MB = 1,000,000 bytes), as browsers and shops count them. */

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Bytes as "4.1 MB"; an unknown size is "". */
export function bytes(n) {
  if (!Number.isFinite(n) || n < 0) return "";
  let unit = 0;
  let value = n;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** Bytes per second as "1.2 MB/s". */
export function speed(bytesPerSecond) {
  return bytesPerSecond > 0 ? `${bytes(bytesPerSecond)}/s` : "";
}

/** Bits per second as "812 kbit/s" or "1.4 Mbit/s". */
export function bitrate(bitsPerSecond) {
  if (!(bitsPerSecond > 0)) return "";
  if (bitsPerSecond < 999_500) return `${Math.max(1, Math.round(bitsPerSecond / 1000))} kbit/s`;
  return `${(bitsPerSecond / 1_000_000).toFixed(1)} Mbit/s`;
}

/** Seconds as a clock: "0:30", "1:02:03"; what lasts at all lasts a second. */
export function clock(seconds) {
  if (!Number.isFinite(seconds) || seconds < 0) return "";
  const whole = seconds > 0 ? Math.max(1, Math.round(seconds)) : 0;
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Seconds that remain, rounded so that the words do not flicker. */
export function timeLeft(seconds) {
  if (!Number.isFinite(seconds) || seconds < 0) return "";
  if (seconds < 5) return "a few seconds left";
  if (seconds < 60) return `${Math.ceil(seconds / 5) * 5} s left`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min left`;
  const hours = Math.floor(seconds / 3600);
  return `${hours} h ${Math.round((seconds % 3600) / 60)} min left`;
}

/** A percentage for people: whole, and 100 only when it is all done. */
export function percent(value) {
  if (!Number.isFinite(value)) return 0;
  return Math.min(100, Math.max(0, Math.floor(value)));
}

const STEPS = [["minute", 60], ["hour", 3600], ["day", 86400]];

/** An RFC 3339 instant as "3 minutes ago"; after a week, as a date. `now` in milliseconds. */
export function ago(instant, now, locale = "en") {
  const then = Date.parse(instant);
  if (Number.isNaN(then)) return "";
  const seconds = (now - then) / 1000;
  if (seconds < 45) return "just now";
  if (seconds > 7 * 86400) return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(then);
  const [unit, length] = STEPS.findLast(([, size]) => seconds >= size) ?? STEPS[0];
  return new Intl.RelativeTimeFormat(locale).format(-Math.max(1, Math.round(seconds / length)), unit);
}

/** A content id short enough for a table: its ends tell it apart. */
export function shortCid(cid) {
  return cid && cid.length > 20 ? `${cid.slice(0, 10)}…${cid.slice(-6)}` : (cid ?? "");
}

/** The server's bound of a title, in code points. */
const TITLE = 200;

/** A file's name without its extension: the title until somebody gives a better one. */
export function titleOf(filename) {
  const name = filename.replace(/\.[A-Za-z0-9]{1,5}$/, "").replace(/_+/g, " ").trim() || filename;
  return [...name].slice(0, TITLE).join("");
}
