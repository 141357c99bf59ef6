// Scores a run of the HTTP cache tests: SUITE RESULTS SUBSET TITLE [ID that may fail]…
// Exits with 1 when a required test of the subset does anything but pass, or be listed.
import fs from 'node:fs'
import path from 'node:path'

const [suite, resultsFile, subsetFile, title, ...known] = process.argv.slice(2)
const groups = (await import(path.resolve(suite, 'tests/index.mjs'))).default
const results = JSON.parse(fs.readFileSync(resultsFile))
const { ids } = JSON.parse(fs.readFileSync(subsetFile))
const tests = new Map(groups.flatMap(group => group.tests).map(test => [test.id, test]))

// A test that rests on another one which fails says nothing.
const verdict = id => {
  const rests = tests.get(id).depends_on ?? []
  if (rests.some(other => verdict(other) !== 'pass')) return 'dependency'
  return results[id] === true ? 'pass' : 'fail'
}

const counts = {}
const unexpected = []
for (const { id, kind = 'required', browser_only: browserOnly } of tests.values()) {
  if (!ids.includes(id) || browserOnly) continue
  const key = `${kind} ${verdict(id)}`
  counts[key] = (counts[key] ?? 0) + 1
  if (kind === 'required' && verdict(id) !== 'pass' && !known.includes(id)) unexpected.push(`${id}: ${JSON.stringify(results[id])}`)
}
console.log(`cache tests, ${title}: ${Object.keys(counts).sort().map(key => `${key} ${counts[key]}`).join(', ')}`)
unexpected.forEach(line => console.log(`  ${line}`))
process.exit(unexpected.length > 0 || !counts['required pass'] ? 1 : 0)
