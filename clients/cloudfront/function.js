// A CloudFront Function (JavaScript runtime 2.0, event type viewer request) for Tintype's signed URLs.
//
// MODE 'verify': answers 403 at the edge where a URL is not rightly signed, so that nobody reaches the origin with it.
// MODE 'sign':   signs what viewers ask for unsigned. For distributions that decide by other means who may ask (signed
//                cookies, a WAF, presets-only routes); it makes everything signed that reaches it.
//
// Associate a KeyValueStore with one entry per key: its name is the kid, its value the secret. `first` names the key
// that URLs without a kid belong to, and the one that signs. Rotate: add the new key, change `first`, remove the old
// one when the URLs that it signed have expired.
//
// Put `kid`, `exp` and `s` into the cache policy's query strings only if they are to be in CloudFront's key; the origin
// request policy has to forward them either way.
import cf from 'cloudfront';
import crypto from 'crypto';

const MODE = 'verify';
// Whether the host is part of what is signed: signing.host of the server.
const HOST = false;

const kvs = cf.kvs();

async function handler(event) {
  const request = event.request;
  const query = rawQuery(request);
  const asked = read(request.uri, query);
  if (MODE === 'sign') {
    if (!asked || asked.s !== undefined || asked.kid !== undefined || asked.exp !== undefined) return refuse('malformed');
    const kid = await secretOf('first');
    const secret = await secretOf(kid);
    if (secret === undefined) return refuse('unknown-kid');
    asked.pairs.push('kid=' + kid);
    const s = hmac(secret, request, asked.pairs);
    request.querystring = (query === '' || query.endsWith('&') ? query : query + '&') + 'kid=' + kid + '&s=' + s;
    return request;
  }
  if (!asked) return refuse('malformed');
  if (asked.s === undefined) return refuse('missing');
  const secret = await secretOf(asked.kid === undefined ? await secretOf('first') : asked.kid);
  if (secret === undefined) return refuse('unknown-kid');
  if (!equal(hmac(secret, request, asked.pairs), asked.s)) return refuse('mismatch');
  if (asked.exp !== undefined && Date.now() / 1000 >= Number(asked.exp)) return refuse('expired');
  return request;
}

// The query as the viewer sent it; rebuilt from CloudFront's own parsing where the runtime gives no raw one. The order
// of the pairs does not matter: they are sorted before they are signed.
function rawQuery(request) {
  const raw = typeof request.rawQueryString === 'function' ? request.rawQueryString() : undefined;
  if (raw) return raw;
  const pairs = [];
  Object.keys(request.querystring || {}).forEach((name) => {
    const entry = request.querystring[name];
    (entry.multiValue || [entry]).forEach((one) => pairs.push(one.value === '' ? name : name + '=' + one.value));
  });
  return pairs.join('&');
}

// Takes a request apart as far as a signature needs it; nothing is decoded. Undefined where it is malformed.
function read(path, query) {
  if (path.length + query.length > 16384) return undefined;
  if (!/^\/[!-"$->@-~]*$/.test(path) || !/^[!-"$-~]*$/.test(query)) return undefined;
  const own = { pairs: [] };
  const all = query.split('&');
  for (let i = 0; i < all.length; i += 1) {
    const pair = all[i];
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    const value = at < 0 ? '' : pair.slice(at + 1);
    if (name.includes('%') || (pair !== '' && own.pairs.length >= 128)) return undefined;
    if (name === 's' || name === 'kid' || name === 'exp') {
      const form = { s: /^[A-Za-z0-9_-]{1,64}$/, kid: /^[A-Za-z0-9._-]{1,64}$/, exp: /^0*[1-9][0-9]*$/ }[name];
      if (own[name] !== undefined || !form.test(value) || (name === 'exp' && value.length > 11)) return undefined;
      own[name] = value;
    }
    if (pair !== '' && name !== 's') own.pairs.push(pair);
  }
  return own;
}

async function secretOf(name) {
  try {
    return await kvs.get(name);
  } catch (_unknown) {
    return undefined;
  }
}

function hmac(secret, request, pairs) {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const host = HOST ? request.headers.host.value.toLowerCase() : '';
  const message = ['tintype-v1', method, host, request.uri, pairs.sort().join('&')].join('\n');
  return crypto.createHmac('sha256', secret).update(message).digest('base64url');
}

// Takes the same time wherever the difference is.
function equal(a, b) {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i += 1) difference |= a.charCodeAt(i) ^ b.charCodeAt(i % b.length);
  return difference === 0;
}

function refuse(reason) {
  return {
    statusCode: 403,
    statusDescription: 'Forbidden',
    headers: { 'cache-control': { value: 'no-store' }, 'content-type': { value: 'application/problem+json' } },
    body: JSON.stringify({ title: 'The URL is not signed, or not rightly', status: 403, detail: reason }),
  };
}
