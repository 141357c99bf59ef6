// The console: who is signed in, which page the address names, and what comes in by dropping.

import * as api from "./api.js";
import * as detail from "./detail.js";
import { $, announce, h, toast } from "./dom.js";
import { ago, name, plural } from "./format.js";
import * as finder from "./finder.js";
import * as grid from "./grid.js";
import * as tray from "./tray.js";
import { dropped } from "./uploads.js";

// The index learns of a change a moment later.
const SETTLE = 700;

// ---- in and out

function gate(problem) {
  document.body.classList.remove("starting");
  $("desk").hidden = true;
  $("gate").hidden = false;
  $("gate-problem").textContent = problem ?? "";
  $("gate-problem").hidden = !problem;
  detail.hide();
  $("login").focus();
}

async function enter(account) {
  document.body.classList.remove("starting");
  $("gate").hidden = true;
  $("desk").hidden = false;
  $("who").replaceChildren(h("strong", {}, account.name || account.email), `${account.tenant} · ${account.roles.join(", ")}`);
  $("initial").textContent = (account.name || account.email).slice(0, 1).toUpperCase();
  await route();
}

$("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  $("gate-button").disabled = true;
  try {
    const account = await api.signIn($("login").value.trim(), $("password").value);
    $("password").value = "";
    await enter(account);
    $("search").focus();
  } catch (error) {
    gate(error.message);
    $("password").select();
  } finally {
    $("gate-button").disabled = false;
  }
});

$("sign-out").addEventListener("click", async () => {
  await api.signOut().catch((error) => toast(error.message, { bad: true }));
  $("menu").open = false;
  gate();
});

api.whenLost(() => gate("You have been signed out. Sign in again; nothing is lost."));

// ---- which page

let list = "#/"; // the list that was shown last

async function route() {
  if (!api.who()) return;
  const [, page = "", id = ""] = location.hash.split(/[?/]/);
  if (page === "picture") {
    if ($("grid").childElementCount === 0) await finder.read("");
    return detail.open(decodeURIComponent(id), list);
  }
  const same = list === (location.hash || "#/") && $("detail").open;
  detail.hide();
  list = location.hash || "#/";
  if (same) return;
  if (page === "deleted") return deleted();
  await finder.read(location.hash.split("?")[1] ?? "");
}
addEventListener("hashchange", route);

async function deleted() {
  $("found").textContent = "Deleted pictures";
  $("facets").replaceChildren();
  $("chosen").replaceChildren();
  $("more-button").hidden = true;
  try {
    const page = await api.deleted();
    const pictures = page.items;
    $("empty").hidden = pictures.length > 0;
    if (pictures.length === 0) $("empty").replaceChildren(h("h2", {}, "Nothing is deleted"), h("p", {}, "What is deleted can be brought back from here for a while."));
    $("grid").replaceChildren(...pictures.map((picture) => h("li", {}, h("div", { class: "tile" },
      h("span", { class: "frame" }, grid.placeholder({ thumbhash: picture.facts?.looks?.thumbhash })),
      h("span", { class: "label" }, name(picture.path)), h("span", { class: "sub" }, `deleted ${ago(picture.deleted)}`),
      h("button", { type: "button", onclick: async (event) => { event.target.disabled = true; await detail.undo(picture.id); await deleted(); } }, "Restore")))));
  } catch (error) {
    toast(error.message, { bad: true });
  }
}
$("show-deleted").addEventListener("click", () => { $("menu").open = false; location.hash = "#/deleted"; });

// ---- pictures come and go

let reload;
function soon() {
  clearTimeout(reload);
  reload = setTimeout(() => { if (!location.hash.startsWith("#/deleted") && !$("detail").open) finder.load(); }, SETTLE);
}

tray.whenFinished((upload) => {
  soon();
  if (upload.replace) detail.changed(upload.replace.id);
});

function take(files) {
  const count = tray.add(files);
  if (count === 0) toast("There were no files with anything in them.", { bad: true });
}

$("upload-button").addEventListener("click", () => { $("upload-files").removeAttribute("webkitdirectory"); $("upload-files").click(); });
$("upload-folder").addEventListener("click", () => { $("menu").open = false; $("upload-files").setAttribute("webkitdirectory", ""); $("upload-files").click(); });
$("upload-files").addEventListener("change", () => {
  take([...$("upload-files").files].map((file) => [file, file.webkitRelativePath || file.name]));
  $("upload-files").value = "";
});

let depth = 0; // dragenter and dragleave come for every element that is passed
const carries = (event) => api.who() && [...(event.dataTransfer?.types ?? [])].includes("Files");
addEventListener("dragenter", (event) => { if (carries(event)) { depth += 1; $("drop").hidden = false; } });
addEventListener("dragleave", (event) => { if (carries(event) && --depth <= 0) { depth = 0; $("drop").hidden = true; } });
addEventListener("dragover", (event) => { if (carries(event)) event.preventDefault(); });
addEventListener("drop", async (event) => {
  if (!carries(event)) return;
  event.preventDefault();
  depth = 0;
  $("drop").hidden = true;
  take(await dropped(event.dataTransfer));
});
addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (api.who() && files.length > 0) take(files.map((file) => [file, file.name]));
});

document.addEventListener("click", (event) => { if (!event.target.closest("#menu")) $("menu").open = false; });
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select");
  if (event.key === "/" && !typing && !$("detail").open) { event.preventDefault(); $("search").focus(); }
  if (event.key === "Escape") $("menu").open = false;
});

// ---- begin

const about = await api.about().catch(() => ({ route: "/a/", signed: false, parameters: [] }));
grid.start(about);
detail.start(about, (gone) => { if (gone) grid.take(gone.id); soon(); });
finder.start();
try {
  await enter(await api.resume());
  announce(plural($("grid").childElementCount, "picture"));
} catch (error) {
  gate(error.status === 401 || error.status === 400 ? "" : error.message);
}
