/** <rp-renditions>: the table of what was made: resolution, format, size, rate, content id, download. `show(record)`. */

import { copyButton } from "./rp-copy.js";
import { h } from "../lib/dom.js";
import { bitrate, bytes, shortCid } from "../lib/format.js";
import { icon } from "../lib/icons.js";

const COLUMNS = ["Resolution", "Format", "File size", "Bit rate", "IPFS content id", ""];

export class RpRenditions extends HTMLElement {
  #shown = "";

  show(record) {
    // What is being made has no size yet.
    const renditions = (record.renditions ?? []).filter((rendition) => rendition.size);
    const text = JSON.stringify([renditions, record.why_not_copied, record.why_audio_not_copied]);
    if (text === this.#shown) return;
    this.#shown = text;
    this.hidden = renditions.length === 0;
    // Roles by hand: on a phone the rows are laid out as blocks, and browsers then forget that it is a table.
    const head = h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, COLUMNS.map((name) => h("th", { role: "columnheader", scope: "col" }, name || h("span", { class: "unseen" }, "Download")))));
    const rows = renditions.sort(order).map((rendition) => this.#row(record, rendition));
    this.replaceChildren(h("section", { class: "panel", "aria-labelledby": "renditions-title" },
      h("h2", { id: "renditions-title" }, "Renditions"),
      h("table", { role: "table", "aria-labelledby": "renditions-title" }, head, h("tbody", { role: "rowgroup" }, rows)),
      why("Every rung was encoded", record.why_not_copied), why("The audio was encoded", record.why_audio_not_copied)));
  }

  #row(record, { format, resolution, width, height, size, bitrate: rate, cid, type }) {
    const cell = (label, ...content) => h("td", { role: "cell", "data-label": label }, ...content);
    const name = resolution === "audio" ? "Audio" : resolution;
    const pixels = width && height ? h("span", { class: "quiet" }, ` ${width}×${height}`) : null;
    const kind = h("span", { class: "tag" }, format.toUpperCase());
    return h("tr", { role: "row", "data-format": format, "data-resolution": resolution },
      h("th", { role: "rowheader", scope: "row" }, name, pixels),
      cell("Format", kind, type === "copy" ? h("span", { class: "quiet" }, " copied") : null),
      cell("File size", bytes(size) || "–"),
      cell("Bit rate", bitrate(rate) || "–"),
      cell("Content id", cid ? h("span", {}, h("code", { title: cid }, shortCid(cid)), format === "hls" ? h("span", { class: "quiet playlist" }, "playlist") : null) : "–",
        cid ? copyButton(cid, `content id of ${name} ${format.toUpperCase()}${format === "hls" ? " playlist" : ""}`)  : null),
      cell("", format === "mp4" ? download(record.id, resolution) : null));
  }
}

/** Why something was not copied, if there is a reason. */
function why(what, reason) {
  return reason ? h("p", { class: "quiet why" }, `${what}, because ${reason}.`) : null;
}

function download(id, resolution) {
  const address = `/video/${encodeURIComponent(id)}/mp4/${encodeURIComponent(resolution)}?download=1`;
  return h("a", { class: "button small", href: address, download: "" }, icon("download"), h("span", {}, "Download"), h("span", { class: "unseen" }, ` ${resolution} MP4`));
}

/** MP4s first, since they can be taken along; large before small, audio last. */
function order(a, b) {
  const rows = (rendition) => parseInt(rendition.resolution, 10) || 0;
  return (b.format === "mp4") - (a.format === "mp4") || rows(b) - rows(a);
}

customElements.define("rp-renditions", RpRenditions);
