// Numbers, sizes and times as people read them.

const number = new Intl.NumberFormat("en");
const date = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export const count = (value) => number.format(value);
export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

export function bytes(value) {
  if (value < 1000) return `${value} B`;
  const [scaled, unit] = value < 1e6 ? [value / 1e3, "kB"] : value < 1e9 ? [value / 1e6, "MB"] : [value / 1e9, "GB"];
  return `${scaled < 100 ? scaled.toFixed(1) : number.format(Math.round(scaled))} ${unit}`;
}

export const time = (text) => (text ? date.format(new Date(text)) : "–");

export function ago(text) {
  const seconds = (new Date(text) - Date.now()) / 1000;
  for (const [size, unit] of [[86400 * 365, "year"], [86400 * 30, "month"], [86400, "day"], [3600, "hour"], [60, "minute"]]) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return "just now";
}

export const kind = (type = "") => ({ jpeg: "JPEG", png: "PNG", webp: "WebP", avif: "AVIF", gif: "GIF", "svg+xml": "SVG", tiff: "TIFF", jxl: "JPEG XL", heic: "HEIC", heif: "HEIF" })[type.replace(/^image\//, "")] ?? type;

export const name = (path) => path.split("/").at(-1);
export const folder = (path) => path.split("/").slice(0, -1).join("/");
