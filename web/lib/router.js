/** Addresses of the page: "#/" is the list, "#/video/<id>" one video. Pure. */

export function routeOf(hash) {
  const video = /^#\/video\/([A-Za-z0-9-]{1,64})$/.exec(hash);
  return video ? { name: "video", id: video[1] } : { name: "list" };
}

export function videoHash(id) {
  return `#/video/${encodeURIComponent(id)}`;
}
