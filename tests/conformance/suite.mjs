// SPDX-License-Identifier: MIT
// Runs both requirement sets of the official conformance suite against one server and says of each scenario whether it is clean: checks have
// succeeded and none has failed, warned or been left out. usage: MCP_TEST_AUTHORIZATION='Bearer ...' node suite.mjs URL FRONT LOG     prints TAP
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const [url, front, log] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const home = join(here, 'node_modules', '@modelcontextprotocol', 'conformance');
const pending = readPending(join(here, 'pending'));
let count = 0, failed = 0;

function ok(condition, text, detail = []) {
  count++;
  if (!condition) failed++;
  console.log(`${condition ? 'ok' : 'not ok'} ${count} - ${front}: ${text}`);
  if (!condition) for (const line of detail) console.log('# ' + String(line).replace(/\n/g, '\n# '));
}

function tell(text) {
  console.log(`# ${front}: ${text}`);
}

// Lines "SET SCENARIO WHY" of scenarios that cannot be clean yet.
function readPending(file) {
  const found = new Map();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (!line || line.startsWith('#')) continue;
    const [set, scenario, ...why] = line.split(/\s+/);
    if (!why.length) throw new Error(`${file}: "${line}" does not say why`);
    found.set(`${set} ${scenario}`, why.join(' '));
  }
  return found;
}

// What the suite demands of a server at this revision.
function requirements(set) {
  const { server, not_scored } = parse(readFileSync(join(home, 'requirements', `${set}.yaml`), 'utf8'));
  return { scored: server, other: not_scored.filter(entry => entry.leg === 'server').map(entry => entry.scenario) };
}

// Strict: no failure is expected, and a warning is one. Returns the exit status.
function runSuite(set, out) {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'strict.yaml'), 'server: []\n');
  const child = spawn(process.execPath, ['--require', join(here, 'authorize.cjs'), join(home, 'dist', 'index.js'), 'server', '--url', url,
    '--requirements', set, '--expected-failures', join(out, 'strict.yaml'), '-o', join(out, 'results')], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { text += chunk; });
  return new Promise(resolve => child.on('close', status => {
    writeFileSync(join(out, 'output'), text);
    resolve({ status, text });
  }));
}

// The checks of each scenario, by its name. Directories are named server-SCENARIO-TIME.
function results(out) {
  const found = new Map();
  let names = [];
  try { names = readdirSync(join(out, 'results')); } catch { /* the suite did not come that far */ }
  for (const name of names) {
    const scenario = /^server-(.*)-\d{4}-\d\d-\d\dT.*$/.exec(name)?.[1];
    const file = join(out, 'results', name, 'checks.json');
    if (scenario && existsSync(file)) found.set(scenario, JSON.parse(readFileSync(file, 'utf8')));   // there is none when it broke off
  }
  return found;
}

const tally = (checks, status) => checks.filter(check => check.status === status).length;

// One line for the scenario. Returns whether it is clean.
function judge(set, scenario, checks) {
  const name = `${set} ${scenario}`, why = pending.get(name);
  if (!checks) return ok(false, `${name} has run`), false;
  const bad = checks.filter(check => !['SUCCESS', 'INFO'].includes(check.status));
  const good = tally(checks, 'SUCCESS');
  const clean = bad.length === 0 && good > 0;
  if (why && clean) ok(false, `${name} is clean now: take it from the list "pending"`);
  else if (why) tell(`${name} is pending (${why}): ${good} checks passed, ${bad.length} did not`);
  else ok(clean, `${name} (${good} checks)`, (bad.length ? bad : checks).map(check => `${check.status} ${check.id}: ${check.errorMessage ?? check.description}`));
  return clean;
}

async function runSet(set) {
  const { scored, other } = requirements(set);
  const out = join(here, 'out', front, set), begun = Date.now();
  const { status, text } = await runSuite(set, out);
  const found = results(out), clean = { scored: 0, other: 0 };
  for (const scenario of scored) if (judge(set, scenario, found.get(scenario))) clean.scored++;
  for (const scenario of other) if (judge(set, scenario, found.get(scenario))) clean.other++;
  if (!scored.some(scenario => pending.has(`${set} ${scenario}`)))
    ok(status === 0, `${set}: the suite's own judgement, strict: exit status 0`, text.split('\n').slice(-20));
  const all = [...found.values()].flat();
  console.log(`# ${front} ${set}: ${tally(all, 'SUCCESS')} passed, ${tally(all, 'FAILURE')} failed, ${tally(all, 'WARNING')} warnings, `
    + `${tally(all, 'SKIPPED')} skipped; clean: ${clean.scored} of ${scored.length} scored scenarios, ${clean.other} of ${other.length} others; `
    + `${((Date.now() - begun) / 1000).toFixed(1)} s`);
}

for (const set of ['2026-07-28', '2025-11-25']) await runSet(set);

// What the server's log says of all that: lines begin with the id of the request, whose first half is the process.
const lines = [...readFileSync(log, 'utf8').matchAll(/^\[[^\]]*\] INFO: ([0-9a-f]{8})[0-9a-f]{8} (\w+) \S+ (\d{3}) /gm)];
const processes = new Set(lines.map(line => line[1]));
ok(processes.size >= 2, `${processes.size} processes have answered ${lines.length} requests`);
// The one is quickstart's own, which shows that a stranger is turned away.
const refused = lines.filter(line => line[3] === '401').length;
ok(refused === 1, `every request of the suite had its token: ${refused - 1} answers are 401`);
console.log(`1..${count}`);
process.exit(failed ? 1 : 0);
