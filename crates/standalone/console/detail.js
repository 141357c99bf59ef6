// One picture: what is known of it, its URLs, its versions; and what can be done with it.

import * as api from "./api.js";
import { $, announce, h, icon, toast } from "./dom.js";
import { ago, bytes, folder, kind, name, time } from "./format.js";
import * as grid from "./grid.js";
import { playground } from "./playground.js";
import * as tray from "./tray.js";

let about = null, picture = null, before = null, removed = () => {};

export function start(told, whenRemoved) {
  [about, removed] = [told, whenRemoved];
  $("detail").addEventListener("cancel", (event) => { event.preventDefault(); close(); });
  $("detail").addEventListener("click", (event) => { if (event.target === $("detail")) close(); });
}

// Back to the list that it came from.
function close() {
  const list = before ?? "#/";
  before = null;
  location.hash = list;
}

export function hide() {
  if ($("detail").open) $("detail").close();
  document.title = "Tintype";
  picture = null;
}

export async function open(id, from) {
  before ??= from;
  if (!$("detail").open) $("detail").showModal();
  if (picture?.id !== id) $("detail").replaceChildren(h("p", { class: "loading" }, "…"));
  try {
    picture = await api.one(id);
    show();
  } catch (error) {
    $("detail").replaceChildren(head("This picture cannot be shown"), h("p", { class: "problem" }, error.message));
  }
}

// A new version has come in, or somebody else changed it.
export async function changed(id) {
  if (picture?.id === id) await open(id);
}

function head(title) {
  return h("header", { class: "head" }, h("h2", { id: "detail-title" }, title),
    h("button", { type: "button", class: "quiet bare", "aria-label": "Close", onclick: close }, icon("close")));
}

function show() {
  const title = picture.title || name(picture.path);
  document.title = `${title} – Tintype`;
  const image = h("img", { alt: picture.description || title });
  grid.rendition(picture, "w=1200&h=900&fit=contain&f=auto").then((url) => { image.src = url; }, (error) => toast(error.message, { bad: true }));
  const facts = picture.facts ?? {};
  image.addEventListener("load", () => image.classList.add("here"));
  $("detail").replaceChildren(head(title),
    h("div", { class: "sides" },
      h("div", { class: "left" },
        h("figure", { class: "shown" }, grid.placeholder({ thumbhash: facts.looks?.thumbhash }), image), palette(facts.looks), playground(picture, about)),
      h("div", { class: "right" }, state(), acts(), form(), known(facts), versions())));
}

function state() {
  const { state: now } = picture;
  if (now.kind === "quarantined") return h("p", { class: "problem" }, `In quarantine: ${now.reason}`);
  if (now.kind === "deleted") return h("p", { class: "problem" }, `Deleted. It can be restored until ${time(now.until)}.`);
  return null;
}

function palette(looks) {
  const colours = (looks?.palette ?? []).map((one) => one.colour ?? one).filter((one) => /^#?[0-9a-f]{6}$/i.test(one));
  if (colours.length === 0) return null;
  const chips = colours.slice(0, 8).map((colour) => {
    const hex = `#${colour.replace("#", "")}`;
    const chip = h("span", { class: "chip", title: hex, role: "img", "aria-label": hex });
    chip.style.setProperty("background-color", hex);
    return chip;
  });
  return h("div", { class: "palette", "aria-label": "Colours" }, chips);
}

// ---- what can be done

function acts() {
  const file = h("input", { type: "file", accept: "image/*", hidden: true, tabIndex: -1, id: "replace-file", onchange: () => { if (file.files[0]) tray.replace(file.files[0], picture); } });
  return h("div", { class: "acts" },
    h("button", { type: "button", onclick: () => file.click() }, "Replace …"), file,
    h("a", { class: "button", href: `#/?similarTo=${picture.id}` }, "Find alike"),
    h("button", { type: "button", class: "danger", id: "delete", onclick: remove }, "Delete"));
}

async function remove() {
  const gone = picture;
  try {
    await api.remove(gone);
  } catch (error) {
    return toast(error.message, { bad: true });
  }
  close();
  removed(gone);
  announce(`${name(gone.path)} is deleted`);
  toast(`${name(gone.path)} is deleted`, { label: "Undo", stay: 15000, act: () => undo(gone.id) });
}

export async function undo(id) {
  try {
    const back = await api.restore(id);
    toast(`${name(back.path)} is back`);
    removed(null);
  } catch (error) {
    toast(error.message, { bad: true });
  }
}

// ---- what people say of it

function form() {
  const field = (id, label, control, hint) => [h("label", { for: id }, label), Object.assign(control, { id }), hint && h("p", { class: "hint" }, hint)];
  const title = h("input", { value: picture.title ?? "", maxLength: 300 });
  const description = h("textarea", { rows: 3, maxLength: 5000 });
  description.value = picture.description ?? "";
  const tags = h("input", { value: (picture.tags ?? []).join(", ") });
  const open = h("input", { type: "checkbox", checked: picture.visibility === "public" });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const save = h("button", { class: "primary", disabled: true }, "Save");
  const changes = () => ({ title: title.value.trim() || null, description: description.value.trim() || null, tags: tags.value.split(",").map((tag) => tag.trim()).filter(Boolean), visibility: open.checked ? "public" : "tenant" });
  const was = JSON.stringify(changes());
  const submit = async (event) => {
    event.preventDefault();
    save.disabled = true;
    try {
      picture = await api.edit(picture, changes());
      announce("Saved");
      toast("Saved");
      grid.refresh({ ...picture, mediaType: picture.content.mediaType, width: picture.content.width, height: picture.content.height, thumbhash: picture.facts?.looks?.thumbhash });
      show();
    } catch (error) {
      problem.textContent = error.status === 412 ? "Somebody else has changed it meanwhile. What they wrote is shown when you open it again." : error.message;
      problem.hidden = false;
      save.disabled = false;
    }
  };
  const form = h("form", { class: "fields", onsubmit: submit, oninput: () => { save.disabled = JSON.stringify(changes()) === was; } },
    field("field-title", "Title", title), field("field-description", "Description", description, "Also the text for who does not see the picture."),
    field("field-tags", "Tags", tags, "With commas between them."),
    h("label", { class: "check" }, open, "Public: its record can be read without signing in"), problem, h("div", { class: "acts" }, save));
  return form;
}

// ---- what is known

function known(facts) {
  const { content } = picture;
  const exif = facts.exif ?? {};
  const camera = [exif.make ?? exif.Make, exif.model ?? exif.Model].filter(Boolean).join(" ");
  const rows = [
    ["File", name(picture.path)], ["Folder", folder(picture.path) || "–"], ["Format", kind(content.mediaType)],
    ["Size", `${content.width} × ${content.height}, ${bytes(content.bytes)}`], content.frames > 1 && ["Frames", content.frames],
    camera && ["Camera", camera], picture.facts?.taken && ["Taken", time(picture.facts.taken)],
    ["Added", `${time(picture.created)} (${ago(picture.created)})`], ["Changed", time(picture.changed)],
    ["By", picture.owner === api.who()?.subject ? "you" : picture.owner || "–"], ["Version", picture.version], ["Content", h("code", { title: content.hash }, content.hash.slice(0, 16))],
  ].filter(Boolean);
  const rest = JSON.stringify(facts, null, 2);
  return h("section", {}, h("h3", {}, "Known of it"), h("dl", { class: "known" }, rows.map(([label, value]) => [h("dt", {}, label), h("dd", {}, value)])),
    rest.length > 2 && h("details", { class: "raw" }, h("summary", {}, "All that the file tells"), h("pre", { tabIndex: 0 }, rest)));
}

async function back(version) {
  try {
    picture = await api.restoreVersion(picture, version);
    toast(`Version ${version} is back, as version ${picture.version}`);
    show();
  } catch (error) {
    toast(error.message, { bad: true });
  }
}

function versions() {
  const list = h("ol", { class: "versions" });
  const section = h("section", {}, h("h3", {}, "Versions"), list);
  api.versions(picture.id).then((all) => list.replaceChildren(...all.map((one) => h("li", {},
    h("strong", {}, `Version ${one.version}`), ` ${kind(one.content.mediaType)}, ${one.content.width} × ${one.content.height}, ${bytes(one.content.bytes)}`,
    h("span", { class: "hint" }, ` ${time(one.at)}`), one.version === picture.version ? h("span", { class: "now" }, "shown") : h("button", { type: "button", class: "quiet", onclick: () => back(one.version) }, "Restore")))))
    .catch((error) => list.replaceChildren(h("li", { class: "hint" }, error.message)));
  return section;
}
