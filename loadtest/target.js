// What the scenarios share: where the server is, its samples, and how an answer is judged.
import http from "k6/http";
import { Counter, Rate } from "k6/metrics";

export const base = __ENV.TINTYPE_URL || "http://127.0.0.1:8080";
export const admin = __ENV.TINTYPE_ADMIN || "http://127.0.0.1:8081";
export const seconds = Number(__ENV.LOAD_SECONDS || 20);
// Changes with every run, so that a "miss" is one.
export const run = __ENV.LOAD_RUN || "run";

export const wrong = new Rate("wrong_answers"); // anything but what HTTP and the scenario promise
export const hits = new Rate("cache_hits");
export const refused = new Counter("refused_for_lack_of_room"); // 503 with Retry-After: an answer, not an error

// A few dozen renditions, in several formats, that stay in the memory tier.
export const popular = [];
for (const name of ["river.jpg", "barn.jpg", "aeroplane.jpg", "lighthouse.jpg", "statue.png", "portrait.webp", "logo.png"]) {
  for (const w of [64, 160, 320, 480]) {
    popular.push(`${base}/img/${name}?w=${w}&f=auto`);
  }
}
export const browser = { headers: { Accept: "image/webp,image/*,*/*;q=0.8" } };

export function fetch(url, params) {
  const response = http.get(url, Object.assign({ responseType: "binary" }, browser, params));
  const busy = response.status === 503 && response.headers["Retry-After"] !== undefined;
  if (busy) refused.add(1);
  wrong.add(!(busy || isPicture(response)));
  return response;
}

export function isPicture(response) {
  const type = response.headers["Content-Type"] || "";
  const length = Number(response.headers["Content-Length"]);
  return response.status === 200 && type.startsWith("image/") && response.body.byteLength === length && length > 50;
}

export function isHit(response) {
  return /^tintype;.*\bhit\b/.test(response.headers["Cache-Status"] || "");
}

// How many originals were decoded since the server started.
export function decodes() {
  const text = http.get(`${admin}/metrics`, { tags: { name: "metrics" } }).body;
  const found = /^tintype_stage_seconds_count\{stage="decode"\} (\d+)/m.exec(text);
  return found ? Number(found[1]) : 0;
}
