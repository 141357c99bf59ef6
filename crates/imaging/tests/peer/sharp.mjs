// What sharp makes of pictures that are drawn by code: node sharp.mjs > sharp.json (needs sharp; its version is written
// into the result). tests/effects.rs draws the same pictures and compares.
import sharp from "sharp";

const [width, height] = [96, 64];

const draw = (pixel) => {
  const data = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i += 1) {
    pixel(i % width, Math.floor(i / width)).forEach((value, channel) => {
      data[i * 3 + channel] = value;
    });
  }
  return data;
};

const fixtures = {
  gradient: draw((x, y) => [Math.floor((x * 255) / 95), Math.floor((y * 255) / 63), 96]),
  checkers: draw((x, y) => {
    const side = 16 >> Math.floor(x / 32);
    return (Math.floor(x / side) + Math.floor(y / side)) % 2 === 0 ? [230, 40, 30] : [20, 60, 200];
  }),
  framed: draw((x, y) => (x >= 20 && x < 70 && y >= 11 && y < 41 ? [x * 2, 90, y * 3] : [240, 238, 242])),
  spot: draw((x, y) => (Math.hypot(x - 75, y - 30) < 12 ? [210, 155, 120] : [90, 130, 190])),
};

const open = (name) => sharp(fixtures[name], { raw: { width, height, channels: 3 } });
const kernel = (name) => open("checkers").resize({ width: 36, kernel: name });

const cases = [
  ["gradient", "w=24&invert=1", open("gradient").resize(24).negate({ alpha: false })],
  ["gradient", "w=24&gray=1", open("gradient").resize(24).greyscale()],
  ["gradient", "w=24&tint=cc8040", open("gradient").resize(24).tint("#cc8040")],
  ["gradient", "w=24&tint=2040ff", open("gradient").resize(24).tint("#2040ff")],
  ["checkers", "w=36", kernel("lanczos3")],
  ["checkers", "kernel=lanczos2&w=36", kernel("lanczos2")],
  ["checkers", "kernel=mitchell&w=36", kernel("mitchell")],
  ["checkers", "kernel=cubic&w=36", kernel("cubic")],
  ["checkers", "kernel=linear&w=36", kernel("linear")],
  ["framed", "trim=10", open("framed").trim()],
  ["framed", "trim=60", open("framed").trim({ threshold: 60 })],
  ["framed", "trim=10,f0eef2&w=20", open("framed").trim({ background: "#f0eef2" }).resize(20)],
  ["spot", "fit=cover&g=smart&h=32&w=32", open("spot").resize(32, 32, { position: "attention" })],
  ["spot", "fit=cover&g=entropy&h=32&w=32", open("spot").resize(32, 32, { position: "entropy" })],
];

const results = [];
for (const [fixture, query, pipeline] of cases) {
  const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
  results.push({ fixture, query, width: info.width, height: info.height, channels: info.channels, pixels: data.toString("hex") });
}
console.log(JSON.stringify({ versions: { sharp: sharp.versions.sharp, vips: sharp.versions.vips }, results }, null, 0).replaceAll("},{", "},\n{"));
