// Elements, and what the page says to whoever does not see it. Texts go in as text: nothing here parses markup.

export const $ = (id) => document.getElementById(id);

// h("a", { href, class: "x", onclick }, "text", child, …); null and false children are left out.
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name in element && !name.startsWith("aria") && !["list", "form", "width", "height"].includes(name)) element[name] = value;
    else element.setAttribute(name === "class" ? "class" : name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  upload: "M12 16V4m0 0 5 5m-5-5L7 9M4 20h16",
  close: "M6 6l12 12M18 6 6 18",
  check: "M5 12.5l4.5 4.5L19 7.5",
  retry: "M20 11a8 8 0 1 0-2.3 6.3M20 4v7h-7",
  filter: "M4 6h16M7 12h10M10 18h4",
  pause: "M9 5v14M15 5v14",
  warn: "M12 8v5m0 3.5v.5M12 3 2.5 20h19z",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", fill: "none", stroke: "currentColor", "stroke-width": "2", "stroke-linecap": "round", "stroke-linejoin": "round" })) svg.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

// For screen readers; polite, so that it waits its turn.
export function announce(text) {
  $("status").textContent = "";
  requestAnimationFrame(() => { $("status").textContent = text; });
}

// A note at the lower edge, with an act such as undo. It stays while it is pointed at or has the focus.
export function toast(text, { act, label, bad = false, stay = 8000 } = {}) {
  const note = h("div", { class: bad ? "toast bad" : "toast" }, h("span", {}, text));
  const gone = () => {
    note.remove();
    if ($("toasts").childElementCount === 0) $("toasts").hidePopover();
  };
  let timer;
  const wait = () => { timer = setTimeout(gone, stay); };
  const hold = () => clearTimeout(timer);
  if (act) note.append(h("button", { type: "button", class: "quiet", onclick: () => { gone(); act(); } }, label));
  note.append(h("button", { type: "button", class: "quiet bare", "aria-label": "Dismiss", onclick: gone }, icon("close")));
  for (const [event, then] of [["pointerenter", hold], ["pointerleave", wait], ["focusin", hold], ["focusout", wait]]) note.addEventListener(event, then);
  $("toasts").append(note);
  // Shown anew, so that it is above a dialogue that was opened meanwhile.
  $("toasts").hidePopover();
  $("toasts").showPopover();
  while ($("toasts").childElementCount > 4) $("toasts").firstElementChild.remove();
  wait();
  return gone;
}

export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied`);
  } catch {
    toast(`The browser does not let pages copy here. ${text}`, { bad: true, stay: 30000 });
  }
}

// Runs `then` once nothing has been said for a while; `.now()` at once.
export function calm(wait, then) {
  let timer;
  const later = (...rest) => { clearTimeout(timer); timer = setTimeout(() => then(...rest), wait); };
  later.now = (...rest) => { clearTimeout(timer); then(...rest); };
  return later;
}
