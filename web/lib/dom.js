/** Building elements without innerHTML: text is only ever text. */

/**
 * `h("a", { class: "x", href: "#/", on: { click } }, "text", node)`. A value of null, undefined or false leaves the
 * attribute out, true sets it empty; `prop` assigns properties.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  const { on = {}, prop = {}, ...rest } = attributes;
  Object.assign(element, prop);
  for (const [name, value] of Object.entries(rest)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets text only when it differs, so that screen readers and selections are left in peace. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** `address` where it is http(s), else null: an address from a record must not become a script. */
export function safeUrl(address) {
  try {
    const url = new URL(address, location.href);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

/** A `<progress>` with a name. `value` null is "unknown". */
export function bar(label, value = null) {
  const element = h("progress", { max: 100, "aria-label": label });
  setBar(element, value);
  return element;
}

export function setBar(element, value) {
  if (value === null || value === undefined) element.removeAttribute("value");
  else if (element.value !== value || !element.hasAttribute("value")) element.value = value;
}
