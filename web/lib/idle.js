/** Controls over a picture: they go when nobody has moved for a while, and come back when somebody does. */

const IDLE_MS = 2500;

/**
 * Keeps the class "idle" of `frame`, in which `video` plays under `controls`, until `signal` is aborted. A click on the
 * picture is `act()`; a finger only brings and sends the controls, unless `ready()` says that there is nothing to hide yet.
 */
export function hideWhenIdle({ frame, video, controls, act, ready, signal }) {
  let timer = null;
  let shown = true;
  const rest = () => frame.classList.toggle("idle", !video.paused && !controls.querySelector(":focus-visible"));
  const wake = () => {
    frame.classList.remove("idle");
    clearTimeout(timer);
    timer = setTimeout(rest, IDLE_MS);
  };
  for (const name of ["pointermove", "keydown", "focusin"]) frame.addEventListener(name, wake, { signal });
  for (const name of ["play", "pause"]) video.addEventListener(name, wake, { signal });
  // Before the click the finger itself has moved, and woken them.
  video.addEventListener("pointerdown", () => (shown = !frame.classList.contains("idle")), { signal });
  video.addEventListener("click", (event) => {
    if (event.pointerType !== "touch" || !ready()) act();
    else if (shown) frame.classList.add("idle");
    else wake();
  }, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
}
