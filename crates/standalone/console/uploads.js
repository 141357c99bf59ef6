// Uploads by tus 1.0: several at once, each with its progress, resumed where it broke off, also after the page was closed
// (the same file given again goes on where it was).

import { bearer, Refusal } from "./api.js";

const TUS = { "Tus-Resumable": "1.0.0" };
const CREATE = "/ingest/v1/uploads";
const AT_ONCE = 3;
const PART = 8 << 20; // bytes of one request
const TRIES = 6; // of a part, with pauses between that grow
const MEMORY = "tintype-uploads"; // file → upload, for files that are given again

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const sleep = (time) => new Promise((done) => setTimeout(done, time));

function remembered() {
  try { return JSON.parse(localStorage.getItem(MEMORY) ?? "{}"); } catch { return {}; }
}

function remember(key, url) {
  const all = remembered();
  if (url) all[key] = url; else delete all[key];
  try { localStorage.setItem(MEMORY, JSON.stringify(Object.fromEntries(Object.entries(all).slice(-200)))); } catch { /* private windows have none */ }
}

// One request of the protocol; XMLHttpRequest, since fetch tells no progress of what is sent.
async function ask(method, url, headers, body, { onprogress, signal } = {}) {
  const all = { ...(await bearer()), ...TUS, ...headers };
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(all)) request.setRequestHeader(name, value);
    const abort = () => request.abort();
    signal?.addEventListener("abort", abort, { once: true });
    request.upload.onprogress = (event) => onprogress?.(event.loaded);
    request.onload = () => {
      signal?.removeEventListener("abort", abort);
      if (request.status < 300) return done(request);
      let problem = {};
      try { problem = JSON.parse(request.responseText); } catch { /* not every refusal has a document */ }
      failed(Object.assign(new Refusal(request.status, problem), { offset: request.getResponseHeader("Upload-Offset") }));
    };
    request.onerror = () => failed(new Refusal(0, { detail: "The connection broke." }));
    request.onabort = () => failed(new DOMException("stopped", "AbortError"));
    request.send(body ?? null);
  });
}

export class Upload {
  constructor(file, path, { replace = null } = {}) {
    Object.assign(this, { file, path, replace, state: "waiting", sent: 0, problem: "", asset: null });
    this.key = [path, replace?.id ?? "", file.name, file.size, file.lastModified].join("|");
  }

  stop(state) {
    this.state = state;
    this.abort?.abort();
  }

  // Sends what the server does not have yet.
  async run(tell) {
    this.abort = new AbortController();
    const { signal } = this.abort;
    let url = remembered()[this.key] ?? null;
    let offset = url ? await this.ask(url, signal) : null;
    if (offset === null) {
      url = await this.create(signal);
      offset = 0;
    }
    let answer = null;
    for (let tries = 0; offset < this.file.size || !answer;) {
      const part = this.file.slice(offset, offset + PART);
      const from = offset;
      try {
        const headers = { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
        answer = await ask("PATCH", url, headers, part, { signal, onprogress: (sent) => { this.sent = from + sent; tell(this); } });
        offset = Number(answer.getResponseHeader("Upload-Offset"));
        tries = 0;
      } catch (error) {
        const passing = [0, 409, 423, 429, 500, 502, 503, 504].includes(error.status);
        if (error.name === "AbortError" || !passing || ++tries >= TRIES) throw this.over(error);
        await sleep(Math.min(15000, 400 * 2 ** tries) * (0.5 + Math.random() / 2));
        offset = (await this.ask(url, signal).catch(() => offset)) ?? offset;
      }
      this.sent = offset;
      tell(this);
    }
    remember(this.key, null);
    return answer.getResponseHeader("Tintype-Asset");
  }

  // Refused for good: the same file would be refused again where it goes on.
  over(error) {
    if (error.status >= 400 && error.status < 500) remember(this.key, null);
    return error;
  }

  async create(signal) {
    const { file, path, replace } = this;
    const said = { filename: file.name, path, filetype: file.type };
    const metadata = Object.entries(said).filter(([, value]) => value).map(([name, value]) => `${name} ${base64(value)}`).join(",");
    const only = replace ? { "If-Match": `"r${replace.revision}"` } : {};
    const answer = await ask("POST", CREATE, { "Upload-Length": String(file.size), "Upload-Metadata": metadata, ...only }, null, { signal });
    const url = new URL(answer.getResponseHeader("Location"), location.href).pathname;
    remember(this.key, url);
    return url;
  }

  // How much the server has; null where it no longer knows of it.
  async ask(url, signal) {
    try {
      const answer = await ask("HEAD", url, {}, null, { signal });
      const offset = Number(answer.getResponseHeader("Upload-Offset"));
      this.sent = offset;
      return offset;
    } catch (error) {
      if ([403, 404, 410].includes(error.status)) return null;
      throw error;
    }
  }
}

// The queue of all uploads. `tell(upload)` is called whenever one has changed.
export class Uploads {
  constructor(tell) {
    Object.assign(this, { all: [], tell, running: 0 });
  }

  add(upload) {
    this.all.push(upload);
    this.tell(upload);
    this.next();
  }

  again(upload) {
    upload.state = "waiting";
    upload.problem = "";
    this.tell(upload);
    this.next();
  }

  drop(upload) {
    upload.stop("cancelled");
    this.all = this.all.filter((one) => one !== upload);
    this.tell(upload);
  }

  next() {
    while (this.running < AT_ONCE) {
      const upload = this.all.find((one) => one.state === "waiting");
      if (!upload) return;
      this.running += 1;
      this.work(upload).finally(() => { this.running -= 1; this.next(); });
    }
  }

  async work(upload) {
    upload.state = "sending";
    this.tell(upload);
    try {
      upload.asset = await upload.run(this.tell);
      upload.state = "done";
    } catch (error) {
      if (upload.state === "sending") {
        upload.state = "failed";
        upload.problem = error.message;
      }
    }
    this.tell(upload);
  }
}

// The pictures of a drop, folders and all: [file, path below what was dropped].
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return [...transfer.files].map((file) => [file, file.name]);
  const found = [];
  const walk = async (entry, above) => {
    if (entry.isFile) {
      const file = await new Promise((done, failed) => entry.file(done, failed));
      found.push([file, above + entry.name]);
    } else {
      const reader = entry.createReader();
      // A reader gives some at a time, and none at its end.
      for (let some; (some = await new Promise((done, failed) => reader.readEntries(done, failed))).length > 0;) {
        for (const child of some) await walk(child, `${above}${entry.name}/`);
      }
    }
  };
  for (const entry of entries) await walk(entry, "");
  return found;
}

// A name as it may stand in a URL: see the rules of published names.
export function published(name) {
  return name.normalize("NFC").replace(/[\u0000-\u001f\u007f]/g, "").split("/").map((part) => part.trim()).filter((part) => part && part !== "." && part !== "..").join("/");
}
