/** Keys of the player, wherever the focus is, except in what has keys of its own. */

/** Seconds of a step. */
const STEP = 5;

const OWN_KEYS = "input:not(.scale), textarea, select, button, a, dialog, [contenteditable]";
/** The player's own buttons want the space bar only. */
const OWN_SPACE = ".frame button";

/**
 * Space and K play or pause, arrows and J, L seek, M mutes, F fills the screen; until `signal` is aborted. `player` has
 * `toggle()`, `seekBy(seconds)`, `mute()` and `fill()`.
 */
export function playerKeys(player, signal) {
  const acts = {
    " ": () => player.toggle(),
    k: () => player.toggle(),
    arrowleft: () => player.seekBy(-STEP),
    j: () => player.seekBy(-STEP),
    arrowright: () => player.seekBy(STEP),
    l: () => player.seekBy(STEP),
    m: () => player.mute(),
    f: () => player.fill(),
  };
  const press = (event) => {
    const act = acts[event.key.toLowerCase()];
    if (!act || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest(OWN_KEYS) && !(event.target.closest(OWN_SPACE) && event.key !== " ")) return;
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    act();
  };
  document.addEventListener("keydown", press, { signal });
}
