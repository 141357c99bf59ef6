// A thousand clients want one rendition that is not there; forty of the first hang up at once. Budget: one decode, and
// everybody who stayed gets the same bytes.
import http from "k6/http";
import { Counter } from "k6/metrics";
import { base, browser, decodes, fetch, isPicture, run, wrong } from "./target.js";

const decoded = new Counter("decodes");
const url = `${base}/img/landscape.jpg?w=701&f=webp&cb=${run}`;

export const options = {
  setupTimeout: "30s",
  scenarios: {
    leavers: { executor: "per-vu-iterations", vus: 40, iterations: 1, exec: "leave" },
    crowd: { executor: "per-vu-iterations", vus: 960, iterations: 1, maxDuration: "28s", exec: "stay" },
    judge: { executor: "per-vu-iterations", vus: 1, iterations: 1, startTime: "30s", exec: "judge" },
  },
  thresholds: { wrong_answers: ["rate==0"], decodes: ["count==1"] },
};

export function setup() {
  return { before: decodes() };
}

export function leave() {
  http.get(url, Object.assign({ timeout: "15ms", responseType: "none" }, browser));
}

export function stay() {
  fetch(url);
}

// After the crowd: what it cost, and whether the rendition stayed.
export function judge(data) {
  decoded.add(decodes() - data.before);
  wrong.add(!isPicture(fetch(url)));
}
