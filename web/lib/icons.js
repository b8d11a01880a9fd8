/** Our icons: strokes on a 24 by 24 grid, drawn in the colour of the text. */

const PATHS = {
  upload: "M12 16V4M7 9l5-5 5 5M4 16v3a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-3",
  download: "M12 4v12M7 11l5 5 5-5M4 19v0a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1",
  back: "M19 12H5M11 6l-6 6 6 6",
  copy: "M9 9h10a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1zM15 9V5a1 1 0 0 0-1-1H5a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1h4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  edit: "M4 20l1-4L16.5 4.5a1.4 1.4 0 0 1 2 0l1 1a1.4 1.4 0 0 1 0 2L8 19z",
  remove: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  retry: "M20 11a8 8 0 1 0-2.3 6.3M20 5v6h-6",
  close: "M6 6l12 12M18 6L6 18",
  stop: "M6 6h12v12H6z",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1",
  alert: "M12 8v5M12 16.5v.1M12 3.5l9 16H3z",
  sound: "M9 18V6l11-2v12M9 18a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zM20 16a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z",
  film: "M4 5h16v14H4zM4 10h16M4 14.5h16M8 5v14M16 5v14",
  play: "M8 5l11 7-11 7z",
  pause: "M8 5v14M16 5v14",
  loud: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a7.5 7.5 0 0 1 0 11",
  muted: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5",
  larger: "M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5",
  smaller: "M4 9h5V4M20 9h-5V4M4 15h5v5M20 15h-5v5",
  key: "M12 15a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM11 12l8-8M15.5 7.5l3 3",
  down: "M6 9l6 6 6-6",
  open: "M14 4h6v6M20 4l-9 9M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5",
};

const SVG = "http://www.w3.org/2000/svg";

/** An icon for the eye only; the button that holds it has the words. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
