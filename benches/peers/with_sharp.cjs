// The same work by sharp: FILE SPEC THREADS SECONDS, one line of JSON. Caches off, one thread a picture; UV_THREADPOOL_SIZE
// is set by compare.py to the number of pictures in flight.
const fs = require("fs");
const sharp = require("sharp");

sharp.cache(false);
sharp.concurrency(1);
const [file, specText, threads, seconds] = process.argv.slice(2);
const spec = JSON.parse(specText);
const data = fs.readFileSync(file);

function once() {
  let image = sharp(data).rotate().resize({ width: spec.width, withoutEnlargement: true });
  if (spec.format === "jpeg") image = image.jpeg({ quality: spec.q, optimiseCoding: false });
  else if (spec.format === "webp") image = image.webp({ quality: spec.q, effort: spec.effort });
  else if (spec.format === "avif") image = image.avif({ quality: spec.q, effort: spec.effort });
  else image = image.png();
  return image.toBuffer({ resolveWithObject: true });
}

async function work() {
  let last;
  for (let i = 0; i < 3; i++) last = await once();
  const start = process.hrtime.bigint();
  const elapsed = () => Number(process.hrtime.bigint() - start) / 1e9;
  const times = [];
  while (elapsed() < Number(seconds) || times.length < 3) {
    const before = elapsed();
    last = await once();
    times.push(elapsed() - before);
  }
  return { times, elapsed: elapsed(), last };
}

Promise.all(Array.from({ length: Number(threads) }, work)).then((results) => {
  const times = results.flatMap((r) => r.times).sort((a, b) => a - b);
  const { data: bytes, info } = results[0].last;
  console.log(JSON.stringify({
    rate: results.reduce((sum, r) => sum + r.times.length / r.elapsed, 0),
    median_ms: times[Math.floor(times.length / 2)] * 1e3,
    bytes: bytes.length,
    width: info.width,
    height: info.height,
  }));
  if (process.env.BENCH_OUT) fs.writeFileSync(process.env.BENCH_OUT, bytes);
});
