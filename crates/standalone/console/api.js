// All that the console asks of the server: who is signed in, pictures, search. The only file that knows paths and shapes.
//
// The access token lives in memory alone. The refresh token is in an HttpOnly cookie that scripts cannot read; the server
// sets and rotates it (crates/standalone/src/session.rs). Tabs share it, so that only one of them refreshes at a time.

export class Refusal extends Error {
  constructor(status, problem = {}) {
    super(problem.detail || problem.title || `The server answered ${status}.`);
    this.status = status;
    this.code = problem.code ?? "";
    this.errors = problem.errors ?? [];
  }
}

let token = null; // { text, until }
let account = null;
let lost = () => {};

export const whenLost = (then) => { lost = then; };
export const who = () => account;

async function send(method, path, { json, headers = {}, body, signal } = {}) {
  if (json !== undefined) {
    headers = { ...headers, "Content-Type": headers["Content-Type"] ?? "application/json" };
    body = JSON.stringify(json);
  }
  try {
    return await fetch(path, { method, headers, body, signal, credentials: "same-origin", cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, { detail: "The server does not answer. It may have been stopped, or the network is down." });
  }
}

async function read(answer) {
  const type = answer.headers.get("Content-Type") ?? "";
  const value = type.includes("json") ? await answer.json().catch(() => ({})) : null;
  if (!answer.ok) throw new Refusal(answer.status, value ?? {});
  return { value, etag: answer.headers.get("ETag"), headers: answer.headers };
}

function keep(grant) {
  account = grant;
  // A minute early, so that a request on its way does not come too late.
  token = { text: grant.accessToken, until: Date.now() + Math.max(5, grant.expiresIn - 60) * 1000 };
}

async function refresh() {
  const ask = async () => keep((await read(await send("POST", "/console/session/refresh", { json: {} }))).value);
  // Two tabs that show the same refresh token would look like a thief and its victim.
  return navigator.locks ? navigator.locks.request("tintype-refresh", ask) : ask();
}

// The header that every request carries; refreshed where it is over.
export async function bearer() {
  if (!token || Date.now() > token.until) {
    try {
      await refresh();
    } catch (error) {
      if (error.status === 401) { token = account = null; lost(); }
      throw error;
    }
  }
  return { Authorization: `Bearer ${token.text}` };
}

async function call(method, path, options = {}) {
  for (let tries = 0; ; tries += 1) {
    const headers = { ...(await bearer()), ...options.headers };
    try {
      return await read(await send(method, path, { ...options, headers }));
    } catch (error) {
      if (error.status !== 401 || tries > 0) throw error;
      token = null; // it was revoked or the server has other keys: one more try with a new one
    }
  }
}

// ---- session

export async function signIn(email, password) {
  keep((await read(await send("POST", "/console/session", { json: { email, password } }))).value);
  return account;
}

export async function resume() {
  await refresh();
  return account;
}

export async function signOut() {
  try {
    await read(await send("DELETE", "/console/session", { headers: await bearer() }));
  } finally {
    token = account = null;
  }
}

// ---- pictures

const asset = (id) => `/ingest/v1/assets/${encodeURIComponent(id)}`;

// What the server tells of one: its record, and the path of its URLs.
const whole = ({ asset: record, url }) => ({ ...record, url });

export async function one(id, signal) {
  return whole((await call("GET", asset(id), { signal })).value);
}

export async function edit(picture, changes) {
  return whole((await call("PATCH", asset(picture.id), { json: changes, headers: { "If-Match": `"r${picture.revision}"` } })).value);
}

export async function remove(picture) {
  return whole((await call("DELETE", asset(picture.id), { headers: { "If-Match": `"r${picture.revision}"` } })).value);
}

export async function restore(id) {
  return whole((await call("POST", `${asset(id)}/restore`, { json: {} })).value);
}

export async function versions(id) {
  return (await call("GET", `${asset(id)}/versions`)).value;
}

export async function restoreVersion(picture, version) {
  return whole((await call("POST", `${asset(picture.id)}/versions/${version}/restore`, { headers: { "If-Match": `"r${picture.revision}"` } })).value);
}

export async function deleted(cursor) {
  const query = new URLSearchParams({ state: "deleted", limit: "60", ...(cursor && { cursor }) });
  const page = (await call("GET", `/ingest/v1/assets?${query}`)).value;
  return { ...page, items: page.items.map(whole) };
}

// ---- search

export async function search(query, signal) {
  return (await call("GET", `/search/v1/assets?${query}`, { signal })).value;
}

export async function suggest(text, signal) {
  return (await call("GET", `/search/v1/suggest?${new URLSearchParams({ q: text, limit: "6" })}`, { signal })).value.suggestions;
}

// ---- URLs

// The URL of a rendition, signed by the server's key for so many seconds.
export async function sign(picture, query, expiresIn = 86400) {
  const json = { path: picture.path, query, expiresIn };
  return (await call("POST", `/auth/v1/tenants/${encodeURIComponent(picture.tenant)}/urls`, { json })).value.url;
}

// What the server tells of itself before anybody signs in: the edge's route, its parameters, whether URLs are signed.
export async function about() {
  return (await read(await send("GET", "/console/about.json"))).value;
}
