// The signer against ../vectors.json: node clients/javascript/test.mjs
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { sign, verify } from './tintype-sign.mjs';

const vectors = JSON.parse(await readFile(new URL('../vectors.json', import.meta.url), 'utf8'));
const keys = vectors.keys;
for (const { name, url, kid, expires, signed } of vectors.sign) {
  const key = keys.find((known) => known.kid === kid);
  assert.equal(await sign(url, { ...key, ...(expires === null ? {} : { expires }) }), signed, name);
}
for (const { name, url, kid } of vectors.not_signed) {
  const key = keys.find((known) => known.kid === kid);
  await assert.rejects(sign(url, key), name);
}
for (const { name, method, url, now, expect } of vectors.verify) {
  const found = await verify(url, keys, { now, method });
  assert.equal(found.ok ? 'ok' : found.refused, expect, name);
}
console.log(`${vectors.sign.length + vectors.not_signed.length + vectors.verify.length} vectors hold`);
