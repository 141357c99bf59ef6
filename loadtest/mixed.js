// A day in short: mostly hits, some revalidations, some misses, a few wrong URLs. Budget: every answer right; at least 85 %
// hits or 304; no accepted request lost (refused connections do not count: LOAD_DRAIN stops the server in the middle).
import http from "k6/http";
import { Counter } from "k6/metrics";
import { base, browser, fetch, hits, isHit, isPicture, popular, refused, run, seconds, wrong } from "./target.js";

const lost = new Counter("lost_requests");
const CONNECTION_REFUSED = 1212;

export const options = {
  scenarios: { mixed: { executor: "constant-vus", vus: 32, duration: `${seconds}s` } },
  thresholds: { wrong_answers: ["rate==0"], cache_hits: ["rate>=0.85"], lost_requests: ["count==0"] },
};

function ask(url, headers) {
  const response = http.get(url, { responseType: "binary", headers: Object.assign({}, browser.headers, headers) });
  if (response.status === 0) {
    if (response.error_code !== CONNECTION_REFUSED) lost.add(1, { error: response.error });
    return null;
  }
  return response;
}

const etags = {};

export default function () {
  const dice = Math.random();
  const url = popular[Math.floor(Math.random() * popular.length)];
  if (dice < 0.8) {
    const response = ask(url);
    if (!response) return;
    wrong.add(!isPicture(response));
    hits.add(isHit(response));
    etags[url] = response.headers["Etag"];
  } else if (dice < 0.93 && etags[url]) {
    const response = ask(url, { "If-None-Match": etags[url] });
    if (!response) return;
    wrong.add(response.status !== 304);
    hits.add(true);
  } else if (dice < 0.97) {
    const response = ask(`${base}/img/river.jpg?w=${50 + Math.floor(dice * 1000)}&f=webp&cb=${run}-${__VU}-${__ITER}`);
    if (!response) return;
    const busy = response.status === 503 && response.headers["Retry-After"] !== undefined;
    if (busy) refused.add(1);
    wrong.add(!(busy || isPicture(response)));
    hits.add(isHit(response));
  } else {
    const missing = Math.random() < 0.5;
    const response = ask(missing ? `${base}/img/not-there.jpg?w=10` : `${base}/img/river.jpg?w=banana`);
    if (!response) return;
    wrong.add(response.status !== (missing ? 404 : 400));
  }
}
