// Everything is in memory. Budget: every answer right, every answer a hit.
import { fetch, hits, isHit, popular, seconds } from "./target.js";

export const options = {
  discardResponseBodies: false,
  scenarios: { hits: { executor: "constant-vus", vus: 64, duration: `${seconds}s` } },
  thresholds: { wrong_answers: ["rate==0"], cache_hits: ["rate==1"], refused_for_lack_of_room: ["count==0"] },
};

export function setup() {
  for (const url of popular) {
    for (let tries = 0; tries < 50 && fetch(url).status !== 200; tries++);
  }
}

export default function () {
  hits.add(isHit(fetch(popular[Math.floor(Math.random() * popular.length)])));
}
