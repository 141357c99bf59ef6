// Signs URLs for Tintype, and verifies them. No dependencies: Web Crypto, as browsers, Node.js (20 and later), Deno and
// workers have it. Never ship a secret to a browser that you do not trust; sign there only with a key that is bound to
// little (prefix, parameters, not_after).
//
//   import { sign } from './tintype-sign.mjs';
//   await sign('/img/cats/tom%20cat.jpg?w=800&f=auto', { kid: 'k1', secret, expires: 1800000000 });

const VERSION = 'tintype-v1';
const MAX_TARGET_BYTES = 16384;
const MAX_PAIRS = 128;

/**
 * The target (or URL) with `kid`, `exp` and `s` added at the end of its query.
 *
 * @param {string} url a path with its query, or a whole URL, percent-escaped as it will be sent
 * @param {object} key
 * @param {string} key.kid the key's id
 * @param {string|Uint8Array} key.secret the key's secret, at least 16 bytes
 * @param {number} [key.expires] Unix seconds from which on the URL is void
 * @param {boolean} [key.host] whether the server signs hosts too (`signing.host`); then `url` is a whole URL
 * @returns {Promise<string>}
 */
export async function sign(url, { kid, secret, expires, host = false }) {
  const { origin, name, path, query } = split(url);
  const bare = read(path, query);
  if (bare.s !== undefined || bare.kid !== undefined || bare.exp !== undefined) {
    throw new Error('the URL has an `s`, `kid` or `exp` already');
  }
  if (!isKeyId(kid)) throw new Error('a key id is 1 to 64 of A-Z a-z 0-9 . _ -');
  let sealed = query === '' || query.endsWith('&') ? query : `${query}&`;
  sealed += `kid=${kid}`;
  if (expires !== undefined) sealed += `&exp=${expires}`;
  const { pairs } = read(path, sealed);
  const s = await hmac(secret, message('GET', boundHost(host, name), path, pairs));
  return `${origin}${path}?${sealed}&s=${encode(s)}`;
}

/**
 * Whether a request is rightly signed by one of `keys`, and until when.
 *
 * @param {string} url as the client sent it
 * @param {{kid: string, secret: string|Uint8Array, host?: boolean}[]} keys the first also serves URLs without `kid`
 * @param {object} request
 * @param {number} request.now Unix seconds
 * @param {string} [request.method]
 * @param {string} [request.hostName] the Host that the client named, where `url` is a target alone
 * @returns {Promise<{ok: true, kid: string, expires?: number} | {ok: false, refused: string}>}
 */
export async function verify(url, keys, { now, method = 'GET', hostName }) {
  let parts;
  try {
    parts = split(url);
    parts = { ...parts, ...read(parts.path, parts.query) };
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(method)) throw new Error('method');
  } catch {
    return { ok: false, refused: 'malformed' };
  }
  if (parts.s === undefined) return { ok: false, refused: 'missing' };
  const found = decode(parts.s);
  if (found === undefined) return { ok: false, refused: 'malformed' };
  const key = parts.kid === undefined ? keys[0] : keys.find(({ kid }) => kid === parts.kid);
  if (key === undefined) return { ok: false, refused: 'unknown-kid' };
  let host;
  try {
    host = boundHost(key.host, parts.name ?? hostName);
  } catch {
    return { ok: false, refused: 'malformed' };
  }
  const expected = await hmac(key.secret, message(method, host, parts.path, parts.pairs));
  if (!equal(expected, found)) return { ok: false, refused: 'mismatch' };
  if (parts.exp !== undefined && now >= parts.exp) return { ok: false, refused: 'expired' };
  return { ok: true, kid: key.kid, ...(parts.exp === undefined ? {} : { expires: parts.exp }) };
}

function split(url) {
  const [, origin, name] = /^(https?:\/\/([^/?#]*))\//.exec(url) ?? [, '', undefined];
  const target = url.slice(origin.length);
  const at = target.indexOf('?');
  const path = at < 0 ? target : target.slice(0, at);
  return { origin, name, path, query: at < 0 ? '' : target.slice(at + 1) };
}

// Takes a query apart as far as a signature needs it; nothing is decoded.
function read(path, query) {
  if (path.length + query.length > MAX_TARGET_BYTES) throw new Error('the URL is too long');
  if (!/^\/[!-"$->@-~]*$/.test(path) || !/^[!-"$-~]*$/.test(query)) {
    throw new Error('a URL is percent-escaped ASCII, and its path begins with /');
  }
  const own = {};
  const pairs = [];
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    const value = at < 0 ? '' : pair.slice(at + 1);
    if (name.includes('%')) throw new Error('names of parameters have no escapes');
    if (pairs.length >= MAX_PAIRS) throw new Error('the URL has too many parameters');
    if (name === 's' || name === 'kid' || name === 'exp') {
      if (own[name] !== undefined) throw new Error(`\`${name}\` is there twice`);
      if (name === 's' && value === '') throw new Error('`s` is empty');
      if (name === 'kid' && !isKeyId(value)) throw new Error('`kid` is no key id');
      if (name === 'exp' && !(/^[0-9]{1,11}$/.test(value) && Number(value) > 0)) {
        throw new Error('`exp` is no time in Unix seconds');
      }
      own[name] = name === 'exp' ? Number(value) : value;
    }
    if (name !== 's') pairs.push(pair);
  }
  return { ...own, pairs: pairs.sort() };
}

function message(method, host, path, pairs) {
  return [VERSION, method === 'HEAD' ? 'GET' : method, host, path, pairs.join('&')].join('\n');
}

function boundHost(bound, name) {
  if (!bound) return '';
  if (!/^[!-~]+$/.test(name ?? '')) throw new Error('the host is signed, so the URL has to name it');
  return name.toLowerCase();
}

function isKeyId(text) {
  return /^[A-Za-z0-9._-]{1,64}$/.test(text);
}

async function hmac(secret, text) {
  const utf8 = new TextEncoder();
  const bytes = typeof secret === 'string' ? utf8.encode(secret) : secret;
  if (bytes.length < 16) throw new Error('a secret has at least 16 bytes');
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', bytes, algorithm, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8.encode(text)));
}

function encode(bytes) {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

// Strict: the one text that `encode` gives for these bytes, or nothing.
function decode(text) {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(text) || text.length % 4 === 1) return undefined;
  const bytes = Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  return encode(bytes) === text ? bytes : undefined;
}

// Takes the same time wherever the difference is.
function equal(a, b) {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i += 1) difference |= a[i] ^ (b[i] ?? 0);
  return difference === 0;
}
