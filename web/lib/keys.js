/** Keys of the player, wherever the focus is, except in what has keys of its own. */

/** Seconds of a step. */
const STEP = 5;

const OWN_KEYS = "input, textarea, select, button, a, video, dialog, [contenteditable]";

/** Space and K play or pause, arrows and J, L seek, M mutes, F fills the screen; until `signal` is aborted. */
export function playerKeys(video, signal) {
  const acts = {
    " ": () => toggle(video),
    k: () => toggle(video),
    arrowleft: () => seek(video, -STEP),
    j: () => seek(video, -STEP),
    arrowright: () => seek(video, STEP),
    l: () => seek(video, STEP),
    m: () => (video.muted = !video.muted),
    f: () => (document.fullscreenElement ? document.exitFullscreen() : video.requestFullscreen()).catch(() => {}),
  };
  const press = (event) => {
    const act = acts[event.key.toLowerCase()];
    if (!act || event.ctrlKey || event.altKey || event.metaKey || event.target.closest(OWN_KEYS)) return;
    if (video.readyState === 0 || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    act();
  };
  document.addEventListener("keydown", press, { signal });
}

function toggle(video) {
  if (video.paused) video.play().catch(() => {});
  else video.pause();
}

/** Only within what exists: a film that is still being made ends where its last segment does. */
function seek(video, by) {
  const end = video.seekable.length > 0 ? video.seekable.end(video.seekable.length - 1) : 0;
  video.currentTime = Math.max(0, Math.min(end, video.currentTime + by));
}
