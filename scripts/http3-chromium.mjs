// Fetches targets over HTTP/3 in headless Chromium: CHROMIUM PORT PUBLIC_KEY PLACE. Reads PLACE/targets, writes
// PLACE/chromium-0 and so on. Speaks the DevTools protocol through pipes, so that nothing has to be installed.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [chromium, port, publicKey, place] = process.argv.slice(2)
const targets = readFileSync(join(place, 'targets'), 'utf8').trim().split('\n')
const origin = `https://img.test:${port}`
const profile = mkdtempSync(join(place, 'profile-'))
const browser = spawn(chromium, [
    '--headless=new', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe', `--user-data-dir=${profile}`,
    '--enable-quic', `--origin-to-force-quic-on=img.test:${port}`, '--host-resolver-rules=MAP img.test 127.0.0.1',
    `--ignore-certificate-errors-spki-list=${publicKey}`, '--no-proxy-server', '--no-first-run', 'about:blank',
], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] })
const [, , , to, from] = browser.stdio

let next = 0, buffer = ''
const waiting = new Map()
from.on('data', data => {
    buffer += data
    for (let end; (end = buffer.indexOf('\0')) >= 0; buffer = buffer.slice(end + 1)) {
        const message = JSON.parse(buffer.slice(0, end))
        const done = waiting.get(message.id)
        if (!done) continue
        waiting.delete(message.id)
        message.error ? done.reject(new Error(message.error.message)) : done.resolve(message.result)
    }
})
const call = (method, params = {}, sessionId = undefined) => new Promise((resolve, reject) => {
    waiting.set(++next, { resolve, reject })
    to.write(JSON.stringify({ id: next, method, params, sessionId }) + '\0')
})

const inPage = async () => {
    // The page that we serve is of the same origin, so what it fetches may be read.
    const answers = []
    for (const target of TARGETS) {
        const response = await fetch(target)
        const bytes = new Uint8Array(await response.arrayBuffer())
        const entry = performance.getEntriesByName(new URL(target, location).href).at(-1)
        let text = ''
        for (const byte of bytes) text += String.fromCharCode(byte)
        answers.push({ status: response.status, protocol: entry?.nextHopProtocol, body: btoa(text) })
    }
    return answers
}

let status = 1
try {
    const { targetId } = await call('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true })
    await call('Page.enable', {}, sessionId)
    const { errorText } = await call('Page.navigate', { url: `${origin}/` }, sessionId)
    if (errorText) throw new Error(errorText)
    await new Promise(resolve => setTimeout(resolve, 1000))
    const expression = `(${inPage})()`.replace('TARGETS', JSON.stringify(targets))
    const { result, exceptionDetails } = await call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }, sessionId)
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    status = 0
    for (const [number, { status: code, protocol, body }] of result.value.entries()) {
        writeFileSync(join(place, `chromium-${number}`), Buffer.from(body, 'base64'))
        if (code !== 200 || protocol !== 'h3') {
            console.error(`Chromium: ${targets[number]}: ${code} by ${protocol}`)
            status = 1
        }
    }
} catch (error) {
    console.error(`Chromium: ${error.message}`)
} finally {
    browser.kill()
    await new Promise(resolve => browser.on('exit', resolve))
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
}
process.exit(status)
