// The list of uploads at the lower edge: a line for each with its progress, and what can be done about it.

import { $, announce, h, icon, toast } from "./dom.js";
import { bytes, plural } from "./format.js";
import { Upload, Uploads, published } from "./uploads.js";

const SHOWN = 200; // lines; with more, those that are done leave
const lines = new WeakMap();
let finished = () => {};

const uploads = new Uploads(changed);
export const whenFinished = (then) => { finished = then; };

export function add(files) {
  const pictures = files.filter(([file]) => file.size > 0 && !file.name.startsWith("."));
  for (const [file, name] of pictures) uploads.add(new Upload(file, published(name)));
  if (pictures.length > 0) announce(`${plural(pictures.length, "file")} to upload`);
  return pictures.length;
}

export function replace(file, picture) {
  uploads.add(new Upload(file, picture.path, { replace: picture }));
}

function changed(upload) {
  if (upload.state === "cancelled") lines.get(upload)?.remove();
  else show(upload);
  sum();
  if (upload.state === "done") finished(upload);
  // The tray is below the dialogue that it is replaced from.
  if (upload.state === "failed" && upload.replace) toast(`Not replaced: ${upload.problem}`, { bad: true });
  if (upload.state === "failed") announce(`${upload.path} was not uploaded: ${upload.problem}`);
}

function show(upload) {
  let line = lines.get(upload);
  if (!line) {
    line = h("li", {}, h("span", { class: "name", title: upload.path }, upload.path), h("span", { class: "state" }), h("span", { class: "acts" }),
      h("progress", { max: Math.max(1, upload.file.size), "aria-label": `Progress of ${upload.path}` }));
    lines.set(upload, line);
    $("tray-list").prepend(line);
    for (const old of [...$("tray-list").querySelectorAll(".done")].slice(SHOWN)) old.remove();
  }
  const size = bytes(upload.file.size);
  line.className = upload.state;
  line.querySelector("progress").value = upload.state === "done" ? upload.file.size : upload.sent;
  line.querySelector("progress").hidden = !["waiting", "sending", "paused"].includes(upload.state);
  line.querySelector(".state").textContent = {
    waiting: `waits · ${size}`,
    paused: `paused at ${bytes(upload.sent)} of ${size}`,
    sending: upload.sent >= upload.file.size ? "looked through by the server …" : `${bytes(upload.sent)} of ${size}`,
    done: `done · ${size}`,
    failed: upload.problem,
  }[upload.state];
  if (line.dataset.state !== upload.state) {
    line.dataset.state = upload.state;
    line.querySelector(".acts").replaceChildren(...acts(upload));
  }
}

function acts(upload) {
  const act = (label, drawing, then) => h("button", { type: "button", class: "quiet bare", "aria-label": `${label} ${upload.path}`, title: label, onclick: then }, icon(drawing));
  const drop = act("Remove", "close", () => uploads.drop(upload));
  const again = (label) => act(label, "retry", () => uploads.again(upload));
  if (upload.state === "sending") return [act("Pause", "pause", () => { upload.stop("paused"); changed(upload); }), drop];
  if (upload.state === "paused") return [again("Go on with"), drop];
  if (upload.state === "failed") return [again("Try again:"), drop];
  return upload.state === "waiting" ? [drop] : [];
}

function sum() {
  const { all } = uploads;
  $("tray").hidden = all.length === 0;
  const total = all.reduce((sum, one) => sum + one.file.size, 0);
  const sent = all.reduce((sum, one) => sum + (one.state === "done" ? one.file.size : one.sent), 0);
  const done = all.filter((one) => one.state === "done").length, failed = all.filter((one) => one.state === "failed").length;
  $("tray-progress").max = Math.max(1, total);
  $("tray-progress").value = sent;
  $("tray-title").textContent = done + failed === all.length
    ? `${plural(done, "upload")} done${failed ? `, ${failed} failed` : ""}`
    : `Uploading ${done + 1} of ${all.length}${failed ? `, ${failed} failed` : ""}`;
}

$("tray-clear").addEventListener("click", () => {
  for (const upload of uploads.all.filter((one) => one.state === "done")) lines.get(upload)?.remove();
  uploads.all = uploads.all.filter((one) => one.state !== "done");
  sum();
});
$("tray-fold").addEventListener("click", () => {
  const open = !$("tray").classList.toggle("folded");
  $("tray-fold").setAttribute("aria-expanded", open);
  $("tray-fold").textContent = open ? "–" : "+";
});
addEventListener("beforeunload", (event) => {
  if (uploads.all.some((one) => ["waiting", "sending"].includes(one.state))) event.preventDefault();
});
