// Search as one types, with filters: the state is in the address, so that it can be kept, shared and gone back to.

import * as api from "./api.js";
import { $, announce, calm, h, icon } from "./dom.js";
import { count, kind, plural } from "./format.js";
import * as grid from "./grid.js";

const PAGE = 60;
const PAUSE = 180; // milliseconds after the last key
const SORTS = { relevance: "Best match", "-created": "Newest first", created: "Oldest first", "-taken": "Taken last", taken: "Taken first", "-changed": "Changed last", "-pixels": "Most pixels", "-bytes": "Largest files" };
// What may be filtered by: the parameter → the facet that counts its values, its heading, and how a value reads.
const FACETS = {
  type: ["type", "Format", kind],
  tag: ["tags", "Tags", String],
  orientation: ["orientation", "Shape", (one) => ({ landscape: "Wide", portrait: "Tall", square: "Square" })[one] ?? one],
  colourName: ["colour", "Colours", String],
  camera: ["camera", "Camera", String],
  year: ["year", "Year", String],
};

let state = new URLSearchParams();
let flight, cursor = null, busy = false;

// ---- state and address

export function read(text) {
  state = new URLSearchParams(text);
  if (document.activeElement !== $("search")) $("search").value = state.get("q") ?? "";
  return load();
}

function go(change) {
  const next = new URLSearchParams(state);
  change(next);
  if (!next.get("q")) next.delete("q");
  const hash = `#/${next.size ? `?${next}` : ""}`;
  if (hash === (location.hash || "#/")) return;
  // Each letter would be a step back.
  const typing = next.get("q") !== state.get("q");
  if (typing) { history.replaceState(null, "", hash); read(next); } else location.hash = hash;
}

const toggle = (name, value) => go((next) => {
  const values = next.getAll(name);
  next.delete(name);
  for (const one of values.includes(value) ? values.filter((other) => other !== value) : [...values, value]) next.append(name, one);
});

// ---- asking

function question(more) {
  const query = new URLSearchParams();
  for (const [name, value] of state) query.append(name, value);
  query.set("limit", String(PAGE));
  if (state.get("q")) query.set("highlight", "true");
  if (state.get("similarTo") && !state.get("sort")) query.set("sort", "likeness");
  if (more) query.set("cursor", more);
  else for (const [facet] of Object.values(FACETS)) query.append("facet", facet);
  return query;
}

export async function load(more = null) {
  flight?.abort();
  const abort = (flight = new AbortController());
  document.body.classList.add("busy");
  busy = true;
  try {
    const answer = await api.search(question(more), abort.signal);
    const hits = answer.assets;
    grid.show(hits, { append: Boolean(more) });
    cursor = answer.next ?? null;
    $("more-button").hidden = !cursor;
    if (!more) summary(answer, hits);
  } catch (error) {
    if (error.name !== "AbortError") trouble(error);
  } finally {
    if (flight === abort) {
      busy = false;
      document.body.classList.remove("busy");
    }
  }
}

function trouble(error) {
  grid.show([]);
  $("more-button").hidden = true;
  $("empty").hidden = false;
  $("empty").replaceChildren(h("h2", {}, "This could not be searched"), h("p", {}, error.message), h("button", { type: "button", onclick: () => load() }, "Try again"));
}

function summary(answer, hits) {
  const total = answer.total.value;
  $("found").textContent = `${answer.total.exact ? "" : "about "}${plural(total, "picture")}`;
  announce(plural(total, "picture"));
  facets(answer.facets);
  chosen();
  sorts();
  const empty = hits.length === 0;
  $("empty").hidden = !empty;
  if (!empty) return;
  const asked = state.size > 0;
  $("empty").replaceChildren(...(asked
    ? [h("h2", {}, "Nothing is like that"), h("p", {}, "Fewer words or fewer filters find more."), h("button", { type: "button", onclick: () => { location.hash = "#/"; } }, "Show all pictures")]
    : [h("h2", {}, "No pictures yet"), h("p", {}, "Drop some here, or a whole folder."), h("button", { type: "button", class: "primary", onclick: () => $("upload-button").click() }, "Choose files")]));
}

// ---- facets

function facets(counted) {
  // Tags that were read out of the files say some things that have a facet of their own.
  const elsewhere = new Set(["colour", "orientation", "type"].flatMap((facet) => counted[facet] ?? []).map(({ value }) => String(value).replace(/^image\//, "")));
  const groups = Object.entries(FACETS).map(([name, [facet, heading, says]]) => {
    const inForce = state.getAll(name);
    const values = (counted[facet] ?? []).map(({ value, count: tally }) => [String(value), tally]).filter(([value]) => facet !== "tags" || !elsewhere.has(value));
    for (const value of inForce) if (!values.some(([one]) => one === value)) values.push([value, 0]);
    if (values.length === 0) return null;
    const choices = name === "colourName" ? swatches(values, inForce) : values.slice(0, 12).map(([value, tally]) => h("label", {},
      h("input", { type: "checkbox", name, value, checked: inForce.includes(value), onchange: () => toggle(name, value) }),
      h("span", { title: says(value) }, says(value)), h("span", { class: "tally" }, count(tally))));
    return h("fieldset", {}, h("legend", {}, heading), choices);
  });
  // Who goes through the boxes by keyboard stays where they are.
  const focus = document.activeElement?.closest("#facets input, #facets button");
  $("facets").replaceChildren(...groups.filter(Boolean));
  if (focus) [...$("facets").querySelectorAll("input, button")].find((one) => one.name === focus.name && one.value === focus.value)?.focus();
}

const swatches = (values, inForce) => h("div", { class: "swatches" }, values.map(([value, tally]) => h("button", {
  type: "button", name: "colourName", value, class: `c-${value}`, "aria-pressed": String(inForce.includes(value)),
  "aria-label": `${value}, ${plural(tally, "picture")}`, title: `${value} (${count(tally)})`, onclick: () => toggle("colourName", value),
})));

function chosen() {
  const all = [...state].filter(([name]) => name !== "q" && name !== "sort");
  $("chosen").replaceChildren(...all.map(([name, value]) => h("button", { type: "button", "aria-label": `Without the filter ${value}`, onclick: () => toggle(name, value) },
    name === "similarTo" ? "looks alike" : FACETS[name]?.[2](value) ?? value, icon("close"))));
}

function sorts() {
  const now = state.get("sort") ?? (state.get("q") ? "relevance" : "-created");
  $("sort").replaceChildren(...Object.entries(SORTS).filter(([name]) => name !== "relevance" || state.get("q")).map(([name, says]) => new Option(says, name, false, name === now)));
}

// ---- suggestions (a combobox by the ARIA pattern: the focus stays in the field)

let options = [], active = -1;

const suggest = calm(140, async (text) => {
  if (text.trim().length < 2) return list([]);
  try {
    const found = await api.suggest(text);
    if ($("search").value === text && document.activeElement === $("search")) list(found.map((one) => one.text).filter((one) => one !== text));
  } catch {
    list([]); // a help, no more
  }
});

function list(texts) {
  [options, active] = [texts, -1];
  $("suggestions").hidden = texts.length === 0;
  $("search").setAttribute("aria-expanded", String(texts.length > 0));
  $("suggestions").replaceChildren(...texts.map((text, at) => h("li", { id: `suggestion-${at}`, role: "option", "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); choose(text); } }, text)));
  $("search").removeAttribute("aria-activedescendant");
}

function move(by) {
  if (options.length === 0) return;
  active = (active + by + options.length + (active < 0 && by < 0 ? 1 : 0)) % options.length;
  for (const [at, option] of [...$("suggestions").children].entries()) option.setAttribute("aria-selected", String(at === active));
  $("search").setAttribute("aria-activedescendant", `suggestion-${active}`);
}

function choose(text) {
  $("search").value = text;
  list([]);
  typed.now();
}

const typed = calm(PAUSE, () => go((next) => next.set("q", $("search").value.trim())));

export function start() {
  $("search").addEventListener("input", () => { typed(); suggest($("search").value); });
  $("search").addEventListener("blur", () => list([]));
  $("search").addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Escape" && options.length > 0) list([]);
    else if (event.key === "Enter" && active >= 0) choose(options[active]);
    else return;
    event.preventDefault();
  });
  $("search-form").addEventListener("submit", (event) => { event.preventDefault(); list([]); typed.now(); });
  $("sort").addEventListener("change", () => go((next) => next.set("sort", $("sort").value)));
  $("filter-button").addEventListener("click", () => {
    $("filter-button").setAttribute("aria-expanded", String($("facets").classList.toggle("open")));
  });
  const more = () => { if (cursor && !busy) load(cursor); };
  $("more-button").addEventListener("click", more);
  new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) more(); }, { rootMargin: "600px" }).observe($("more"));
}
