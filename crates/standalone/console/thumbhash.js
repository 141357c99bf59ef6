// ThumbHash → pixels: the placeholder that a picture has before it comes. A hash of about 25 bytes holds a few cosines of
// luminance (L), of yellow-blue (P) and red-green (Q), and of opacity (A); drawing it is adding them up.

const SIDE = 32; // pixels of the longer side

// Two levels a byte: 0–15 stands for -1 to 1.
function reader(bytes, start) {
  let at = start * 2;
  return () => {
    const byte = bytes[at >> 1] ?? 0x77;
    const level = at & 1 ? byte >> 4 : byte & 15;
    at += 1;
    return level / 7.5 - 1;
  };
}

// The terms of a channel lie in the triangle below the diagonal of nx × ny, without the mean.
function terms(nx, ny) {
  const all = [];
  for (let y = 0; y < ny; y += 1) {
    for (let x = y ? 0 : 1; x * ny < nx * (ny - y); x += 1) all.push([x, y]);
  }
  return all;
}

const channel = (mean, scale, nx, ny, next) => ({ mean, terms: terms(nx, ny).map(([x, y]) => [x, y, next() * scale]) });

function parse(bytes) {
  const head = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);
  const more = bytes[3] | (bytes[4] << 8);
  const alpha = head >> 23 === 1, wide = more >> 15 === 1;
  const long = alpha ? 5 : 7, short = Math.max(1, more & 7);
  const [nx, ny] = wide ? [long, short] : [short, long];
  const next = reader(bytes, alpha ? 6 : 5);
  const l = channel((head & 63) / 63, ((head >> 18) & 31) / 31, Math.max(3, nx), Math.max(3, ny), next);
  const p = channel(((head >> 6) & 63) / 31.5 - 1, (((more >> 3) & 63) / 63) * 1.25, 3, 3, next);
  const q = channel(((head >> 12) & 63) / 31.5 - 1, (((more >> 9) & 63) / 63) * 1.25, 3, 3, next);
  const a = alpha ? channel((bytes[5] & 15) / 15, (bytes[5] >> 4) / 15, 5, 5, next) : { mean: 1, terms: [] };
  return { ratio: nx / ny, l, p, q, a };
}

// For base64, or null where it is no hash: { width, height, pixels } with RGBA.
export function decode(text) {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
  } catch {
    return null;
  }
  if (bytes.length < 6) return null;
  const { ratio, l, p, q, a } = parse(bytes);
  const width = Math.round(ratio > 1 ? SIDE : SIDE * ratio), height = Math.round(ratio > 1 ? SIDE / ratio : SIDE);
  const cosines = (size) => Array.from({ length: size }, (_, at) => Array.from({ length: 7 }, (_, n) => Math.cos((Math.PI / size) * (at + 0.5) * n)));
  const [across, down] = [cosines(width), cosines(height)];
  const value = ({ mean, terms: all }, x, y) => all.reduce((sum, [cx, cy, level]) => sum + level * across[x][cx] * down[y][cy] * (cy ? 2 : 1), mean);
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [light, yellow, red] = [value(l, x, y), value(p, x, y), value(q, x, y)];
      const blue = light - (2 / 3) * yellow, r = (3 * light - blue + red) / 2;
      pixels.set([r * 255, (r - red) * 255, blue * 255, value(a, x, y) * 255], (y * width + x) * 4);
    }
  }
  return { width, height, pixels };
}

// Draws the placeholder; false where there is none.
export function draw(canvas, text) {
  const picture = text && decode(text);
  if (!picture) return false;
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d").putImageData(new ImageData(picture.pixels, picture.width, picture.height), 0, 0);
  return true;
}
