// Nothing is in memory: every URL is new. Budget: every answer right or an honest 503 with Retry-After; none a hit; and
// the server takes more work than it refuses.
import { fetch, hits, isHit, run, seconds } from "./target.js";
import { base, refused } from "./target.js";
import { Rate } from "k6/metrics";

const served = new Rate("served");

export const options = {
  scenarios: { misses: { executor: "constant-vus", vus: 16, duration: `${seconds}s` } },
  thresholds: { wrong_answers: ["rate==0"], cache_hits: ["rate==0"], served: ["rate>0.5"] },
};

const names = ["river.jpg", "barn.jpg", "statue.png", "portrait.webp", "logo.png", "landscape.jpg"];

export default function () {
  const name = names[__ITER % names.length];
  const format = ["webp", "jpeg"][__ITER % 2];
  const response = fetch(`${base}/img/${name}?w=${100 + (__ITER % 400)}&f=${format}&cb=${run}-${__VU}-${__ITER}`);
  hits.add(isHit(response));
  served.add(response.status === 200);
}
export { refused };
