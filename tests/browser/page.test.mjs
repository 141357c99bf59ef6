// The page at /, in a real browser against the real server. Started by scripts/test-browser.sh, which sets:
// TINTYPE_BINARY, CHROMIUM, PLAYWRIGHT (the directory of playwright-core); SCREENSHOTS, a directory, is optional.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { chromium } = createRequire(import.meta.url)(process.env.PLAYWRIGHT);
const picture = "/img/landscape.jpg";

let server, base, browser, page, complaints;

async function freePort() {
  const socket = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => socket.once("listening", resolve));
  const { port } = socket.address();
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

before(async () => {
  const [port, admin] = [await freePort(), await freePort()];
  base = `http://127.0.0.1:${port}`;
  const settings = [`server.listen=127.0.0.1:${port}`, `server.admin=127.0.0.1:${admin}`, "page.enabled=true"];
  const options = ["serve", "--config", "config.toml", ...settings.flatMap((one) => ["--set", one])];
  server = spawn(process.env.TINTYPE_BINARY, options, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  for (let tries = 0; ; tries += 1) {
    assert.equal(server.exitCode, null, "the server ended");
    assert.ok(tries < 200, "the server is not ready after 20 s");
    const answer = await fetch(`http://127.0.0.1:${admin}/readyz`).catch(() => null);
    if (answer?.ok) break;
    await sleep(100);
  }
  // Chromium's sandbox needs a user other than root.
  const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args });
});

after(async () => {
  await browser?.close();
  if (server && server.exitCode === null) {
    server.kill("SIGTERM");
    await new Promise((resolve) => server.once("exit", resolve));
  }
});

beforeEach(async () => {
  complaints = [];
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(20_000);
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) complaints.push(message.text()); });
  page.on("pageerror", (error) => complaints.push(error.message));
});

afterEach(async (context) => {
  if (process.env.SCREENSHOTS) {
    await page.screenshot({ path: `${process.env.SCREENSHOTS}/${context.name.replaceAll(/\W+/g, "-")}.png` });
  }
  await page.close();
});

const fact = (name) => page.locator(`#fact-${name}`).textContent();
const pixels = (text) => page.locator("#fact-pixels", { hasText: text }).waitFor();

test("the page shows every sample and a picture, in AVIF", async () => {
  const negotiated = page.waitForResponse((answer) => answer.url() === `${base}${picture}?w=800&f=auto`);
  await page.goto(base);
  const answer = await negotiated;
  assert.equal(answer.headers()["content-type"], "image/avif");
  assert.match(answer.headers()["cache-status"], /^tintype; /);
  await pixels("800 × 600");
  assert.equal(await fact("format"), "AVIF");
  const listed = await (await fetch(`${base}/_tintype/samples.json`)).json();
  assert.ok(listed.length >= 5, `${listed.length} samples`);
  const cards = page.locator("#samples img");
  assert.equal(await cards.count(), listed.length);
  await page.waitForFunction(() => [...document.querySelectorAll("#samples img, #source-picture")].every((one) => one.naturalWidth > 0));
  assert.deepEqual(complaints, []);
});

test("changing the width changes the picture, its URL and its facts", async () => {
  await page.goto(base);
  await pixels("800 × 600");
  const before = await page.locator("#picture").getAttribute("src");
  await page.fill("#w", "320");
  await pixels("320 × 240");
  assert.notEqual(await page.locator("#picture").getAttribute("src"), before);
  assert.equal(await page.locator("#picture").evaluate((one) => one.naturalWidth), 320);
  assert.equal(await page.locator("#address").textContent(), `${base}${picture}?w=320&f=auto`);
  assert.equal(new URL(page.url()).hash, `#${picture}?w=320&f=auto`);
  await page.click("#again");
  await page.locator("#fact-cache.hit").waitFor();
  await page.reload();
  await pixels("320 × 240");
  assert.deepEqual(complaints, []);
});

test("a click on the original sets the focal point, and the picture is cut there", async () => {
  await page.goto(`${base}/#${picture}?w=300&h=300&fit=cover&f=webp`);
  await pixels("300 × 300");
  const middle = await (await fetch(`${base}${picture}?w=300&h=300&fit=cover&f=webp`)).arrayBuffer();
  const box = await page.locator("#source-picture").boundingBox();
  await page.locator("#source-picture").click({ position: { x: box.width - 2, y: box.height / 2 } });
  await page.waitForFunction(() => /g=fp:(0\.9\d*|1):/.test(decodeURIComponent(location.hash)));
  const url = await page.locator("#address").textContent();
  const aside = await (await fetch(url)).arrayBuffer();
  assert.ok(!Buffer.from(aside).equals(Buffer.from(middle)), "the focal point changes nothing");
  assert.deepEqual(complaints, []);
});

test("a refused value is explained where it was given", async () => {
  await page.goto(`${base}/#${picture}?w=0&f=auto`);
  await page.locator("#problem").waitFor();
  assert.notEqual(await page.locator("#problem-title").textContent(), "");
  assert.match(await page.locator("#problem").textContent(), /65535/);
  assert.equal(await page.locator("#w").getAttribute("aria-invalid"), "true");
  await page.fill("#w", "200");
  await pixels("200 × 150");
  assert.equal(await page.locator("#problem").isVisible(), false);
  // The browser itself reports the answer 400; nothing else may be there.
  assert.deepEqual(complaints.filter((text) => !text.includes("400")), []);
});

for (const width of [320, 390, 820, 1280]) {
  test(`nothing scrolls sideways at ${width} px`, async () => {
    await page.setViewportSize({ width, height: 844 });
    await page.goto(`${base}/#${picture}?w=1600&f=auto&more=${"x".repeat(120)}`);
    await pixels("1,600 × 1,200");
    const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(content <= window, `${content} > ${window}`);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    assert.deepEqual(complaints, []);
  });
}
