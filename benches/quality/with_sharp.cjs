// What sharp makes of references: SPEC (JSON: format, options, dials) OUT-FOLDER REFERENCE.png…; one line of JSON an encode.
// Pixels are decoded before the clock starts; one thread a picture; time is CPU time of the whole process.
const fs = require("fs");
const path = require("path");
const sharp = require("sharp");

sharp.cache(false);
sharp.concurrency(1);
const [specText, folder, ...references] = process.argv.slice(2);
const { format, options, dials } = JSON.parse(specText);

async function main() {
  for (const reference of references) {
    const { data, info } = await sharp(reference).raw().toBuffer({ resolveWithObject: true });
    const raw = { width: info.width, height: info.height, channels: info.channels };
    const encode = (quality) => sharp(data, { raw })[format]({ ...options, quality }).toBuffer();
    // Slow work needs no warming up.
    if (format !== "avif") await encode(dials[0]);
    for (const q of dials) {
      const before = process.cpuUsage();
      const bytes = await encode(q);
      const { user, system } = process.cpuUsage(before);
      const file = path.join(folder, `${path.basename(reference, ".png")}.sharp-${q}.${format}`);
      fs.writeFileSync(file, bytes);
      console.log(JSON.stringify({ picture: reference, q, bytes: bytes.length, file, ms: (user + system) / 1e3 }));
    }
  }
}

main();
