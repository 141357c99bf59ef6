// The console, in a real browser against the real server: the whole flow. Started by scripts/test-browser.sh, which sets:
// STANDALONE_BINARY, CHROMIUM, PLAYWRIGHT (the directory of playwright-core); SCREENSHOTS, a directory, is optional.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const sample = (name) => join(root, "samples", name);
const { chromium } = createRequire(import.meta.url)(process.env.PLAYWRIGHT);

let server, base, browser, page, complaints, data, password;

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
  data = await mkdtemp(join(tmpdir(), "tintype-console-"));
  const settings = [`server.listen=127.0.0.1:${port}`, `server.admin=127.0.0.1:${admin}`, `platform.data=${data}`];
  const options = ["serve", ...settings.flatMap((one) => ["--set", one])];
  server = spawn(process.env.STANDALONE_BINARY, options, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  server.stdout.on("data", (chunk) => { said += chunk; });
  for (let tries = 0; ; tries += 1) {
    assert.equal(server.exitCode, null, "the server ended");
    assert.ok(tries < 300, "the server is not ready after 30 s");
    const answer = await fetch(`http://127.0.0.1:${admin}/readyz`).catch(() => null);
    if (answer?.ok) break;
    await sleep(100);
  }
  password = /password:?\s+(\S+)/i.exec(said)?.[1];
  assert.ok(password, `the first start prints the password: ${said}`);
  const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args });
});

after(async () => {
  await browser?.close();
  if (server && server.exitCode === null) {
    server.kill("SIGTERM");
    await new Promise((resolve) => server.once("exit", resolve));
  }
  await rm(data, { recursive: true, force: true });
});

async function open(viewport) {
  complaints = [];
  const context = await browser.newContext({ viewport });
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  // Refusals that are asked for, such as a wrong password, are logged by the browser as well.
  page.on("console", (message) => { if (["error", "warning"].includes(message.type()) && !/status of 4/.test(message.text())) complaints.push(message.text()); });
  page.on("pageerror", (error) => complaints.push(error.message));
}

beforeEach(() => open({ width: 1280, height: 860 }));
afterEach(async (context) => {
  await shot(context.name);
  await page.context().close();
});

async function shot(name) {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/console-${name.replaceAll(/\W+/g, "-")}.png` });
}

async function signIn() {
  await page.goto(base);
  await page.fill("#login", "admin@localhost");
  await page.fill("#password", password);
  await page.click("#gate-button");
  await page.locator("#desk").waitFor();
}

async function upload(...names) {
  await page.setInputFiles("#upload-files", names.map(sample));
  await page.waitForFunction((count) => document.querySelectorAll("#tray-list .done").length >= count, names.length, { timeout: 60_000 });
}

test("a wrong password is refused and a right one lets in, also after a reload", async () => {
  await page.goto(base);
  await page.fill("#login", "admin@localhost");
  await page.fill("#password", "wrong horse battery");
  await page.click("#gate-button");
  await page.locator("#gate-problem").waitFor();
  await shot("sign-in");
  await page.fill("#password", password);
  await page.click("#gate-button");
  await page.locator("#desk").waitFor();
  assert.ok(!(await page.evaluate(() => document.cookie)).includes("tintype"), "no script can read the cookie");
  assert.ok(!(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).includes("ey"), "no token is stored");
  await page.reload();
  await page.locator("#desk").waitFor();
  assert.deepEqual(complaints, []);
});

test("pictures are uploaded, shown, found and filtered", async () => {
  await signIn();
  // Pictures are held back: until they come, their placeholders are shown.
  let go;
  const held = new Promise((resolve) => { go = resolve; });
  await page.route("**/a/main/**", async (route) => { await held; await route.continue(); });
  await upload("barn.jpg", "river.jpg", "logo.png", "lighthouse.jpg");
  await page.locator("#grid .frame canvas").first().waitFor();
  await shot("placeholders");
  go();
  await page.waitForFunction(() => document.querySelectorAll("#grid img.here").length >= 4);
  await page.waitForFunction(() => [...document.querySelectorAll("#grid .frame canvas")].every((one) => getComputedStyle(one).visibility === "hidden"));
  await shot("grid");
  await page.fill("#search", "barn");
  await page.waitForFunction(() => document.querySelectorAll("#grid li").length === 1);
  assert.match(await page.locator("#grid .label").textContent(), /barn/);
  assert.match(page.url(), /q=barn/);
  await page.fill("#search", "");
  await page.waitForFunction(() => document.querySelectorAll("#grid li").length >= 4);
  await page.getByRole("checkbox", { name: /PNG/ }).check();
  await page.waitForFunction(() => document.querySelectorAll("#grid li").length === 1);
  assert.match(await page.locator("#grid .label").textContent(), /logo/);
  assert.deepEqual(complaints, []);
});

test("one picture: its URL, what is said of it, replace, delete and undo", async () => {
  await signIn();
  await upload("landscape.jpg");
  await page.fill("#search", "landscape");
  // The list may still be the one of before.
  await page.locator("#grid a.tile", { hasText: "landscape" }).click();
  await page.locator(".shown img.here").waitFor();
  await page.waitForFunction(() => document.querySelector(".playground .result")?.naturalWidth === 800);
  await shot("detail");
  await page.getByRole("button", { name: "Square" }).click();
  await page.waitForFunction(() => document.querySelector(".playground .result")?.naturalWidth === 600);
  const url = await page.locator(".playground .address").textContent();
  const answer = await fetch(url);
  assert.equal(answer.status, 200);
  assert.match(url, /[?&]kid=platform&exp=\d+&s=/);
  assert.equal((await fetch(url.replace("w=600", "w=601"))).status, 403, "what was not signed is not made");
  assert.equal((await fetch(url.split("?")[0])).status, 403, "a name is not enough");
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.selectOption("#life", { label: "a year" });
  await page.click("#copy-picture");
  await page.getByText("<picture> copied").waitFor();
  const code = await page.evaluate(() => navigator.clipboard.readText());
  const sources = [...code.matchAll(/srcset="([^"]+)"/g)].flatMap(([, set]) => set.split(", ")).map((one) => one.split(" ")[0].replaceAll("&amp;", "&"));
  assert.ok(sources.length >= 15 && code.includes("image/avif"), code);
  for (const source of sources.slice(-2)) assert.equal((await fetch(source)).status, 200, source);
  const first = Buffer.from(await answer.arrayBuffer());

  await page.fill("#field-title", "A machine that flies");
  await page.fill("#field-tags", "sky, machine");
  await page.getByRole("button", { name: "Save" }).click();
  const saved = page.locator(".toast", { hasText: "Saved" });
  await saved.waitFor();
  assert.ok(await saved.evaluate((note) => { const { x, y, width, height } = note.getBoundingClientRect(); return note.closest(".toasts").matches(":popover-open") && x >= 0 && y > 0 && x + width <= innerWidth && y + height <= innerHeight; }), "notes are above the dialogue");

  await page.setInputFiles("#replace-file", sample("statue.png"));
  await page.locator(".toast.bad", { hasText: "the name says .jpg" }).waitFor();
  await page.setInputFiles("#replace-file", sample("river.jpg"));
  await page.waitForFunction(() => document.querySelectorAll(".versions li").length === 2, null, { timeout: 60_000 });
  const second = Buffer.from(await (await fetch(url)).arrayBuffer());
  assert.ok(!first.equals(second), "the new content is shown under the same URL");

  await page.click("#delete");
  await page.getByRole("button", { name: "Undo" }).waitFor();
  assert.equal((await fetch(url)).status, 404);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("is back").waitFor();
  assert.equal((await fetch(url)).status, 200);
  assert.deepEqual(complaints, []);
});

test("what is no picture is refused with a reason", async () => {
  await signIn();
  await page.setInputFiles("#upload-files", { name: "notes.jpg", mimeType: "image/jpeg", buffer: await readFile(join(root, "README.md")) });
  await page.locator("#tray-list .failed").waitFor();
  assert.notEqual(await page.locator("#tray-list .failed .state").textContent(), "");
  assert.deepEqual(complaints, []);
});

test("it fits a phone, and nothing scrolls sideways", async () => {
  await page.context().close();
  await open({ width: 360, height: 740 });
  await signIn();
  await upload("portrait.webp");
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  await page.waitForFunction(() => document.querySelectorAll("#grid img.here").length >= 1);
  assert.ok(await fits(), "the grid");
  await shot("phone-grid");
  await page.locator("#grid a.tile").first().click();
  await page.locator(".shown img.here").waitFor();
  assert.ok(await page.evaluate(() => document.querySelector("#detail").scrollWidth <= innerWidth), "one picture");
  await shot("phone-detail");
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => !document.querySelector("#detail").open);
  assert.deepEqual(complaints, []);
});

test("signing out ends it", async () => {
  await signIn();
  await page.click("#menu summary");
  await page.click("#sign-out");
  await page.locator("#gate").waitFor();
  await page.reload();
  await page.locator("#gate").waitFor();
  assert.deepEqual(complaints, []);
});
