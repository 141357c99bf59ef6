// The grid: tiles with a placeholder until the picture comes, and further pages as they are needed.

import * as api from "./api.js";
import { draw } from "./thumbhash.js";
import { $, h } from "./dom.js";
import { kind, name } from "./format.js";

const WIDTHS = [200, 320, 480, 640];
let about = { route: "/a/", signed: false };

export const start = (told) => { about = told; };

// The URL of a rendition, not signed.
function plain(picture, query) {
  const path = [picture.tenant, ...picture.path.split("/")].map(encodeURIComponent).join("/");
  return `${about.route}${path}?${query}`;
}

// The URL of a rendition, signed where that is asked for. Another version has another end, and so another URL: what the browser
// has kept of the one before is not shown for it.
export async function rendition(picture, query, seconds = 86400) {
  return about.signed ? api.sign(picture, query, seconds + 60 * (picture.version % 60)) : plain(picture, query);
}

// Cropped to the tiles' shape; where URLs are signed, as search gives them, else (or once those are over) one that is asked for.
async function thumb(picture, image, again) {
  if (about.signed && picture.srcset && !again) {
    [image.srcset, image.src] = [picture.srcset, picture.url];
  } else if (about.signed) {
    image.removeAttribute("srcset");
    image.src = await rendition(picture, "w=480&f=auto");
  } else {
    const url = (width) => plain(picture, `w=${width}&h=${Math.round(width * 0.75)}&fit=cover&f=auto&v=${picture.version}`);
    [image.srcset, image.src] = [WIDTHS.map((width) => `${url(width)} ${width}w`).join(", "), url(320)];
  }
}

export function placeholder(picture) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  return draw(canvas, picture.thumbhash) ? canvas : null;
}

export function tile(picture) {
  const image = h("img", { alt: picture.description || picture.title || name(picture.path), loading: "lazy", decoding: "async", sizes: "(max-width: 560px) 45vw, 240px" });
  const frame = h("span", { class: "frame" }, placeholder(picture), image);
  image.addEventListener("load", () => image.classList.add("here"));
  let tries = 0;
  const lost = () => image.replaceWith(h("span", { class: "gone" }, "cannot be shown"));
  image.addEventListener("error", () => {
    tries += 1;
    if (about.signed && tries === 1) thumb(picture, image, true).catch(lost);
    else lost();
  });
  thumb(picture, image, false).catch(lost);
  const said = [kind(picture.mediaType), picture.width && `${picture.width} × ${picture.height}`].filter(Boolean).join(" · ");
  const badge = picture.animated ? h("span", { class: "badge" }, "moves") : null;
  return h("li", { dataset: { id: picture.id } }, h("a", { class: "tile", href: `#/picture/${picture.id}`, title: picture.path }, frame, badge,
    h("span", { class: "label" }, ...marked(picture)), h("span", { class: "sub" }, said)));
}

// The title, with what was searched for marked where the server says so.
function marked(picture) {
  const found = picture.title ? (picture.highlights ?? []).find((one) => one.field === "title") : null;
  if (!found) return [picture.title || name(picture.path)];
  return found.pieces.map((part) => (part.hit ? h("mark", {}, part.text) : part.text));
}

export function show(pictures, { append = false } = {}) {
  const tiles = pictures.map(tile);
  if (append) $("grid").append(...tiles);
  else $("grid").replaceChildren(...tiles);
}

// A picture has changed: its tile is made anew where it is shown.
export function refresh(picture) {
  document.querySelector(`#grid li[data-id="${picture.id}"]`)?.replaceWith(tile(picture));
}

export function take(id) {
  const found = document.querySelector(`#grid li[data-id="${id}"]`);
  if (!found) return;
  const near = found.nextElementSibling ?? found.previousElementSibling;
  found.remove();
  near?.querySelector("a")?.focus({ preventScroll: true });
}
