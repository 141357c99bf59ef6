// The URL of one picture, put together from parameters: the edge's own table says which there are and what they take.

import { calm, copy, h } from "./dom.js";
import { bytes } from "./format.js";
import { rendition } from "./grid.js";

const PAUSE = 250;
// What most people want is a step away; all else is in the list of parameters.
const PRESETS = { "800 wide": "w=800&f=auto", "Square": "w=600&h=600&fit=cover&f=auto", "Face": "w=400&h=400&fit=cover&g=face&f=auto", "Banner": "w=1200&h=400&fit=cover&f=auto", "Tiny": "w=64&f=webp&q=50", "Grey": "w=800&gray=1&f=auto" };
const LIVES = { 3600: "an hour", 86400: "a day", 604800: "a week", 2592000: "30 days", 31536000: "a year" };
const WIDTHS = [320, 640, 960, 1280, 1920];

const encode = (text) => encodeURIComponent(text).replaceAll("%2C", ",").replaceAll("%3A", ":");

export function playground(picture, about) {
  const table = new Map(about.parameters.map((one) => [one.name, one]));
  let pairs = [["w", "800"], ["f", "auto"]];
  let turn = 0, shown = null;

  const rows = h("div", { class: "rows" });
  const stage = h("img", { class: "result", alt: "The picture as the URL asks for it" });
  const facts = h("p", { class: "hint", role: "status" });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const address = h("code", { class: "address", tabIndex: 0, "aria-label": "URL" });
  const life = h("select", { id: "life", onchange: () => load() }, Object.entries(LIVES).map(([seconds, says]) => new Option(says, seconds, false, seconds === "604800")));
  const names = h("datalist", { id: "parameter-names" }, about.parameters.map((one) => h("option", { value: one.name }, one.doc)));

  const query = () => pairs.filter(([name, value]) => name && value !== "").map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
  const full = async (wanted = query()) => new URL(await rendition(picture, wanted, Number(life.value)), location.href).href;

  function line(at) {
    const [name, value] = pairs[at];
    const says = h("span", { class: "hint" });
    const explain = () => { const known = table.get(pairs[at][0]); says.textContent = known ? `${known.doc} ${known.values ? `Values: ${known.values}.` : ""}`.replaceAll("`", "") : pairs[at][0] ? "Not a parameter of the edge." : ""; };
    const key = h("input", { value: name, list: "parameter-names", placeholder: "name", "aria-label": `Parameter ${at + 1}: name`, autocapitalize: "none", spellcheck: false, oninput: () => { pairs[at][0] = key.value.trim(); explain(); changed(); } });
    key.setAttribute("list", "parameter-names");
    const field = h("input", { value, placeholder: "value", "aria-label": `Parameter ${at + 1}: value`, autocapitalize: "none", spellcheck: false, oninput: () => { pairs[at][1] = field.value; changed(); } });
    const drop = h("button", { type: "button", class: "quiet bare", "aria-label": `Without parameter ${at + 1}`, onclick: () => { pairs.splice(at, 1); write(); changed.now(); } }, "×");
    explain();
    return h("div", { class: "pair" }, key, field, drop, says);
  }

  function write() { rows.replaceChildren(...pairs.map((_, at) => line(at))); }

  function use(text) {
    pairs = text.split("&").map((pair) => pair.split("=")).map(([name, ...value]) => [name, value.join("=")]);
    write();
    changed.now();
  }

  const changed = calm(PAUSE, load);

  async function load() {
    const mine = ++turn;
    try {
      const url = await full();
      const begun = performance.now();
      const answer = await fetch(url, { cache: "no-store", headers: { Accept: "image/avif,image/webp,image/*,*/*;q=0.8" } });
      const took = performance.now() - begun;
      const body = await answer.blob();
      if (mine !== turn) return;
      address.textContent = url;
      if (!answer.ok) return refused(JSON.parse(await body.text().catch(() => "{}") || "{}"), answer.status);
      if (shown) URL.revokeObjectURL(shown);
      stage.src = shown = URL.createObjectURL(body);
      await stage.decode().catch(() => {});
      const cache = /;\s*hit/.test(answer.headers.get("Cache-Status") ?? "") ? "from the cache" : "made just now";
      facts.textContent = `${stage.naturalWidth} × ${stage.naturalHeight} · ${(answer.headers.get("Content-Type") ?? "").replace("image/", "")} · ${bytes(body.size)} · ${Math.round(took)} ms, ${cache}`;
      problem.hidden = true;
      stage.classList.remove("stale");
    } catch (error) {
      if (mine === turn) refused({ detail: error.message });
    }
  }

  function refused(document, status) {
    problem.textContent = document.detail ?? document.title ?? `The server answered ${status}.`;
    problem.hidden = false;
    stage.classList.add("stale");
    facts.textContent = "";
  }

  // The picture in every width and in the best format that the browser takes, for a page.
  async function code() {
    const others = pairs.filter(([name, value]) => !["w", "f", "dpr"].includes(name) && value !== "").map(([name, value]) => `${name}=${encode(value)}`);
    const widths = WIDTHS.filter((width) => width < picture.content.width).concat(picture.content.width <= WIDTHS.at(-1) ? [picture.content.width] : []);
    const ready = async (width, format) => {
      const wanted = [`w=${width}`, ...others, `f=${format}`].join("&");
      return full(wanted);
    };
    const set = async (format) => (await Promise.all(widths.map(async (width) => `${await ready(width, format)} ${width}w`))).join(", ");
    const fallback = picture.content.mediaType === "image/png" ? "png" : "jpg";
    const quoted = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
    const alt = quoted(picture.description || picture.title || "");
    const sources = await Promise.all(["avif", "webp"].map(async (format) => `  <source type="image/${format}" srcset="${quoted(await set(format))}" sizes="100vw">`));
    const image = `  <img src="${quoted(await ready(Math.min(960, picture.content.width), fallback))}" srcset="${quoted(await set(fallback))}" sizes="100vw" width="${picture.content.width}" height="${picture.content.height}" alt="${alt}" loading="lazy" decoding="async">`;
    return ["<picture>", ...sources, image, "</picture>"].join("\n");
  }

  const tell = (error) => refused({ detail: error.message });
  write();
  load();
  return h("section", { class: "playground", "aria-labelledby": "playground-title" },
    h("h3", { id: "playground-title" }, "URL"),
    h("div", { class: "presets", role: "group", "aria-label": "Examples" }, Object.entries(PRESETS).map(([says, text]) => h("button", { type: "button", onclick: () => use(text) }, says))),
    rows, names,
    h("button", { type: "button", class: "quiet", onclick: () => { pairs.push(["", ""]); write(); rows.lastElementChild.querySelector("input").focus(); } }, "Add a parameter"),
    h("div", { class: "stage" }, stage), facts, problem, address,
    about.signed && h("p", { class: "life" }, h("label", { for: "life" }, "Signed: good for"), life, h("span", { class: "hint" }, "For this picture and these parameters alone.")),
    h("div", { class: "acts" },
      h("button", { type: "button", class: "primary", id: "copy-url", onclick: () => full().then((url) => copy(url, "URL")).catch(tell) }, "Copy URL"),
      h("button", { type: "button", id: "copy-picture", onclick: () => code().then((text) => copy(text, "<picture>")).catch(tell) }, "Copy <picture>"),
      h("button", { type: "button", onclick: () => full().then((url) => open(url, "_blank", "noopener")).catch(tell) }, "Open")));
}
