/** <rp-addresses>: where the video can be found: page, stream, IPFS; and its content ids and checksum. `show(record, config)`. */

import { copyButton } from "./rp-copy.js";
import { h, safeUrl } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { videoHash } from "../lib/router.js";
import { isMoving } from "../lib/state.js";

export class RpAddresses extends HTMLElement {
  #shown = "";

  show(record, config) {
    const rows = lines(record, config);
    const text = JSON.stringify(rows);
    if (text === this.#shown) return;
    this.#shown = text;
    this.replaceChildren(h("section", { class: "panel", "aria-labelledby": "addresses-title" },
      h("h2", { id: "addresses-title" }, "Share and verify"),
      h("dl", { class: "addresses" }, rows.map((row) => this.#line(row)))));
  }

  #line({ name, value, open, note }) {
    const link = open ? safeUrl(open) : null;
    return h("div", {}, h("dt", {}, name, note ? h("span", { class: "quiet" }, ` ${note}`) : null),
      h("dd", {}, h("code", { title: value }, value),
        link ? h("a", { class: "button icon-only", href: link, target: "_blank", rel: "noopener", title: `Open ${name}` }, icon("open"), h("span", { class: "unseen" }, `Open ${name} in a new tab`)) : null,
        copyButton(value, name)));
  }
}

function lines(record, config) {
  const page = new URL(videoHash(record.id), location.href).href;
  const rows = [{ name: "This page", value: page }];
  // One that grows is for players that know what they ask for: others show it as live, or not at all.
  if (record.playback?.hls && !isMoving(record)) rows.push({ name: "HLS stream", value: record.playback.hls, note: "for any HLS player" });
  if (record.root_cid) {
    const gateway = config.ipfs_gateway?.replace(/\/+$/, "");
    if (gateway) {
      const address = `${gateway}/ipfs/${record.root_cid}/master.m3u8`;
      rows.push({ name: "Stream over IPFS", value: address, open: address });
    } else {
      rows.push({ name: "Stream over IPFS", value: record.playback?.ipfs ?? `ipfs://${record.root_cid}/master.m3u8` });
    }
    rows.push({ name: "Published folder", value: record.root_cid, note: "content id" });
  }
  if (record.ipfs_cid) rows.push({ name: "Original", value: record.ipfs_cid, note: "content id" });
  if (record.checksum) rows.push({ name: "Original", value: record.checksum, note: "SHA-256" });
  return rows;
}

customElements.define("rp-addresses", RpAddresses);
