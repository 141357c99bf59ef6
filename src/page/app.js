// The page for trying the server out. It asks for pictures by the same URLs as anybody, and keeps its own state in the
// fragment of its address, which is the picture's URL: `#/img/landscape.jpg?w=800&f=auto`.

const ORDER = ["w", "h", "dpr", "fit", "g", "crop", "rot", "flip", "bg", "pad", "enlarge", "blur", "sharpen", "gray", "text", "text-g", "text-color", "wm", "wm-tile", "f", "q"];
const FIRST = "w=800&f=auto";
const PAUSE = 180; // milliseconds between the last change and the request
const CROPPING_FITS = ["cover", "crop", "aspect-crop", "pad"];
// One white pixel each, to ask the browser what it can show.
const PROBES = {
  avif: "AAAAHGZ0eXBhdmlmAAAAAG1pZjFhdmlmbWlhZgAAANZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAAA+gABAAAAAAAAAB0AAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABhdjAxAAAAAA5waXRtAAAAAAABAAAAVmlwcnAAAAA4aXBjbwAAAAxhdjFDgSACAAAAABRpc3BlAAAAAAAAAAEAAAABAAAAEHBpeGkAAAAAAwgICAAAABZpcG1hAAAAAAAAAAEAAQOBAgMAAAAlbWRhdBIACgc4AAbQENBpMhAf8mKE4AAWAAAQkDWTv52e",
  webp: "UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEADMDOJaQAA3AA/uuuAAA=",
};

const $ = (id) => document.getElementById(id);
const controls = [...document.querySelectorAll("[data-key]")];
const sliders = [...document.querySelectorAll("[data-slide]")];
const number = new Intl.NumberFormat("en");

let samples = [];
let path = "";
let params = new Map(); // parameters that have a control
let accept = "image/*,*/*;q=0.8";
let timer, flight, shown, turn = 0;

// ---- the URL

function split(query) {
  return query.split("&").filter(Boolean).map((pair) => {
    const [key, ...rest] = pair.split("=");
    return [decode(key), decode(rest.join("="))];
  });
}

function decode(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

// Commas and colons separate parts of values and read better as they are.
const encode = (text) => encodeURIComponent(text).replace(/%2C/gi, ",").replace(/%3A/gi, ":");

function query() {
  const known = ORDER.filter((key) => params.get(key)).map((key) => `${key}=${encode(params.get(key))}`);
  return [...known, ...$("more").value.trim().replace(/^[?&]+/, "").split("&").filter(Boolean)].join("&");
}

const target = () => path + (query() && `?${query()}`);

function read(url) {
  const [file, text = ""] = url.split(/\?(.*)/s);
  const pairs = split(text);
  path = file;
  params = new Map(pairs.filter(([key]) => ORDER.includes(key)));
  $("more").value = pairs.filter(([key]) => !ORDER.includes(key)).map(([key, value]) => `${key}=${encode(value)}`).join("&");
}

// ---- controls

function reflect() {
  for (const control of controls) {
    const value = params.get(control.dataset.key) ?? "";
    if (control.type === "radio") control.checked = control.value === value;
    else if (control.type === "checkbox") control.checked = value === "1";
    else if (control !== document.activeElement) control.value = value;
    control.removeAttribute("aria-invalid");
  }
  for (const slider of sliders) {
    const value = Number.parseFloat(params.get(slider.dataset.slide));
    slider.value = Number.isNaN(value) ? slider.min : value;
    slider.classList.toggle("unset", Number.isNaN(value));
  }
  for (const key of ["fit", "f"]) {
    $(`${key}-says`).textContent = controls.find((c) => c.dataset.key === key && c.checked)?.dataset.says ?? "";
  }
  const colour = /^([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(params.get("bg") ?? "")?.[1];
  if (colour) $("bg-pick").value = `#${colour.length === 3 ? [...colour].map((c) => c + c).join("") : colour}`;
  reflectSource();
  for (const card of $("samples").querySelectorAll("button")) card.setAttribute("aria-pressed", card.dataset.path === path);
}

function set(changes, wait = 0) {
  for (const [key, value] of Object.entries(changes)) {
    if (value) params.set(key, String(value));
    else params.delete(key);
  }
  changed(wait);
}

function changed(wait) {
  reflect();
  showAddress();
  clearTimeout(timer);
  timer = setTimeout(() => {
    history.replaceState(null, "", `#${target()}`);
    load();
  }, wait);
}

for (const control of controls) {
  const typed = control.type === "number" || control.type === "text";
  control.addEventListener(typed ? "input" : "change", () => {
    const value = control.type === "checkbox" ? (control.checked ? "1" : "") : control.value.trim();
    set({ [control.dataset.key]: control.dataset.key === "text" ? value : value.replace(/^#/, "") }, typed ? PAUSE : 0);
  });
}
for (const slider of sliders) {
  slider.addEventListener("input", () => set({ [slider.dataset.slide]: slider.value === slider.min ? "" : slider.value }, PAUSE));
}
$("bg-pick").addEventListener("input", () => set({ bg: $("bg-pick").value.slice(1) }, PAUSE));
$("more").addEventListener("input", () => changed(PAUSE));
$("controls").addEventListener("submit", (event) => event.preventDefault());
$("reset").addEventListener("click", () => { read(`${path}?${FIRST}`); changed(0); });
addEventListener("hashchange", () => {
  if (location.hash.slice(1) === target()) return;
  read(location.hash.slice(1));
  showSource();
  changed(0);
});

// Marks are there where the server has some.
async function listMarks() {
  const names = await fetch("/_tintype/marks.json").then((response) => response.json()).catch(() => []);
  for (const name of names) {
    $("wm").append(new Option(`${name}, in a corner`, `${name}:se:16:16:0.2`), new Option(`${name}, as it is`, name));
  }
  $("marks").hidden = $("marks-tile").hidden = names.length === 0;
  const wished = params.get("wm");
  // What the address says may be written in another way than the list has it.
  if (wished && ![...$("wm").options].some((option) => option.value === wished)) $("wm").append(new Option(wished, wished));
  reflect();
}
listMarks();

// ---- focal point and crop, on the whole original

// The crop in fractions of the original; whole, where there is none in fractions.
function region() {
  const parts = (params.get("crop") ?? "").split(",").map(Number);
  const fractions = params.get("crop")?.includes(".") && parts.length === 4 && parts.every((n) => n >= 0 && n <= 1);
  return fractions ? parts : [0, 0, 1, 1];
}

function focal() {
  const [kind, x, y] = (params.get("g") ?? "").split(":");
  return kind === "fp" ? [Number(x), Number(y)] : null;
}

const clamp = (n, low = 0, high = 1) => Math.min(high, Math.max(low, n));
const round = (n) => String(Math.round(n * 1000) / 1000);
const fraction = (n) => (round(n).includes(".") ? round(n) : `${round(n)}.0`);

function reflectSource() {
  const [x, y, w, h] = region();
  place($("crop-frame"), { left: x, top: y, width: w, height: h });
  $("crop-frame").hidden = w === 1 && h === 1;
  $("crop-clear").hidden = !params.get("crop");
  const point = focal();
  $("focal-dot").hidden = !point;
  if (point) place($("focal-dot"), { left: x + point[0] * w, top: y + point[1] * h });
  const cropping = $("crop-mode").getAttribute("aria-pressed") === "true";
  const cuts = CROPPING_FITS.includes(params.get("fit")) && (params.get("fit") === "aspect-crop" || (params.get("w") && params.get("h")));
  const idle = !cropping && params.get("g") && !cuts;
  $("square").hidden = !idle;
  $("focus-says").textContent = cropping ? "Draw a rectangle on the picture."
    : idle ? "It shows once something has to be cut off."
    : "Click what must stay in the picture, or choose a side.";
}

function place(element, box) {
  for (const [side, value] of Object.entries(box)) element.style.setProperty(side, `${value * 100}%`);
}

function pointOf(event) {
  const box = $("source-picture").getBoundingClientRect();
  return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
}

function setFocal(x, y, wait) {
  const [left, top, width, height] = region();
  set({ g: `fp:${round(clamp((x - left) / width))}:${round(clamp((y - top) / height))}` }, wait);
}

let dragFrom = null;
const source = $("source");
source.addEventListener("pointerdown", (event) => {
  if ($("crop-mode").getAttribute("aria-pressed") !== "true") return;
  dragFrom = pointOf(event);
  source.setPointerCapture(event.pointerId);
  event.preventDefault();
});
source.addEventListener("pointermove", (event) => {
  if (!dragFrom) return;
  const [x, y] = pointOf(event);
  const width = Math.abs(x - dragFrom[0]), height = Math.abs(y - dragFrom[1]);
  if (width < 0.02 || height < 0.02) return;
  set({ crop: [Math.min(x, dragFrom[0]), Math.min(y, dragFrom[1]), width, height].map(fraction).join(",") }, PAUSE);
});
for (const end of ["pointerup", "pointercancel"]) {
  source.addEventListener(end, () => {
    if (dragFrom) setCropMode(false);
    dragFrom = null;
  });
}
source.addEventListener("click", (event) => {
  if (!source.classList.contains("cropping") && !justDrawn) setFocal(...pointOf(event), 0);
});
source.addEventListener("keydown", (event) => {
  if (event.key === "Escape") setCropMode(false);
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!step) return;
  event.preventDefault();
  const [left, top, width, height] = region();
  const [x, y] = focal() ?? [0.5, 0.5];
  const by = event.shiftKey ? 0.1 : 0.02;
  setFocal(left + clamp(x + step[0] * by) * width, top + clamp(y + step[1] * by) * height, PAUSE);
});

$("square").addEventListener("click", () => {
  const side = params.get("w") || params.get("h") || "600";
  set({ fit: "cover", w: side, h: side });
});

let justDrawn = false; // the click that ends a drag is not a focal point
function setCropMode(on) {
  justDrawn = !on;
  setTimeout(() => { justDrawn = false; }, 50);
  $("crop-mode").setAttribute("aria-pressed", on);
  source.classList.toggle("cropping", on);
  reflectSource();
}
$("crop-mode").addEventListener("click", () => setCropMode($("crop-mode").getAttribute("aria-pressed") !== "true"));
$("crop-clear").addEventListener("click", () => set({ crop: "" }));

function showSource() {
  $("source-picture").src = `${path}?w=560&h=560&f=auto`;
  $("source-picture").alt = `The whole of ${sample()?.name ?? path}`;
}

// ---- the result

async function load() {
  flight?.abort();
  const abort = (flight = new AbortController());
  const mine = ++turn;
  const url = target();
  const busy = setTimeout(() => $("stage").classList.add("busy"), 120);
  try {
    const begun = performance.now();
    performance.clearResourceTimings();
    const answer = await fetch(url, { headers: { Accept: accept }, cache: "no-store", signal: abort.signal });
    const body = await answer.blob();
    const wall = performance.now() - begun;
    if (mine !== turn) return;
    if (answer.ok) await showPicture(answer, body, times(url, wall));
    else await showProblem(answer, body);
  } catch (error) {
    if (error.name === "AbortError" || mine !== turn) return;
    fail("The server does not answer", "It may have been stopped. Start it, then press “Again”.");
  } finally {
    clearTimeout(busy);
    if (mine === turn) $("stage").classList.remove("busy");
  }
}

// From sending the request to the first and the last byte, as the browser measured it.
function times(url, wall) {
  const entry = performance.getEntriesByName(new URL(url, location).href).at(-1);
  if (!entry || !(entry.requestStart > 0)) return { last: wall };
  return { first: entry.responseStart - entry.requestStart, last: entry.responseEnd - entry.requestStart };
}

async function showPicture(answer, body, time) {
  const picture = $("picture");
  const address = URL.createObjectURL(body);
  const mine = turn;
  const next = new Image();
  next.src = address;
  try {
    await next.decode();
  } catch {
    URL.revokeObjectURL(address);
    const type = answer.headers.get("Content-Type") ?? "an unknown type";
    if (mine === turn) fail("This browser cannot show the result", `The server sent ${bytes(body.size)} of ${type}. Choose another format, or “auto”.`);
    return;
  }
  if (mine !== turn) return URL.revokeObjectURL(address);
  if (shown) URL.revokeObjectURL(shown);
  shown = address;
  picture.src = address;
  picture.alt = sample()?.name ?? path;
  picture.hidden = false;
  $("problem").hidden = true;
  $("stage").classList.remove("failed");
  facts(answer, body, time, next);
}

function facts(answer, body, time, picture) {
  const original = sample()?.bytes;
  const share = original ? body.size / original : null;
  const format = (answer.headers.get("Content-Type") ?? "").replace(/^image\//, "").replace(/;.*/, "");
  const names = { jpeg: "JPEG", png: "PNG", webp: "WebP", avif: "AVIF", gif: "GIF", jxl: "JPEG XL" };
  const cache = cacheStatus(answer.headers.get("Cache-Status"));
  $("fact-bytes").textContent = bytes(body.size);
  $("fact-saved").textContent = share === null ? "" : share <= 1
    ? `${percent(1 - share)} less than ${bytes(original)}`
    : `${number.format(Math.round(share * 10) / 10)} times ${bytes(original)}`;
  $("fact-bar").style.setProperty("--share", Math.min(1, share ?? 0));
  $("fact-bar").classList.toggle("over", share > 1);
  $("fact-format").textContent = names[format] ?? format;
  $("fact-pixels").textContent = `${number.format(picture.naturalWidth)} × ${number.format(picture.naturalHeight)}`;
  const megapixels = (picture.naturalWidth * picture.naturalHeight) / 1e6;
  $("fact-megapixels").textContent = `${megapixels < 0.1 ? megapixels.toFixed(3) : megapixels.toFixed(2)} MP`;
  $("fact-negotiated").textContent = params.get("f") === "auto" ? "negotiated" : params.get("f") ? "as asked" : "the original’s";
  $("fact-time").textContent = duration(time.last);
  $("fact-first").textContent = time.first === undefined ? "" : `${duration(time.first)} wait`;
  $("fact-cache").textContent = cache.text;
  $("fact-cache").className = cache.kind;
  $("fact-detail").textContent = cache.detail;
  $("fact-cache").title = answer.headers.get("Cache-Status") ?? "";
  $("status").textContent = `${picture.naturalWidth} by ${picture.naturalHeight} pixels, ${names[format] ?? format}, ${bytes(body.size)}`;
}

function duration(time) {
  return time < 10 ? `${time.toFixed(1)} ms` : time < 1000 ? `${Math.round(time)} ms` : `${(time / 1000).toFixed(2)} s`;
}

function percent(share) {
  return `${share > 0.99 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`;
}

function bytes(count) {
  if (count < 1000) return `${count} B`;
  const [value, unit] = count < 1e6 ? [count / 1e3, "kB"] : [count / 1e6, "MB"];
  return `${value < 100 ? value.toFixed(1) : number.format(Math.round(value))} ${unit}`;
}

// RFC 9211: `tintype; hit; ttl=59; detail=memory` or `tintype; fwd=miss; stored; collapsed`; the nearest cache is last.
function cacheStatus(header) {
  if (!header) return { text: "–", detail: "", kind: "" };
  const [, ...rest] = header.split(",").at(-1).split(";").map((part) => part.trim());
  const fields = Object.fromEntries(rest.map((part) => part.split("=")));
  const detail = fields.detail?.replaceAll('"', "");
  if ("hit" in fields) return { text: "hit", detail: detail ? `from ${detail}` : "", kind: "hit" };
  const what = "collapsed" in fields ? "shared with others" : "stored" in fields ? "stored now" : "";
  return { text: fields.fwd ?? "miss", detail: what, kind: "miss" };
}

async function showProblem(answer, body) {
  let problem = {};
  if (/^application\/(problem\+)?json/.test(answer.headers.get("Content-Type") ?? "")) {
    try { problem = JSON.parse(await body.text()); } catch { /* then the status has to do */ }
  }
  fail(problem.title ?? `${answer.status} ${answer.statusText}`, problem.detail ?? "", problem.allowed);
  const at = problem.parameter ?? "";
  for (const control of controls) {
    if (control.dataset.key === at && control.type !== "radio") control.setAttribute("aria-invalid", "true");
  }
}

function fail(title, detail, allowed) {
  $("problem-title").textContent = title;
  $("problem-detail").textContent = String(detail).replaceAll("`", "");
  const said = !allowed || String(detail).includes(allowed);
  $("problem-allowed").textContent = said ? "" : `Allowed: ${String(allowed).replaceAll("`", "")}`;
  $("problem").hidden = false;
  $("stage").classList.add("failed");
  for (const name of ["bytes", "format", "pixels", "time", "cache"]) $(`fact-${name}`).textContent = "–";
  $("fact-cache").className = "";
  for (const name of ["saved", "negotiated", "megapixels", "first", "detail"]) $(`fact-${name}`).textContent = "";
  $("fact-bar").style.setProperty("--share", 0);
}

// ---- the address line

function showAddress() {
  const parts = [span("host", location.origin), path];
  query().split("&").filter(Boolean).forEach((pair, index) => {
    const [key, ...rest] = pair.split("=");
    // A long URL is broken between its parameters.
    parts.push(document.createElement("wbr"), span("mute", index ? "&" : "?"), key, span("mute", "="), span("value", rest.join("=")));
  });
  $("address").replaceChildren(...parts);
  $("open").href = target();
}

function span(kind, text) {
  const element = document.createElement("span");
  element.className = kind;
  element.textContent = text;
  return element;
}

async function copy(button, text) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No permission, or a page that is not served over TLS: leave the text selected, so that a key press copies it.
    done = false;
    getSelection().selectAllChildren($("address"));
  }
  const before = button.dataset.text ?? (button.dataset.text = button.textContent);
  button.textContent = done ? "Copied" : "Selected";
  setTimeout(() => { button.textContent = before; }, 1400);
}

$("copy").addEventListener("click", () => copy($("copy"), location.origin + target()));
$("copy-tag").addEventListener("click", () => {
  const { naturalWidth: width, naturalHeight: height } = $("picture");
  const dpr = Number(params.get("dpr") || 1);
  const size = width ? ` width="${Math.round(width / dpr)}" height="${Math.round(height / dpr)}"` : "";
  const escape = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  copy($("copy-tag"), `<img src="${escape(location.origin + target())}"${size} alt="">`);
});
$("again").addEventListener("click", load);

// ---- the pictures

const sample = () => samples.find((one) => one.path === path);

async function scan() {
  const note = $("no-samples");
  try {
    const answer = await fetch("/_tintype/samples.json", { cache: "no-store" });
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    samples = await answer.json();
    note.textContent = "The folder is empty. Copy some pictures into it, then press “Look again”.";
  } catch (error) {
    samples = [];
    note.textContent = `The list of pictures could not be read (${error.message}).`;
  }
  note.hidden = samples.length > 0;
  $("samples").replaceChildren(...samples.map(card));
}

function card(one) {
  const button = document.createElement("button");
  const picture = new Image(232, 174);
  picture.loading = "lazy";
  picture.alt = "";
  picture.src = `${one.path}?w=232&h=174&fit=cover&f=auto`;
  picture.addEventListener("error", () => picture.replaceWith(span("broken", "cannot be shown")));
  button.type = "button";
  button.dataset.path = one.path;
  button.append(picture, span("name", one.name), span("size", bytes(one.bytes)));
  button.title = one.name;
  button.addEventListener("click", () => choose(one.path));
  const item = document.createElement("li");
  item.append(button);
  return item;
}

// Another picture keeps the parameters, but not what was pointed at in the one before.
function choose(next) {
  path = next;
  for (const key of ["crop", "g"]) params.delete(key);
  showSource();
  changed(0);
}

$("rescan").addEventListener("click", async () => { await scan(); reflect(); });

async function shows(type) {
  const data = Uint8Array.from(atob(PROBES[type]), (c) => c.charCodeAt(0));
  try {
    (await createImageBitmap(new Blob([data], { type: `image/${type}` }))).close();
    return true;
  } catch {
    return false;
  }
}

async function start() {
  const types = ["avif", "webp"];
  const [, ...shown] = await Promise.all([scan(), ...types.map(shows)]);
  // `fetch` would say `*/*`: say what an <img> of this browser would.
  accept = [...types.filter((_, index) => shown[index]).map((type) => `image/${type}`), "image/*", "*/*;q=0.8"].join(",");
  const wanted = location.hash.slice(1);
  if (wanted.startsWith("/")) read(wanted);
  else if (samples.length) read(`${(samples.find((one) => one.name === "landscape.jpg") ?? samples[0]).path}?${FIRST}`);
  else return;
  showSource();
  changed(0);
  // Scrolls the strip alone: the page stays where it is.
  const card = $("samples").querySelector('[aria-pressed="true"]');
  if (card) $("samples").scrollLeft = card.parentElement.offsetLeft - $("samples").offsetLeft - 40;
}

start();
